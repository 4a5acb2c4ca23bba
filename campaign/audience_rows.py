"""One row of a contact file: columns, rules, and what is wrong with it in a sentence."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from campaign.contacts import EDUCATION, EMAIL, SMS, WEBHOOK
from core.cells import plain, to_csv
from core.errors import DomainError, Invalid
from core.i18n import mark
from core.privacy import is_phone, normal_email, normal_phone

COLUMNS = {
    "name": ("name", "姓名", "称呼"),
    "email": ("email", "邮箱", "e-mail", "电子邮件"),
    "phone": ("phone", "手机", "手机号", "电话"),
    "webhook_id": ("webhook_id", "接口标识", "接口编号"),
    "outlet_code": ("outlet_code", "网点代码", "网点编号", "outlet"),
    "province": ("province", "省份", "省"),
    "consent_purpose": ("consent_purpose", "同意用途"),
    "consent_time": ("consent_time", "同意时间"),
    "consent_source": ("consent_source", "同意来源"),
    "consent_version": ("consent_version", "同意文本版本"),
    "consent_channels": ("consent_channels", "同意渠道"),
}
REQUIRED = ("consent_purpose", "consent_time", "consent_source")
_PURPOSES = {
    word: EDUCATION for word in ("education", "教育宣传", "金融教育宣传", "消费者教育", "金融知识宣传")
}
_CHANNEL_WORDS = {
    "email": EMAIL,
    "邮件": EMAIL,
    "电子邮件": EMAIL,
    "webhook": WEBHOOK,
    "接口": WEBHOOK,
    "接口推送": WEBHOOK,
    "sms": SMS,
    "短信": SMS,
}
# The addr-spec of the HTML standard, with a top level of letters: what mail servers take without SMTPUTF8.
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_WEBHOOK_ID = re.compile(r"[\w.:@\-]{1,128}", re.ASCII)
_MOMENTS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d",
)


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A good row: addresses in the form they are compared in, channels that the consent covers."""

    line: int
    name: str
    email: str
    phone: str
    webhook_id: str
    outlet_code: str
    province: str
    channels: tuple[str, ...]
    purpose: str
    given_at: datetime
    source: str
    text_version: str

    @property
    def address(self) -> tuple[str, str]:
        """The first address, which tells whether two rows are one person: its kind and its text."""
        kinds = ((EMAIL, self.email), (WEBHOOK, self.webhook_id), (SMS, self.phone))
        return next((kind, text) for kind, text in kinds if text)


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
    """A decoded file: its header as written, and its rows as {our column: text} with line and cells."""

    header: list[str]
    rows: list[tuple[int, dict[str, str], tuple[str, ...]]]


def read(data: bytes) -> Sheet:
    """Decode (UTF-8 with or without BOM, else GB18030) and split a CSV file; Invalid says what is missing."""
    lines = list(_csv_rows(_decode(data)))
    if not lines:
        raise Invalid(mark("文件是空的。"), field="file")
    header = [cell.strip() for cell in lines[0][1]]
    names = _columns(header)
    rows = []
    for line, cells in lines[1:]:
        if any(cell.strip() for cell in cells):
            padded = cells + [""] * (len(header) - len(cells))
            row = {name: plain(padded[position].strip()) for name, position in names.items()}
            rows.append((line, row, tuple(cells)))
    return Sheet(header, rows)


def check(
    line: int, cells: dict[str, str], *, zone: ZoneInfo, now: datetime, is_outlet: Callable[[str], bool]
) -> ContactRow:
    """The row as a ContactRow; Invalid with the column in `field` when it breaks a rule."""
    email, phone, webhook_id = _addresses(cells)
    outlet = cells.get("outlet_code", "")
    if outlet and not is_outlet(outlet):
        raise Invalid(mark("没有编号为“%(code)s”的网点。"), field="outlet_code", code=outlet)
    purpose = _PURPOSES.get(cells["consent_purpose"].lower())
    if purpose is None:
        raise Invalid(
            mark("同意的用途须是“金融教育宣传”（education），否则不能推送。"), field="consent_purpose"
        )
    source = cells["consent_source"]
    if not source:
        raise Invalid(mark("请写明同意从哪里来，例如“柜面签署”。"), field="consent_source")
    have = tuple(k for k, text in ((EMAIL, email), (WEBHOOK, webhook_id), (SMS, phone)) if text)
    return ContactRow(
        line=line,
        name=cells.get("name", "")[:60],
        email=email,
        phone=phone,
        webhook_id=webhook_id,
        outlet_code=outlet,
        province=cells.get("province", "")[:40],
        channels=_channels(cells.get("consent_channels", ""), have),
        purpose=purpose,
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


def _decode(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise Invalid(mark("读不出这个文件：请另存为 CSV（UTF-8 或 GB18030）再试。"), field="file")


def _csv_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in first else ",")
    try:
        line = 1
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise Invalid(mark("第 %(line)s 行不是合格的 CSV。"), field="file", line=reader.line_num) from error


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
    if not {"email", "phone", "webhook_id"} & set(found):
        raise Invalid(mark("缺少地址列：至少要有“邮箱”“手机”“接口标识”中的一列。"), field="file")
    return found


def _addresses(cells: dict[str, str]) -> tuple[str, str, str]:
    email, phone = normal_email(cells.get("email", "")), normal_phone(cells.get("phone", ""))
    webhook_id = cells.get("webhook_id", "")
    if email and (len(email) > 254 or not _EMAIL.fullmatch(email) or ".." in email):
        raise Invalid(mark("邮箱地址的写法不对。"), field="email")
    if phone and not is_phone(phone):
        raise Invalid(mark("手机号须是 11 位，或以 + 和国家代码开头。"), field="phone")
    if webhook_id and not _WEBHOOK_ID.fullmatch(webhook_id):
        raise Invalid(mark("接口标识只能用字母、数字和 . _ : @ -，不超过 128 位。"), field="webhook_id")
    if not (email or phone or webhook_id):
        raise Invalid(mark("没有任何地址：邮箱、手机、接口标识至少填一项。"), field="email")
    return email, phone, webhook_id


def _channels(text: str, have: tuple[str, ...]) -> tuple[str, ...]:
    """The channels the consent names; when it names none, those of the addresses given."""
    words = [word for word in re.split(r"[;；、,，\s]+", text.lower()) if word]
    unknown = [word for word in words if word not in _CHANNEL_WORDS]
    if unknown:
        raise Invalid(mark("不认识的同意渠道“%(word)s”。"), field="consent_channels", word=unknown[0])
    named = {_CHANNEL_WORDS[word] for word in words}
    return tuple(channel for channel in have if not named or channel in named)


def _moment(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """The time of consent: ISO with offset, or local time of the institution; not in the future."""
    at = _parsed(text, zone)
    if at is None:
        raise Invalid(mark("同意时间的写法须像 2026-03-01 10:30。"), field="consent_time")
    if at > now:
        raise Invalid(mark("同意时间在将来，请核对。"), field="consent_time")
    return at


def _parsed(text: str, zone: ZoneInfo) -> datetime | None:
    for pattern in _MOMENTS:
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=zone)
        except ValueError:
            continue
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=zone)
