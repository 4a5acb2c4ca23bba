"""Which column says what, and constants for what no column says: guessed by source, mended by people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import Invalid
from core.i18n import gettext as _
from core.i18n import mark
from tracking.imports.fields import COUNT, DAY, IGNORED, KEYS, KIND, LABELS, QUANTITY, squeezed
from tracking.imports.sources import Source

_LONGEST = 120  # letters of a key


@dataclass(frozen=True, slots=True)
class Columns:
    """A field for each heading of a file (IGNORED for none), and the constants by key."""

    headings: tuple[str, ...]
    fields: tuple[str, ...]
    constants: Mapping[str, str]

    def column(self, field: str) -> int | None:
        """The place of the column that says a field, None for none."""
        return self.fields.index(field) if field in self.fields else None

    def counts(self) -> Iterator[tuple[int, str]]:
        """Place and kind of each column that counts; kind "" where the row or a constant says it."""
        for place, field in enumerate(self.fields):
            if field == QUANTITY:
                yield place, ""
            elif field.startswith(COUNT):
                yield place, field.removeprefix(COUNT)

    def faults(self) -> Iterator[str]:
        """What is missing or said twice, as sentences."""
        said = [field for field in self.fields if field]
        for field in dict.fromkeys(said):
            if said.count(field) > 1:
                yield _("两列都是“%(name)s”，请只留一列。", name=_(LABELS[field]))
        if DAY not in said:
            yield _("没有一列是日期，请选出日期列。")
        if not any(self.counts()) and "receipt" not in said:
            yield _("没有一列是数量，请至少选一列。")
        kind_said = KIND in said or self.constants.get(KIND)
        if (QUANTITY in said or not any(self.counts())) and not kind_said:
            yield _("数量属于哪一类？请选一列事件类别，或在固定值里写明。")

    def as_json(self) -> dict[str, Any]:
        """The mapping as it is stored and hashed."""
        return {"columns": list(map(list, zip(self.headings, self.fields, strict=True))),
                "constants": {key: value for key, value in sorted(self.constants.items()) if value}}  # fmt: skip


def from_json(stored: Mapping[str, Any]) -> Columns:
    """The mapping that was stored."""
    columns = stored["columns"]
    return Columns(tuple(one[0] for one in columns), tuple(one[1] for one in columns), stored["constants"])


def guess(source: Source, headings: Sequence[str]) -> Columns:
    """What the headings mean, by the words of the source and the words of all; each field at most once."""
    wanted = [squeezed(one) for one in headings]
    fields = [IGNORED] * len(headings)
    for name in LABELS:
        places = (
            wanted.index(word)
            for word in map(squeezed, source.words(name))
            if word in wanted and fields[wanted.index(word)] == IGNORED
        )
        place = next(places, None)
        if name and place is not None:
            fields[place] = name
    return Columns(tuple(headings), tuple(fields), dict(source.constants))


def saved(stored: Mapping[str, Any], headings: Sequence[str]) -> Columns:
    """A mapping saved by name, laid over the headings of another file: by heading, whatever their order."""
    known = {squeezed(heading): field for heading, field in stored["columns"]}
    fields = tuple(known.get(squeezed(one), IGNORED) for one in headings)
    return Columns(tuple(headings), fields, dict(stored["constants"]))


def typed(headings: Sequence[str], fields: Sequence[str], constants: Mapping[str, str]) -> Columns:
    """A mapping from a form; Invalid for a field that does not exist or a key that is no key."""
    if len(fields) != len(headings) or any(field not in LABELS for field in fields):
        raise Invalid(mark("列的对应关系不完整，请重新选择。"), field="columns")
    kept = {key: constants.get(key, "").strip() for key in KEYS}
    if any(len(value) > _LONGEST or not value.isprintable() for value in kept.values()):
        raise Invalid(mark("固定值太长，或含有不能使用的字符。"), field="constants")
    return Columns(tuple(headings), tuple(fields), kept)
