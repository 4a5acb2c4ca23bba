"""Kinds of addresses: what each is called, in which form it is compared, what it may look like, how it is masked.

Several channels may share a kind: `sms_aliyun` and `sms_tencent` both write to a telephone number, so whoever said
no to one of them said no to both.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from campaign.contacts import CHANNEL_NAMES, EMAIL, SMS, WEBHOOK
from core.errors import Invalid
from core.i18n import mark
from core.privacy import is_phone, mask_email, mask_phone, normal_email, normal_phone

WECHAT, WECOM_APP, JPUSH, GETUI, WEBPUSH = "wechat", "wecom_app", "jpush", "getui", "webpush"
# The kinds that stand in a contact's own row, with the beginning of their columns' names, in the order in which the
# first one a person has is their identity; all others stand beside it (`ContactAddress`).
IN_CONTACT = {EMAIL: "email", WEBHOOK: "webhook", SMS: "phone"}
# The addr-spec of the HTML standard, with a top level of letters: what mail servers take without SMTPUTF8.
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_WEBHOOK_ID = re.compile(r"[\w.:@\-]{1,128}", re.ASCII)
_OPENID = re.compile(r"[\w\-]{10,64}", re.ASCII)
_USER = re.compile(r"[\w.@\-]{1,64}", re.ASCII)
_DEVICE = re.compile(r"[0-9a-zA-Z]{8,64}")
_LONGEST_SUBSCRIPTION = 2000
_ID_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of address. `rule` says in a sentence what `good` asks for; `letter` stands for it in links; two
    addresses are the same when what they are `known_by` is: that is what the blind index is made of."""

    name: str
    letter: str
    normal: Callable[[str], str]
    good: Callable[[str], bool]
    mask: Callable[[str], str]
    rule: str
    known_by: Callable[[str], str] = str

    @property
    def label(self) -> str:
        """What it is called, as its channel; to be translated."""
        return CHANNEL_NAMES[self.name]


def _normal_email(text: str) -> str:
    """NFKC changes nothing in ASCII, and is most of the work of a million addresses."""
    return text.strip().lower() if text.isascii() else normal_email(text)


def _normal_phone(text: str) -> str:
    """Eleven digits that begin with 1 are a number already as it is compared."""
    plain = len(text) == 11 and text[0] == "1" and text.isascii() and text.isdecimal()
    return text if plain else normal_phone(text)


def _good_email(text: str) -> bool:
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None and ".." not in text


def _like(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _good_subscription(text: str) -> bool:
    """RFC 8030: an endpoint by https, with the keys of the browser, as the browser wrote it (JSON)."""
    return text.startswith("{") and '"https://' in text and len(text) <= _LONGEST_SUBSCRIPTION


def _endpoint(text: str) -> str:
    """What tells one browser from another: where it is pushed to; its keys may be renewed."""
    try:
        return str(json.loads(text)["endpoint"])
    except (ValueError, TypeError, KeyError):
        return text


def _mask_id(text: str) -> str:
    return "****" + text[-_ID_SHOWN:]


def _mask_subscription(_text: str) -> str:
    return "****"


KINDS = {
    one.name: one
    for one in (
        Kind(EMAIL, "e", _normal_email, _good_email, mask_email, mark("邮箱地址的写法不对。")),
        Kind(
            WEBHOOK, "w", str.strip, _like(_WEBHOOK_ID), mask_phone,
            mark("接口标识只能用字母、数字和 . _ : @ -，不超过 128 位。"),
        ),
        Kind(
            SMS, "s", _normal_phone, is_phone, mask_phone,
            mark("手机号须是 11 位，或以 + 和国家代码开头。"),
        ),
        Kind(
            WECHAT, "x", str.strip, _like(_OPENID), _mask_id,
            mark("微信 OpenID 是 10 到 64 位的字母、数字、_ 和 -。"),
        ),
        Kind(
            WECOM_APP, "c", str.strip, _like(_USER), _mask_id,
            mark("企业微信账号不超过 64 位，只能用字母、数字和 . _ @ -。"),
        ),
        Kind(
            JPUSH, "j", str.strip, _like(_DEVICE), _mask_id,
            mark("设备标识是 8 到 64 位的字母和数字。"),
        ),
        Kind(
            GETUI, "g", str.strip, _like(_DEVICE), _mask_id,
            mark("设备标识是 8 到 64 位的字母和数字。"),
        ),
        Kind(
            WEBPUSH, "b", str.strip, _good_subscription, _mask_subscription,
            mark("浏览器订阅须是浏览器给出的 JSON，里面有 https 地址。"), _endpoint,
        ),
    )
}  # fmt: skip


def kind_of(channel: str) -> str:
    """The kind of address that a channel writes to: its own name, or what stands before the first `_`."""
    if channel in KINDS:
        return channel
    family = channel.partition("_")[0]
    return family if family in KINDS else channel


def known_by(kind: str, text: str) -> str:
    """The part of an address (in its normal form) that its blind index is made of."""
    return KINDS[kind].known_by(text) if kind in KINDS else text


def index_in(contact: Any, kind: str) -> Any:
    """The blind index of a contact's address of a kind; of the table, or an alias of it, the column. None where the
    kind stands beside the contact."""
    return getattr(contact, f"{IN_CONTACT[kind]}_index") if kind in IN_CONTACT else None


def sealed_in(contact: Any, kind: str) -> Any:
    """The same, encrypted."""
    return getattr(contact, f"{IN_CONTACT[kind]}_sealed") if kind in IN_CONTACT else None


def checked(kind: str, text: str, *, field: str) -> str:
    """The address in the form it is compared in, "" for none; Invalid when it cannot be one."""
    one = KINDS[kind]
    found = one.normal(text)
    if found and not one.good(found):
        raise Invalid(one.rule, field=field)
    return found


def mask(channel: str, text: str) -> str:
    """The address as the desk may show it."""
    one = KINDS.get(kind_of(channel))
    return one.mask(text) if one else _mask_id(text)
