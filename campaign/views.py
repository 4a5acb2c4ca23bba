"""Public pages around the pieces: home, campaigns, outlets, help, what is counted, and the two switches."""

from dataclasses import asdict
from datetime import date

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from campaign import front, nearest, programme
from campaign.base.page import next_events, outlet_page
from content import pages
from content.pages import PageFacts
from core import clock
from core.errors import NotFound
from core.http import page_number, reading, render, safe_target, service
from core.i18n import LOCALES, mark
from core.settings import Settings
from institution import access, outlets
from tracking import links
from tracking.attribution import PARAMETER, Attribution, Attributions, PageKeys
from tracking.link_models import ShortLink

YEAR = 365 * 24 * 3600
blueprint = Blueprint("campaign", __name__, template_folder="templates")


def _today() -> date:
    return clock.today(service(Settings).zone)


def _published(template: str, page: object, keys: PageKeys) -> str:
    """A page that is kept, counted, and tells its beacon what it is about."""
    pages.mark(request.environ, PageFacts(keys))
    return render(template, page, sealed=service(Attributions).seal(keys))


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """The home page: the campaign of the day, pieces, the diary, the next Tuesday, help."""
    with reading() as session:
        page = front.home(session, _today(), clock.now())
    code = page.season.campaign.code if page.season else ""
    return _published("campaign/home.html", page, PageKeys(campaign=code))


@blueprint.get("/c/<code>")
def campaign(code: str) -> ResponseReturnValue:
    """A campaign with its pieces."""
    with reading() as session:
        page = front.campaign_page(session, code)
    return _published("campaign/campaign.html", page, PageKeys(campaign=code))


@blueprint.get("/o")
def finder() -> ResponseReturnValue:
    """Find an outlet by province, city or name."""
    asked = {name: request.args.get(name, "").strip()[:80] for name in ("text", "province", "city")}
    with reading() as session:
        page = front.finder(session, _today(), page=page_number(), **asked)
    return render("campaign/finder.html", page)


@blueprint.post("/o/near")
@access.public
def near() -> ResponseReturnValue:
    """Outlets in a wide circle around a coarse position, for the browser to choose the nearest from.

    It only reads. The position is posted, so that no address and no log has it, and kept nowhere.
    """
    with reading() as session:
        found = nearest.around(session, nearest.spot(request.form), _today())
    answer = jsonify({"outlets": [asdict(one) for one in found]})
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/o/<code>")
def outlet(code: str) -> ResponseReturnValue:
    """An outlet as 消费者权益保护教育宣传基地, with the QR code whose visits count for it."""
    with reading() as session:
        outlets.get(session, code)
        now = programme.current(session, _today(), code)
        own = now is not None and bool(now.outlet_code)  # of a branch: the home page does not know it
        short = None if own else links.standing(session, code, _today())
        link = short_address(short) if short else outlet_link(code, now.code if now else "")
        events = next_events(session, code, service(Settings).zone, clock.now())
        page = outlet_page(session, code, _today(), link=link, qr=links.qr_svg(link), events=events)
    return _published("campaign/outlet.html", page, PageKeys(outlet=code))


def outlet_link(code: str, campaign_code: str = "") -> str:
    """The address in an outlet's QR code: the home page, attributed to the outlet."""
    token = service(Attributions).sign(Attribution(campaign=campaign_code, outlet=code, channel="qr"))
    return f"{service(Settings).public_url}/?{PARAMETER}={token}"


def short_address(short: ShortLink) -> str:
    """The address of a short link: a smaller code, read from further away."""
    return f"{service(Settings).public_url}{links.PREFIX}{short.code}"


@blueprint.get("/o/<code>/qr.svg")
def outlet_qr(code: str) -> ResponseReturnValue:
    """The QR code of an outlet as a file, for print. It names no campaign: what is printed hangs for years."""
    with reading() as session:
        outlets.get(session, code)
        short = links.standing(session, code, _today())
    link = short_address(short) if short else outlet_link(code)
    return Response(links.qr_svg(link), mimetype="image/svg+xml")


@blueprint.get("/help")
def help_page() -> ResponseReturnValue:
    """Whom to call, and what to say."""
    return _published("campaign/help.html", None, PageKeys())


@blueprint.get("/library")
def library() -> ResponseReturnValue:
    """All published pieces by kind and topic."""
    with reading() as session:
        page = front.library(session, kind=request.args.get("kind", ""), topic=request.args.get("topic", ""))
    return render("campaign/library.html", page)


@blueprint.get("/privacy")
def privacy() -> ResponseReturnValue:
    """What is counted, what is kept, what never is."""
    return render_template("campaign/privacy.html")


@blueprint.get("/accessibility")
def accessibility() -> ResponseReturnValue:
    """What the site does for everybody to use it, and what it does not do yet."""
    return render_template("campaign/accessibility.html")


@blueprint.get("/sitemap.xml")
def sitemap() -> ResponseReturnValue:
    """Every address worth finding."""
    with reading() as session:
        entries = front.sitemap(session, _today())
    text = render_template("campaign/sitemap.xml", entries=entries, base=service(Settings).public_url)
    return Response(text, mimetype="application/xml")


@blueprint.get("/robots.txt")
def robots() -> ResponseReturnValue:
    """What a search engine may read."""
    lines = [
        "User-agent: *",
        "Disallow: /desk",
        "Disallow: /r",
        "Disallow: /internal/",
        "Disallow: /screen/",
        "Disallow: /play/",
    ]
    lines.append(f"Sitemap: {service(Settings).public_url}/sitemap.xml")
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


@blueprint.post("/elder")
@access.public
def set_elder() -> ResponseReturnValue:
    """Switch elder mode for this browser. Public pages are cached and carry no token: doing it for somebody
    else's browser would only make its letters larger, so this write needs none."""
    return _remember("sp_elder", "1" if request.form.get("on") == "1" else "")


@blueprint.post("/lang/<code>")
@access.public
def set_language(code: str) -> ResponseReturnValue:
    """Choose the language for this browser; needs no token for the same reason."""
    if code not in LOCALES:
        raise NotFound(mark("没有这种语言。"))
    return _remember("sp_lang", code)


def _remember(name: str, value: str) -> Response:
    """Back to where the visitor was, with a preference kept for a year."""
    target = safe_target(request.form.get("next"), url_for("campaign.home"))
    response = make_response(redirect(target, code=303))
    secure = service(Settings).public_url.startswith("https:")
    if value:
        response.set_cookie(name, value, max_age=YEAR, secure=secure, httponly=True, samesite="Lax")
    else:
        response.delete_cookie(name, secure=secure, httponly=True, samesite="Lax")
    return response
