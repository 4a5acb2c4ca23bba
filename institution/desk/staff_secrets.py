"""What an administrator does for somebody's access: one-time password, invitation, second factor, devices."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.privacy import Vault, mask_email
from core.settings import Settings
from institution import access, invitation_letters, invitations, people, second_factor, sign_in
from institution.desk.routes import staff_blueprint as blueprint
from institution.desk.staff_place import at_account
from institution.models import Staff


@dataclass(frozen=True, slots=True)
class SecretPage:
    """A one-time password or an invitation link, shown this once."""

    name: str
    login: str
    until: datetime
    password: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class AskPage:
    """Asks before something that cannot be undone."""

    account: Staff
    title: str
    text: str
    label: str


def until() -> datetime:
    """When a one-time password or an invitation given now ends."""
    return clock.now() + timedelta(hours=service(Settings).invitation_hours)


def told(account: Staff, password: str) -> ResponseReturnValue:
    """The page of a one-time password."""
    page = SecretPage(account.name, account.login, until(), password=password)
    return render("institution/secret.html", page)


def invited(session: Session, account: Staff) -> ResponseReturnValue:
    """Invite an account: by mail, or with a page of the link to be handed over."""
    settings, now = service(Settings), clock.now()
    token = invitations.invite(
        session, account, by=access.signed_in().id, now=now, hours=settings.invitation_hours
    )
    if invitation_letters.send(session, service(Vault), settings, account, token, now=now):
        to = mask_email(service(Vault).decrypt(account.email or ""))
        flash(_("邀请邮件会发到 %(to)s，链接只能用一次。", to=to), "good")
        return redirect(url_for("staff.accounts"))
    page = SecretPage(account.name, account.login, until(), link=invitation_letters.link(settings, token))
    return render("institution/secret.html", page)


@blueprint.get("/staff/<int:number>/reset")
@access.requires("staff.edit", at=at_account)
def confirm_reset(number: int) -> ResponseReturnValue:
    """Ask before a password is reset."""
    text = _("旧密码立即失效，所有设备上的登录都会结束；系统会显示一个新的一次性密码，只显示一次。")
    return _ask(number, _("重置 %(name)s 的密码？"), text, _("重置密码"))


@blueprint.post("/staff/<int:number>/reset")
@access.requires("staff.edit", at=at_account)
def reset_password(number: int) -> ResponseReturnValue:
    """Give the account a new one-time password and show it once; its sessions end."""
    with transaction() as session:
        found = people.get(session, number)
        password = people.reset_password(
            session, found, now=clock.now(), until=until(), by=access.signed_in().id
        )
    return told(found, password)


@blueprint.post("/staff/<int:number>/invite")
@access.requires("staff.edit", at=at_account)
def invite(number: int) -> ResponseReturnValue:
    """Send or show an invitation; an earlier one ends."""
    with transaction() as session:
        return invited(session, people.get(session, number))


@blueprint.get("/staff/<int:number>/second-factor")
@access.requires("staff.edit", at=at_account)
def confirm_second_factor(number: int) -> ResponseReturnValue:
    """Ask before a second factor is forgotten."""
    text = _("请先当面或打电话核实是本人。重置后所有设备上的登录都会结束；下次登录时要重新设置二次验证。")
    return _ask(number, _("重置 %(name)s 的二次验证？"), text, _("重置二次验证"))


@blueprint.post("/staff/<int:number>/second-factor")
@access.requires("staff.edit", at=at_account)
def reset_second_factor(number: int) -> ResponseReturnValue:
    """Forget somebody's second factor: the telephone is lost."""
    with transaction() as session:
        found = people.get(session, number)
        second_factor.reset(session, found, by=access.signed_in().id, now=clock.now())
    flash(_("已重置 %(name)s 的二次验证。", name=found.name), "good")
    return redirect(url_for("staff.account", number=number))


@blueprint.post("/staff/<int:number>/sessions/<int:session_number>/end")
@access.requires("staff.edit", at=at_account)
def end_session(number: int, session_number: int) -> ResponseReturnValue:
    """End one session of somebody."""
    with transaction() as session:
        found = people.get(session, number)
        people.check_touch(session, found, access.signed_in().id)
        sign_in.leave(session, found, session_number, now=clock.now())
    flash(_("这台设备已退出登录。"), "good")
    return redirect(url_for("staff.account", number=number))


@blueprint.post("/staff/<int:number>/sessions/end")
@access.requires("staff.edit", at=at_account)
def end_sessions(number: int) -> ResponseReturnValue:
    """Sign somebody out everywhere."""
    with transaction() as session:
        found = people.get(session, number)
        people.check_touch(session, found, access.signed_in().id)
        sign_in.leave_all(session, found, now=clock.now())
    flash(_("%(name)s 的所有设备都已退出登录。", name=found.name), "good")
    return redirect(url_for("staff.account", number=number))


def _ask(number: int, title: str, text: str, label: str) -> ResponseReturnValue:
    with reading() as session:
        found = people.get(session, number)
    return render("institution/reset.html", AskPage(found, title % {"name": found.name}, text, label))
