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
from campaign.audience_columns import ADDRESSES, BadRow, Columns, columns_of
from campaign.contacts import EDUCATION, EMAIL, MARKETING, SERVICE, SMS, WEBHOOK
from campaign.groups import GROUP_WORDS, LANGUAGE_WORDS
from core.cells import to_csv
from core.errors import Invalid
from core.i18n import mark

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
class Sheet:
    """A file that was opened; `rows` reads it anew each time, a row at a time."""

    columns: Columns
    source: contact_files.Source

    @property
    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The line of each row that is not empty, and its cells as written."""
        lines = self.source.rows()
        next(lines)
        for line, raw in lines:
            if "".join(raw).strip():
                yield line, raw


def read(data: bytes | BinaryIO) -> Sheet:
    """Open a CSV (UTF-8 with or without BOM, else GB18030) or XLSX file; Invalid says what is missing."""
    source = contact_files.Source(data)
    first = next(source.rows(), None)
    if first is None:
        raise Invalid(mark("文件是空的。"), field="file")
    header = [cell.strip() for cell in first[1]]
    return Sheet(columns_of(header), source)


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


def twin(row: ContactRow, first: int) -> Invalid:
    """What is wrong with a row that has the address of an earlier one."""
    column = next(name for name, kind in ADDRESSES.items() if kind == row.address[0])
    return Invalid(mark("与第 %(line)s 行是同一个地址。"), field=column, line=first)


def too_many(most: int, one: BadRow) -> Invalid:
    """What is wrong with a file most of whose rows are bad."""
    rule = mark("有错的行超过 %(count)s 行，其中第 %(line)s 行：%(rule)s 请检查各列是否对齐。")
    return Invalid(rule, field="file", count=most, line=one.line, rule=one.rule)


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
