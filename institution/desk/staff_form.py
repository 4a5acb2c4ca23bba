"""The form of an account: name, e-mail, roles with their part of the tree; a conflict shows both versions."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import DomainError
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.privacy import Vault
from institution import access, conflict, invitations, people, places, sessions, staff_fields, staff_list
from institution.conflict import Field, Overtaken
from institution.desk import staff_secrets
from institution.desk.me import DeviceLine, device_lines
from institution.desk.routes import staff_blueprint as blueprint
from institution.desk.staff_place import at_account
from institution.granting import check_grants
from institution.models import Staff
from institution.powers import PERMISSIONS, ROLES, WHOLE, allowed

_MOST_ROWS = 20


@dataclass(frozen=True, slots=True)
class GrantRow:
    """One role with its node, as typed."""

    role: str = ""
    node: str = WHOLE
    typed: str = ""


@dataclass(slots=True)
class AccountPage:
    """The form of one account, new when `account` is None."""

    account: Staff | None
    login: str
    name: str
    email: str
    active: bool
    rows: Sequence[GrantRow]
    nodes: places.Choices
    roles: Sequence[tuple[str, str]]
    base: str = ""
    own: bool = False
    reachable: bool = True
    words: Sequence[str] = ()
    devices: Sequence[DeviceLine] = ()
    invited: bool = False
    field: str | None = None
    fault: str = ""
    allows: Sequence[tuple[str, str]] = ()

    def at(self, name: str) -> str | None:
        """The fault if it is this field's."""
        return self.fault if name == self.field else None


def offered() -> list[tuple[str, str]]:
    """The roles that this person may give: those that allow nothing they may not do themselves."""
    own = access.signed_in().powers.permissions
    return [(role, _(name)) for role, (name, powers) in ROLES.items() if powers <= own]


def _allows() -> list[tuple[str, str]]:
    """What each role that may be given allows, in words."""
    return [
        (name, _("、").join(_(PERMISSIONS[each]) for each in PERMISSIONS if each in allowed(role)))
        for role, name in offered()
    ]


def shown(session: Session, account: Staff) -> dict[str, object]:
    """The account as its form shows it, for conflicts."""
    grants = sessions.powers_of(session, account.id or 0).grants
    return {
        "name": account.name,
        "email": service(Vault).decrypt(account.email) if account.email else "",
        "active": account.active,
        "grants": [f"{role}@{code}" for role, code in grants],
    }


def typed_rows() -> list[GrantRow]:
    """The rows of roles as the form sent them, also as the page of a conflict sends them."""
    form = request.form
    if "grants" in form:
        pairs = (value.partition("@") for value in form.getlist("grants"))
        return [GrantRow(role, node) for role, _at, node in pairs]
    count = form.get("rows", "0")
    numbers = range(min(int(count), _MOST_ROWS) if count.isdigit() and len(count) < 4 else 0)
    return [
        GrantRow(
            form.get(f"role{number}", ""),
            form.get(f"node{number}", ""),
            form.get(f"node{number}_typed", "").strip(),
        )
        for number in numbers
        if form.get("drop") != str(number)
    ]


def pairs(session: Session, rows: Sequence[GrantRow]) -> list[tuple[str, str]]:
    """The pairs of role and node that the rows mean; a row without a role means nothing."""
    wanted = []
    for row in rows:
        if row.role:
            node = places.typed(session, {"grants": row.node, "grants_typed": row.typed}, "grants")
            wanted.append((row.role, node))
    return list(dict.fromkeys(wanted))


def only_rows() -> bool:
    """Whether a button only changed the number of rows."""
    return "more" in request.form or "drop" in request.form


def _filled(
    session: Session, account: Staff | None, rows: Sequence[GrantRow], error: DomainError | None
) -> AccountPage:
    """The page with what was typed."""
    form = request.form
    page = _page(session, account, rows)
    page.login, page.name = form.get("login", page.login), form.get("name", "")
    page.email, page.active = form.get("email", ""), form.get("active") == "1"
    page.base = form.get("base", page.base)
    page.field, page.fault = (error.field, str(error)) if error else (None, "")
    return page


def _page(session: Session, account: Staff | None, rows: Sequence[GrantRow]) -> AccountPage:
    person = access.signed_in()
    nodes = places.choices(session, person.scope("staff.edit"))
    known = dict(nodes)
    missing = [row.node for row in rows if row.node not in known]
    nodes.extend((code, name) for code, name in places.names(session, missing).items() if code not in known)
    page = AccountPage(
        account,
        "",
        "",
        "",
        True,
        rows or [GrantRow(node=nodes.first)],
        nodes,
        [("", _("请选择")), *offered()],
    )
    page.allows = _allows()
    if account is not None:
        _about(session, account, page)
    return page


def _about(session: Session, account: Staff, page: AccountPage) -> None:
    """What the page says of an account that exists."""
    person, now, number = access.signed_in(), clock.now(), account.id or 0
    values = shown(session, account)
    page.login, page.name, page.email = account.login, account.name, str(values["email"])
    page.active, page.base = account.active, conflict.version_of(values)
    page.own = number == person.id
    page.words = staff_list.grants_of(session, [account])[number]
    page.devices = device_lines(session, number, now, person.session.id)
    page.invited = invitations.waiting(session, number, now) is not None
    try:
        people.check_touch(session, account, person.id)
    except DomainError as error:
        page.reachable, page.fault = False, str(error)


@blueprint.get("/staff/new")
@access.requires("staff.edit")
def new_account() -> ResponseReturnValue:
    """The form of a new account."""
    with reading() as session:
        return render("institution/account.html", _page(session, None, []))


@blueprint.post("/staff/new")
@access.requires("staff.edit")
def add_account() -> ResponseReturnValue:
    """Make an account; show its one-time password once, or invite its owner."""
    form, rows, person = request.form, typed_rows(), access.signed_in()
    if only_rows():
        return _again(None, [*rows, GrantRow()] if "more" in form else rows)
    try:
        with transaction() as session:
            wanted = pairs(session, rows)
            check_grants(session, wanted)
            email = staff_fields.sealed_email(service(Vault), form.get("email", ""))
            account, password = people.add(
                session, login=form.get("login", ""), name=form.get("name", ""), roles=(), grants=wanted,
                email=email, now=clock.now(), until=staff_secrets.until(), by=person.id,
            )  # fmt: skip
            if form.get("deliver") == "invite":
                return staff_secrets.invited(session, account)
    except DomainError as error:
        return _again(None, rows, error)
    return staff_secrets.told(account, password)


@blueprint.get("/staff/<int:number>")
@access.requires("staff.edit", at=at_account)
def account(number: int) -> ResponseReturnValue:
    """The form of an account, with its devices and invitation."""
    with reading() as session:
        found = people.get(session, number)
        grants = sessions.powers_of(session, number).grants
        return render("institution/account.html", _page(session, found, [GrantRow(*pair) for pair in grants]))


@blueprint.post("/staff/<int:number>")
@access.requires("staff.edit", at=at_account)
def save_account(number: int) -> ResponseReturnValue:
    """Change name, e-mail, roles and whether the account may sign in."""
    form, rows, person = request.form, typed_rows(), access.signed_in()
    if only_rows():
        return _again(number, [*rows, GrantRow()] if "more" in form else rows)
    try:
        with transaction() as session:
            found = people.locked(session, number)
            own = sessions.powers_of(session, number).grants
            wanted = pairs(session, rows) if number != person.id else list(own)
            conflict.check(form.get("base", ""), shown(session, found))
            people.change(
                session, found, name=form.get("name", ""), grants=wanted, active=form.get("active") == "1",
                email=staff_fields.sealed_email(service(Vault), form.get("email", "")), by=person.id, now=clock.now(),
            )  # fmt: skip
    except Overtaken as overtaken:
        return _conflict(number, rows, overtaken)
    except DomainError as error:
        return _again(number, rows, error)
    flash(_("已保存账号“%(name)s”。") % {"name": found.name}, "good")
    return redirect(url_for("staff.accounts"))


def _again(
    number: int | None, rows: Sequence[GrantRow], error: DomainError | None = None
) -> ResponseReturnValue:
    with reading() as session:
        found = people.get(session, number) if number is not None else None
        page = _filled(session, found, rows, error)
        return render("institution/account.html", page), 400 if error else 200


def _conflict(number: int, rows: Sequence[GrantRow], overtaken: Overtaken) -> ResponseReturnValue:
    form = request.form
    with reading() as session:
        found = people.get(session, number)
        theirs = shown(session, found)
        mine = [f"{role}@{code}" for role, code in pairs(session, rows)]
        names = _grant_names(session, [*mine, *_texts(theirs["grants"])])
    yes = {"1": _("是"), "": _("否")}
    return conflict.page(
        _("账号“%(name)s”", name=found.name),
        url_for("staff.account", number=number),
        [
            Field("name", _("姓名"), theirs["name"], form.get("name", "")),
            Field("email", _("邮箱"), theirs["email"], form.get("email", "")),
            Field("active", _("可以登录"), theirs["active"], form.get("active") == "1", yes),
            Field("grants", _("角色"), theirs["grants"], mine, names),
        ],
        base=overtaken.base,
        began=form.get("base", ""),
        back=url_for("staff.account", number=number),
    )


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _grant_names(session: Session, values: Sequence[str]) -> dict[str, str]:
    split = {value: value.partition("@")[::2] for value in values}
    names = places.names(session, {node for _role, node in split.values()})
    return {value: staff_list.words(role, names[node]) for value, (role, node) in split.items()}
