"""A form of registration: what it says, whether it can be one, and the row it becomes, sealed."""

import json
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from campaign.registration import consent
from core.errors import Invalid
from core.i18n import mark
from core.privacy import Vault, is_email, is_phone, normal_email, normal_phone

PHONE_KIND, EMAIL_KIND = "phone", "email"
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is mistaken for another when spoken or written
_CODE = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a form says. `companions`: names of further people of 14 and over; `minors`: how many are younger.

    `chosen`: option by question, `answers`: text by question. `request_key`: the form's own, so that sending it
    twice registers once.
    """

    name: str
    phone: str
    request_key: str
    email: str = ""
    companions: tuple[str, ...] = ()
    minors: int = 0
    chosen: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    agreed: bool = False
    waits: bool = True
    language: str = "zh"
    channel: str = ""
    campaign: str = ""

    @property
    def size(self) -> int:
        """How many people, all counted."""
        return 1 + len(self.companions) + self.minors


@dataclass(frozen=True, slots=True)
class Entry:
    """A checked form of a moment, with the row that it becomes and the sealed names of who is 14 and over."""

    wanted: Wanted
    row: Mapping[str, Any]
    names: tuple[str, ...]
    at: datetime

    @classmethod
    def of(cls, vault: Vault, wanted: Wanted, now: datetime) -> "Entry":
        """Check and seal a form, before anybody waits for it; Invalid names the field."""
        wanted = checked(wanted)
        row = _row(vault, wanted, now)
        return cls(wanted, row, (row["name_sealed"], *map(vault.encrypt, wanted.companions)), now)


def checked(wanted: Wanted) -> Wanted:
    """The form with names, number and address in their normal form; Invalid names the field."""
    name = plain_name(wanted.name, "name")
    phone = normal_phone(wanted.phone)
    if not is_phone(phone):
        raise Invalid(mark("请填写 11 位手机号；国外号码以 + 和国家代码开头。"), field="phone")
    email = normal_email(wanted.email)
    if email and (not is_email(email) or len(email) > 200 or not email.isprintable()):
        raise Invalid(mark("这个邮箱地址不对，请检查，或者留空。"), field="email")
    companions = tuple(
        plain_name(one, f"companion-{number}") for number, one in enumerate(wanted.companions, 1)
    )
    if not wanted.agreed:
        raise Invalid(mark("请先看一看怎样使用您的信息，同意后再报名。"), field="agreed")
    language = "en" if wanted.language == "en" else "zh"
    return replace(wanted, name=name, phone=phone, email=email, companions=companions, language=language)


def plain_name(text: str, where: str) -> str:
    """A person's name without odd spaces and control characters; Invalid when there is none or it is too long."""
    name = " ".join(unicodedata.normalize("NFKC", text).split())
    if not name or len(name) > 40 or not name.isprintable():
        raise Invalid(mark("请填写姓名，不超过 40 个字。"), field=where)
    return name


def new_code() -> str:
    """A code to be spoken at the door: 31^8 of them, and good only for one occurrence."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_CODE))


def _row(vault: Vault, wanted: Wanted, now: datetime) -> dict[str, Any]:
    answers = {key: text.strip() for key, text in wanted.answers.items() if text.strip()}
    return {
        "code": new_code(),
        "request_key": wanted.request_key,
        "size": wanted.size,
        "minors": wanted.minors,
        "name_sealed": vault.encrypt(wanted.name),
        "phone_sealed": vault.encrypt(wanted.phone),
        "phone_index": vault.index(PHONE_KIND, wanted.phone),
        "email_sealed": vault.encrypt(wanted.email) if wanted.email else "",
        "email_index": vault.index(EMAIL_KIND, wanted.email) if wanted.email else None,
        "answers_sealed": vault.encrypt(json.dumps(answers, ensure_ascii=False)) if answers else "",
        "consent_version": consent.CURRENT,
        "language": wanted.language,
        "channel": wanted.channel,
        "campaign_code": wanted.campaign,
        "created_at": now,
        "joined_at": now,
        "changed_at": now,
    }
