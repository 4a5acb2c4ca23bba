"""Accounts: who has one, which roles, new ones, closed ones, reset passwords."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import select

from core import clock
from core.errors import DomainError
from core.http import reading, render, transaction
from core.i18n import gettext as _
from institution import access, people, sessions
from institution.desk.routes import staff_blueprint as blueprint
from institution.models import Grant, Staff
from institution.powers import PERMISSIONS, ROLES, WHOLE


@dataclass(frozen=True, slots=True)
class RoleLine:
    """A role as the form shows it: its name and what it allows."""

    key: str
    name: str
    allows: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class AccountsPage:
    """All accounts of people."""

    accounts: Sequence[Staff]
    grants: Mapping[int, Sequence[str]]

    def roles(self, account: Staff) -> str:
        """The names of an account's roles."""
        return _("、").join(_(ROLES[role][0]) for role in self.grants.get(account.id or 0, ()))


@dataclass(frozen=True, slots=True)
class AccountPage:
    """The form of one account, new when `number` is None."""

    number: int | None
    login: str
    name: str
    active: bool
    roles: Sequence[RoleLine]
    own: bool = False
    field: str | None = None
    fault: str = ""

    def at(self, name: str) -> str | None:
        """The fault if it is this field's."""
        return self.fault if name == self.field else None


@dataclass(frozen=True, slots=True)
class SecretPage:
    """A one-time password, shown this once."""

    name: str
    login: str
    password: str


def _role_lines(chosen: Sequence[str]) -> list[RoleLine]:
    return [
        RoleLine(
            key,
            _(name),
            _("、").join(_(PERMISSIONS[each]) for each in PERMISSIONS if each in allowed),
            key in chosen,
        )
        for key, (name, allowed) in ROLES.items()
    ]


@blueprint.get("/staff")
@access.requires("staff.edit")
def accounts() -> ResponseReturnValue:
    """All accounts."""
    with reading() as session:
        grants: dict[int, list[str]] = {}
        for one in session.exec(select(Grant)):
            grants.setdefault(one.staff_id, []).append(one.role)
        return render("institution/accounts.html", AccountsPage(people.everyone(session), grants))


@blueprint.get("/staff/new")
@access.requires("staff.edit")
def new_account() -> ResponseReturnValue:
    """The form of a new account."""
    return render("institution/account.html", AccountPage(None, "", "", True, _role_lines(())))


@blueprint.post("/staff/new")
@access.requires("staff.edit")
def add_account() -> ResponseReturnValue:
    """Make an account and show its one-time password once."""
    form, roles = request.form, request.form.getlist("roles")
    try:
        people.check_roles(roles)
        with transaction() as session:
            account, password = people.add(
                session, login=form.get("login", ""), name=form.get("name", ""), roles=roles, now=clock.now()
            )
    except DomainError as error:
        page = AccountPage(
            None,
            form.get("login", ""),
            form.get("name", ""),
            True,
            _role_lines(roles),
            False,
            error.field,
            str(error),
        )
        return render("institution/account.html", page), 400
    return render("institution/secret.html", SecretPage(account.name, account.login, password))


@blueprint.get("/staff/<int:number>")
@access.requires("staff.edit")
def account(number: int) -> ResponseReturnValue:
    """The form of an account."""
    with reading() as session:
        found = people.get(session, number)
        roles = [role for role, _code in sessions.powers_of(session, number).grants]
    return render("institution/account.html", _page(found, {"name": found.name, "roles": roles}))


@blueprint.post("/staff/<int:number>")
@access.requires("staff.edit")
def save_account(number: int) -> ResponseReturnValue:
    """Change name, roles and whether the account may sign in."""
    form, roles = request.form, request.form.getlist("roles")
    with transaction() as session:
        found = people.get(session, number)
        try:
            people.change(
                session,
                found,
                name=form.get("name", ""),
                grants=[(role, WHOLE) for role in roles],
                active="active" in form,
                by=access.signed_in().id,
                now=clock.now(),
            )
        except DomainError as error:
            session.rollback()
            found = people.get(session, number)
            page = _page(found, {"name": form.get("name", ""), "roles": roles}, error)
            return render("institution/account.html", page), 400
    flash(_("已保存账号“%(name)s”。") % {"name": found.name}, "good")
    return redirect(url_for("staff.accounts"))


def _page(found: Staff, typed: Mapping[str, object], error: DomainError | None = None) -> AccountPage:
    roles = [str(role) for role in typed["roles"]]  # type: ignore[attr-defined]
    return AccountPage(
        number=found.id,
        login=found.login,
        name=str(typed["name"]),
        active=found.active,
        roles=_role_lines(roles),
        own=found.id == access.signed_in().id,
        field=error.field if error else None,
        fault=str(error) if error else "",
    )


@blueprint.get("/staff/<int:number>/reset")
@access.requires("staff.edit")
def confirm_reset(number: int) -> ResponseReturnValue:
    """Ask before a password is reset."""
    with reading() as session:
        return render("institution/reset.html", people.get(session, number))


@blueprint.post("/staff/<int:number>/reset")
@access.requires("staff.edit")
def reset_password(number: int) -> ResponseReturnValue:
    """Give the account a new one-time password and show it once; its sessions end."""
    with transaction() as session:
        found = people.get(session, number)
        password = people.reset_password(session, found, now=clock.now())
    return render("institution/secret.html", SecretPage(found.name, found.login, password))
