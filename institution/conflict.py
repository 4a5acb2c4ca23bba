"""Two people edit the same thing: the second one sees both versions and decides, field by field.

A form carries `base`, what the thing looked like when the form was opened (`ui.base(page.base)`); the view
compares it inside the transaction that writes:

    with transaction() as session:
        thing = session.get(Thing, number, with_for_update=True)   # so that nobody comes between
        conflict.check(request.form.get("base", ""), shown(thing))
    …
    except conflict.Overtaken as overtaken:
        return conflict.page(title, action, fields, base=overtaken.base, began=request.form["base"], back=…)

`shown(thing)` is a mapping of field names to values as the form shows them (texts, or lists of texts).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from core.errors import Conflict
from core.http import render
from core.i18n import mark

_DIGITS = 12


class Overtaken(Conflict):
    """Somebody saved the same thing meanwhile; `base` is its version now."""

    def __init__(self, base: str) -> None:
        super().__init__(mark("您打开以后，别人已经改过这一项。请对照两个版本，选好再保存。"))
        self.base = base


@dataclass(frozen=True, slots=True)
class Field:
    """One field in both versions; `names` are the words of its values where they are codes."""

    name: str
    label: str
    theirs: object
    mine: object
    names: Mapping[str, str] = field(default_factory=dict)
    keep: bool = True  # whether mine is chosen first

    @property
    def several(self) -> bool:
        """Whether the field holds a list (a group of check boxes)."""
        return isinstance(self.theirs, list | tuple | set) or isinstance(self.mine, list | tuple | set)

    @property
    def differs(self) -> bool:
        """Whether the versions are not the same."""
        return self.text(self.theirs) != self.text(self.mine)

    @property
    def union(self) -> list[str]:
        """The values of both lists, theirs first."""
        return list(dict.fromkeys([*_items(self.theirs), *_items(self.mine)]))

    @property
    def their_items(self) -> list[str]:
        """Their list."""
        return _items(self.theirs)

    @property
    def my_items(self) -> list[str]:
        """My list."""
        return _items(self.mine)

    @property
    def their_value(self) -> str:
        """Their value as a form sends it."""
        return _normal(self.theirs)

    @property
    def my_value(self) -> str:
        """My value as a form sends it."""
        return _normal(self.mine)

    def text(self, value: object) -> str:
        """A value in words."""
        if isinstance(value, list | tuple | set):
            return "\n".join(self.name_of(one) for one in _items(value))
        return self.name_of(_normal(value))

    def name_of(self, value: str) -> str:
        """One value in words."""
        return self.names.get(value, value)


@dataclass(frozen=True, slots=True)
class ConflictPage:
    """Both versions side by side, and a form that saves what is chosen."""

    title: str
    action: str
    base: str
    back: str
    differing: Sequence[Field]
    same: Sequence[Field]
    hidden: Mapping[str, str]
    who: str = ""


def version_of(values: Mapping[str, object]) -> str:
    """What a thing looks like, as a short word: one digest per field, so that it tells which one changed."""
    return ";".join(f"{name}={_digest(value)}" for name, value in sorted(values.items()))


def check(base: str, current: Mapping[str, object]) -> None:
    """Overtaken when the thing no longer looks as it did when the form was opened.

    A form without `base` (a script, an old tab) is let through: it never saw a version.
    """
    now = version_of(current)
    if base and base != now:
        raise Overtaken(now)


def page(
    title: str,
    action: str,
    fields: Iterable[Field | tuple[str, str, object, object]],
    *,
    base: str,
    back: str,
    began: str = "",
    hidden: Mapping[str, str] | None = None,
    who: str = "",
) -> tuple[str, int]:
    """The page of a conflict, with its status 409.

    `fields` are (name, label, theirs, mine); `base` the version now, `began` the one the form was opened
    with: what only the other one changed is taken over unless the person says otherwise. `hidden` goes along
    with the form (a chosen day …); `who` saved last, if that is known.
    """
    known = [_first_choice(Field(*one) if isinstance(one, tuple) else one, began) for one in fields]
    data = ConflictPage(
        title=title,
        action=action,
        base=base,
        back=back,
        differing=[one for one in known if one.differs],
        same=[one for one in known if not one.differs],
        hidden=hidden or {},
        who=who,
    )
    return render("institution/conflict.html", data), 409


def _first_choice(one: Field, began: str) -> Field:
    """Theirs first where I had left the field as it was."""
    before = dict(part.partition("=")[::2] for part in began.split(";")).get(one.name)
    keep = before != _digest(one.mine)
    return Field(one.name, one.label, one.theirs, one.mine, one.names, keep)


def _digest(value: object) -> str:
    text = "\x1f".join(_items(value)) if isinstance(value, list | tuple | set) else _normal(value)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _items(value: object) -> list[str]:
    if isinstance(value, list | tuple | set):
        return sorted(_normal(one) for one in value)
    text = _normal(value)
    return [text] if text else []


def _normal(value: object) -> str:
    """A value as a form field would send it back."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).replace("\r\n", "\n").strip()
