"""What a bulk action is going to do, before it does it: one line for each thing that was ticked.

The list page has `ui.pick(value)` in each row and `ui.bulk(action, …)` below the table; its form posts `pick`
(several) and `action` to a route of the owner, which renders this preview; the preview posts the same again
with `confirm=1`, and only then does the route write. Works without JavaScript.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import Invalid
from core.http import render
from core.i18n import mark

MOST = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One thing: its value in the form, its name, what happens to it, or why nothing can."""

    value: str
    title: str
    what: str = ""
    fault: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class BulkPreview:
    """The page that asks once more."""

    title: str
    action: str  # the address that the form is posted to
    act: str  # the value of the button that was pressed
    lines: Sequence[Line]
    confirm: str  # the words of the button
    back: str
    hidden: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    danger: bool = False
    nav: str = ""

    @property
    def good(self) -> list[Line]:
        """What something happens to."""
        return [one for one in self.lines if not one.fault]

    @property
    def bad(self) -> list[Line]:
        """What stays as it is, with the reason."""
        return [one for one in self.lines if one.fault]


def picked(values: Sequence[str]) -> list[str]:
    """What was ticked, each once; Invalid when it is nothing or more than one page should do."""
    found = list(dict.fromkeys(one for one in values if one))
    if not found:
        raise Invalid(mark("请先在表格里勾选，再选择要做的事。"))
    if len(found) > MOST:
        raise Invalid(mark("一次最多处理 %(most)s 项，请分几次做。"), most=MOST)
    return found


def preview(page: BulkPreview) -> str:
    """The page of a preview."""
    return render("institution/bulk_preview.html", page, nav=page.nav)
