"""One's own account: second factor, devices that are signed in, sign-out everywhere; and invitations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import logout_user
from sqlmodel import Session

from core import clock
from core.errors import Invalid
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault, mask_email
from institution import access, invitations, people, second_factor, sessions, sign_in, staff_list
from institution.desk import account as account_desk
from institution.desk import entrance
from institution.desk.routes import staff_blueprint as blueprint
from institution.models import Staff


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One signed-in browser."""

    number: int
    device: str
    address: str
    began: datetime
    seen: datetime
    here: bool


@dataclass(frozen=True, slots=True)
class MePage:
    """One's own account."""

    account: Staff
    roles: Sequence[str]
    email: str
    asked: bool
    needed: bool
    codes_left: int
    devices: Sequence[DeviceLine]


@dataclass(frozen=True, slots=True)
class InvitationPage:
    """The form for the first password."""

    name: str
    login: str
    shortest: int
    field: str | None = None
    fault: str = ""

    def at(self, name: str) -> str | None:
        """The fault if it is this field's."""
        return self.fault if name == self.field else None


def device_lines(database: Session, staff_id: int, now: datetime, here: int | None) -> list[DeviceLine]:
    """The signed-in browsers of a person; `here` is the session that asks."""
    return [
        DeviceLine(
            one.id or 0,
            sessions.device(one.agent) or _("未知设备"),
            one.address,
            one.created_at,
            one.seen_at,
            one.id == here,
        )
        for one in sessions.running(database, staff_id, now)
    ]


@blueprint.get("/me")
@access.requires("desk.view")
def me() -> ResponseReturnValue:
    """One's own account: what one may do, the second factor, the devices."""
    person, now = access.signed_in(), clock.now()
    with reading() as database:
        account = people.get(database, person.id)
        page = MePage(
            account=account,
            roles=staff_list.grants_of(database, [account])[person.id],
            email=mask_email(service(Vault).decrypt(account.email)) if account.email else "",
            asked=access.second_factor_asked(),
            needed=person.powers.strong,
            codes_left=second_factor.left(database, account),
            devices=device_lines(database, person.id, now, person.session.id),
        )
    return render("institution/me.html", page)


@blueprint.post("/me/sessions/<int:session_number>/end")
@access.requires("desk.view", at=access.SHARED, above=True)
def end_own_session(session_number: int) -> ResponseReturnValue:
    """End one of one's own sessions."""
    person = access.signed_in()
    with transaction() as database:
        sign_in.leave(database, person.staff, session_number, now=clock.now())
    flash(_("这台设备已退出登录。"), "good")
    return redirect(url_for("staff.me"))


@blueprint.post("/me/sessions/end")
@access.requires("desk.view")
def end_own_sessions() -> ResponseReturnValue:
    """Sign out everywhere; `others` keeps this browser."""
    person = access.signed_in()
    others = "others" in request.form
    with transaction() as database:
        sign_in.leave_all(database, person.staff, now=clock.now(), but=person.session.id if others else None)
    if others:
        flash(_("其他设备都已退出登录。"), "good")
        return redirect(url_for("staff.me"))
    logout_user()
    flash(_("所有设备都已退出登录。"), "good")
    return redirect(url_for("staff.sign_in"))


@blueprint.route("/invitation/<token>", methods=["GET", "POST"])
@access.public
def invitation(token: str) -> ResponseReturnValue:
    """The first password of somebody invited; opening the page alone uses nothing up (mail programs look ahead)."""
    with reading() as database:
        _found, account = invitations.opened(database, token, clock.now())
    if request.method == "GET":
        return render("institution/invitation.html", _invitation_page(account))
    form = request.form
    try:
        if form.get("new") != form.get("again"):
            raise Invalid(mark("两次输入的新密码不一样，请再输一次。"), field="again")
        with transaction() as database:
            account = invitations.accept(
                database, token, form.get("new", ""), address=request.remote_addr or "", now=clock.now()
            )
            person = entrance.invited(database, account)
    except Invalid as error:
        return render("institution/invitation.html", _invitation_page(account, error)), 400
    entrance.enter(person)
    flash(_("密码已设好，欢迎。"), "good")
    return account_desk.go_on(person, "")


def _invitation_page(account: Staff, error: Invalid | None = None) -> InvitationPage:
    return InvitationPage(
        account.name, account.login, people.MIN_PASSWORD, error.field if error else None, str(error or "")
    )
