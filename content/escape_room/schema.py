"""The JSON Schema of a room's file, with which editors complete names and mark mistakes while somebody writes."""

from typing import Any

from content.escape_room.format import Room

SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """A room's schema; boxes may also be written as four numbers."""
    made = Room.model_json_schema(by_alias=True)
    number = {"type": "number", "minimum": 0, "maximum": 100}
    box = made["$defs"]["Box"]
    listed = {"type": "array", "items": number, "minItems": 4, "maxItems": 4}
    made["$defs"]["Box"] = {"anyOf": [listed, box], "description": box["description"]}
    _close(made)
    return {"$schema": SCHEMA, **made, "title": "Signpost escape room"}


def _close(part: Any) -> None:
    """What has a rule for its names takes no other names."""
    if isinstance(part, dict):
        if "patternProperties" in part:
            part["additionalProperties"] = False
        for inner in part.values():
            _close(inner)
    elif isinstance(part, list):
        for inner in part:
            _close(inner)
