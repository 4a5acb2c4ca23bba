"""The columns of a contact file: what they are called, where they stand, and a row that cannot be taken."""

from dataclasses import dataclass

from campaign.addresses import GETUI, JPUSH, WECHAT, WECOM_APP
from campaign.contacts import EMAIL, SMS, WEBHOOK
from core.cells import plain
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
class Columns:
    """The columns of a file: its header as written, and where ours stand in it."""

    header: list[str]
    places: tuple[tuple[str, int], ...]

    def cells(self, raw: list[str]) -> dict[str, str]:
        """The cells of a row by our columns."""
        short = len(self.header) - len(raw)
        padded = [*raw, *[""] * short] if short > 0 else raw
        clean = {name: padded[at].strip() for name, at in self.places}
        if "'" in "".join(padded):
            clean = {name: plain(text) for name, text in clean.items()}
        return clean

    def bad(self, line: int, error: DomainError, raw: list[str]) -> BadRow:
        """A row that breaks a rule, with the column as the file itself calls it."""
        words = COLUMNS.get(error.field or "", ())
        column = next((cell for cell in self.header if cell.lower() in words), error.field or "")
        return BadRow(line, column, error, tuple(raw))


def columns_of(header: list[str]) -> Columns:
    """Where our columns stand; Invalid says which one is missing."""
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
    return Columns(header, tuple(found.items()))
