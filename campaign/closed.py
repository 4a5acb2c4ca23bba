"""Addresses that take nothing more on a channel: bounced, complained of, blocked, gone, or withdrawn by the person.

A platform says so at any time, by several workers at once, so that closing twice is closing once. Opening again is a
person's decision with a reason; what the person withdrew stays closed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func
from sqlmodel import Session, col, select

from campaign import former
from campaign.addresses import kind_of, mask
from campaign.among import among
from campaign.audience_models import ClosedAddress
from campaign.contacts import Contact
from campaign.lists import addresses_sealed
from campaign.recipients import index_column
from core.database import inserting
from core.errors import Invalid, NotFound
from core.i18n import mark
from core.privacy import Vault, mask_name
from institution import audit
from institution.powers import WHOLE

WITHDRAWN = "withdrawn"
REASONS = {
    WITHDRAWN: mark("本人不再接收"),
    "gone": mark("地址已不存在"),
    "blocked": mark("被平台列入黑名单"),
    "bounce": mark("退信"),
    "complaint": mark("被投诉为垃圾信息"),
    "not_following": mark("没有关注"),
}
_LEFT = ("not_following", "gone")
SHOWN_OF_INDEX = 16  # of the keyed hash: enough to tell two apart in the log, too little to look one up
PAGE = 50
audit.declare({"contact.unsubscribe": mark("本人退订"), "address.reopen": mark("重新启用已关闭的地址")})


@dataclass(frozen=True, slots=True)
class ClosedRow:
    """A contact whose address takes nothing more, as the desk may see it."""

    contact_id: int
    name: str
    address: str
    reason: str
    at: datetime


def close_address(
    session: Session, channel: str, address_index: str, reason: str, *, via: str, now: datetime
) -> bool:
    """Nothing more goes to this address on this channel; False when it was closed before (the reason stays, but
    a withdrawal overrules any). ValueError for a reason that is none of `REASONS`."""
    if reason not in REASONS:
        raise ValueError(reason)
    kind = kind_of(channel)
    if reason == WITHDRAWN:
        refuse(session, kind, address_index, via=via[:40], now=now)
    former.hold(session, kind, address_index)
    known = former.family(session, address_index)
    before = closed_among(session, kind, known)
    if len(before) == len(known) and (reason != WITHDRAWN or set(before.values()) == {WITHDRAWN}):
        return False
    made = inserting(session.get_bind().dialect)(ClosedAddress)
    values = {"reason": reason, "via": via[:40], "at": now}
    rows = [{"channel": kind, "address_index": one, **values} for one in known]
    key = ["channel", "address_index"]
    if reason == WITHDRAWN:
        session.execute(made.on_conflict_do_update(index_elements=key, set_=values).values(rows))
    else:
        session.execute(made.on_conflict_do_nothing(index_elements=key).values(rows))
    return not before


def refuse(session: Session, channel: str, address_index: str, *, via: str, now: datetime) -> bool:
    """Write a refusal with its audit record, which cannot be joined with the address; False when known."""
    kind = kind_of(channel)
    if not former.refuse(session, kind, address_index, via=via, now=now):
        return False
    after = {"channel": kind, "via": via}
    audit.record(session, "contact.unsubscribe", "refusal", address_index[:SHOWN_OF_INDEX], after=after)
    return True


def closed_among(session: Session, channel: str, indexes: Iterable[str]) -> dict[str, str]:
    """Which of these addresses are closed on this channel, with the reason (a key of `REASONS`)."""
    query = select(ClosedAddress.address_index, ClosedAddress.reason).where(
        ClosedAddress.channel == kind_of(channel), among(ClosedAddress.address_index, indexes)
    )
    return dict(session.exec(query).all())


def came_back(session: Session, channel: str, address_index: str) -> bool:
    """The platform says that somebody is there again: what was closed because they had left is open; False else."""
    kind, known = kind_of(channel), former.family(session, address_index)
    mine = (col(ClosedAddress.channel) == kind, col(ClosedAddress.address_index).in_(known))
    left = col(ClosedAddress.reason).in_(_LEFT)
    return bool(session.connection().execute(delete(ClosedAddress).where(*mine, left)).rowcount)


def reopen(
    session: Session, channel: str, address_index: str, reason: str, *, outlet_code: str = WHOLE
) -> None:
    """Write to the address again, for a reason that is kept in the audit log; Invalid for a withdrawn one."""
    kind, reason = kind_of(channel), reason.strip()
    known = former.family(session, address_index)
    found = closed_among(session, kind, known)
    if not found:
        raise NotFound(mark("这个地址没有关闭，或已经重新启用。"))
    if WITHDRAWN in found.values():
        raise Invalid(mark("这是本人不再接收，不能由工作人员重新启用。"), field="reason")
    if not 2 <= len(reason) <= 200:
        raise Invalid(mark("请写明重新启用的原因（2 到 200 个字）。"), field="reason")
    session.execute(
        delete(ClosedAddress).where(
            col(ClosedAddress.channel) == kind, col(ClosedAddress.address_index).in_(known)
        )
    )
    after = {"channel": kind, "was": sorted(set(found.values())), "reason": reason}
    audit.record(
        session, "address.reopen", "address", address_index[:SHOWN_OF_INDEX], after=after,
        outlet_code=outlet_code,
    )  # fmt: skip


def rows(
    session: Session, vault: Vault, channel: str, inside: ColumnElement[bool], *, page: int
) -> tuple[list[ClosedRow], dict[str, int], int]:
    """One page of the contacts within a part of the tree whose address on a channel is closed, masked, newest first;
    the counts by reason; the number of pages."""
    kind = kind_of(channel)
    index = index_column(Contact, kind)
    same = (ClosedAddress.channel == kind, ClosedAddress.address_index == index, inside)
    query = select(ClosedAddress.reason, func.count()).where(*same).group_by(ClosedAddress.reason)
    counted = dict(session.exec(query).all())
    pages = max(1, -(-sum(counted.values()) // PAGE))
    found = session.exec(
        select(Contact, ClosedAddress)
        .where(*same)
        .order_by(col(ClosedAddress.at).desc(), col(Contact.id))
        .offset((min(page, pages) - 1) * PAGE)
        .limit(PAGE)
    ).all()
    sealed = addresses_sealed(session, kind, [contact for contact, _one in found])
    shown = [
        ClosedRow(
            contact.id or 0,
            mask_name(vault.decrypt(contact.name_sealed)) if contact.name_sealed else "",
            mask(kind, vault.decrypt(sealed[contact.id or 0])),
            one.reason,
            one.at,
        )
        for contact, one in found
    ]
    return shown, counted, pages
