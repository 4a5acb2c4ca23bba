"""The list of accounts: searched, filtered, sorted, written out, several closed at once after a preview."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import DomainError, NotFound
from core.http import (
    asked_export,
    attachment,
    page_number,
    reading,
    render,
    safe_target,
    service,
    transaction,
)
from core.i18n import gettext as _
from core.settings import Settings
from institution import access, bulk, desk_table, granting, people, places, staff_list
from institution.bulk import BulkPreview, Line
from institution.desk.routes import staff_blueprint as blueprint
from institution.desk_table import Listing, View
from institution.models import Staff
from institution.powers import ROLES
from institution.staff_list import STATES, Wanted


@dataclass(frozen=True, slots=True)
class AccountsPage:
    """One page of the accounts of one's part of the tree."""

    listing: Listing[Staff]
    view: View[Staff]
    wanted: Wanted
    nodes: places.Choices
    grants: dict[int, list[str]]
    everybody: bool
    own: int

    def state(self, account: Staff) -> str:
        """Whether an account may sign in: a key of STATES."""
        return staff_list.state_of(account)

    @property
    def roles(self) -> list[tuple[str, str]]:
        """The roles to filter by."""
        return [("", _("全部"))] + [(role, _(name)) for role, (name, _allowed) in ROLES.items()]

    @property
    def states(self) -> list[tuple[str, str]]:
        """The states to filter by."""
        return [("", _("全部"))] + [(state, _(name)) for state, name in STATES.items()]


@blueprint.get("/staff")
@access.requires("staff.edit")
def accounts() -> ResponseReturnValue:
    """The accounts of one's part of the tree."""
    person = access.signed_in()
    scope = person.scope("staff.edit")
    with reading() as session:
        wanted = _wanted(session)
        query = staff_list.query(wanted, scope)
        grants: dict[int, list[str]] = {}
        view = desk_table.view(staff_list.columns(grants), request.args, first="name")
        if form := asked_export():
            rows = desk_table.everything(session, query, view, ties=(Staff.login,))
            grants.update(staff_list.grants_of(session, rows))
            return attachment(desk_table.export(view, rows, form, service(Settings).zone), f"staff.{form}")
        listing = desk_table.listing(session, query, view, page_number(), ties=(Staff.login,))
        grants.update(staff_list.grants_of(session, listing.rows))
        nodes = places.choices(session, scope, chosen=wanted.node)
    page = AccountsPage(listing, view, wanted, nodes, grants, wanted == Wanted(), person.id)
    return render("institution/accounts.html", page)


def _wanted(session: Session) -> Wanted:
    asked = request.args
    try:
        node = places.typed(session, asked, "node")
    except DomainError:
        node = asked.get("node_typed", "")  # a node that nobody knows: nothing is found
    return Wanted(asked.get("q", "").strip(), asked.get("role", ""), asked.get("state", ""), node)


@blueprint.post("/staff/bulk")
@access.requires("staff.edit")
def bulk_accounts() -> ResponseReturnValue:
    """Close several accounts: first what would happen to each, then, confirmed, all of it."""
    form, person, now = request.form, access.signed_in(), clock.now()
    back = safe_target(form.get("back"), url_for("staff.accounts"))
    try:
        picked = bulk.picked(form.getlist("pick"))
    except DomainError as error:
        flash(str(error), "bad")
        return redirect(back)
    if form.get("confirm") != "1":
        with reading() as session:
            lines = [_closing(session, value, person.id) for value in picked]
        return bulk.preview(_preview(lines, back))
    with transaction() as session:
        good = [
            line.value for line in (_closing(session, value, person.id) for value in picked) if not line.fault
        ]
        for value in good:
            people.close(session, people.get(session, int(value)), by=person.id, now=now)
    flash(_("已停用 %(count)s 个账号。", count=len(good)), "good")
    return redirect(back)


def _preview(lines: Sequence[Line], back: str) -> BulkPreview:
    return BulkPreview(
        title=_("停用账号"),
        action=url_for("staff.bulk_accounts"),
        act="close",
        lines=lines,
        confirm=_("停用这些账号"),
        back=back,
        hidden={"back": back},
        note=_("停用后立即退出所有设备；以前的记录都保留，以后可以再启用。"),
        danger=True,
        nav="staff",
    )


def _closing(session: Session, value: str, by: int) -> Line:
    """What closing does to one account, or why it cannot be closed."""
    try:
        account = people.get(session, int(value)) if value.isdigit() and len(value) < 10 else None
        if account is None or not _inside(session, account):
            return Line(value, value, fault=_("没有找到这个账号。"))
    except NotFound as error:
        return Line(value, value, fault=str(error))
    title = f"{account.name}（{account.login}）"
    href = url_for("staff.account", number=account.id)
    if not account.active:
        return Line(value, title, fault=_("已经停用。"), href=href)
    try:
        people.check_close(session, account, by)
    except DomainError as error:
        return Line(value, title, fault=str(error), href=href)
    return Line(value, title, _("停用，退出所有设备"), href=href)


def _inside(session: Session, account: Staff) -> bool:
    scope = access.signed_in().scope("staff.edit")
    return all(scope.covers(session, code) for code in granting.nodes_of(session, account.id or 0))
