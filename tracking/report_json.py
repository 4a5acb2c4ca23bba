"""The shape of a report as JSON: what the command line, the page's download and the API all give."""

from typing import Any

from tracking import groupings
from tracking.definition import PEOPLE_ERROR, Definition
from tracking.periods import Period, growth
from tracking.reports import Ask, Line, Report


def as_json(done: Report) -> dict[str, Any]:
    """The whole report; `growth` is of gross, figures without a base or not asked for are null."""
    return {
        "definition": described(done.definition),
        "period": {**_days(done.ask.compared.period), **_asked(done)},
        "compared": _compared(done),
        "total": _figures(done.total),
        "rows": [{**_named(done.ask, line), **_figures(line)} for line in done.rows],
    }


def described(definition: Definition) -> dict[str, Any]:
    """A version of the definition."""
    return {
        "id": definition.id,
        "valid_from": definition.valid_from.isoformat(),
        "gross": list(definition.kinds),
        "head_counts": list(definition.head_counts),
        "people_error": PEOPLE_ERROR,
    }


def _asked(done: Report) -> dict[str, Any]:
    asked = done.ask
    narrowed: dict[str, Any] = {"within": asked.within, "campaign": asked.campaign}
    narrowed["where"] = {
        name: list(values) for name, values in asked.where if name != groupings.CAMPAIGN or len(values) > 1
    }
    return {
        "by": asked.by[0] if len(asked.by) == 1 else list(asked.by),
        **{name: value for name, value in narrowed.items() if value},
        "dropped": done.dropped,
    }


def _named(asked: Ask, line: Line) -> dict[str, Any]:
    if len(asked.by) == 1:
        return {"key": line.key, "name": line.name}
    return {"key": line.key, "name": line.name, "key2": line.key2, "name2": line.name2}


def _compared(done: Report) -> dict[str, Any]:
    compared = done.ask.compared
    found: dict[str, Any] = {"mode": compared.mode, "from": None, "to": None}
    if compared.base:
        found.update(_days(compared.base))
    if done.per_day:
        now, before = done.per_day
        found["per_day"] = {
            "gross": round(now, 1),
            "gross_before": round(before, 1),
            "growth": growth(now, before),
        }
    return found


def _days(period: Period) -> dict[str, Any]:
    return {"from": period.first.isoformat(), "to": period.last.isoformat(), "days": period.days}


def _figures(line: Line) -> dict[str, Any]:
    return {
        "gross": line.gross,
        "deduplicated": line.deduplicated,
        "people": line.people,
        "gross_before": line.gross_before,
        "growth": line.growth,
        "deduplicated_before": line.deduplicated_before,
        "deduplicated_growth": line.deduplicated_growth,
        "people_before": line.people_before,
        "people_growth": line.people_growth,
    }
