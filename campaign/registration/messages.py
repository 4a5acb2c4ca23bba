"""A message of the outlet to those who registered: counted before it goes, then noted for each of them.

What is noted here `telling` carries: a letter where there is an address, else a telephone call by staff.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from campaign.events.models import Occurrence
from campaign.registration import notices
from campaign.registration.models import CONFIRMED, LIVE, OFFERED, PENDING, WAITING, Registration
from core.errors import Invalid
from core.i18n import mark
from core.privacy import Vault
from institution import audit

audit.declare({"registration.message": mark("给报名的人发消息")})

LONGEST = 500
GROUPS = {"placed": (CONFIRMED, OFFERED), "waiting": (WAITING, PENDING), "all": LIVE}
GROUP_NAMES = {"placed": mark("有位置的人"), "waiting": mark("候补和待审核的人"), "all": mark("所有报名的人")}


@dataclass(frozen=True, slots=True)
class Reach:
    """To how many parties a message would go: by letter, and by a telephone call that staff make."""

    by_letter: int
    by_phone: int

    @property
    def count(self) -> int:
        """All of them."""
        return self.by_letter + self.by_phone


def reach(session: Session, occurrence_id: int, group: str) -> Reach:
    """Whom a message would reach."""
    rows = _of_group(session, occurrence_id, group)
    letters = sum(bool(one.email_sealed) for one in rows)
    return Reach(letters, len(rows) - letters)


def checked(text: str, group: str) -> str:
    """The text as it goes out; Invalid when there is none, or it is too long, or the group is none."""
    plain = text.replace("\r\n", "\n").strip()
    if group not in GROUPS:
        raise Invalid(mark("请从列表里选一项。"), field="group")
    if not plain:
        raise Invalid(mark("请写要告诉大家的话。"), field="text")
    if len(plain) > LONGEST or not plain.replace("\n", "").isprintable():
        raise Invalid(mark("最多 %(most)s 个字，不能有控制字符。"), field="text", most=LONGEST)
    return plain


def send(
    session: Session,
    vault: Vault,
    occurrence: Occurrence,
    text: str,
    group: str,
    *,
    place: str,
    now: datetime,
) -> int:
    """Note the message for everybody of the group; returns for how many. The same text on the same day goes once."""
    plain = checked(text, group)
    about = f"{now:%Y%m%d}-{hashlib.sha256(plain.encode()).hexdigest()[:16]}"
    sealed, count = vault.encrypt(plain), 0
    for one in _of_group(session, occurrence.id or 0, group):
        made = notices.note(session, one, notices.MESSAGE, now, about=about, text_sealed=sealed)
        count += made is not None
    if not count:
        raise Invalid(mark("没有人要通知：还没有人报名，或者今天已经发过同样的话。"), field="text")
    audit.record(
        session, "registration.message", "occurrence", occurrence.id, after={"count": count}, outlet_code=place,
        note=plain,
    )  # fmt: skip
    return count


def _of_group(session: Session, occurrence_id: int, group: str) -> list[Registration]:
    query = select(Registration).where(
        Registration.occurrence_id == occurrence_id, col(Registration.state).in_(GROUPS[group])
    )
    return list(session.exec(query.order_by(col(Registration.id))))
