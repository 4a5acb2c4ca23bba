"""What the pages beside the report share: time, part of the tree, tabs, files, the definition under the page."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from flask import Response, request
from sqlmodel import Session

from core import clock
from core.http import service
from core.i18n import gettext as _
from core.settings import Settings
from institution import access
from institution.powers import WHOLE, Scope
from tracking import chosen, dimensions, periods, sheets, spans
from tracking.annotations import Note
from tracking.chosen import Chosen, href
from tracking.desk import within
from tracking.dimensions import Tree
from tracking.insight_sheets import by_words
from tracking.question import Key, Where
from tracking.sheets import Sheet
from tracking.store import ReachStore

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Link:
    """A choice as a link."""

    label: str
    href: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """Around a page: what was chosen and what else can be."""

    tab: str
    chosen: Chosen
    where: str
    crumbs: list[tuple[str, str]]
    parts: list[Link]
    spans: list[Link]
    bys: list[Link]
    narrowed: list[Link]
    kept: dict[str, str]

    @property
    def compares(self) -> list[tuple[str, str]]:
        """The ways to compare."""
        mode = self.chosen.compared.mode
        modes = [mode, *self.chosen.modes] if mode not in self.chosen.modes else self.chosen.modes
        return [(one, _(periods.MODE_NAMES[one])) for one in modes]

    @property
    def when(self) -> str:
        """The period in words."""
        return periods.title(self.chosen.compared.period)

    @property
    def before(self) -> str:
        """The base in words."""
        base = self.chosen.compared.base
        return periods.title(base) if base else ""


@dataclass(frozen=True, slots=True)
class Foot:
    """Under a page: how it was counted, what happened meanwhile, and the same as files."""

    facts: Sequence[tuple[str, str]]
    notes: Sequence[Note]

    @property
    def downloads(self) -> list[Link]:
        """The page as files."""
        given = [
            (key, value) for key, value in request.args.items(multi=True) if key not in ("export", "page")
        ]
        return [
            Link(form.upper(), "?" + urlencode([*given, ("export", form)]))
            for form in ("xlsx", "csv", "json")
        ]


def today() -> date:
    """Today where the institution is."""
    return clock.today(service(Settings).zone)


def scope() -> Scope:
    """Where this person may look at reach."""
    return access.signed_in().scope("reach.view")


def given(session: Session) -> dict[str, str]:
    """The address, with the part of the tree that this person may see; NotFound outside of it."""
    found = request.args.to_dict()
    found["within"] = within(session, scope(), found.get("within", "").strip())
    return found


def frame(
    session: Session, asked: Mapping[str, str], tab: str, bys: Sequence[Key] = (), by: Key = ()
) -> Frame:
    """The frame of a page for an address that `given` has checked."""
    seen, day = scope(), today()
    choice = chosen.choose(service(ReachStore), session, asked, day, whole=seen.whole)
    tree = Tree.read(session)
    kept = {key: asked[key] for key in ("span", "by", "within", *chosen.FILTERS) if asked.get(key)}
    return Frame(
        tab=tab,
        chosen=choice,
        where=tree.name(choice.within, day) if choice.within else _("全国"),
        crumbs=crumbs(tree, asked, day, seen.tops),
        parts=_parts(tree, asked, day, seen.tops),
        spans=[
            Link(_(label), href(asked, span=key, at=""), key == choice.span)
            for key, label in spans.SPANS.items()
        ],
        bys=[Link(by_words(one), href(asked, by=",".join(one)), one == by) for one in bys],
        narrowed=_narrowed(session, asked, day),
        kept=kept,
    )


def crumbs(tree: Tree, asked: Mapping[str, str], day: date, tops: Collection[str]) -> list[tuple[str, str]]:
    """The way down from where the reader's part begins."""
    code, root = asked.get("within", ""), tree.root(day)
    steps = tree.path(code, day)
    if WHOLE not in tops:
        steps = steps[: next((at + 1 for at, one in enumerate(steps) if one in tops), len(steps))]
    if not code or code == root or len(steps) < 2:
        return []
    links = [(tree.name(one, day), href(asked, within="" if one == root else one)) for one in steps[:0:-1]]
    return [*links, (tree.name(code, day), "")]


def _parts(tree: Tree, asked: Mapping[str, str], day: date, tops: Collection[str]) -> list[Link]:
    if len(tops) < 2 or WHOLE in tops:
        return []
    above = tree.path(asked.get("within", ""), day)
    return [Link(tree.name(code, day), href(asked, within=code), code in above) for code in sorted(tops)]


def _narrowed(session: Session, asked: Mapping[str, str], day: date) -> list[Link]:
    """The filters in force; following one takes it away."""
    where: Where = chosen.filters(asked)
    return [
        Link(dimensions.names(session, name, day).get(values[0], values[0]), href(asked, **{name: ""}))
        for name, values in where
    ]


def as_file(sheet: Sheet) -> Response | None:
    """The sheet as the file that the address asks for (`export` csv, xlsx or json); None for the page."""
    form = request.args.get("export", "")
    if form not in ("csv", "xlsx", "json"):
        return None
    return file_of(sheet, form)


def file_of(sheet: Sheet, form: str, disposition: str = "attachment") -> Response:
    """A sheet in a format of `sheets.FORMATS`."""
    write, media_type = sheets.FORMATS[form]
    answer = Response(write(sheet), content_type=media_type)
    answer.headers["Content-Disposition"] = (
        f'{disposition}; filename="reach-{sheet.name}.{"txt" if form == "table" else form}"'
    )
    return answer
