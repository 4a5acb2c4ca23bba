"""The one description of the JSON API: what is read from an address, and the OpenAPI document that says so.

Parameters are declared once here: `read` refuses what is not among them, `openapi` prints them. The answers'
shapes stand in `api_shapes`; a test holds both against what the API answers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import Invalid
from core.i18n import LOCALES, mark
from tracking import api_shapes, periods
from tracking.groupings import BYS, KEYS, TREE

VERSION = "1"
PREFIX = "/api/v1"
DIMENSIONS = (*TREE, *KEYS)
_DAY = {"type": "string", "format": "date"}
_DAYS = r"^\d{4}-\d{2}-\d{2}/\d{4}-\d{2}-\d{2}$"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that an address may say: its name, JSON schema, words for the document, what it is unless said."""

    name: str
    schema: Mapping[str, Any]
    text: str
    default: str = ""
    required: bool = False

    def check(self, value: str) -> str:
        """The value if it is one of those allowed; Invalid names the parameter."""
        allowed = self.schema.get("enum")
        if allowed and value not in allowed:
            raise Invalid(
                mark("参数 %(name)s 只能是 %(allowed)s。"),
                field=self.name,
                name=self.name,
                allowed="、".join(allowed),
            )
        return value

    def document(self, place: str = "query") -> dict[str, Any]:
        """The parameter in OpenAPI."""
        schema = dict(self.schema) | ({"default": self.default} if self.default else {})
        return {
            "name": self.name, "in": place, "required": self.required or place == "path", "schema": schema,
            "description": self.text,
        }  # fmt: skip


LANG = Parameter("lang", {"type": "string", "enum": list(LOCALES)}, "Language of names and sentences.")
REACH = (
    Parameter("from", _DAY, "First day.", required=True),
    Parameter("to", _DAY, "Last day, included.", required=True),
    Parameter(
        "by",
        {"type": "string", "pattern": "^[a-z]+(,[a-z]+)?$"},
        f"One or two of {', '.join(BYS)}, with a comma between; at most one of the tree.",
        "branch",
    ),
    Parameter(
        "within",
        {"type": "string", "maxLength": 32},
        "Code of a branch or outlet: only it and what is below it. The token's own part unless said.",
    ),
    Parameter(
        "where",
        {"type": "string", "maxLength": 2000},
        f"Filters by key: `channel=web,sms;kind=visited`. Dimensions: {', '.join(KEYS)}.",
    ),
    Parameter(
        "compare",
        {"type": "string", "enum": list(periods.MODES)},
        "What the figures are compared with: the same dates last year, the same weekdays, the period before, nothing.",
        periods.YEAR,
    ),
    Parameter(
        "base",
        {"type": "string", "pattern": _DAYS},
        "Compare with these days instead, `2025-09-01/2025-09-30`: a campaign with last year's.",
    ),
    Parameter(
        "people", {"type": "string", "enum": ["true", "false"]},
        "Whether people are counted too, which takes most of the time of a long question.", "true",
    ),
    Parameter("format", {"type": "string", "enum": ["json", "csv"]}, "Shape of the answer.", "json"),
    LANG,
)  # fmt: skip
ON = Parameter("on", _DAY, "Names as they stood on this day; today unless said.")
NAME = Parameter("name", {"type": "string", "enum": list(DIMENSIONS)}, "The dimension.")


@dataclass(frozen=True, slots=True)
class Operation:
    """One address of the API."""

    path: str
    name: str
    text: str
    parameters: tuple[Parameter, ...]
    shape: str
    path_parameters: tuple[Parameter, ...] = field(default=())
    csv: bool = False
    open: bool = False


OPERATIONS = (
    Operation("/reach", "reach", "Reach by one or two groupings, with its base and growth.", REACH, "Report", csv=True),
    Operation("/reach/definitions", "definitions", "Every version of what counts as reach.", (LANG,), "Definitions"),
    Operation(
        "/reach/dimensions/{name}", "dimension", "Keys of a dimension and their names on a day.", (ON, LANG),
        "Dimension", (NAME,),
    ),
    Operation("/openapi.json", "description", "This document.", (LANG,), "Document", open=True),
)  # fmt: skip


def read(parameters: Iterable[Parameter], given: Mapping[str, list[str]]) -> dict[str, str]:
    """What an address says, with defaults; Invalid for a name that does not exist, twice, missing or not allowed."""
    known = {one.name: one for one in parameters}
    for name, values in given.items():
        if name not in known:
            raise Invalid(
                mark("没有“%(name)s”这个参数，可用的是 %(known)s。"), field=name[:40], name=name[:40],
                known="、".join(known),
            )  # fmt: skip
        if len(values) > 1:
            raise Invalid(mark("参数 %(name)s 只能写一次。"), field=name, name=name)
    found = {}
    for name, one in known.items():
        value = given.get(name, [""])[0].strip() or one.default
        if one.required and not value:
            raise Invalid(mark("请写明参数 %(name)s。"), field=name, name=name)
        found[name] = one.check(value) if value else ""
    return found


def openapi(server: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document for the site at this address."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Signpost reach API",
            "version": VERSION,
            "description": "Reach as the desk reports it, for programs. Figures are exact except people (± people_error).",
        },
        "servers": [{"url": server.rstrip("/") + PREFIX}],
        "security": [{"token": []}],
        "paths": {one.path: {"get": _operation(one)} for one in OPERATIONS},
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token for reading reach (spt_…).",
                }
            },
            "schemas": api_shapes.SCHEMAS,
        },
    }


def _operation(one: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": {"$ref": f"#/components/schemas/{one.shape}"}}}
    if one.csv:
        content["text/csv"] = {"schema": {"type": "string"}}
    faults = {
        "400": "Something in the address is wrong; `field` names it.",
        "429": "Too many requests; see Retry-After.",
    }
    if not one.open:
        faults |= {
            "401": "No valid token.",
            "403": "The token was not given for reading reach.",
            "404": "No such dimension, or a part of the tree that is not the token's.",
        }
    return {
        "operationId": one.name,
        "summary": one.text,
        "parameters": [
            *(each.document("path") for each in one.path_parameters),
            *(each.document() for each in one.parameters),
            {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}, "description": "The ETag of an earlier answer."},
        ],
        "responses": {
            "200": {"description": one.text, "headers": {"ETag": {"schema": {"type": "string"}}}, "content": content},
            "304": {"description": "Nothing has changed since the answer with this ETag."},
            **{status: _fault(text) for status, text in sorted(faults.items())},
        },
        **({"security": []} if one.open else {}),
    }  # fmt: skip


def _fault(text: str) -> dict[str, Any]:
    return {
        "description": text,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
