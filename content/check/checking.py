"""The check of one piece: every rule in force that day, its finds as findings in the order of the text."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date as Day
from typing import Any

from content.check import source, strip_source
from content.check.ease import ease
from content.check.elsewhere import NOWHERE, Elsewhere
from content.check.figures import figure_source, figure_stale
from content.check.findings import Finding, Severity, in_order
from content.check.found import Found
from content.check.links import broken_link
from content.check.personal import personal
from content.check.pictures import made_by_machine, picture_data
from content.check.piece import Checked
from content.check.room_source import read_room
from content.check.rulesets import Rule, rules
from content.check.structure import alt_text, heading_order
from content.check.whole import ai_label, fear, help_line, risk_notice
from content.check.words import words
from content.rooms.file import is_room
from core.i18n import gettext as _

Procedure = Callable[[Rule, Checked], Iterator[Found]]


def _ai(rule: Rule, piece: Checked) -> Iterator[Found]:
    yield from ai_label(rule, piece)
    yield from made_by_machine(rule, piece)


CHECKS: Mapping[str, Procedure] = {
    "words": words,
    "personal": personal,
    "picture_data": picture_data,
    "figure_source": figure_source,
    "figure_stale": figure_stale,
    "alt_text": alt_text,
    "broken_link": broken_link,
    "heading_order": heading_order,
    "ease": ease,
    "risk_notice": risk_notice,
    "help_line": help_line,
    "fear": fear,
    "ai_label": _ai,
}
_LONGEST = 60


def check(
    file: str,
    text: str,
    meta: Mapping[str, Any],
    *,
    on: Day,
    known: frozenset[str] | None = None,
    names: frozenset[str] | None = None,
    pictures: Mapping[str, bytes] | None = None,
    whole: bool = True,
    elsewhere: Elsewhere = NOWHERE,
) -> list[Finding]:
    """Everything found in a text with this front matter on a day; see `piece.Checked` for the rest."""
    piece = Checked(_read(file, text), meta, on, known, names, pictures or {}, whole, elsewhere)
    made = (_finding(rule, piece, found) for rule in rules(on) for found in CHECKS[rule.check](rule, piece))
    return in_order(_left(finding, meta) for finding in made)


def _read(file: str, text: str) -> source.Source:
    if is_room(text):
        return read_room(file, text)
    read = source.read(file, text)
    return replace(read, passages=(*read.passages, *strip_source.passages(text)))


def _left(finding: Finding, meta: Mapping[str, Any]) -> Finding:
    """A warning that the front matter overrules, with its reason."""
    if finding.severity is Severity.warning:
        for one in meta.get("overruled") or ():
            if one["rule"] == finding.rule and one["words"] in (finding.excerpt or finding.file):
                return finding.because(str(one["reason"]))
    return finding


def _finding(rule: Rule, piece: Checked, found: Found) -> Finding:
    line, column = piece.source.line_of(found.offset) if found.length else (0, 0)
    shown = found.what or piece.source.text[found.offset : found.offset + found.length]
    shown = " ".join(shown.split())
    said = rule.cases.get(found.case, rule)
    near = _("最接近的是“%(near)s”。", near=found.near) if found.near else ""
    return Finding(
        file=piece.source.file,
        rule=rule.id,
        severity=found.severity or rule.severity,
        line=line,
        column=column,
        offset=found.offset,
        length=found.length,
        excerpt=shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "…",
        says=str(said.says),
        way_out=f"{said.way_out}{near}",
        law=rule.law,
    )
