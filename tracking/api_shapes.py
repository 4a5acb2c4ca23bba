"""The shapes of the API's answers, as JSON Schema (the components of the OpenAPI document)."""

from typing import Any

from tracking import periods
from tracking.groupings import BYS
from tracking.measure import MOST_ROWS

_COUNT = {"type": "integer"}
_MAYBE_COUNT = {"type": ["integer", "null"]}
_GROWTH = {"type": ["number", "null"], "description": "Change as a fraction of the base; null without one."}
_TEXT = {"type": "string"}
_DAY = {"type": "string", "format": "date"}
_BY = {"type": "string", "enum": list(BYS)}
_FIGURES: dict[str, Any] = {
    "gross": _COUNT | {"description": "Person-times, exact."},
    "deduplicated": _MAYBE_COUNT | {"description": "Person-times once per visitor, day, outlet, channel and piece, exact; null by kind."},
    "people": _MAYBE_COUNT | {"description": "People, within people_error; null where not asked for."},
    "gross_before": _MAYBE_COUNT,
    "growth": _GROWTH,
    "deduplicated_before": _MAYBE_COUNT,
    "deduplicated_growth": _GROWTH,
    "people_before": _MAYBE_COUNT,
    "people_growth": _GROWTH,
}  # fmt: skip


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object that has exactly these properties."""
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def _list(of: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": of, **more}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


_PERIOD = _object(
    {
        "from": _DAY,
        "to": _DAY,
        "days": _COUNT,
        "by": {"oneOf": [_BY, _list(_BY, minItems=2, maxItems=2)]},
        "dropped": {"type": "object", "additionalProperties": _COUNT, "description": "What was left out, by reason."},
    },
    {"within": _TEXT, "campaign": _TEXT, "where": {"type": "object", "additionalProperties": _list(_TEXT)}},
)  # fmt: skip
_COMPARED = _object(
    {
        "mode": {"type": "string", "enum": [*periods.MODES, periods.CAMPAIGN]},
        "from": {"type": ["string", "null"], "format": "date"},
        "to": {"type": ["string", "null"], "format": "date"},
    },
    {
        "days": _COUNT,
        "per_day": _object({"gross": {"type": "number"}, "gross_before": {"type": "number"}, "growth": _GROWTH}),
    },
)  # fmt: skip
SCHEMAS: dict[str, Any] = {
    "Report": _object(
        {
            "definition": _ref("Definition"),
            "period": _PERIOD,
            "compared": _COMPARED,
            "total": _object(_FIGURES),
            "rows": _list(
                _object({"key": _TEXT, "name": _TEXT} | _FIGURES, {"key2": _TEXT, "name2": _TEXT}),
                maxItems=MOST_ROWS,
            ),
        }
    ),
    "Definition": _object(
        {
            "id": _TEXT,
            "valid_from": _DAY,
            "gross": _list(_TEXT),
            "head_counts": _list(_TEXT),
            "people_error": {"type": "number"},
        }
    ),
    "Definitions": _object({"definitions": _list(_ref("Definition"))}),
    "Dimension": _object(
        {"name": _TEXT, "on": _DAY, "rows": _list(_object({"key": _TEXT, "name": _TEXT}, {"kind": _TEXT, "parent": _TEXT}))}
    ),
    "Document": {"type": "object", "required": ["openapi", "paths"]},
    "Error": _object(
        {"error": _object({"status": _COUNT, "message": _TEXT}, {"field": _TEXT})}
    ),
}  # fmt: skip
