"""The form of a report subscription: what the desk offers, what was typed, what a saved one looks like in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from core.i18n import gettext as _
from institution import places
from institution.places import Choices
from institution.powers import Scope
from tracking import periods, report_rhythm, subscriptions
from tracking.groupings import BY_NAMES, BYS
from tracking.report_rhythm import RHYTHMS, SPANS, WEEKDAYS
from tracking.subscription_models import ReportSubscription
from tracking.subscriptions import SubscriptionForm

FIRST = {
    "span": report_rhythm.LAST_WEEK, "by": "branch", "by2": "", "compare": periods.YEAR, "rhythm": report_rhythm.WEEKLY,
    "weekday": "0", "month_day": "1", "days_after": "3", "hour": "8", "locale": "zh",
}  # fmt: skip
LANGUAGES = {"zh": "中文", "en": "English"}
Options = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Choice:
    """What each field of the form offers."""

    places: Choices
    spans: Options
    groupings: Options
    second: Options
    compares: Options
    rhythms: Options
    weekdays: Options
    hours: Options
    languages: Options


def choice(session: Session, scope: Scope, chosen: str = "") -> Choice:
    """The options, in the language in force."""
    groupings = [(by, _(BY_NAMES[by])) for by in BYS if by != "hour"]
    return Choice(
        places=places.choices(session, scope, chosen=chosen),
        spans=[(key, _(word)) for key, word in SPANS.items()],
        groupings=groupings,
        second=[("", _("不再细分")), *groupings],
        compares=[(key, _(periods.MODE_NAMES[key])) for key in periods.MODES],
        rhythms=[(key, _(word)) for key, word in RHYTHMS.items()],
        weekdays=[(str(number), _(word)) for number, word in enumerate(WEEKDAYS)],
        hours=[(str(hour), f"{hour:02d}:00") for hour in range(24)],
        languages=list(LANGUAGES.items()),
    )


def values_of(session: Session, one: ReportSubscription) -> dict[str, str]:
    """A saved subscription as the form shows it."""
    shown = {name: str(getattr(one, name)) for name in subscriptions.FIELDS if name != "workdays"}
    shown["by"], _comma, shown["by2"] = one.by.partition(",")
    shown["workdays"] = "1" if one.workdays else ""
    shown["recipients"] = "\n".join(person.login for person in subscriptions.recipients(session, one.id or 0))
    return shown


def read(
    session: Session, form: Mapping[str, str], scope: Scope, found: ReportSubscription | None
) -> SubscriptionForm:
    """What was typed; Invalid where it names nobody. Everything else is checked when it is saved."""
    before = {one.id or 0 for one in subscriptions.recipients(session, found.id or 0)} if found else set()

    def said(name: str) -> str:
        return form.get(name, "").strip()

    return SubscriptionForm(
        name=said("name"),
        outlet_code=places.typed(session, form),
        span=said("span"),
        by=",".join(filter(None, (said("by"), said("by2")))),
        compare=said("compare"),
        rhythm=said("rhythm"),
        recipients=subscriptions.chosen(session, said("recipients"), scope, before),
        filters=said("filters"),
        weekday=_number(said("weekday")),
        month_day=_number(said("month_day")),
        workdays=bool(said("workdays")),
        days_after=_number(said("days_after")),
        hour=_number(said("hour")),
        locale=said("locale"),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1
