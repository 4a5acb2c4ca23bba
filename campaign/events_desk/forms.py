"""The form of a series at the desk: what it shows, the next dates it means, both versions when two edit at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign import recurrence
from campaign.events import days, series, series_form
from campaign.events.days import PlannedDay
from campaign.events.models import FORM_NAMES, EventSeries
from campaign.events_desk.routes import country, today
from campaign.models import THEME_NAMES
from core import clock
from core.errors import DomainError
from core.i18n import gettext as _
from core.i18n import mark
from institution import access, conflict, places
from institution.conflict import Field, Overtaken
from institution.places import Choices

AHEAD, SHOWN = timedelta(days=120), 10
PRESETS = {
    "FREQ=WEEKLY;BYDAY=TU": mark("每周二"),
    "": mark("只办一次"),
    "FREQ=WEEKLY": mark("每周同一天"),
    days.WORKING_DAYS: mark("每个工作日（含调休上班日）"),
    "FREQ=MONTHLY": mark("每月同一天"),
}
_NEW = {
    "form": "outlet", "theme": "plain", "rule": "FREQ=WEEKLY;BYDAY=TU", "starts_at": "09:30", "minutes": "60",
    "capacity": "20", "party_most": "4", "opens_days": "14", "closes_minutes": "60", "offer_hours": "24",
    "waiting": "1", "visible": "1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preview:
    """The next dates that a form means, or why it means none."""

    words: str
    days: Sequence[PlannedDay]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class FormPage:
    """The form of a series; `code` is empty for a new one, `field` the one at fault, `base` the version opened."""

    code: str
    values: Mapping[str, str]
    places: Choices
    own: Choices
    preview: Preview
    place: str = ""
    base: str = ""
    field: str | None = None
    fault: str = ""

    @property
    def form_names(self) -> dict[str, str]:
        """The ways to take part, by name."""
        return {key: _(name) for key, name in FORM_NAMES.items()}

    @property
    def themes(self) -> dict[str, str]:
        """Themes by name."""
        return {key: _(name) for key, name in THEME_NAMES.items()}

    @property
    def rules(self) -> dict[str, str]:
        """Rules to choose from; the one in force among them."""
        rule = self.values.get("rule", "")
        known = {key: _(name) for key, name in PRESETS.items()}
        return known if rule in known else {rule: recurrence.in_words(rule), **known}

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Label and value, for those who may not change it."""
        names = {"theme": self.themes, "form": self.form_names, "rule": self.rules}
        flags = {"1": _("是"), "": _("否")}
        return [
            (
                _(label),
                names.get(name, {}).get(self.values[name], "")
                or (flags.get(self.values[name], "") if name in series_form.FLAGS else self.values[name]),
            )
            for name, label in series_form.LABELS.items()
            if self.values.get(name) or name in series_form.FLAGS
        ]


def opened(session: Session, one: EventSeries | None) -> FormPage:
    """The form of a series as it is now, or an empty one."""
    scope = access.signed_in().scope("event.edit")
    if one is None:
        values = {**_NEW, "first_on": today().isoformat()}
        return FormPage(
            "",
            values,
            places.choices(session, scope),
            places.choices(session, scope),
            preview(values, today(), country()),
        )
    now = version(one)
    values = {name: texts(value) for name, value in now.items()}
    return FormPage(
        one.code,
        values,
        places.choices(session, scope, chosen=one.outlet_code),
        places.choices(session, scope),
        _preview_of(session, one),
        places.name(session, one.outlet_code),
        conflict.version_of(now),
    )


def again(session: Session, code: str, values: Mapping[str, str], error: DomainError) -> FormPage:
    """The form once more with what was typed, and the sentence at the field it is about."""
    scope = access.signed_in().scope("event.edit")
    return FormPage(
        code, values, places.choices(session, scope, chosen=values.get("outlet_code", "")),
        places.choices(session, scope), preview(values, today(), country()), "", values.get("base", ""), error.field, str(error),
    )  # fmt: skip


def typed() -> dict[str, str]:
    """What was typed; a rule of one's own goes before the chosen one."""
    values = {name: value for name, value in request.form.items() if isinstance(value, str)}
    own = values.get("rule_own", "").strip()
    return {**values, "rule": own or values.get("rule", "")}


def version(one: EventSeries) -> dict[str, object]:
    """What the form shows, for telling two versions apart."""
    return series_form.shown(one)


def texts(value: object) -> str:
    """A value as a form field holds it."""
    if isinstance(value, bool):
        return "1" if value else ""
    return "" if value is None else str(value)


def preview(values: Mapping[str, str], begin: date, where: str) -> Preview:
    """The next dates that what is typed means."""
    rule = values.get("rule_own", "").strip() or values.get("rule", "")
    try:
        found = EventSeries(
            code="", name="", rule=recurrence.check_rule(rule), first_on=series_form.day(values.get("first_on", ""), "first_on"),
            last_on=series_form.day(values["last_on"], "last_on") if values.get("last_on", "").strip() else None,
            on_holidays=values.get("on_holidays") == "1", created_at=clock.now(), updated_at=clock.now(),
        )  # fmt: skip
    except DomainError as error:
        return Preview("", [], str(error))
    since = max(begin, found.first_on)
    planned = days.days(found, [], since, since + AHEAD, country=where)
    return Preview(recurrence.in_words(found.rule) if found.rule else _("只办一次"), planned[:SHOWN])


def both(session: Session, code: str, overtaken: Overtaken) -> ResponseReturnValue:
    """The page that shows what somebody else saved beside what was typed."""
    theirs, mine = version(series.get(session, code)), typed()
    flags = {"1": _("是"), "": _("否")}
    names: dict[str, dict[str, str]] = {
        "theme": {key: _(name) for key, name in THEME_NAMES.items()},
        "form": {key: _(name) for key, name in FORM_NAMES.items()},
        "outlet_code": places.names(session, {str(theirs["outlet_code"]), mine.get("outlet_code", "")}),
        **dict.fromkeys(series_form.FLAGS, flags),
    }
    fields = [
        Field(name, _(label), theirs[name], mine.get(name, ""), names.get(name, {}))
        for name, label in series_form.LABELS.items()
    ]
    return conflict.page(
        str(theirs["name"]), url_for("events_desk.save", code=code), fields, base=overtaken.base,
        began=mine.get("base", ""), back=url_for("events_desk.edit", code=code), hidden={"follow": mine.get("follow", "")},
    )  # fmt: skip


def _preview_of(session: Session, one: EventSeries) -> Preview:
    begin = max(today(), one.first_on)
    planned = days.days(one, series.dates(session, one), begin, begin + AHEAD, country=country())
    return Preview(recurrence.in_words(one.rule) if one.rule else _("只办一次"), planned[:SHOWN])
