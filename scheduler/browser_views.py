"""The page and the calls by which a browser asks to be told of news, moves, and stops.

Nobody is signed in and nothing is remembered here: what a call says is checked as if a stranger had made it up. It
must be JSON, which no form of another site can send.
"""

from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError

from campaign import browsers
from campaign.browsers import Subscription, Wish
from content import pages
from content.pages import PageFacts
from core import clock
from core.errors import Invalid, NotFound
from core.http import reading, render, safe_target, service, transaction
from core.i18n import current_locale, mark
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution import access, audit
from institution.audit import Actor
from scheduler import browser_offer
from scheduler.account_secrets import Secrets
from scheduler.browser_offer import Offer
from tracking.attribution import Attributions, PageKeys
from tracking.recorder import COOKIE

WORKER = "js/push_worker.js"
SCOPE = "/push/"
# Which browser it was says its contact; neither name nor network address is kept.
VISITOR = Actor(None, "visitor", "visitor")
blueprint = Blueprint("browser_push", __name__, url_prefix="/push", template_folder="templates")


@blueprint.get("")
def page() -> ResponseReturnValue:
    """What comes, how often, how to start and to stop."""
    keys = PageKeys()
    pages.mark(request.environ, PageFacts(keys))
    return render("scheduler/browser_push.html", _offered(), sealed=service(Attributions).seal(keys))


@blueprint.get("/worker.js")
def worker() -> ResponseReturnValue:
    """The service worker. It lies here so that its scope is `/push/` and nothing else of the site."""
    path = Path(str(current_app.static_folder)) / WORKER
    answer = Response(path.read_bytes(), mimetype="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Service-Worker-Allowed"] = SCOPE
    return answer


@blueprint.get("/offer")
def offer() -> ResponseReturnValue:
    """What is offered, as JSON: asked for when somebody taps."""
    found = _must()
    answer = jsonify(key=found.key, version=found.version, words=found.words, often=found.often)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/subscribe")
@access.public
def subscribe() -> ResponseReturnValue:
    """Keep a browser's address with what was agreed to."""
    said = _said()
    found, led = _subscription(said.get("subscription")), request.cookies.get(COOKIE, "")
    attributed = service(Attributions).read(led) if led else None
    wish = Wish(
        version=str(said.get("version", ""))[:60],
        language=current_locale(),
        outlet_code=attributed.outlet if attributed else "",
        page=safe_target(str(said.get("page", "/"))[:200], "/").partition("?")[0],
    )
    try:
        _subscribe(found, wish)
    except IntegrityError:  # somebody else was the first to subscribe in the same moment
        _subscribe(found, wish)
    return jsonify(told=True)


@blueprint.post("/renew")
@access.public
def renew() -> ResponseReturnValue:
    """A browser was given another address by its maker."""
    said = _said()
    found, old = _subscription(said.get("subscription")), _endpoint(said.get("former"))
    with audit.acting(VISITOR), transaction() as session:
        done = browsers.renew(session, service(Vault), old, found, now=clock.now())
    return jsonify(told=done)


@blueprint.post("/stop")
@access.public
def stop() -> ResponseReturnValue:
    """Nothing more to this browser; the answer does not tell whether it was known."""
    endpoint = _endpoint(_said().get("endpoint"))
    with audit.acting(VISITOR), transaction() as session:
        browsers.stop(session, service(Vault), endpoint, now=clock.now())
    return jsonify(told=False)


@blueprint.post("/standing")
@access.public
def standing() -> ResponseReturnValue:
    """Whether this browser is told of news: it may have been stopped by a link, or given up by its maker."""
    endpoint = _endpoint(_said().get("endpoint"))
    with reading() as session:
        return jsonify(told=browsers.is_told(session, service(Vault), endpoint))


def _subscribe(found: Subscription, wish: Wish) -> None:
    with audit.acting(VISITOR), transaction() as session:
        browsers.subscribe(session, service(Vault), found, wish, now=clock.now())


def _offered() -> Offer | None:
    held = Secrets(service(Keys), service(Vault))
    with reading() as session:
        return browser_offer.of(session, held, locale=current_locale(), now=clock.now())


def _must() -> Offer:
    found = _offered()
    if found is None:
        raise NotFound(mark("现在不能开启浏览器提醒。"))
    return found


def _said() -> dict[str, object]:
    found = request.get_json(silent=True)
    if not isinstance(found, dict):
        raise Invalid(mark("请求不完整，请返回上一页再试。"))
    return found


def _endpoint(text: object) -> str:
    if not isinstance(text, str) or not 0 < len(text) <= 1000:
        raise Invalid(mark("浏览器给出的订阅不完整，请换一个浏览器再试。"), field="subscription")
    return text


def _subscription(said: object) -> Subscription:
    services = [one.strip().lower() for one in service(Settings).push_services.split(",") if one.strip()]
    return browsers.checked(said, services, loopback=_must().loopback)
