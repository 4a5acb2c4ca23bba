"""Signing in by the institution's OpenID Connect provider: there, and back again."""

from typing import Any

from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError

from core import clock
from core.errors import DomainError, NotFound
from core.http import safe_target, service, transaction
from core.i18n import gettext as _
from core.settings import Settings
from institution import access, oidc_entry, sign_in
from institution.desk import entrance
from institution.desk.routes import staff_blueprint as blueprint
from institution.oidc import Identity, Provider
from institution.sign_in import Browser

_KEPT = "oidc"
_NOTE = "OpenID Connect"


@blueprint.app_template_global("oidc_offered")
def oidc_offered() -> bool:
    """Whether the sign-in page offers the provider."""
    return service(Provider).set_up


@blueprint.get("/sign-in/oidc")
@access.public
def oidc_start() -> ResponseReturnValue:
    """Send the browser to the provider. (A form could not: the CSP keeps forms on this site.)"""
    try:
        url, started = _provider().start(_back())
    except DomainError as error:
        return _not_entered(str(error))
    session[_KEPT] = {**started.as_json(), "next": request.args.get("next", "")}
    return redirect(url)


@blueprint.get("/sign-in/oidc/back")
@access.public
def oidc_back() -> ResponseReturnValue:
    """Back from the provider: checked, let in with what the groups give, or told why not."""
    kept: dict[str, Any] = dict(session.pop(_KEPT, None) or {})
    target = str(kept.pop("next", ""))
    browser = entrance.browser()
    try:
        identity = _provider().finish(kept, request.args, _back())
    except DomainError as error:
        with transaction() as database:
            sign_in.failed(database, None, browser, note=_NOTE)
        return _not_entered(str(error))
    person, sentence = _entered(identity, browser)
    if person is None:
        return _not_entered(sentence)
    entrance.enter(person)
    return redirect(safe_target(target, url_for("staff.home")))


def _entered(identity: Identity, browser: Browser) -> tuple[access.SignedIn | None, str]:
    """The person signed in; twice when two windows make the same account at once."""
    try:
        return _enter(identity, browser)
    except IntegrityError:
        return _enter(identity, browser)


def _enter(identity: Identity, browser: Browser) -> tuple[access.SignedIn | None, str]:
    now, settings = clock.now(), service(Settings)
    with transaction() as database:
        entry = oidc_entry.admit(database, identity, settings.oidc_mapping, now)
        if entry.account is None:
            sign_in.failed(database, None, browser, note=_NOTE)
            return None, _(entry.sentence)
        shown = now if identity.strong else None
        return entrance.begin(database, entry.account, second_factor_at=shown, note=_NOTE), ""


def _provider() -> Provider:
    provider = service(Provider)
    if not provider.set_up:
        raise NotFound(oidc_entry.NOT_SET_UP)
    return provider


def _back() -> str:
    return service(Settings).public_url + url_for("staff.oidc_back")


def _not_entered(sentence: str) -> ResponseReturnValue:
    flash(sentence, "bad")
    return redirect(url_for("staff.sign_in"))
