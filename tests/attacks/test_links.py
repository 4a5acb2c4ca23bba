"""Forged, foreign and replayed links and cookies; ways out of the site; ways out of a folder."""

import io
from datetime import timedelta
from urllib.parse import quote, urlsplit

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from campaign.unsubscribe import Unsubscriptions
from core import clock
from core.database import Database
from core.http import safe_target
from core.settings import Settings
from core.signing import Keys
from institution import sessions
from institution.models import StaffSession
from tests import entering, factories
from webapp.runtime import Runtime

ELSEWHERE = [
    "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "/\t/evil.example", "https:evil.example", "javascript:alert(1)", "data:text/html,x", " //evil.example",
    "/%0d%0aSet-Cookie:a=b\r\n", "http:///evil.example", "/\n//evil.example", "//evil.example/desk", "evil.example",
]  # fmt: skip


def _stays(location: str) -> bool:
    parts = urlsplit(location)
    return (
        not parts.scheme
        and not parts.netloc
        and location.startswith("/")
        and not location.startswith(("//", "/\\"))
    )


@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_redirect_leads_elsewhere(open_app: Flask, target: str) -> None:
    form = {"login": factories.ADMINISTRATOR, "password": factories.password(factories.ADMINISTRATOR)}
    client = open_app.test_client()
    entered = client.post("/desk/sign-in", data={**form, "next": target})
    again = client.get("/desk/sign-in", query_string={"next": target})
    language = client.post("/lang/en", data={"next": target})
    bulk = client.post("/desk/staff/bulk", data={"back": target})
    for answer in (entered, again, language, bulk):
        if 300 <= answer.status_code < 400:
            assert _stays(answer.location), answer.location
        assert "evil.example" not in answer.headers.get("Refresh", "")


@given(st.text(alphabet="/\\:.@%?# \t\r\nabehtpsx", max_size=12))
def test_a_target_that_is_taken_stays_here(text: str) -> None:
    assert _stays(safe_target(text, "/"))


def test_a_cookie_that_was_made_up_or_changed_opens_nothing(app: Flask) -> None:
    client = entering.client(app, factories.ADMINISTRATOR)
    cookie = client.get_cookie("sp_session")
    assert cookie is not None and client.get("/desk").status_code == 200
    head, _dot, tail = cookie.value.partition(".")
    for value in (f"{head}x.{tail}", cookie.value[:-2] + "xx", "", "x", head, _signed_by_another_key(app)):
        other = app.test_client()
        other.set_cookie("sp_session", value)
        assert other.get("/desk").status_code == 302, value


def _signed_by_another_key(app: Flask) -> str:
    stranger = Flask("stranger")
    stranger.secret_key = "another key"
    signer = SecureCookieSessionInterface().get_signing_serializer(stranger)
    assert signer is not None
    return str(signer.dumps({"_user_id": "1", "_fresh": True}))


def test_the_number_of_a_session_is_no_token(app: Flask) -> None:
    """What an attacker who reads the database's rows or counts could put into a cookie, if it were signed."""
    client = app.test_client()
    for guess in ("1", "0", "-1", factories.ADMINISTRATOR, "' OR 1=1 --", "\x00"):
        with client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = guess, True
        assert client.get("/desk").status_code == 302


def test_a_session_that_ended_cannot_be_replayed(app: Flask, runtime: Runtime) -> None:
    client = entering.client(app, factories.EDITOR)
    stolen = client.get_cookie("sp_session")
    assert stolen is not None
    with runtime.service(Database).transaction() as session:
        newest = session.exec(select(StaffSession).order_by(StaffSession.id.desc())).first()  # type: ignore[union-attr]
        assert newest is not None
        sessions.end(session, newest.id or 0, clock.now() - timedelta(seconds=1))
    thief = app.test_client()
    thief.set_cookie("sp_session", stolen.value)
    assert thief.get("/desk").status_code == 302


def test_an_unsubscribe_link_is_good_for_its_address_alone(open_app: Flask, runtime: Runtime) -> None:
    good = runtime.service(Unsubscriptions).path("email", "ab" * 32)
    foreign = Unsubscriptions(Keys(b"another installation")).path("email", "ab" * 32)
    client = open_app.test_client()
    assert client.get(good).status_code == 200
    forged = [foreign, good[:-1], good + "x", good.replace("ab", "cd", 1), "/u/", "/u/x", "/u/" + "a" * 5000]
    for path in forged:
        if path != good:
            assert client.get(path).status_code in (404, 400, 410, 200), path
            answer = client.post(path)
            assert answer.status_code in (400, 404, 405, 410), path


@pytest.mark.parametrize("path", ["/review/{}", "/desk/invitation/{}"])
def test_a_personal_link_that_was_guessed_shows_nothing(open_app: Flask, path: str) -> None:
    client = open_app.test_client()
    answers = {client.get(path.format(token)).status_code for token in ("x", "a" * 43, "A" * 43, "%00", "1")}
    assert answers <= {400, 404, 410} and len(answers) == 1
    for token in ("x", "a" * 43):
        assert client.post(path.format(token), data={"new": "x", "decision": "approved"}).status_code in (
            400,
            404,
            410,
        )


def test_a_tampered_attribution_is_not_counted_as_anybodys(open_app: Flask) -> None:
    for token in ("x", "a.b", "%00", "../x", "9" * 400):
        assert open_app.test_client().get("/", query_string={"a": token}).status_code == 200


SECRETS = ("secret.key", "server.json", "etc/passwd")
UPWARDS = (
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "..\\",
    "..%5c",
    "....//",
    "%252e%252e%252f",
    "..;/",
    "/",
    "//",
)


@pytest.mark.parametrize(
    "prefix", ["/media/", "/static/", "/static/css/", "/desk/outlets/import/", "/desk/staff/import/"]
)
def test_no_path_leads_out_of_its_folder(open_app: Flask, runtime: Runtime, prefix: str) -> None:
    client = entering.client(open_app, factories.ADMINISTRATOR)
    for up in UPWARDS:
        for count in (1, 8):
            for secret in SECRETS:
                path = prefix + up * count + secret
                answer = client.get(path)
                assert answer.status_code in (301, 302, 308, 400, 404, 405), path
                assert b"root:" not in answer.data and b"SQLite format" not in answer.data


@pytest.mark.parametrize(
    "text", ["..", "../../x", "x/../../y", "a\x00b", "con", "." * 300, "/etc/passwd", quote("../x")]
)
def test_a_file_name_cannot_choose_its_folder(open_app: Flask, runtime: Runtime, text: str) -> None:
    client, home = entering.client(open_app, factories.ADMINISTRATOR), runtime.service(Settings).home
    outside = {path for path in home.parent.iterdir() if path != home}
    client.post("/desk/outlets/import", data={"file": (io.BytesIO(b"x"), text), "as_of": ""})
    picture = {"text": "x", "base": "0", "pictures": (io.BytesIO(b"<svg/>"), text + ".svg")}
    assert client.post("/desk/pieces/new", data=picture).status_code < 500
    assert {path for path in home.parent.iterdir() if path != home} == outside
    assert all(home.resolve() in path.resolve().parents for path in home.rglob("*"))
