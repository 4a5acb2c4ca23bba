"""What registrations hold about people: who registered, companions, answers, words of feedback, messages."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, update
from sqlmodel import Session, col, select

from campaign.events.models import EventSeries, Occurrence
from campaign.registration import changing
from campaign.registration.entry import EMAIL_KIND, PHONE_KIND
from campaign.registration.models import (
    STATE_NAMES,
    Feedback,
    Notice,
    RegisteredPerson,
    Registration,
)
from core import clock
from core.i18n import gettext, mark
from core.privacy import Vault
from institution import holders, retention, sealed
from institution.holders import Holder, Section, Sought
from institution.retention import Rule
from institution.sealed import Opened, Row, Sealed

_KINDS = {"phone": PHONE_KIND, "email": EMAIL_KIND}
_AT_ONCE = 500


def _indexes(_row: Row, opened: Opened, vault: Vault) -> Mapping[str, str]:
    return {
        f"{name}_index": vault.index(kind, opened[f"{name}_sealed"])
        for name, kind in _KINDS.items()
        if opened.get(f"{name}_sealed")
    }


sealed.declare(
    Sealed(
        Registration,
        ("name_sealed", "phone_sealed", "email_sealed", "answers_sealed"),
        mark("活动报名"),
        _indexes,
    )
)
sealed.declare(Sealed(RegisteredPerson, ("name_sealed",), mark("报名的同行人")))
sealed.declare(Sealed(Notice, ("text_sealed",), mark("给报名者的消息")))
sealed.declare(Sealed(Feedback, ("words_sealed",), mark("活动反馈")))


def _under(indexes: Iterable[str]) -> ColumnElement[bool]:
    wanted = list(indexes)
    return or_(col(Registration.phone_index).in_(wanted), col(Registration.email_index).in_(wanted))


def _of(session: Session, person: Sought) -> list[Registration]:
    query = select(Registration).where(_under(person.indexes)).order_by(col(Registration.id))
    return list(session.exec(query))


def _related(session: Session, indexes: Iterable[str]) -> set[str]:
    rows = session.exec(select(Registration).where(_under(indexes)))
    return {index for row in rows for index in (row.phone_index, row.email_index) if index}


def _find(session: Session, person: Sought) -> int:
    return session.exec(select(func.count()).select_from(Registration).where(_under(person.indexes))).one()


def _export(session: Session, vault: Vault, person: Sought) -> Section:
    return [_shown(session, vault, row) for row in _of(session, person)]


def _shown(session: Session, vault: Vault, row: Registration) -> dict[str, str]:
    occurrence = session.get_one(Occurrence, row.occurrence_id)
    series = session.get_one(EventSeries, occurrence.series_id)
    names = [vault.decrypt(one.name_sealed) for one in changing.people(session, row) if one.name_sealed]
    said = session.get(Feedback, row.id)
    return {
        gettext("活动"): f"{series.name} {occurrence.starts_at.isoformat(timespec='minutes')}",
        gettext("状态"): gettext(STATE_NAMES[row.state]),
        gettext("姓名"): gettext("、").join(names),
        gettext("14 岁以下人数"): str(row.minors),
        gettext("手机号"): _open(vault, row.phone_sealed),
        gettext("电子邮箱"): _open(vault, row.email_sealed),
        gettext("回答"): _open(vault, row.answers_sealed),
        gettext("反馈"): _open(vault, said.words_sealed) if said else "",
        gettext("同意"): row.consent_version,
        gettext("登记时间"): row.created_at.isoformat(timespec="minutes"),
    }


def _open(vault: Vault, text: str) -> str:
    return vault.decrypt(text) if text else ""


def _erase(session: Session, person: Sought) -> int:
    """Live registrations are cancelled, so that their seats go on; of all of them only numbers stay."""
    found, now = _of(session, person), clock.now()
    for row in found:
        if row.is_live and not any(one.arrived_at for one in changing.people(session, row)):
            changing.leave(session, row.id or 0, now)
    forget(session, [row.id or 0 for row in found])
    return len(found)


def forget(session: Session, numbers: Sequence[int]) -> None:
    """Take the people out of registrations: how many there were and who came stays, as numbers."""
    for start in range(0, len(numbers), _AT_ONCE):
        part = numbers[start : start + _AT_ONCE]
        session.execute(
            update(Registration)
            .where(col(Registration.id).in_(part))
            .values(
                name_sealed="", phone_sealed="", phone_index=None, email_sealed="", email_index=None,
                answers_sealed="", reason="",
            )
        )  # fmt: skip
        whose = col(RegisteredPerson.registration_id).in_(part)
        session.execute(update(RegisteredPerson).where(whose).values(name_sealed=""))
        session.execute(update(Notice).where(col(Notice.registration_id).in_(part)).values(text_sealed=""))
        session.execute(
            update(Feedback).where(col(Feedback.registration_id).in_(part)).values(words_sealed="")
        )


holders.declare(Holder("registration", mark("活动报名"), _find, _export, _erase, _related))


def _over(before: datetime) -> ColumnElement[bool]:
    ended = select(Occurrence.id).where(col(Occurrence.ends_at) < before)
    return (col(Registration.name_sealed) != "") & col(Registration.occurrence_id).in_(ended)


def _clear(session: Session, before: datetime) -> int:
    found = [number or 0 for number in session.exec(select(Registration.id).where(_over(before)))]
    forget(session, found)
    return len(found)


retention.declare(
    Rule(
        "registration",
        mark("活动报名里的姓名、电话和回答"),
        180,
        mark("《个人信息保护法》第十九条：保存期限应当为实现处理目的所必要的最短时间"),
        count=lambda session, before: session.exec(
            select(func.count()).select_from(Registration).where(_over(before))
        ).one(),
        clear=_clear,
    )
)
