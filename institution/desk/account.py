"""Sign in, sign out, one's own password; and the first page with what waits."""

import math
from dataclasses import dataclass

from flask import flash, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, logout_user

from core import clock
from core.errors import Invalid
from core.http import render, safe_target, transaction
from core.i18n import gettext as _
from institution import access, audit, people, sign_in, throttle
from institution.desk import entrance
from institution.desk.routes import staff_blueprint as blueprint
from institution.models import Staff
from institution.throttle import Attempt


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


@blueprint.get("/sign-in", endpoint="sign_in")
@access.public
def sign_in_form() -> ResponseReturnValue:
    """The sign-in form; who is signed in already goes on."""
    target = request.args.get("next", "")
    if current_user.is_authenticated:
        return redirect(safe_target(target, url_for("staff.home")))
    return render("institution/sign_in.html", SignInPage(target=target))


@blueprint.post("/sign-in")
@access.public
def enter() -> ResponseReturnValue:
    """Sign in: one answer, in one time, for every wrong pair, so that no login can be found out."""
    login, target = request.form.get("login", ""), request.form.get("next", "")
    tried, now = entrance.attempt(login), clock.now()
    with transaction() as database:
        account, wait = sign_in.begin(database, tried, login, now)
    if wait > 0:
        return too_many("institution/sign_in.html", SignInPage(login, target, wait_sentence(wait)), wait)
    # no transaction is open while the password is compared: it takes its time on purpose
    if not sign_in.right(account, request.form.get("password", "")) or account is None:
        with transaction() as database:
            sign_in.failed(database, account, entrance.browser())
        fault = _("登录名或密码不对。请再试一次；忘了密码请找管理员重置。")
        return render("institution/sign_in.html", SignInPage(login, target, fault)), 401
    with transaction() as database:
        account = people.get(database, account.id or 0)
        person = entrance.admit(database, account, tried)
    entrance.enter(person)
    return go_on(person, target)


def go_on(person: access.SignedIn, target: str) -> ResponseReturnValue:
    """To the next step of signing in, or where this person wanted to go."""
    step = access.unfinished(person)
    if step is not None:
        return redirect(url_for(step, next=safe_target(target, "") or None))
    return redirect(safe_target(target, url_for("staff.home")))


def wait_sentence(wait: float) -> str:
    """The sentence for who tried too often."""
    seconds = math.ceil(wait)
    if seconds > 90:
        return _("刚才试错的次数太多，请过 %(minutes)s 分钟再试。", minutes=math.ceil(seconds / 60))
    return _("刚才试错的次数太多，请过 %(seconds)s 秒再试。", seconds=seconds)


def too_many(template: str, page: object, wait: float) -> ResponseReturnValue:
    """The form again, with 429 and the seconds to wait."""
    answer = make_response(render(template, page), 429)
    answer.headers["Retry-After"] = str(math.ceil(wait))
    return answer


@blueprint.post("/sign-out")
@access.public
def sign_out() -> ResponseReturnValue:
    """Sign out: the session's row ends, so a copied cookie is worth nothing."""
    if current_user.is_authenticated:
        person = access.signed_in()
        with transaction() as database, audit.acting(access.actor_of(person)):
            sign_in.leave(database, person.staff, person.session.id or 0, now=clock.now())
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
    if access.unfinished(person) == "staff.second_factor":
        return redirect(url_for("staff.second_factor", next=request.args.get("next")))
    forced = person.staff.must_change_password
    if request.method == "GET":
        return render("institution/password.html", PasswordPage(forced))
    tried, now = entrance.attempt(person.staff.login, "change"), clock.now()
    with transaction() as database:
        _account, wait = sign_in.begin(database, tried, person.staff.login, now)
    if wait > 0:
        return too_many("institution/password.html", PasswordPage(forced, "old", wait_sentence(wait)), wait)
    try:
        fresh = _changed(person)
    except Invalid as error:
        if error.field != "old":
            take_back(tried)
        return render("institution/password.html", PasswordPage(forced, error.field, str(error))), 400
    take_back(tried)
    entrance.enter(fresh)
    flash(_("密码已修改；其他设备上的登录都已结束。"), "good")
    return go_on(fresh, request.args.get("next", ""))


def take_back(tried: Attempt) -> None:
    """The old password was right: only guesses at it count."""
    with transaction() as database:
        throttle.right(database, tried, clock.now())


def _changed(person: access.SignedIn) -> access.SignedIn:
    form = request.form
    if form.get("new") != form.get("again"):
        raise Invalid(_("两次输入的新密码不一样，请再输一次。"), field="again")
    with transaction() as database, audit.acting(access.actor_of(person)):
        account: Staff = people.get(database, person.id)
        people.change_password(database, account, form.get("old", ""), form.get("new", ""), now=clock.now())
        return entrance.rotate(database, account, person.session)
