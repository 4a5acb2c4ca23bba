"""What the scheduler holds about people: one row per recipient of a push. Taken out of it, the row still counts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, String, bindparam, cast, func, or_, update
from sqlmodel import Session, col, select

from campaign import personal
from campaign.among import among, among_numbers
from core.database import Prepared
from core.i18n import gettext, mark
from core.privacy import Vault
from institution import holders, retention, sealed
from institution.holders import Holder, Section, Sought
from institution.retention import Rule
from institution.sealed import Sealed
from scheduler import openings
from scheduler.channels import registry
from scheduler.models import DELIVERY_NAMES, ChannelAccount, Delivery, DeliveryState, Push
from scheduler.token_models import ChannelToken

sealed.declare(Sealed(ChannelAccount, ("secret_sealed", "previous_sealed"), mark("渠道账号")))
sealed.declare(Sealed(ChannelToken, ("sealed",), mark("渠道平台的访问令牌")))
# PIPL art. 56: what was processed is on record for three years; after that the row only counts.
_DAYS = 1095


def _follow(session: Session, moves: Sequence[tuple[str, str]]) -> None:
    """Rows of an address that moved are found under its new index. They are found by the contacts that have it now: rows
    stand in the order of pushes and contacts, and none is read for an address that nobody has."""
    new_of = dict(moves)
    found = personal.contacts_of(session, Sought(frozenset([*new_of, *new_of.values()])))
    people = {row.id or 0 for row in found} | set(personal.beside(session, [*new_of, *new_of.values()]))
    held = select(Delivery.id, Delivery.address_index).where(
        col(Delivery.push_id).in_(select(Push.id)), among_numbers(Delivery.contact_id, people),
        among(Delivery.address_index, new_of),
    )  # fmt: skip
    rows = [{"row": number, "new": new_of[old]} for number, old in session.exec(held).all()]
    if rows:
        _MOVE.on(session.connection(), *rows)


_MOVE = Prepared(
    update(Delivery).where(col(Delivery.id) == bindparam("row")).values(address_index=bindparam("new"))
)
sealed.follow(_follow)


def _of(session: Session, person: Sought) -> ColumnElement[bool]:
    """The rows of a person: by the contact, and by the address for contacts that are gone."""
    ids = [row.id or 0 for row in personal.contacts_of(session, person)]
    return or_(
        col(Delivery.address_index).in_(person.every),
        (col(Delivery.contact_id) > 0) & col(Delivery.contact_id).in_(ids),
    )


def _find(session: Session, person: Sought) -> int:
    return session.exec(select(func.count()).select_from(Delivery).where(_of(session, person))).one()


def _export(session: Session, _vault: Vault, person: Sought) -> Section:
    query = (
        select(Push, Delivery)
        .join(Delivery, col(Delivery.push_id) == Push.id)
        .where(_of(session, person))
        .order_by(col(Delivery.id))
    )
    found = session.exec(query).all()
    opened = openings.keys(session, [delivery.key for _push, delivery in found])
    return [
        {
            gettext("时间"): (delivery.settled_at or push.due_at).isoformat(timespec="minutes"),
            gettext("渠道"): registry.label(push.channel),
            gettext("内容"): push.subject or push.piece_key,
            gettext("活动期"): push.campaign,
            gettext("结果"): gettext(DELIVERY_NAMES[DeliveryState(delivery.state)]),
            gettext("链接"): gettext("打开过") if delivery.key in opened else "",
        }
        for push, delivery in found
    ]


def _erase(session: Session, person: Sought) -> int:
    return _unlink(session, _of(session, person))


def _unlink(session: Session, condition: ColumnElement[bool]) -> int:
    """Let the rows point to nobody: a contact that cannot exist, and for the address the row's own key."""
    statement = update(Delivery).where(condition, col(Delivery.contact_id) > 0)
    values = {"contact_id": -col(Delivery.id), "address_index": cast(col(Delivery.key), String)}
    statement = statement.values(values).execution_options(synchronize_session=False)
    return session.connection().execute(statement).rowcount


holders.declare(Holder("delivery", mark("推送记录"), _find, _export, _erase))


def _old(before: datetime) -> ColumnElement[bool]:
    return (col(Delivery.settled_at) < before) & (col(Delivery.contact_id) > 0)


retention.declare(
    Rule(
        "delivery.person",
        mark("推送记录与收件人的对应"),
        _DAYS,
        mark("《个人信息保护法》第五十六条：处理情况记录至少三年"),
        count=lambda session, before: session.exec(
            select(func.count()).select_from(Delivery).where(_old(before))
        ).one(),
        clear=lambda session, before: _unlink(session, _old(before)),
        least=_DAYS,
    )
)
