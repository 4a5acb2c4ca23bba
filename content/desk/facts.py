"""The front matter of a piece as fields: read out of its text, and written back where somebody changed them.

The text is the only truth. A form shows its values (`shown`), browsers send them back (`sent`), and what differs is
spliced into the YAML; comments, order and all that the form does not know stay as they were.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from content import frontmatter
from content.desk.fact_fields import FIELDS, Spec
from content.escape_room import yamls
from content.faults import Fault
from content.making.splicing import spliced
from content.strip import writing
from content.strip.parts import parts
from core.i18n import gettext as _

Values = Mapping[str, Sequence[str]]
PREFIX, SHOWN = "fact.", "facts_shown"
_MOST_ROWS = 40
_BREAK = re.compile(r"[. ]")  # ends the name of a field: "help.0.phone", "strip 第 1 格"
_SEPARATORS = {"words": re.compile(r"[，,、;；\n]+"), "lines": re.compile(r"\n+")}
_WHOLE = re.compile(r"0|[1-9]\d{0,5}")
_DAY = re.compile(r"\b(review_by|date|until): '(\d{4}-\d{2}-\d{2})'")


@dataclass(frozen=True)
class Box:
    """A field as it is shown; `rows` of one that is a list, each a list of boxes, the last one empty."""

    spec: Spec
    path: str
    value: str = ""
    chosen: tuple[str, ...] = ()
    inner: tuple["Box", ...] = ()
    rows: tuple[tuple["Box", ...], ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """How it is typed in a form; what a browser would drop (a day or number that is none) stays a line."""
        kind = self.spec.kind
        if kind == "number" and re.fullmatch(r"\d*", self.value):
            return "number"
        if kind == "day" and re.fullmatch(r"(\d{4}-\d{2}-\d{2})?", self.value):
            return "date"
        return "textarea" if kind in ("text", "lines") else "text"


@dataclass(frozen=True)
class Facts:
    """All boxes by group, what they show (for `applied`), or why there are none; `key` of a piece that was saved."""

    groups: tuple[tuple[str, tuple[Box, ...]], ...] = ()
    shown: str = ""
    broken: str = ""
    wrong: int = 0
    key: str = ""

    @property
    def title(self) -> str:
        """The title as it stands."""
        return next(
            (box.value for _name, boxes in self.groups for box in boxes if box.spec.name == "title"), ""
        )


def facts(text: str, faults: Sequence[Fault] = (), *, new: bool) -> Facts:
    """The fields of a text; `new`: its key and kind may still be chosen."""
    data, _lines, broken = _read(text)
    if data is None:
        return Facts(broken=broken)
    by_field: dict[str, list[str]] = {}
    for fault in faults:
        by_field.setdefault(fault.field, []).append(fault.rule)
    groups, shown = [], []
    for name, specs in FIELDS:
        mine = [spec for spec in specs if spec.fits(str(data.get("kind", "")), new=new)]
        shown += [spec.name for spec in mine]
        if mine:
            boxes = (
                _strip(text, spec, by_field)
                if spec.kind == "strip"
                else _box(spec, data.get(spec.name), spec.name, by_field)
                for spec in mine
            )
            groups.append((name, tuple(boxes)))
    typed = [spec.name for spec in _of(shown)]
    values = {name: data[name] for name in typed if name in data}
    kept = json.dumps({"names": typed, "values": values}, ensure_ascii=True, separators=(",", ":"))
    wrong = sum(len(rules) for field, rules in by_field.items() if _BREAK.split(field)[0] in shown)
    return Facts(tuple(groups), kept, "", wrong, "" if new else str(data.get("key", "")))


def _strip(text: str, spec: Spec, faults: Mapping[str, list[str]]) -> Box:
    """How many panels there are and who stands in them, in the order in which they come; empty for none."""
    panels = writing.of_text(text)
    who = dict.fromkeys(parts().people[one.who].name for panel in panels for one in panel.cast)
    told = _("%(count)s 格 · %(people)s", count=len(panels), people=_("、").join(who) or _("没有人物"))
    errors = [f"{field} {rule}" for field, rules in faults.items() for rule in rules]
    mine = tuple(one for one in errors if _BREAK.split(one)[0] == spec.name)
    return Box(spec, PREFIX + spec.name, told if panels else "", errors=mine)


def _box(spec: Spec, item: Any, path: str, faults: Mapping[str, list[str]]) -> Box:
    several = spec.kind in ("words", "some", "lines")
    under = (field for field in faults if field == path or (several and field.startswith(f"{path}.")))
    errors = tuple(rule for field in under for rule in faults[field])
    if spec.kind == "rows":
        given = item if isinstance(item, list) else []
        rows = tuple(
            _group(spec, row, f"{path}.{number}", faults) for number, row in enumerate([*given, None])
        )
        return Box(spec, PREFIX + path, rows=rows, errors=errors)
    if spec.kind == "group":
        return Box(spec, PREFIX + path, inner=_group(spec, item, path, faults), errors=errors)
    if several:
        chosen = tuple(map(str, item if isinstance(item, list) else [item] if item else []))
        joint = "\n" if spec.kind == "lines" else "、"
        return Box(spec, PREFIX + path, joint.join(chosen), chosen, errors=errors)
    return Box(spec, PREFIX + path, "" if item is None else str(item), errors=errors)


def _group(spec: Spec, item: Any, path: str, faults: Mapping[str, list[str]]) -> tuple[Box, ...]:
    known = item if isinstance(item, dict) else {}
    return tuple(_box(one, known.get(one.name), f"{path}.{one.name}", faults) for one in spec.inner)


def applied(text: str, sent: Values) -> str:
    """The text with what was changed in the fields; unchanged where it cannot be read, or nothing was."""
    shown = _shown(sent)
    data = _read(text)[0] if shown else None
    if data is None:
        return text
    made = dict(data)
    for spec in _of(shown["names"]):
        before, now = _plain(spec, shown["values"].get(spec.name)), _typed(spec, sent, spec.name)
        if before == now:
            continue
        made.pop(spec.name, None) if now is None else made.update({spec.name: now})
    return text if made == data else _put(text, made)


def _shown(sent: Values) -> dict[str, Any]:
    """What the form showed; it comes back from a browser, and says only which fields count as changed."""
    try:
        found = json.loads((list(sent.get(SHOWN, ())) or [""])[0])
    except ValueError:
        return {}
    good = isinstance(found, dict) and isinstance(found.get("names"), list)
    return found if good and isinstance(found.get("values"), dict) else {}


def _of(names: Sequence[Any]) -> Iterable[Spec]:
    """What is typed under these names, each once, whatever a kind of pieces calls it."""
    specs = (spec for _name, specs in FIELDS for spec in specs if spec.kind != "strip")
    return {spec.name: spec for spec in specs if spec.name in names}.values()


def _plain(spec: Spec, item: Any) -> Any:
    """What a form would send back of a value that nobody touched."""
    sent: dict[str, list[str]] = {}
    _flatten(_box(spec, item, spec.name, {}), sent)
    return _typed(spec, sent, spec.name)


def _flatten(box: Box, sent: dict[str, list[str]]) -> None:
    for one in [*box.inner, *(inner for row in box.rows for inner in row)]:
        _flatten(one, sent)
    if not box.inner and not box.rows:
        sent[box.path] = list(box.chosen) if box.spec.kind == "some" else [box.value]


def _typed(spec: Spec, sent: Values, path: str) -> Any:
    """The data that fields say; None where they are empty."""
    if spec.kind == "rows":
        rows = (_typed_group(spec, sent, f"{path}.{number}") for number in range(_MOST_ROWS))
        return [row for row in rows if row] or None
    if spec.kind == "group":
        return _typed_group(spec, sent, path) or None
    given = [one.replace("\r\n", "\n").strip() for one in sent.get(PREFIX + path, ())]
    if spec.kind == "some":
        return [one for one in given if one] or None
    text = given[0] if given else ""
    if spec.kind in _SEPARATORS:
        return [one.strip() for one in _SEPARATORS[spec.kind].split(text) if one.strip()] or None
    if spec.kind == "number" and _WHOLE.fullmatch(text):
        return int(text)
    return " ".join(text.split()) or None


def _typed_group(spec: Spec, sent: Values, path: str) -> dict[str, Any]:
    found = ((one.name, _typed(one, sent, f"{path}.{one.name}")) for one in spec.inner)
    return {name: value for name, value in found if value is not None}


def line_of(text: str, fault: Fault) -> int:
    """The line of the file on which a fault stands, 0 where it has none."""
    if fault.line or not fault.field:
        return fault.line
    _data, lines, _broken = _read(text)
    place: tuple[str | int, ...] = tuple(
        int(part) if part.isdecimal() else part for part in fault.field.split(".")
    )
    while place and place not in lines:
        place = place[:-1]
    return lines[place] + 1 if place else 0


def _read(text: str) -> tuple[dict[str, Any] | None, yamls.Lines, str]:
    """The data of the front matter with its lines, or why it cannot be shown as fields."""
    parts = frontmatter.split(text)
    if parts is None:
        return None, {}, _("文件要以 --- 开头，写好文件头，再以 --- 结束文件头。")
    data, lines, wrong = yamls.load(parts[0])
    if wrong:
        return None, {}, _("文件头第 %(line)s 行读不懂，请先在文本里改好。", line=wrong[0].line + 1)
    if data is None:
        data = {}
    if not isinstance(data, dict):
        return None, {}, _("文件头要写成“字段: 值”，每行一个。")
    return data, lines, ""


def _put(text: str, data: dict[str, Any]) -> str:
    parts = frontmatter.split(text)
    assert parts is not None  # noqa: S101  (it was read before)
    header, _body, _line = parts
    begin = text.index("\n") + 1
    made = spliced(header, data).rstrip("\n") + "\n"
    known = set(header.splitlines())
    lines = (line if line in known else _DAY.sub(r"\1: \2", line) for line in made.splitlines())
    return text[:begin] + "\n".join(lines) + "\n" + text[begin + len(header) :]
