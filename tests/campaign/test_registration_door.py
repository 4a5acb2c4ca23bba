"""The door of registration: it answers what goes well without Flask, and takes nothing from the view."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask, request, request_started
from flask.testing import FlaskClient
from limits import parse
from sqlmodel import Session, func, select

from campaign.events.models import Occurrence
from campaign.registration.models import Registration
from campaign.registration.work import Doorkeeper, solve
from core import clock
from core.database import Database
from core.settings import Settings
from tests.campaign.registration import making
from tracking.attribution import Attribution, Attributions
from tracking.recorder import COOKIE
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

Form = Callable[..., dict[str, str]]


@pytest.fixture
def where(runtime: Runtime, request: pytest.FixtureRequest) -> Occurrence:
    with runtime.service(Database).transaction() as session:
        name = f"d{abs(hash(request.node.name)) % 10**6}"
        return making.occurrence(session, clock.now(), capacity=2, code=name)


@pytest.fixture
def form(runtime: Runtime, where: Occurrence) -> Form:
    def make(number: int, **more: str) -> dict[str, str]:
        keeper = runtime.service(Doorkeeper)
        challenge = keeper.challenge(where.id or 0, clock.now())
        return {
            "name": f"周{number}", "phone": f"136{number:08d}", "agreed": "1", "minors": "0",
            "challenge": challenge, "proof": solve(challenge, keeper.bits),
        } | more  # fmt: skip

    return make


@pytest.fixture
def asked(app: Flask) -> Iterator[list[str]]:
    """The requests that came as far as Flask."""
    seen: list[str] = []

    def note(_app: Flask, **_more: object) -> None:
        seen.append(request.path)

    with request_started.connected_to(note, app):
        yield seen


def _count(runtime: Runtime, where: Occurrence) -> int:
    with runtime.service(Database).reading() as session:
        return session.exec(select(func.count()).where(Registration.occurrence_id == where.id)).one()


def _row(session: Session, where: Occurrence) -> Registration:
    return session.exec(select(Registration).where(Registration.occurrence_id == where.id)).one()


def test_what_goes_well_never_comes_to_flask(
    client: FlaskClient, runtime: Runtime, where: Occurrence, form: Form, asked: list[str]
) -> None:
    answer = client.post(where.url, data=form(1))
    assert answer.status_code == 303 and not asked and _count(runtime, where) == 1
    page = client.get(answer.location)
    assert page.status_code == 200 and "136****0001" in page.text
    bare = {"Location", "Content-Length", "Cache-Control"}
    usual = client.get("/healthz").headers
    assert {name for name, _value in answer.headers} - bare >= {
        name for name, _value in usual if name.startswith(("X-", "Content-Sec", "Referrer", "Perm", "Cross"))
    }


@pytest.mark.parametrize("wrong", [{"phone": "1"}, {"challenge": "x"}, {"agreed": ""}, {"minors": "9"}])
def test_what_is_refused_is_said_by_the_view_with_all_that_was_typed(
    client: FlaskClient, where: Occurrence, form: Form, asked: list[str], wrong: dict[str, str]
) -> None:
    answer = client.post(where.url, data=form(2) | wrong)
    assert answer.status_code == 400 and asked == [where.url]
    assert 'value="周2"' in answer.text


def test_what_is_not_plainly_a_form_of_ours_is_the_views(
    client: FlaskClient, runtime: Runtime, where: Occurrence, form: Form, asked: list[str]
) -> None:
    client.post(f"{where.url}?lang=en", data=form(3))
    client.post(where.url, data=form(4), content_type="multipart/form-data")
    for name in ("long", "longer"):
        client.set_cookie(name, "x" * 3000)
    client.post(where.url, data=form(5))
    assert asked == [where.url] * 3 and _count(runtime, where) == 3


def test_a_form_of_thousands_of_fields_or_of_none_is_not_taken_here(
    client: FlaskClient, where: Occurrence, form: Form, asked: list[str]
) -> None:
    many = form(4) | {f"x{number}": "1" for number in range(200)}
    assert client.post(where.url, data=many).status_code == 303
    assert (
        client.post(where.url, data=b"", content_type="application/x-www-form-urlencoded").status_code == 400
    )
    assert (
        client.post(
            where.url, data=b"\xff=%zz&&=", content_type="application/x-www-form-urlencoded"
        ).status_code
        == 400
    )
    assert asked == [where.url] * 3


def test_the_language_and_the_link_that_led_here_are_kept(
    client: FlaskClient, runtime: Runtime, where: Occurrence, form: Form
) -> None:
    led = runtime.service(Attributions).sign(Attribution(channel="sms", campaign="door-campaign"))
    client.set_cookie("sp_lang", "en")
    client.set_cookie(COOKIE, led)
    client.post(where.url, data=form(5))
    with runtime.service(Database).reading() as session:
        one = _row(session, where)
        assert (one.language, one.channel, one.campaign_code) == ("en", "sms", "door-campaign")


def test_a_form_is_counted_once_whoever_answers_it(
    app: Flask, client: FlaskClient, where: Occurrence, form: Form
) -> None:
    app.extensions["signpost_limiter"].rates["register"] = parse("4/minute")
    here = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}
    statuses = [
        client.post(where.url, data=form(10 + number, **more), **here).status_code
        for number, more in enumerate(({}, {"phone": "1"}, {"phone": "1"}, {}, {}))
    ]
    assert statuses == [303, 400, 400, 303, 429]
    assert client.post(where.url, data=form(20)).status_code == 303, "another address"


def test_behind_a_proxy_the_visitors_own_address_is_counted(
    settings: Settings, runtime: Runtime, where: Occurrence, form: Form
) -> None:
    made = build(runtime.service(Settings).model_copy(update={"trusted_proxies": 1}))
    try:
        app = create_app(made)
        app.extensions["signpost_limiter"].rates["register"] = parse("1/minute")
        statuses = [
            app.test_client()
            .post(where.url, data=form(30 + n), headers={"X-Forwarded-For": address})
            .status_code
            for n, address in enumerate(("198.51.100.1", "198.51.100.1", "198.51.100.2"))
        ]
    finally:
        made.close()
    assert statuses == [303, 429, 303]
