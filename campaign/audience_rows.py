"""One row of a contact file: columns, rules, and what is wrong with it in a sentence."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import BinaryIO, NamedTuple
from zoneinfo import ZoneInfo

from campaign import contact_files
from campaign.addresses import GETUI, JPUSH, WECHAT, WECOM_APP, checked
from campaign.contacts import EDUCATION, EMAIL, MARKETING, SERVICE, SMS, WEBHOOK
from campaign.groups import GROUP_WORDS, LANGUAGE_WORDS
from core.cells import plain, to_csv
from core.errors import DomainError, Invalid
from core.i18n import mark

COLUMNS = {
    "name": ("name", "姓名", "称呼"),
    "email": ("email", "邮箱", "e-mail", "电子邮件"),
    "phone": ("phone", "手机", "手机号", "电话"),
    "webhook_id": ("webhook_id", "接口标识", "接口编号"),
    "wechat_openid": ("wechat_openid", "微信openid", "openid"),
    "wecom_userid": ("wecom_userid", "企业微信账号", "userid"),
    "jpush_id": ("jpush_id", "极光设备标识", "registration_id"),
    "getui_cid": ("getui_cid", "个推设备标识", "cid"),
    "outlet_code": ("outlet_code", "网点代码", "网点编号", "outlet"),
    "province": ("province", "省份", "省"),
    "language": ("language", "语言"),
    "groups": ("groups", "人群", "人群类别"),
    "consent_purpose": ("consent_purpose", "同意用途"),
    "consent_time": ("consent_time", "同意时间"),
    "consent_source": ("consent_source", "同意来源"),
    "consent_version": ("consent_version", "同意文本版本"),
    "consent_channels": ("consent_channels", "同意渠道"),
}
REQUIRED = ("consent_purpose", "consent_time", "consent_source")
# In the order in which the first one that is given tells whether two rows are one person.
ADDRESSES = {
    "email": EMAIL,
    "webhook_id": WEBHOOK,
    "phone": SMS,
    "wechat_openid": WECHAT,
    "wecom_userid": WECOM_APP,
    "jpush_id": JPUSH,
    "getui_cid": GETUI,
}
_PURPOSES = {
    word: purpose
    for purpose, words in (
        (EDUCATION, ("education", "教育宣传", "金融教育宣传", "消费者教育", "金融知识宣传")),
        (SERVICE, ("service", "服务", "服务通知")),
        (MARKETING, ("marketing", "营销", "推广", "产品推广", "产品与活动推广")),
    )
    for word in words
}
_CHANNEL_WORDS = {
    word: kind
    for kind, words in (
        (EMAIL, ("email", "邮件", "电子邮件")),
        (WEBHOOK, ("webhook", "接口", "接口推送")),
        (SMS, ("sms", "短信")),
        (WECHAT, ("wechat", "微信", "公众号", "微信公众号")),
        (WECOM_APP, ("wecom_app", "wecom", "企业微信")),
        (JPUSH, ("jpush", "极光", "极光推送")),
        (GETUI, ("getui", "个推")),
    )
    for word in words
}
_BETWEEN = re.compile(r"[;；、,，|\s]+")
_UNKNOWN_PURPOSE = mark(
    "不认识的同意用途“%(word)s”：可以是金融教育宣传（education）、服务通知（service）、产品推广（marketing）。"
)
_UNKNOWN_CHANNEL = mark("不认识的同意渠道“%(word)s”。")
_UNKNOWN_GROUP = mark("不认识的人群“%(word)s”。")
_UNKNOWN_LANGUAGE = mark("不认识的语言“%(word)s”：可以是中文（zh）或英文（en）。")
_MOMENTS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d",
)


class ContactRow(NamedTuple):
    """A good row: addresses (kind and text in the form it is compared in), channels and purposes of the consent.

    A plain tuple: a million of them are made.
    """

    line: int
    name: str
    addresses: tuple[tuple[str, str], ...]
    outlet_code: str
    province: str
    language: str
    groups: tuple[str, ...]
    channels: tuple[str, ...]
    purposes: tuple[str, ...]
    given_at: datetime
    source: str
    text_version: str

    @property
    def address(self) -> tuple[str, str]:
        """The first address, which tells whether two rows are one person: its kind and its text."""
        return self.addresses[0]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be taken: its line in the file, the column, the rule it breaks, the row itself."""

    line: int
    column: str
    error: DomainError
    cells: tuple[str, ...]

    @property
    def rule(self) -> str:
        """The rule as a sentence in the locale in force."""
        return str(self.error)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that was opened: its header as written; `rows` reads it anew each time, a row at a time."""

    header: list[str]
    names: dict[str, int]
    source: contact_files.Source

    @property
    def rows(self) -> Iterator[tuple[int, dict[str, str], tuple[str, ...]]]:
        """The line of each row that is not empty, its cells by our columns, and all of its cells as written."""
        width, places = len(self.header), tuple(self.names.items())
        lines = self.source.rows()
        next(lines)
        for line, cells in lines:
            if any(cells) and any(cell.strip() for cell in cells):
                short = width - len(cells)
                padded = [*cells, *[""] * short] if short > 0 else cells
                clean = {name: padded[at].strip() for name, at in places}
                if "'" in "".join(padded):
                    clean = {name: plain(text) for name, text in clean.items()}
                yield line, clean, tuple(cells)


def read(data: bytes | BinaryIO) -> Sheet:
    """Open a CSV (UTF-8 with or without BOM, else GB18030) or XLSX file; Invalid says what is missing."""
    source = contact_files.Source(data)
    first = next(source.rows(), None)
    if first is None:
        raise Invalid(mark("文件是空的。"), field="file")
    header = [cell.strip() for cell in first[1]]
    return Sheet(header, _columns(header), source)


def check(
    line: int, cells: dict[str, str], *, zone: ZoneInfo, now: datetime, is_outlet: Callable[[str], bool]
) -> ContactRow:
    """The row as a ContactRow; Invalid with the column in `field` when it breaks a rule."""
    found = _addresses(cells)
    outlet = cells.get("outlet_code", "")
    if outlet and not is_outlet(outlet):
        raise Invalid(mark("没有编号为“%(code)s”的网点。"), field="outlet_code", code=outlet)
    purposes = _words(cells["consent_purpose"], _PURPOSES, "consent_purpose", _UNKNOWN_PURPOSE)
    if not purposes:
        raise Invalid(mark("请写明同意的用途：金融教育宣传、服务通知或产品推广。"), field="consent_purpose")
    source = cells["consent_source"]
    if not source:
        raise Invalid(mark("请写明同意从哪里来，例如“柜面签署”。"), field="consent_source")
    named = _words(cells.get("consent_channels", ""), _CHANNEL_WORDS, "consent_channels", _UNKNOWN_CHANNEL)
    language = _words(cells.get("language", ""), LANGUAGE_WORDS, "language", _UNKNOWN_LANGUAGE)
    return ContactRow(
        line=line,
        name=cells.get("name", "")[:60],
        addresses=found,
        outlet_code=outlet,
        province=cells.get("province", "")[:40],
        language=language[0] if language else "",
        groups=_words(cells.get("groups", ""), GROUP_WORDS, "groups", _UNKNOWN_GROUP),
        channels=tuple(kind for kind, _text in found if not named or kind in named),
        purposes=purposes,
        given_at=_moment(cells["consent_time"], zone, now),
        source=source[:200],
        text_version=cells.get("consent_version", "")[:60],
    )


def rejected_csv(header: list[str], bad: list[BadRow]) -> bytes:
    """The rejected rows as CSV (UTF-8 with BOM) with the reason behind; formula cells are made harmless."""
    rows = [
        [*row.cells, *[""] * (len(header) - len(row.cells)), row.line, row.column, row.rule] for row in bad
    ]
    return to_csv([*header, "行号", "列", "原因"], rows)


def heading(sheet: Sheet, name: str) -> str:
    """The column as the file itself calls it."""
    words = COLUMNS.get(name, ())
    return next((cell for cell in sheet.header if cell.lower() in words), name)


def twin(row: ContactRow, first: int) -> Invalid:
    """What is wrong with a row that has the address of an earlier one."""
    column = next(name for name, kind in ADDRESSES.items() if kind == row.address[0])
    return Invalid(mark("与第 %(line)s 行是同一个地址。"), field=column, line=first)


def too_many(most: int, one: BadRow) -> Invalid:
    """What is wrong with a file most of whose rows are bad."""
    rule = mark("有错的行超过 %(count)s 行，其中第 %(line)s 行：%(rule)s 请检查各列是否对齐。")
    return Invalid(rule, field="file", count=most, line=one.line, rule=one.rule)


def _columns(header: list[str]) -> dict[str, int]:
    lowered = [cell.lower() for cell in header]
    found = {
        name: lowered.index(word)
        for name, words in COLUMNS.items()
        for word in words[::-1]
        if word in lowered
    }
    for name in REQUIRED:
        if name not in found:
            raise Invalid(
                mark("缺少“%(column)s”列：没有同意凭据的名单不能导入。"),
                field="file",
                column=COLUMNS[name][1],
            )
    if not set(ADDRESSES) & set(found):
        raise Invalid(mark("缺少地址列：至少要有“邮箱”“手机”“接口标识”或一个平台的账号列。"), field="file")
    return found


def _addresses(cells: dict[str, str]) -> tuple[tuple[str, str], ...]:
    found = tuple(
        (kind, good)
        for column, kind in ADDRESSES.items()
        if (text := cells.get(column)) and (good := checked(kind, text, field=column))
    )
    if not found:
        raise Invalid(mark("没有任何地址：邮箱、手机、接口标识或平台账号至少填一项。"), field="email")
    return found


def _words(text: str, known: Mapping[str, str], column: str, unknown: str) -> tuple[str, ...]:
    """What the words of a cell mean, each once; Invalid names the first that means nothing."""
    if not text:
        return ()
    if text in known:
        return (known[text],)
    lowered = text.lower()
    if lowered in known:
        return (known[lowered],)
    words = [word for word in _BETWEEN.split(lowered) if word]
    strange = [word for word in words if word not in known]
    if strange:
        raise Invalid(unknown, field=column, word=strange[0])
    return tuple(dict.fromkeys(known[word] for word in words))


def _moment(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """The time of consent: ISO with offset, or local time of the institution; not in the future."""
    at = _parsed(text, zone)
    if at is None:
        raise Invalid(mark("同意时间的写法须像 2026-03-01 10:30。"), field="consent_time")
    if at > now:
        raise Invalid(mark("同意时间在将来，请核对。"), field="consent_time")
    return at


@lru_cache(maxsize=4096)
def _parsed(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        return _in_utc(at if at.tzinfo else at.replace(tzinfo=zone))
    for pattern in _MOMENTS:
        try:
            return _in_utc(datetime.strptime(text, pattern).replace(tzinfo=zone))
        except ValueError:
            continue
    return None


def _in_utc(at: datetime) -> datetime | None:
    """The same moment in UTC, in which comparing and writing it costs least; None before the calendar begins."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return None
