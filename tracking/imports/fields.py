"""What a column of a file can say, and the words by which columns and values are recognised."""

import re
import unicodedata
from collections.abc import Mapping

from core.i18n import mark
from tracking.definition import KIND_NAMES

IGNORED, DAY, RECEIPT, STATUS, QUANTITY = "", "day", "receipt", "status", "quantity"
OUTLET, CHANNEL, CAMPAIGN, PIECE, KIND, AUDIENCE, PLACE = (
    "outlet", "channel", "campaign", "piece", "kind", "audience", "place",
)  # fmt: skip
KEYS = (OUTLET, CHANNEL, CAMPAIGN, PIECE, KIND, AUDIENCE, PLACE)
COUNT = "count:"  # with a kind behind it: a column that counts events of this kind alone

NAMES: Mapping[str, str] = {
    IGNORED: mark("不导入"),
    DAY: mark("日期"),
    OUTLET: mark("网点"),
    CHANNEL: mark("渠道"),
    CAMPAIGN: mark("活动期"),
    PIECE: mark("内容"),
    KIND: mark("事件类别"),
    AUDIENCE: mark("人群"),
    PLACE: mark("场所"),
    QUANTITY: mark("数量"),
    RECEIPT: mark("回执编号"),
    STATUS: mark("回执状态"),
}
COUNT_NAMES = {
    "delivered": mark("送达数"),
    "visited": mark("访问数"),
    "engaged": mark("细读数"),
    "completed": mark("读完数"),
    "shared": mark("转发数"),
    "registered": mark("报名数"),
    "attended": mark("到场数"),
    "handed_out": mark("发放数"),
    "shown": mark("播放数"),
}
LABELS: Mapping[str, str] = {**NAMES, **{COUNT + kind: name for kind, name in COUNT_NAMES.items()}}

# The six groups and the five places that the regulator's campaigns name.
AUDIENCES = {
    "elders": mark("老年人"),
    "youth": mark("青少年"),
    "new_citizens": mark("新市民"),
    "workers": mark("务工务农人员"),
    "disabled": mark("残障人士"),
    "foreigners": mark("外籍来华人士"),
}
PLACES = {
    "village": mark("农村"),
    "community": mark("社区"),
    "school": mark("校园"),
    "company": mark("企业"),
    "mall": mark("商圈"),
}
# Headings that mean a field in whatever file; a source adds its own.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    DAY: ("日期", "统计日期", "时间", "date", "day", "ref_date", "stat_date"),
    OUTLET: ("网点", "网点编号", "网点代码", "机构编号", "机构代码", "outlet", "outlet_code", "branch"),
    CHANNEL: ("渠道", "渠道编号", "channel"),
    CAMPAIGN: ("活动期", "活动编号", "活动", "campaign", "campaign_code"),
    PIECE: ("内容", "内容编号", "内容标题", "piece", "piece_key", "content"),
    KIND: ("类别", "事件类别", "kind", "event"),
    AUDIENCE: ("人群", "重点人群", "audience", "group"),
    PLACE: ("场所", "五进入", "place"),
    QUANTITY: ("数量", "人次", "人数", "quantity", "count", "number"),
    COUNT + "delivered": ("送达", "送达数", "送达人数", "delivered"),
    COUNT + "visited": ("访问", "访问数", "访问次数", "浏览量", "visited", "views", "pv"),
    COUNT + "engaged": ("细读", "细读数", "engaged"),
    COUNT + "completed": ("读完", "读完数", "读完人数", "completed", "finished"),
    COUNT + "shared": ("转发", "转发数", "分享次数", "转发次数", "shared", "shares", "share_count"),
    COUNT + "registered": ("报名", "报名数", "报名人数", "registered", "sign_ups"),
    COUNT + "attended": ("到场", "到场数", "到场人数", "签到人数", "attended", "attendees"),
    COUNT + "handed_out": ("发放", "发放数", "发放份数", "领取份数", "handed_out"),
}
_AROUND = re.compile(r"[\s_\-*]|[(（].*[)）]")


def squeezed(heading: str) -> str:
    """A heading as it is compared: no case, width, blanks, nor what stands in brackets."""
    return _AROUND.sub("", unicodedata.normalize("NFKC", heading)).lower()


def words_of(names: Mapping[str, str], english: Mapping[str, str]) -> dict[str, str]:
    """Word → key for values: the key itself, its Chinese name, its English one."""
    found = {squeezed(key): key for key in names}
    for key, name in names.items():
        found.setdefault(squeezed(name), key)
        found.setdefault(squeezed(english.get(key, key)), key)
    return found


_ENGLISH = {
    "elders": "older people", "youth": "young people", "new_citizens": "new citizens", "workers": "workers",
    "disabled": "people with disabilities", "foreigners": "foreigners in China", "village": "villages",
    "community": "communities", "school": "schools", "company": "companies", "mall": "shopping areas",
}  # fmt: skip
KIND_WORDS = words_of(KIND_NAMES, {"handed_out": "handed out"}) | {
    squeezed(name): kind for kind, name in COUNT_NAMES.items()
}
AUDIENCE_WORDS = words_of(AUDIENCES, _ENGLISH)
PLACE_WORDS = words_of(PLACES, _ENGLISH) | {squeezed("进" + name): key for key, name in PLACES.items()}
