"""Staff pages of many pieces: the list with its filter, order and export, and what is done to several at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from content import history, lifecycle, shelf
from content.check import overruling
from content.check.findings import errors, open_warnings
from content.desk.checked import today
from content.desk.routes import TONES, blueprint
from content.desk.withdrawing import take_down
from content.models import KIND_NAMES, STATE_NAMES, Kind, Piece, State
from content.shelf import Entry, Wanted
from core import clock
from core.errors import DomainError, Invalid
from core.http import asked_export, attachment, page_number, render, safe_target, service, transaction
from core.http import reading as session_for_reading
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access, approvals, bulk, desk_table, places
from institution.access import SignedIn
from institution.desk_table import Column, Listing, View
from institution.places import Choices
from institution.powers import Scope
from institution.working_days import WorkingDays

COLUMNS: tuple[Column[Entry], ...] = (
    Column("title", mark("标题"), lambda one: one.title, sort=lambda one: one.title),
    Column("key", mark("代号"), lambda one: one.key, shown=False),
    Column("kind", mark("类型"), lambda one: _(KIND_NAMES[Kind(one.kind)]), sort=lambda one: one.kind),
    Column("place", mark("归属"), lambda one: one.place, sort=lambda one: one.outlet_code),
    Column("number", mark("最新版本"), lambda one: one.number, sort=lambda one: one.number, numeric=True),
    Column(
        "state",
        mark("状态"),
        lambda one: _(STATE_NAMES[State(one.state)]),
        sort=lambda one: list(State).index(State(one.state)),
    ),
    Column("published", mark("网站上的版本"), lambda one: one.published_number, shown=False),
    Column("author", mark("最后修改人"), lambda one: one.author, shown=False),
    Column("updated", mark("更新"), lambda one: one.updated_at, sort=lambda one: one.updated_at),
)
ACTS = {
    "submit": (mark("提交审查"), "content.edit"),
    "publish": (mark("发布到网站"), "content.publish"),
    "withdraw": (mark("撤下"), "content.withdraw"),
}


@dataclass(frozen=True)
class ListPage:
    """The pieces that fit the filter in the address."""

    listing: Listing[Entry]
    view: View[Entry]
    wanted: Wanted
    place: str
    places: Choices
    acts: list[tuple[str, str]]

    @property
    def kind_options(self) -> list[tuple[str, str]]:
        """The kinds to choose from."""
        return [("", _("全部")), *((kind.value, _(name)) for kind, name in KIND_NAMES.items())]

    @property
    def state_options(self) -> list[tuple[str, str]]:
        """The states to choose from."""
        wanted = (item for item in STATE_NAMES.items() if item[0] != State.superseded)
        return [("", _("全部")), *((state.value, _(name)) for state, name in wanted)]

    @property
    def place_options(self) -> list[tuple[str, str]]:
        """The parts of the tree to choose from; nothing where there is only one."""
        some = [(code, name) for code, name in self.places if code]
        return [("", _("全部")), *some] if len(some) > 1 else []

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter hides something."""
        return self.wanted != Wanted() or bool(self.place)

    def state(self, entry: Entry) -> tuple[str, str]:
        """The state of a piece in a word, and its tone."""
        return _(STATE_NAMES[State(entry.state)]), TONES[State(entry.state)]


@blueprint.get("/pieces")
@access.requires("content.view")
def pieces() -> ResponseReturnValue:
    """The pieces of one's part of the tree and those over it, by kind, state, place and words."""
    me, asked = access.signed_in(), request.args
    wanted = Wanted(asked.get("kind", ""), asked.get("state", ""), asked.get("q", "").strip()[:80])
    place = asked.get("place", "")
    scope = me.scope("content.view")
    with session_for_reading() as session:
        where = [scope.condition(Piece.outlet_code, above=True)]
        where += [Scope(frozenset({place})).condition(Piece.outlet_code)] if place else []
        found = [one for one in shelf.entries(session, *where) if wanted.fits(one)]
        choices = places.choices(session, scope, chosen=place)
    view = desk_table.view(COLUMNS, asked, first="-updated")
    rows = view.arranged(found)
    if form := asked_export():
        zone = service(Settings).zone
        return attachment(desk_table.export(view, rows, form, zone), f"pieces.{form}")
    acts = [(act, _(label)) for act, (label, permission) in ACTS.items() if me.may(permission)]
    page = ListPage(desk_table.cut(rows, page_number()), view, wanted, place, choices, acts)
    return render("content/desk_pieces.html", page)


@blueprint.post("/pieces/bulk")
@access.requires("content.edit")
def several() -> ResponseReturnValue:
    """Preview what is to be done to several pieces; with `confirm` do it to all that still allow it."""
    act, back = request.form.get("action", ""), safe_target(request.form.get("back"), url_for(".pieces"))
    try:
        keys = bulk.picked(request.form.getlist("pick"))
        if act not in ACTS:
            raise Invalid(mark("请选择要做的事。"), field="action")
    except Invalid as error:
        flash(str(error), "bad")
        return redirect(back)
    if not request.form.get("confirm"):
        with session_for_reading() as session:
            lines = _lines(session, access.signed_in(), act, keys)
        return _preview(act, lines, back)
    return _carry_out(act, keys, back)


def _carry_out(act: str, keys: list[str], back: str) -> ResponseReturnValue:
    me, reason = access.signed_in(), request.form.get("reason", "")
    try:
        with transaction() as session:
            lines = _lines(session, me, act, keys)
            for line in lines:
                if not line.fault:
                    _do(session, act, line.value, me.id, reason)
    except DomainError as error:
        with session_for_reading() as session:
            lines = _lines(session, me, act, keys)
        return _preview(act, lines, back, reason=reason, error=str(error)), 400
    done = sum(not line.fault for line in lines)
    flash(_("%(act)s：完成 %(done)s 篇。", act=_(ACTS[act][0]), done=done), "good" if done else "warn")
    if done < len(lines):
        flash(_("有 %(count)s 篇没有变化。", count=len(lines) - done), "warn")
    return redirect(back)


def _do(session: Session, act: str, key: str, by: int, reason: str) -> None:
    now, number = clock.now(), shelf.of_keys(session, [key])[key].revision_id
    if act == "submit":
        settings = service(Settings)
        working, files_dir = WorkingDays.of(settings), settings.files_dir
        lifecycle.submit(session, number, by=by, now=now, reason=reason, working=working, files_dir=files_dir)
    elif act == "publish":
        lifecycle.publish(session, number, by=by, now=now)
    else:
        take_down(session, key, by=by, reason=reason)


def _lines(session: Session, me: SignedIn, act: str, keys: list[str]) -> list[bulk.Line]:
    seen = me.scope("content.view").condition(Piece.outlet_code, above=True)
    found = shelf.of_keys(session, keys, seen)
    return [
        bulk.Line(key, key, fault=_("没有找到内容“%(key)s”。", key=key))
        if key not in found
        else _line(session, me, act, found[key])
        for key in keys
    ]


def _line(session: Session, me: SignedIn, act: str, entry: Entry) -> bulk.Line:
    href = url_for("content_desk.piece", key=entry.key)
    fault = ""
    if not me.may_at(session, ACTS[act][1], entry.outlet_code):
        fault = _("它属于%(place)s，您在那里没有这个权限。", place=entry.place)
    elif act == "withdraw":
        fault = "" if entry.published_number else _("现在没有发布，不需要撤下。")
    elif entry.state not in _FROM[act]:
        fault = _("最新一版是“%(state)s”。", state=_(STATE_NAMES[State(entry.state)]))
    elif act == "submit" and approvals.open_request(session, kind=lifecycle.APPROVAL_KIND, subject=entry.key):
        fault = _("较早的一版正在审批。")
    elif act == "submit" and (wrong := _unsettled(session, entry)):
        fault = _("规则检查有 %(count)s 处没有处理，改好或说明理由以后才能提交审查。", count=wrong)
    return bulk.Line(entry.key, entry.title, "" if fault else _what(act, entry), fault, href)


def _unsettled(session: Session, entry: Entry) -> int:
    revision, files_dir = history.get(session, entry.revision_id), service(Settings).files_dir
    found = overruling.findings(session, revision, today(), files_dir=files_dir)
    return len(errors(found)) + len(open_warnings(found))


_FROM: Mapping[str, frozenset[State]] = {
    "submit": frozenset({State.draft, State.withdrawn}),
    "publish": frozenset({State.approved}),
}


def _what(act: str, entry: Entry) -> str:
    if act == "submit":
        return _("提交第 %(number)s 版，等另一位同事审查", number=entry.number)
    if act == "publish":
        return _("第 %(number)s 版发布到网站", number=entry.number)
    return _("网站上的第 %(number)s 版立刻撤下", number=entry.published_number)


def _preview(act: str, lines: list[bulk.Line], back: str, *, reason: str = "", error: str = "") -> str:
    word = _(ACTS[act][0])
    good = sum(not line.fault for line in lines)
    preview = bulk.BulkPreview(
        title=_("批量%(act)s", act=word),
        action=url_for(".several"),
        act=act,
        lines=lines,
        confirm=_("确认：%(act)s %(count)s 篇", act=word, count=good),
        back=back,
        hidden={"back": back},
        danger=act == "withdraw",
        nav="pieces",
    )
    return render("content/desk_bulk.html", preview, nav="pieces", reason=reason, error=error)
