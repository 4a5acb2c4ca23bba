"""Public pages of registration: one occurrence with its form, and the holder's own page behind a personal link.

None of these is cached: they say how many places are left, and whose they are. What is posted needs no CSRF token:
the form carries a challenge of its own, and a personal link is itself the secret.
"""

from typing import Any

from flask import Blueprint, Response, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError

from campaign.events import listing, structured
from campaign.registration import changing, consent, feedback, form, registering, showing, words
from campaign.registration.registrar import Registrar
from campaign.registration.showing import EventPage, PersonalPage
from campaign.registration.work import Doorkeeper
from content import pages
from content.pages import PageFacts
from core import clock
from core.errors import Conflict, DomainError, NotFound
from core.http import reading, render, service, transaction
from core.i18n import current_locale, gettext, mark
from core.privacy import Vault
from core.settings import Settings
from institution import access
from tracking import links
from tracking.attribution import Attributions, PageKeys
from tracking.recorder import COOKIE

blueprint = Blueprint("registration", __name__, template_folder="templates")


@blueprint.get("/e/<code>")
def occurrence(code: str) -> ResponseReturnValue:
    """One occurrence: what, when, where, whether there is room, and the form."""
    return _event(code)


@blueprint.post("/e/<code>")
@access.public
def register(code: str) -> ResponseReturnValue:
    """Register, then go to the personal page, which can be reloaded without registering again."""
    try:
        link = service(Registrar).take(
            request.form, language=current_locale(), led_by=request.cookies.get(COOKIE, ""), now=clock.now()
        )
    except IntegrityError:  # the same number or form in the same moment
        return _event(code, error=Conflict(registering.TWICE, field="phone")), 409
    except NotFound:
        raise
    except DomainError as error:
        return _event(code, error=error), 409 if isinstance(error, Conflict) else 400
    return redirect(url_for(".mine", token=link, new=1), code=303)


@blueprint.get("/t/<code>")
def ticket(code: str) -> ResponseReturnValue:
    """Where a phone's own camera lands that reads a ticket's QR code: it says to show it at the door."""
    return _private(render("campaign/ticket.html", code[:12].upper()))


@blueprint.get("/my/<token>")
def mine(token: str) -> ResponseReturnValue:
    """The holder's own page: code and QR code, place in the queue, what can be changed."""
    return _personal(token, is_new=request.args.get("new") == "1")


@blueprint.post("/my/<token>/accept")
@access.public
def accept(token: str) -> ResponseReturnValue:
    """Say yes to an offered place."""
    return _change(token, changing.accept)


@blueprint.post("/my/<token>/leave")
@access.public
def leave(token: str) -> ResponseReturnValue:
    """Give up the place or the waiting place."""
    return _change(token, changing.leave)


@blueprint.post("/my/<token>/people")
@access.public
def people(token: str) -> ResponseReturnValue:
    """Bring more or fewer people."""
    companions, minors = form.party(request.form)
    return _change(
        token,
        lambda session, number, now: changing.resize(
            session, service(Vault), number, companions, minors, now=now
        ),
    )


@blueprint.get("/my/<token>/feedback")
def feedback_form(token: str) -> ResponseReturnValue:
    """Three questions after the event."""
    return _feedback(token)


@blueprint.post("/my/<token>/feedback")
@access.public
def give_feedback(token: str) -> ResponseReturnValue:
    """Keep the answers."""
    number, answers = _number(token), request.form
    try:
        with transaction() as session:
            feedback.give(session, service(Vault), number, answers, now=clock.now())
    except NotFound:
        raise
    except DomainError as error:
        return _feedback(token, error=error), 400
    return redirect(url_for(".feedback_form", token=token), code=303)


def _event(code: str, *, error: DomainError | None = None) -> str:
    settings, doorkeeper, now = service(Settings), service(Doorkeeper), clock.now()
    with reading() as session:
        page: EventPage = showing.event_page(
            session, code, settings.zone, now, bits=doorkeeper.bits, form=request.form,
            challenge=doorkeeper.challenge(showing.occurrence_of(session, code).id or 0, now),
            error=str(error) if error else "", wrong=(error.field or "") if error else "",
        )  # fmt: skip
        others = [
            (one.url, words.when(one.starts_at, settings.zone))
            for one in showing.other_times(session, page.occurrence, now)
        ]
        data = structured.event(
            listing.line(page.occurrence, page.series, page.outlet), public_url=settings.public_url,
            institution=settings.institution_name, zone=settings.zone, planned_at=page.occurrence.planned_at,
        )  # fmt: skip
    keys = PageKeys(campaign=page.series.campaign_code, outlet=page.occurrence.outlet_code)
    if request.method == "GET":
        pages.mark(request.environ, PageFacts(keys, cache=False))
    sealed = service(Attributions).seal(keys)
    return render(
        "campaign/event.html",
        page,
        sealed=sealed,
        data=structured.block(data),
        consent=gettext(consent.TEXTS[consent.CURRENT]),
        others=others,
        most=min(page.occurrence.party_most - 1, form.MOST_COMPANIONS),
    )


def _number(token: str) -> int:
    number = service(Doorkeeper).registration_of(token)
    if number is None:
        raise NotFound(mark("这个链接不完整，请从报名后的页面或信里重新打开，或打网点电话。"))
    return number


def _change(token: str, verb: Any) -> ResponseReturnValue:
    number = _number(token)
    try:
        with transaction() as session:
            verb(session, number, clock.now())
    except NotFound:
        raise
    except DomainError as error:
        answer = _personal(token, error=error)
        answer.status_code = 409 if isinstance(error, Conflict) else 400
        return answer
    return redirect(url_for(".mine", token=token), code=303)


def _page(token: str, **more: Any) -> PersonalPage:
    settings = service(Settings)
    with reading() as session:
        one = changing.get(session, _number(token))
        qr = links.qr_svg(f"{settings.public_url}/t/{one.code}")
        return showing.personal_page(
            session, service(Vault), one, settings.zone, clock.now(), token=token, qr=qr, **more
        )


def _personal(token: str, *, is_new: bool = False, error: DomainError | None = None) -> Response:
    page = _page(
        token, is_new=is_new, error=str(error) if error else "", wrong=(error.field or "") if error else ""
    )
    return _private(
        render(
            "campaign/registration.html", page, most=min(page.occurrence.party_most - 1, form.MOST_COMPANIONS)
        )
    )


def _feedback(token: str, *, error: DomainError | None = None) -> Response:
    page = _page(token, error=str(error) if error else "", wrong=(error.field or "") if error else "")
    return _private(render("campaign/feedback.html", page, questions=feedback.QUESTIONS, form=request.form))


def _private(body: str) -> Response:
    """A page of one person: kept nowhere, found by no search engine."""
    answer = make_response(body)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
