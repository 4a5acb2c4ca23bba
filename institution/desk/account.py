"""One's own account: sign in, sign out, change the password; and the first page with what waits."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user
from sqlmodel import Session

from core import clock
from core.errors import Invalid
from core.http import reading, render, safe_target, service, transaction
from core.i18n import gettext as _
from core.settings import Settings
from institution import access, desk_home, people, sessions
from institution.desk.routes import staff_blueprint as blueprint
from institution.desk_home import Panel
from institution.models import Staff
from institution.sessions import Loaded
from institution.throttle import Throttle


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The sign-in form, with what was typed and why it did not work."""

    login: str = ""
    target: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class PasswordPage:
    """The form for a new password; `forced` after a one-time password."""

    forced: bool
    field: str | None = None
    fault: str = ""
    shortest: int = people.MIN_PASSWORD

    def at(self, name: str) -> str | None:
        """The fault if it is this field's."""
        return self.fault if name == self.field else None


@dataclass(frozen=True, slots=True)
class HomePage:
    """What waits for this person."""

    name: str
    panels: Sequence[Panel]


@blueprint.get("")
@access.requires("desk.view")
def home() -> ResponseReturnValue:
    """What waits for me first."""
    person = access.signed_in()
    with reading() as database:
        panels = desk_home.gather(database, person, clock.now())
    waiting = sum(panel.count for panel in panels if panel.urgent)
    return render("institution/home.html", HomePage(person.staff.name, panels), waiting=waiting)


@blueprint.get("/sign-in")
@access.public
def sign_in() -> ResponseReturnValue:
    """The sign-in form; who is signed in already goes on."""
    target = request.args.get("next", "")
    if current_user.is_authenticated:
        return redirect(safe_target(target, url_for("staff.home")))
    return render("institution/sign_in.html", SignInPage(target=target))


@blueprint.post("/sign-in")
@access.public
def enter() -> ResponseReturnValue:
    """Sign in: one answer for every wrong pair, so that no login can be found out."""
    login, target = request.form.get("login", ""), request.form.get("next", "")
    address, now, throttle = request.remote_addr or "", clock.now(), _throttle()
    if not throttle.is_free(address, now):
        page = SignInPage(login, target, _("这个网络刚才试错的次数太多，请过一会儿再试。"))
        return render("institution/sign_in.html", page), 429
    with transaction() as database:
        account = people.sign_in(database, login, request.form.get("password", ""), now)
        person = _begin(database, account) if account else None
    if account is None or person is None:
        throttle.failed(address, now)
        fault = _("登录名或密码不对，或者刚才试得太频繁。请稍等再试；忘了密码请找管理员重置。")
        return render("institution/sign_in.html", SignInPage(login, target, fault)), 401
    _enter(person)
    if account.must_change_password:
        return redirect(url_for("staff.change_password", next=target or None))
    return redirect(safe_target(target, url_for("staff.home")))


def _throttle() -> Throttle:
    found: Throttle = current_app.extensions.setdefault("signpost_sign_in", Throttle())
    return found


def _begin(database: Session, account: Staff) -> access.SignedIn:
    """A new session row: nothing from before the sign-in is carried over."""
    now = clock.now()
    made, token = sessions.begin(
        database,
        account,
        address=request.remote_addr or "",
        agent=request.user_agent.string,
        now=now,
        hours=service(Settings).session_hours,
    )
    return access.SignedIn(Loaded(made, account, sessions.powers_of(database, account.id or 0)), token)


def _enter(person: access.SignedIn) -> None:
    """Hand the browser the new session's cookie."""
    session.clear()
    session.permanent = True
    login_user(person)


@blueprint.post("/sign-out")
@access.public
def sign_out() -> ResponseReturnValue:
    """Sign out: the session's row ends, so a copied cookie is worth nothing."""
    if current_user.is_authenticated:
        with transaction() as database:
            sessions.end(database, access.signed_in().session.id or 0, clock.now())
    logout_user()
    session.clear()
    flash(_("您已退出登录。"), "good")
    return redirect(url_for("staff.sign_in"))


@blueprint.route("/password", methods=["GET", "POST"])
@access.public
def change_password() -> ResponseReturnValue:
    """One's own password; after a one-time password this comes before anything else."""
    if not current_user.is_authenticated:
        return redirect(url_for("staff.sign_in"))
    person = access.signed_in()
    forced = person.staff.must_change_password
    if request.method == "GET":
        return render("institution/password.html", PasswordPage(forced))
    form = request.form
    try:
        if form.get("new") != form.get("again"):
            raise Invalid(_("两次输入的新密码不一样，请再输一次。"), field="again")
        with transaction() as database:
            account = people.get(database, person.id)
            people.change_password(
                database, account, form.get("old", ""), form.get("new", ""), now=clock.now()
            )
            fresh = _begin(database, account)
    except Invalid as error:
        return render("institution/password.html", PasswordPage(forced, error.field, str(error))), 400
    _enter(fresh)
    flash(_("密码已修改；其他设备上的登录都已结束。"), "good")
    return redirect(safe_target(request.args.get("next"), url_for("staff.home")))
