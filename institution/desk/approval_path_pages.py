"""Paths of approval: which steps a kind of request takes in which part of the tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import DomainError, Invalid
from core.http import reading, render, transaction
from core.i18n import gettext as _
from core.i18n import mark
from institution import access, approval_paths, conflict, places
from institution.approval_models import ApprovalPath
from institution.approval_paths import MOST_STEPS, PLACES, Step
from institution.conflict import Field
from institution.desk import approval_lines
from institution.desk.approval_routes import approvals_blueprint as blueprint
from institution.powers import PERMISSIONS

PARTS = {"name": mark("名称"), "permission": mark("由谁审批"), "at": mark("在哪一级")}


@dataclass(frozen=True, slots=True)
class PathLine:
    """One path in the list."""

    id: int
    kind: str
    place: str
    steps: Sequence[str]
    due_days: int | None


@dataclass(frozen=True, slots=True)
class PathsPage:
    """All paths that this person may set."""

    paths: Sequence[PathLine]


@dataclass(frozen=True, slots=True)
class PathPage:
    """The form of a path; `number` None: a new one. `values` are the fields as the form sends them."""

    number: int | None
    values: Mapping[str, str]
    kinds: Sequence[tuple[str, str]]
    places: places.Choices
    permissions: Sequence[tuple[str, str]]
    levels: Sequence[tuple[str, str]]
    base: str = ""
    kind: str = ""
    place: str = ""
    field: str | None = None
    fault: str = ""

    @property
    def rows(self) -> list[int]:
        """The numbers of the steps that the form offers."""
        return list(range(1, MOST_STEPS + 1))

    @property
    def shown(self) -> int:
        """How many of them are open: those that say something, three at least."""
        said = (number for number in self.rows if self.values.get(f"name{number}"))
        return max(3, *said, 0)

    def at(self, name: str) -> str | None:
        """The fault if it is this field's."""
        return self.fault if name == self.field else None


def _node(session: Session, arguments: Mapping[str, Any]) -> str:
    return approval_paths.get(session, int(arguments["number"])).outlet_code


@blueprint.get("/paths")
@access.requires("approval.edit")
def paths() -> ResponseReturnValue:
    """All paths."""
    with reading() as session:
        scope = access.signed_in().scope("approval.edit")
        rows = [one for one in approval_paths.everything(session) if scope.covers(session, one.outlet_code)]
        names = places.names(session, {one.outlet_code for one in rows})
        lines = [_line(one, names[one.outlet_code]) for one in rows]
    return render("institution/approval_paths.html", PathsPage(lines))


@blueprint.get("/paths/new")
@access.requires("approval.edit")
def new_path() -> ResponseReturnValue:
    """The form of a new path."""
    with reading() as session:
        return render("institution/approval_path.html", _page(session, None, {}))


@blueprint.post("/paths/new")
@access.requires("approval.edit")
def add_path() -> ResponseReturnValue:
    """Set a path for a kind and a node that has none of its own."""
    form, me = request.form, access.signed_in()
    try:
        with transaction() as session:
            kind, node = form.get("kind", ""), places.typed(session, form)
            me.check(session, "approval.edit", node)
            existing = approval_paths.nearest(session, kind, node)
            if existing is not None and existing.outlet_code == node:
                raise Invalid(mark("这个机构的这类申请已有流程，请打开那一条来修改。"), field="kind")
            _save(session, kind, node, form)
    except DomainError as error:
        with reading() as session:
            page = _page(session, None, form.to_dict(), error)
        return render("institution/approval_path.html", page), 400
    flash(_("审批流程已保存，新提交的申请按它来走。"), "good")
    return redirect(url_for("approvals.paths"))


@blueprint.get("/paths/<int:number>")
@access.requires("approval.edit", at=_node)
def path(number: int) -> ResponseReturnValue:
    """The form of a path."""
    with reading() as session:
        found = approval_paths.get(session, number)
        return render("institution/approval_path.html", _page(session, found, values_of(found)))


@blueprint.post("/paths/<int:number>")
@access.requires("approval.edit", at=_node)
def save_path(number: int) -> ResponseReturnValue:
    """Change a path; who was overtaken sees both versions."""
    form = request.form
    try:
        with transaction() as session:
            found = session.get(ApprovalPath, number, with_for_update=True) or approval_paths.get(
                session, number
            )
            theirs = values_of(found)
            conflict.check(form.get("base", ""), theirs)
            _save(session, found.kind, found.outlet_code, form)
    except conflict.Overtaken as overtaken:
        return conflict.page(
            _("修改审批流程"),
            url_for("approvals.save_path", number=number),
            [_field(name, theirs[name], form.get(name, "")) for name in theirs],
            base=overtaken.base,
            began=form.get("base", ""),
            back=url_for("approvals.path", number=number),
        )
    except DomainError as error:
        with reading() as session:
            page = _page(session, approval_paths.get(session, number), form.to_dict(), error)
        return render("institution/approval_path.html", page), 400
    flash(_("审批流程已保存，新提交的申请按它来走。"), "good")
    return redirect(url_for("approvals.paths"))


@blueprint.post("/paths/<int:number>/remove")
@access.requires("approval.edit", at=_node)
def remove_path(number: int) -> ResponseReturnValue:
    """Take a path away: the one of the node above holds."""
    with transaction() as session:
        approval_paths.remove(session, approval_paths.get(session, number))
    flash(_("审批流程已删除，这里改按上级机构的流程。"), "good")
    return redirect(url_for("approvals.paths"))


def values_of(found: ApprovalPath) -> dict[str, str]:
    """A path as the form sends it: `name1`, `permission1`, `at1` … `due_days`."""
    values = {"due_days": str(found.due_days or "")}
    for number in range(1, MOST_STEPS + 1):
        step = found.steps[number - 1] if number <= len(found.steps) else {}
        values |= {f"{part}{number}": str(step.get(part, "")) for part in PARTS}
    return values


def _save(session: Session, kind: str, node: str, form: Mapping[str, str]) -> None:
    steps = [
        Step(*(form.get(f"{part}{number}", "").strip() for part in PARTS))
        for number in range(1, MOST_STEPS + 1)
        if form.get(f"name{number}", "").strip() or form.get(f"permission{number}")
    ]
    days = form.get("due_days", "").strip()
    if days and not (days.isdigit() and len(days) < 4):
        raise Invalid(mark("办理期限须在 1 到 90 天之间；不限请留空。"), field="due_days")
    approval_paths.save(
        session,
        kind=kind,
        outlet_code=node,
        steps=steps,
        due_days=int(days) if days else None,
        by=access.signed_in().id,
        now=clock.now(),
    )


def _page(
    session: Session,
    found: ApprovalPath | None,
    values: Mapping[str, str],
    error: DomainError | None = None,
) -> PathPage:
    scope = access.signed_in().scope("approval.edit")
    return PathPage(
        number=found.id if found else None,
        values=values,
        kinds=approval_lines.kinds_and_sorts(),
        places=places.choices(session, scope, chosen=values.get("outlet_code", "")),
        permissions=[("", _("（没有这一步）")), *_deciding()],
        levels=[(key, _(name)) for key, name in PLACES.items()],
        base=values.get("base") or (conflict.version_of(values_of(found)) if found else ""),
        kind=approval_lines.kind_name(found.kind) if found else "",
        place=places.name(session, found.outlet_code) if found else "",
        field=error.field if error else None,
        fault=str(error) if error else "",
    )


def _deciding() -> list[tuple[str, str]]:
    return [(key, _(name)) for key, name in PERMISSIONS.items() if not key.endswith(".view")]


def _field(name: str, theirs: str, mine: str) -> Field:
    if name == "due_days":
        return Field(name, _("办理期限（天）"), theirs, mine)
    part, number = name[:-1], name[-1]
    label = _("第 %(number)s 步的%(part)s") % {"number": number, "part": _(PARTS[part])}
    words = {"permission": dict(_deciding()), "at": {key: _(each) for key, each in PLACES.items()}}
    return Field(name, label, theirs, mine, words.get(part, {}))


def _line(one: ApprovalPath, place: str) -> PathLine:
    steps = [
        _("%(name)s（%(place)s：%(permission)s）")
        % {
            "name": step["name"],
            "place": _(PLACES[step["at"]]),
            "permission": _(PERMISSIONS.get(step["permission"], step["permission"])),
        }
        for step in one.steps
    ]
    return PathLine(one.id or 0, approval_lines.kind_name(one.kind), place, steps, one.due_days)
