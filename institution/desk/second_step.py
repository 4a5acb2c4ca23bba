"""The second factor at sign-in, and setting it up: QR code, first code, recovery codes shown once."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from core import clock
from core.errors import DomainError, Invalid
from core.http import render, safe_target, service, transaction
from core.i18n import current_locale, mark
from core.i18n import gettext as _
from core.privacy import Vault
from core.settings import Settings
from institution import access, audit, passwords, people, second_factor, sign_in
from institution.desk import account as account_desk
from institution.desk import entrance
from institution.desk.routes import staff_blueprint as blueprint


@dataclass(frozen=True, slots=True)
class CodePage:
    """The form for a code."""

    target: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class SetUpPage:
    """The QR code and the form for the first code; `needed` when the person's powers ask for it."""

    secret: str
    sealed: str
    picture: str
    needed: bool
    target: str
    fault: str = ""

    @property
    def spelled(self) -> str:
        """The secret in groups of four, for typing it off."""
        return " ".join(self.secret[at : at + 4] for at in range(0, len(self.secret), 4))


@dataclass(frozen=True, slots=True)
class CodesPage:
    """The recovery codes, shown this once."""

    login: str
    codes: Sequence[str]
    target: str


@dataclass(frozen=True, slots=True)
class ConfirmPage:
    """Asks for the password before the second factor changes."""

    title: str
    text: str
    label: str
    fault: str = ""


@blueprint.route("/second-factor", methods=["GET", "POST"], endpoint="second_factor")
@access.public
def show_code() -> ResponseReturnValue:
    """The code after the password; until it is right nothing else opens."""
    target = safe_target(request.values.get("next"), "")
    if not current_user.is_authenticated:
        return redirect(url_for("staff.sign_in", next=target or None))
    person = access.signed_in()
    if access.unfinished(person) != "staff.second_factor":
        return redirect(target or url_for("staff.home"))
    if request.method == "GET":
        return render("institution/second_factor.html", CodePage(target))
    wait, fresh = _tried(person, request.form.get("code", ""))
    if wait > 0:
        page = CodePage(target, account_desk.wait_sentence(wait))
        return account_desk.too_many("institution/second_factor.html", page, wait)
    if fresh is None:
        fault = _("验证码不对或已经用过。请等应用里出现下一个 6 位数字再试，或者用一个恢复码。")
        return render("institution/second_factor.html", CodePage(target, fault)), 401
    entrance.enter(fresh)
    return account_desk.go_on(fresh, target)


def _tried(person: access.SignedIn, code: str) -> tuple[float, access.SignedIn | None]:
    """The seconds to wait, or the person of a fresh session when the code is right."""
    tried, now = entrance.attempt(person.staff.login, "code"), clock.now()
    with transaction() as database:
        account, wait = sign_in.begin(database, tried, person.staff.login, now)
    if wait > 0 or account is None:
        return wait, None
    with transaction() as database:
        account = people.get(database, person.id)
        if not second_factor.check(database, service(Vault), account, code, now=now):
            sign_in.failed(database, account, entrance.browser(), note=_("二次验证"))
            return 0.0, None
        return 0.0, entrance.complete(database, account, person.session, tried)


@blueprint.route("/second-factor/set-up", methods=["GET", "POST"])
@access.public
def set_up_second_factor() -> ResponseReturnValue:
    """Set the second factor up: who publishes, sends or administers must, everybody may."""
    if not current_user.is_authenticated:
        return redirect(url_for("staff.sign_in"))
    person, target = access.signed_in(), safe_target(request.values.get("next"), "")
    step = access.unfinished(person)
    if step not in (None, "staff.set_up_second_factor"):
        return redirect(url_for(step, next=target or None))
    if person.staff.second_factor or not access.second_factor_asked():
        return redirect(target or url_for("staff.me"))
    if request.method == "GET":
        return render(
            "institution/second_factor_set_up.html", _set_up_page(person, second_factor.new_secret())
        )
    secret = ""
    try:
        secret = _unsealed(person, request.form.get("sealed", ""))
        with transaction() as database, audit.acting(access.actor_of(person)):
            account = people.get(database, person.id)
            now = clock.now()
            codes = second_factor.turn_on(
                database, service(Vault), account, secret, request.form.get("code", ""), now=now
            )
            fresh = entrance.rotate(database, account, person.session, second_factor_at=now)
    except DomainError as error:
        page = _set_up_page(person, secret or second_factor.new_secret(), str(error))
        return render("institution/second_factor_set_up.html", page), 400
    entrance.enter(fresh)
    return render(
        "institution/recovery_codes.html", CodesPage(account.login, codes, target or url_for("staff.home"))
    )


def _set_up_page(person: access.SignedIn, secret: str, fault: str = "") -> SetUpPage:
    settings = service(Settings)
    issuer = settings.institution_name_en if current_locale() == "en" else settings.institution_name
    return SetUpPage(
        secret=secret,
        sealed=service(Vault).encrypt(f"{person.id}:{secret}"),
        picture=second_factor.picture(second_factor.uri(secret, person.staff.login, issuer)),
        needed=person.powers.strong,
        target=safe_target(request.values.get("next"), ""),
        fault=fault,
    )


def _unsealed(person: access.SignedIn, sealed: str) -> str:
    """The secret that the form carried, which only we can have sealed, and only for this person."""
    number, _colon, secret = service(Vault).decrypt(sealed).partition(":")
    if number != str(person.id):
        raise Invalid(mark("这一页已经过期，请重新扫描二维码。"))
    return secret


@blueprint.route("/second-factor/codes", methods=["GET", "POST"])
@access.requires("desk.view")
def renew_codes() -> ResponseReturnValue:
    """Ten new recovery codes, against the password."""
    page = ConfirmPage(_("更换恢复码"), _("旧的恢复码立即作废，新的十个只显示一次。"), _("生成新的恢复码"))
    if request.method == "GET":
        return render("institution/confirm_password.html", page)
    person = access.signed_in()
    try:
        _ask_password(person)
        with transaction() as database:
            codes = second_factor.renew(database, people.get(database, person.id))
    except Invalid as error:
        return render("institution/confirm_password.html", _with_fault(page, str(error))), 400
    return render(
        "institution/recovery_codes.html", CodesPage(person.staff.login, codes, url_for("staff.me"))
    )


@blueprint.route("/second-factor/off", methods=["GET", "POST"])
@access.requires("desk.view")
def turn_off_second_factor() -> ResponseReturnValue:
    """Go without a second factor again, against the password; not for who needs it."""
    page = ConfirmPage(
        _("关闭二次验证"), _("以后只用密码登录。换手机也从这里开始：先关闭，再用新手机开启。"), _("关闭")
    )
    if request.method == "GET":
        return render("institution/confirm_password.html", page)
    person = access.signed_in()
    try:
        _ask_password(person)
        with transaction() as database:
            account = people.get(database, person.id)
            second_factor.turn_off(database, account, needed=person.powers.strong)
    except DomainError as error:
        return render("institution/confirm_password.html", _with_fault(page, str(error))), 400
    flash(_("二次验证已关闭。"), "good")
    return redirect(url_for("staff.me"))


def _ask_password(person: access.SignedIn) -> None:
    """Invalid unless the form's password is this person's; tries are counted as at sign-in."""
    tried, now = entrance.attempt(person.staff.login, "change"), clock.now()
    with transaction() as database:
        account, wait = sign_in.begin(database, tried, person.staff.login, now)
    if wait > 0:
        raise Invalid(account_desk.wait_sentence(wait))
    if not passwords.matches(account.password_hash if account else None, request.form.get("password", "")):
        raise Invalid(mark("密码不对，请再试一次。"))
    account_desk.take_back(tried)


def _with_fault(page: ConfirmPage, fault: str) -> ConfirmPage:
    return ConfirmPage(page.title, page.text, page.label, fault)
