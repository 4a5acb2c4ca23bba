"""What the desk's pages of report subscriptions show: entries of lists, the history in words, the page of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from core.i18n import gettext as _
from institution import places
from institution.models import Staff
from tracking import report_deliveries, report_rhythm, subscriptions
from tracking.report_form import Choice
from tracking.report_sender import Reports
from tracking.subscription_models import ReportDelivery, ReportSubscription

_TONES = {
    report_deliveries.CLAIMED: "info", report_deliveries.POSTED: "info", report_deliveries.SENT: "good",
    report_deliveries.FAILED: "bad", report_deliveries.UNCERTAIN: "warn", report_deliveries.WITHHELD: "idle",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One subscription in a list."""

    row: ReportSubscription
    place: str
    rhythm: str
    span: str
    state: str
    readers: int
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListPage:
    """Those of one's part, those one gets."""

    entries: Sequence[Entry]
    mine: Sequence[Entry]
    may_edit: bool
    server: bool


@dataclass(frozen=True, slots=True)
class Sending:
    """One line of the history."""

    row: ReportDelivery
    name: str
    days: str
    parts: str
    state: str
    tone: str
    again: bool
    test: bool


@dataclass(frozen=True, slots=True)
class SubscriptionPage:
    """One subscription: its form, who gets it, what was sent."""

    values: Mapping[str, str]
    choice: Choice
    row: ReportSubscription | None = None
    entry: Entry | None = None
    readers: Sequence[Staff] = ()
    next_at: Sequence[datetime] = ()
    history: Sequence[Sending] = ()
    may_edit: bool = True
    base: str = ""
    field: str | None = None
    fault: str = ""
    server: bool = True

    def at(self, *names: str) -> str | None:
        """The fault if it is one of these fields'."""
        return self.fault if self.field in names else None


def entry(session: Session, reports: Reports, one: ReportSubscription, now: datetime) -> Entry:
    """A subscription as lists show it."""
    ended = report_deliveries.concerning(session, one, reports.campaigns(session))
    active = one.state == subscriptions.ACTIVE
    coming = report_rhythm.upcoming(one, reports.clock, now, ended, 1) if active else []
    return Entry(
        one,
        places.name(session, one.outlet_code),
        report_rhythm.in_words(one),
        _(report_rhythm.SPANS[one.span]),
        _(subscriptions.STATES[one.state]),
        len(subscriptions.recipients(session, one.id or 0)),
        coming[0].at if coming else None,
    )


def history(session: Session, one: ReportSubscription) -> list[Sending]:
    """The newest sendings, in words."""
    rows = report_deliveries.history(session, one.id or 0)
    codes = {code for row in rows for code in row.parts.split()}
    named = places.names(session, {"" if code == "*" else code for code in codes})
    return [_sending(session, row, named) for row in rows]


def _sending(session: Session, row: ReportDelivery, named: Mapping[str, str]) -> Sending:
    person = session.get(Staff, row.staff_id)
    parts = [named["" if code == "*" else code] for code in row.parts.split()]
    test = row.period_key.startswith(report_deliveries.TEST)
    undone = (report_deliveries.FAILED, report_deliveries.UNCERTAIN, report_deliveries.WITHHELD)
    return Sending(
        row,
        person.name if person else "",
        f"{row.first} – {row.last}",
        _("、").join(parts),
        _(report_deliveries.STATES[row.state]),
        _TONES[row.state],
        row.state in undone and not test,
        test,
    )
