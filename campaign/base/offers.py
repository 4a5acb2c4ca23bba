"""What a base may offer and how it may be made accessible: fixed lists, so that pages and filters agree on words."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from core.errors import Invalid
from core.i18n import gettext, mark

SERVICES = {
    "lecture": mark("专题讲座"),
    "one_to_one": mark("一对一讲解"),
    "lending": mark("宣传读物借阅"),
    "check": mark("帮看可疑来电短信"),
    "policy": mark("保单读懂与整理"),
    "phone_help": mark("手教手用手机"),
    "children": mark("亲子财商课"),
    "outreach": mark("上门宣讲"),
    "complaint": mark("投诉受理与调解"),
    "screen": mark("大屏循环播放"),
}
FACILITIES = {
    "ramp": mark("无障碍坡道"),
    "glasses": mark("老花镜"),
    "hearing": mark("助听设备"),
    "priority": mark("优先叫号"),
    "sign": mark("手语服务"),
    "large_print": mark("大字版材料"),
    "braille": mark("盲文材料"),
    "wheelchair": mark("轮椅"),
    "seats": mark("爱心座椅"),
    "bell": mark("求助呼叫铃"),
    "toilet": mark("无障碍卫生间"),
    "parking": mark("无障碍车位"),
}
# What files call them besides the words of the lists.
_OTHERS = {
    "讲座": "lecture", "一对一": "one_to_one", "借阅": "lending", "图书借阅": "lending", "大屏": "screen",
    "坡道": "ramp", "助听": "hearing", "助听器": "hearing", "手语": "sign", "大字": "large_print", "盲文": "braille",
}  # fmt: skip
_BETWEEN = re.compile(r"[、,，;；|/\n]+")


def words(known: Mapping[str, str], keys: Iterable[str]) -> list[str]:
    """The words of keys in the language in force, in the order of the list."""
    chosen = set(keys)
    return [gettext(word) for key, word in known.items() if key in chosen]


def choices(known: Mapping[str, str]) -> list[tuple[str, str]]:
    """The whole list, (key, word)."""
    return [(key, gettext(word)) for key, word in known.items()]


def ordered(known: Mapping[str, str], keys: Iterable[str]) -> list[str]:
    """The keys that there are, each once, in the order of the list."""
    chosen = set(keys)
    return [key for key in known if key in chosen]


def read(known: Mapping[str, str], text: str) -> list[str]:
    """The keys that a cell names, by key or word of either language; Invalid names the word that there is not."""
    found = {_key(known, part.strip()) for part in _BETWEEN.split(text) if part.strip()}
    return ordered(known, found)


def _key(known: Mapping[str, str], text: str) -> str:
    wanted = _squeezed(text)
    for key, word in known.items():
        if wanted in (_squeezed(key), _squeezed(word), _squeezed(gettext(word))):
            return key
    other = _OTHERS.get(wanted, "")
    if other in known:
        return other
    raise Invalid(
        mark("没有“%(text)s”这一项，可以写：%(known)s。"),
        text=text[:40],
        known=gettext("、").join(words(known, known)),
    )


def _squeezed(text: str) -> str:
    return re.sub(r"[\s_\-*]", "", unicodedata.normalize("NFKC", text)).lower()
