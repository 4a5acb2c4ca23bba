"""The pages of targets: how far each is, setting one, splitting one, deleting one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import DomainError, Invalid
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from institution import access, places
from institution.powers import WHOLE
from tracking import attainment, dimensions, targets
from tracking.attainment import Standing
from tracking.dimensions import Tree
from tracking.insight_desk import frame as frames
from tracking.insight_desk.frame import Foot, Frame
from tracking.insight_desk.routes import blueprint
from tracking.insight_models import ReachTarget
from tracking.periods import Period, title
from tracking.store import ReachStore
from tracking.target_sheet import target_notes, target_sheet
from tracking.targets import MEASURES, ORIGINS, Aim, Part

EDIT = "reach.edit"


@dataclass(frozen=True, slots=True)
class TargetsPage:
    """The aims to choose from, one of them with its node and children, and the form."""

    frame: Frame
    foot: Foot
    aims: Sequence[tuple[str, str]]
    picked: str
    found: Standing | None
    nodes: places.Choices
    may_set: bool
    may_split: bool
    typed: Mapping[str, str]
    fault: DomainError | None = None

    @property
    def title(self) -> str:
        """What the page is about."""
        return _("%(where)s触达目标", where=self.frame.where)

    @property
    def measures(self) -> list[tuple[str, str]]:
        """What can be aimed at."""
        return [(key, _(label)) for key, label in MEASURES.items()]

    def error(self, field: str) -> str:
        """What is wrong with a field."""
        return str(self.fault) if self.fault and self.fault.field == field else ""

    def origin(self, row: ReachTarget) -> str:
        """Where a target came from."""
        return _(ORIGINS[row.origin])


@dataclass(frozen=True, slots=True)
class SplitPage:
    """What splitting would set, before it does."""

    row: ReachTarget
    name: str
    when: str
    deep: bool
    parts: Sequence[Part]

    @property
    def shown(self) -> Sequence[Part]:
        """The first parts."""
        return self.parts[:200]

    @property
    def replaced(self) -> int:
        """How many targets that stand would change or go."""
        return sum(one.old is not None and one.old != one.value for one in self.parts)

    @property
    def equal(self) -> bool:
        """Whether there was nothing last year to go by."""
        return not any(one.weight for one in self.parts)


def aim_value(row: ReachTarget) -> str:
    """How the address names an aim: days, measure, campaign."""
    return f"{row.first}/{row.last} {row.measure} {row.campaign}".strip()


def _aims(session: Session, codes: Sequence[str]) -> dict[str, ReachTarget]:
    """The aims that stand at these nodes, one target of each, the newest first."""
    return {aim_value(row): row for row in reversed(targets.kept(session, codes))}


def _label(session: Session, row: ReachTarget) -> str:
    words = [title(Period(row.first, row.last)), _(MEASURES[row.measure])]
    if row.campaign:
        words.insert(1, dimensions.names(session, "campaign", row.last).get(row.campaign, row.campaign))
    return " · ".join(words)


def _page(
    session: Session, asked: Mapping[str, str], typed: Mapping[str, str], fault: DomainError | None = None
) -> TargetsPage:
    store, day, person = service(ReachStore), frames.today(), access.signed_in()
    frame = frames.frame(session, {"within": asked["within"]}, "targets")
    code = frame.chosen.within or Tree.read(session).root(day)
    nodes = [code, *attainment.children(session, code, day)]
    aims = dict(reversed(_aims(session, nodes).items()))
    picked = asked.get("aim", "") if asked.get("aim") in aims else next(iter(aims), "")
    found = attainment.standing(store, session, aims[picked], code, day) if picked else None
    place = _nodes(session, typed.get("outlet_code", ""), day)
    may = person.may(EDIT)
    return TargetsPage(
        frame=frame,
        foot=Foot(tuple(target_notes(found)) if found else (), ()),
        aims=[(value, _label(session, row)) for value, row in aims.items()],
        picked=picked,
        found=found,
        nodes=place,
        may_set=may and bool(place or place.more),
        may_split=may and person.may_at(session, EDIT, code),
        typed=typed,
        fault=fault,
    )


@blueprint.get("/targets")
@access.requires("reach.view")
def show_targets() -> ResponseReturnValue:
    """Targets of a node and its children, with attainment and pace; `?export=` gives a file."""
    with reading() as session:
        page = _page(session, frames.given(session), {"measure": targets.GROSS})
    if page.found and (file := frames.as_file(target_sheet(page.found))):
        return file
    return render("tracking/targets.html", page)


@blueprint.post("/targets")
@access.requires(EDIT)
def set_target() -> ResponseReturnValue:
    """Set a target from the form; the page again with the fault where something is wrong."""
    person = access.signed_in()
    try:
        with transaction() as session:
            code = places.typed(session, request.form)
            _check(session, code)
            aim = Aim(
                outlet_code=code,
                period=targets.period_of(request.form.get("period", "")),
                measure=request.form.get("measure", ""),
                value=targets.number(request.form.get("value", "")),
                campaign=request.form.get("campaign", "").strip(),
                note=request.form.get("note", "").strip(),
            )
            row = targets.put(session, aim, by=person.id, now=clock.now())
            back = _back(session, row)
    except DomainError as fault:
        with reading() as session:
            page = _page(session, frames.given(session), request.form, fault)
        return render("tracking/targets.html", page), 400
    flash(_("目标已设定。"), "good")
    return redirect(back)


def _nodes(session: Session, chosen: str, day: date) -> places.Choices:
    """The nodes whose target this person may set: all below their own part, or all."""
    scope = access.signed_in().scope(EDIT)
    found, tree = places.choices(session, scope, chosen=chosen), Tree.read(session)
    root = tree.root(day)
    kept = places.Choices([(root, tree.name(root, day))] if scope.whole and root else [])
    kept.extend(one for one in found if one[0] != WHOLE and one[0] not in scope.tops and one[0] != root)
    kept.more = found.more
    return kept


def _check(session: Session, code: str) -> None:
    """Who sets a target answers for the node above: nobody sets their own; what lies outside does not exist."""
    scope = access.signed_in().scope(EDIT)
    above = targets.above(session, code)
    if not scope.covers(session, code):
        raise targets.unknown(code)
    if not scope.covers(session, above):
        raise Invalid(mark("自己的目标由上级机构设定，您可以设定下级机构的目标。"), field="outlet_code")


def _back(session: Session, row: ReachTarget) -> str:
    """The page that shows a target: of the node above it, where that is the person's."""
    above = targets.above(session, row.outlet_code)
    seen = access.signed_in().scope("reach.view")
    root = Tree.read(session).root(row.last)
    within = row.outlet_code if not above or not seen.covers(session, above) else above
    return url_for("insight_desk.show_targets", within="" if within == root else within, aim=aim_value(row))


def _row_at(session: Session, arguments: Mapping[str, Any]) -> ReachTarget:
    return targets.get(session, int(arguments["number"]))


def node_of(session: Session, arguments: Mapping[str, Any]) -> str:
    """Locator: the node whose target it is, whose children get the parts."""
    return _row_at(session, arguments).outlet_code


def node_above(session: Session, arguments: Mapping[str, Any]) -> str:
    """Locator: the node that sets the target."""
    return targets.above(session, _row_at(session, arguments).outlet_code)


@blueprint.post("/targets/<int:number>/remove")
@access.requires(EDIT, at=node_above)
def remove_target(number: int) -> ResponseReturnValue:
    """Delete a target."""
    with transaction() as session:
        back = _back(session, targets.get(session, number))
        targets.remove(session, number)
    flash(_("目标已删除。"), "good")
    return redirect(back)


@blueprint.get("/targets/<int:number>/split")
@access.requires(EDIT, at=node_of)
def ask_split(number: int) -> ResponseReturnValue:
    """What splitting would set; nothing is written."""
    deep = request.args.get("deep") == "1"
    with reading() as session:
        row = targets.get(session, number)
        parts = attainment.parts(service(ReachStore), session, row, deep=deep)
        name = places.name(session, row.outlet_code)
        page = SplitPage(row, name, _label(session, row), deep, parts)
    return render("tracking/target_split.html", page)


@blueprint.post("/targets/<int:number>/split")
@access.requires(EDIT, at=node_of)
def split_target(number: int) -> ResponseReturnValue:
    """Set the targets of the nodes below."""
    deep = request.form.get("deep") == "1"
    with transaction() as session:
        row = targets.get(session, number)
        parts = attainment.parts(service(ReachStore), session, row, deep=deep)
        made = targets.split(session, row, parts, by=access.signed_in().id, now=clock.now())
        root = Tree.read(session).root(row.last)
        within, aim = ("" if row.outlet_code == root else row.outlet_code), aim_value(row)
    flash(_("已分解到 %(count)s 个机构。", count=made), "good")
    return redirect(url_for("insight_desk.show_targets", within=within, aim=aim))
