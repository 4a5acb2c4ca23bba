"""Flask put together: routes, sign-in, CSRF, translation, security headers."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from flask import Flask, current_app, g, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from campaign.registration.registrar import Registrar
from campaign.registration_door import RegistrationDoor
from content.rooms.door import RoomDoor
from content.rooms.playing import Table
from content.rooms.stage import Stage
from core import clock
from core.i18n import LOCALES, gettext, ngettext, set_locale
from core.settings import Settings
from core.signing import Keys
from institution import access
from institution.oidc import Provider
from webapp import api_limiting, blueprints, errors, layout, limiting, packing, shielding
from webapp.routing import Route
from webapp.runtime import Runtime

ROOT = Path(__file__).resolve().parent.parent
LOCALE_COOKIE, ELDER_COOKIE = "sp_lang", "sp_elder"


def create_app(runtime: Runtime) -> Flask:
    """The Flask application over the objects of `runtime`."""
    settings = runtime.service(Settings)
    runtime.offer(Provider, lambda _r: Provider(settings))  # here: its libraries slow every command down
    app = Flask("webapp", static_folder=str(ROOT / "static"), template_folder="templates")
    app.url_rule_class = Route
    app.extensions["signpost"] = runtime
    app.config.update(
        SECRET_KEY=runtime.service(Keys).derive("session").hex(),
        **shielding.cookie_config(settings),
        SESSION_REFRESH_EACH_REQUEST=False,  # a session ends when its row says so, however often it is used
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
        LOCALE=settings.locale,
    )
    app.wsgi_app = _door(runtime, app)  # type: ignore[method-assign]
    app.wsgi_app = _room_door(runtime, app)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    app.jinja_options = {
        "autoescape": True, "trim_blocks": True, "lstrip_blocks": True, "extensions": ["jinja2.ext.i18n"],
    }  # fmt: skip
    app.before_request(_choose_language)
    limiting.register(app, settings.rate_storage)  # before CSRF, which reads forms
    api_limiting.register(app)
    # one of some hundred sentences on a page: the catalogue itself, with nothing between
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    blueprints.register(app, CSRFProtect(app))
    access.login_manager().init_app(app, add_context_processor=False)  # templates know `signed_in`
    errors.register(app)
    layout.register(app)
    shielding.register(app, settings)
    packing.register(app)
    return app


def _door(runtime: Runtime, app: Flask) -> RegistrationDoor:
    """The door of registration around what `app` is now; it counts with the app's own limiter."""
    settings = runtime.service(Settings)

    def wait(form: Mapping[str, str], address: str) -> int:
        limiter: limiting.Limiter | None = app.extensions.get("signpost_limiter")
        who = limiting.network(address)
        return limiter.wait(limiting.registering_kind(form), who) if limiter else 0

    return RegistrationDoor(
        app.wsgi_app,
        lambda: runtime.service(Registrar),
        wait=wait,
        language=lambda cookies: _language(cookies.get(LOCALE_COOKIE), settings.locale),
        now=clock.now,
        headers=shielding.headers(settings).items(),
    )


def _room_door(runtime: Runtime, app: Flask) -> RoomDoor:
    """The door of playing, likewise."""
    settings = runtime.service(Settings)

    def wait(address: str) -> int:
        limiter: limiting.Limiter | None = app.extensions.get("signpost_limiter")
        return limiter.wait("play", limiting.network(address)) if limiter else 0

    return RoomDoor(
        app.wsgi_app,
        lambda: runtime.service(Table),
        wait=wait,
        language=lambda wish: _language(wish, settings.locale),
        stage=lambda: runtime.service(Stage),
        now=clock.now,
        headers=shielding.headers(settings).items(),
        secure=settings.public_url.startswith("https:"),
    )


def _choose_language() -> None:
    chosen = request.args.get("lang") or request.cookies.get(LOCALE_COOKIE)
    set_locale(_language(chosen, str(current_app.config["LOCALE"])))
    g.elder = request.cookies.get(ELDER_COOKIE) == "1"


def _language(chosen: str | None, default: str) -> str:
    return chosen if chosen in LOCALES else default
