"""Who registered, came, or did not come: a filter of segments, by the blind index of a phone number or an e-mail.

The rule (PIPL art. 6, 13, 14): whoever registers agrees to hear of that event and to nothing else. So this filter
only picks among contacts who agreed, somewhere, to the purpose of the segment: it adds nobody to an audience, and the
push asks again for consent on its own channel. A node picks by events at its own outlets and below, or that it holds
itself online; what another branch's guests did, it never learns, not even as a count.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_
from sqlmodel import Session, col, select

from campaign.contacts import Consent
from campaign.events.models import EventSeries, Occurrence
from campaign.recipients import alias
from campaign.registration.models import CONFIRMED, LIVE, RegisteredPerson, Registration
from core.errors import Invalid
from core.i18n import gettext, mark
from institution.models import Outlet
from institution.powers import WHOLE, Scope

REGISTERED, CAME, ABSENT = "registered", "came", "absent"
DID = {REGISTERED: mark("报了名"), CAME: mark("来了"), ABSENT: mark("报了名没有来")}
SERIES, OCCURRENCE = "series", "occurrence"
_LATEST = 60


def did(
    what: str,
    of: Sequence[ColumnElement[bool]],
    contact: Any,
    *,
    purpose: str,
    as_of: datetime,
) -> ColumnElement[bool]:
    """Whether a contact did this at the occurrences that `of` means, as known at `as_of`.

    Who did not come is only said of occurrences that are over and where somebody was checked in: without a list at the
    door nobody is missing. Who came once is not missing.
    """
    agreed = alias(Consent)
    found: list[ColumnElement[bool]] = [
        exists().where(agreed.contact_id == contact.id, agreed.purpose == purpose)
    ]
    if what == REGISTERED:
        found.append(_among(contact, of, col(Registration.state).in_(LIVE)))
    else:
        came = _among(contact, of, _arrived(Registration.id))
        found.append(came if what == CAME else _missing(contact, of, as_of) & ~came)
    return and_(*found)


def place(outlet_code: str) -> ColumnElement[bool]:
    """The occurrences that a node may ask about: at its outlets, or online and held by it or below."""
    if outlet_code == WHOLE:
        return col(Occurrence.id).is_not(None)
    inside = select(Outlet.code).where(Scope(frozenset({outlet_code})).condition(Outlet.code))
    held = select(EventSeries.id).where(
        or_(col(EventSeries.outlet_code) == outlet_code, col(EventSeries.outlet_code).in_(inside))
    )
    here = or_(col(Occurrence.outlet_code) == outlet_code, col(Occurrence.outlet_code).in_(inside))
    return here | ((col(Occurrence.outlet_code) == WHOLE) & col(Occurrence.series_id).in_(held))


def meant(of: str) -> ColumnElement[bool]:
    """The occurrences that a filter names: `series:3` or `occurrence:12`."""
    kind, _colon, number = of.partition(":")
    if not number.isdecimal():
        return false()
    column: Any = Occurrence.series_id if kind == SERIES else Occurrence.id
    found: ColumnElement[bool] = col(column) == int(number)
    return found


def begins(since: datetime) -> ColumnElement[bool]:
    """The occurrences that begin from a moment on."""
    return col(Occurrence.starts_at) >= since


def check(session: Session, what: str, of: str, outlet_code: str) -> None:
    """Invalid for what is no such question, or about events outside of the node."""
    if not what and not of:
        return
    if what not in DID:
        raise Invalid(mark("请选择报了名、来了还是没有来。"), field="event_did")
    kind = of.partition(":")[0]
    asked = select(Occurrence.id).where(meant(of), place(outlet_code))
    if kind not in (SERIES, OCCURRENCE) or session.exec(asked).first() is None:
        raise Invalid(mark("请选择一个活动；只能选自己机构范围内办过的。"), field="event_of")


def choices(session: Session, outlet_code: str) -> dict[str, str]:
    """The events that a node may ask about: each series, then its latest occurrences."""
    query = (
        select(Occurrence, EventSeries)
        .join(EventSeries, col(EventSeries.id) == col(Occurrence.series_id))
        .where(place(outlet_code))
    )
    series = session.exec(
        select(EventSeries)
        .where(col(EventSeries.id).in_(select(Occurrence.series_id).where(place(outlet_code))))
        .order_by(EventSeries.name)
    )
    found = {f"{SERIES}:{one.id}": gettext("%(name)s（所有场次）") % {"name": one.name} for one in series}
    for one, held in session.exec(query.order_by(col(Occurrence.starts_at).desc()).limit(_LATEST)):
        found[f"{OCCURRENCE}:{one.id}"] = _named(one, held)
    return found


def words(session: Session, what: str, of: str) -> str:
    """The question in words, for who approves a plan; empty when nothing is asked."""
    if not what:
        return ""
    kind, _colon, number = of.partition(":")
    name = "—"
    if kind == SERIES and number.isdecimal():
        series = session.get(EventSeries, int(number))
        name = series.name if series else name
    elif number.isdecimal() and (one := session.get(Occurrence, int(number))) is not None:
        name = _named(one, session.get_one(EventSeries, one.series_id))
    return gettext("%(did)s：%(event)s") % {"did": gettext(DID.get(what, what)), "event": name}


def _named(one: Occurrence, series: EventSeries) -> str:
    said = " ".join(filter(None, (f"{one.day:%Y-%m-%d}", one.topic, one.outlet_code)))
    return f"{series.name} {said}"


def _among(
    contact: Any, of: Sequence[ColumnElement[bool]], *where: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether a registration of this person stands among those: by either index, each asked once for all contacts."""

    def held(column: Any) -> Any:
        query = select(column).join(Occurrence, col(Occurrence.id) == col(Registration.occurrence_id))
        return query.where(col(column).is_not(None), *of, *where)

    found: ColumnElement[bool] = or_(
        contact.phone_index.is_not(None) & contact.phone_index.in_(held(Registration.phone_index)),
        contact.email_index.is_not(None) & contact.email_index.in_(held(Registration.email_index)),
    )
    return found


def _missing(contact: Any, of: Sequence[ColumnElement[bool]], as_of: datetime) -> ColumnElement[bool]:
    other = alias(Registration)
    kept = exists().where(other.occurrence_id == Occurrence.id, _arrived(other.id))
    return _among(
        contact, of, col(Registration.state) == CONFIRMED, ~_arrived(Registration.id),
        col(Occurrence.ends_at) < as_of, kept,
    )  # fmt: skip


def _arrived(number: Any) -> ColumnElement[bool]:
    one = alias(RegisteredPerson)
    return exists().where(one.registration_id == number, one.arrived_at.is_not(None))
