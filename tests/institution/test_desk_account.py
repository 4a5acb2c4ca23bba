"""Signing in and out, one's own password: nothing is given away, nothing is carried over."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from core.database import Database
from institution import people
from institution.throttle import CAPACITY, Throttle
from tests import factories
from tests.factories import ADMINISTRATOR, EDITOR, PASSWORDS

Enter = Callable[[str], FlaskClient]


def test_signing_in_leads_where_one_wanted_to_go(app: Flask) -> None:
    client = app.test_client()
    asked = client.get("/desk/outlets?q=西湖")
    assert asked.status_code == 302 and "next=" in asked.headers["Location"]
    assert "登录名" in client.get(asked.headers["Location"]).get_data(as_text=True)
    data = {"login": EDITOR, "password": PASSWORDS[EDITOR], "next": "/desk/outlets"}
    assert client.post("/desk/sign-in", data=data).headers["Location"] == "/desk/outlets"
    assert client.get("/desk/outlets").status_code == 200
    assert client.get("/desk/sign-in").status_code == 302


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"]
)
def test_nobody_is_led_off_the_site(app: Flask, target: str) -> None:
    data = {"login": EDITOR, "password": PASSWORDS[EDITOR], "next": target}
    assert app.test_client().post("/desk/sign-in", data=data).headers["Location"] == "/desk"


def test_a_wrong_password_and_an_unknown_login_get_the_same_answer(app: Flask) -> None:
    def tried(login: str) -> tuple[int, str]:
        answer = app.test_client().post("/desk/sign-in", data={"login": login, "password": "wrong"})
        text = re.sub(r'name="csrf_token" value="[^"]+"', "", answer.get_data(as_text=True))
        return answer.status_code, text.replace(login, "LOGIN")

    assert tried(EDITOR) == tried("nobody.here")
    assert tried(EDITOR)[0] == 401


def test_every_failure_writes_to_disk_so_that_none_is_answered_sooner(
    database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        factories.staff(session, EDITOR, now)
    changed = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: changed.append(args[2].split()[0]))
    for login in (EDITOR, "nobody.here"):
        changed.clear()
        with database.transaction() as session:
            assert people.sign_in(session, login, "wrong", now) is None
        assert changed.count("UPDATE") == 1


def test_an_account_is_slowed_down_and_even_the_right_password_waits(
    database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        factories.staff(session, EDITOR, now)
        for _try in range(people.FREE_FAILURES + 3):
            assert people.sign_in(session, EDITOR, "wrong", now + timedelta(hours=_try)) is None
        last = now + timedelta(hours=people.FREE_FAILURES + 2)
        assert people.sign_in(session, EDITOR, PASSWORDS[EDITOR], last + timedelta(seconds=1)) is None
        assert people.sign_in(session, EDITOR, PASSWORDS[EDITOR], last + timedelta(minutes=15)) is not None
        assert people.sign_in(session, EDITOR, PASSWORDS[EDITOR], last + timedelta(minutes=15)) is not None


def test_an_address_is_slowed_down_and_recovers(now: datetime) -> None:
    throttle = Throttle()
    for _try in range(CAPACITY):
        assert throttle.is_free("192.0.2.1", now)
        throttle.failed("192.0.2.1", now)
    assert not throttle.is_free("192.0.2.1", now) and throttle.is_free("192.0.2.2", now)
    assert throttle.is_free("192.0.2.1", now + timedelta(seconds=4))
    throttle.failed("192.0.2.1", now + timedelta(seconds=4))
    assert not throttle.is_free("192.0.2.1", now + timedelta(seconds=4))


def test_guessing_many_accounts_from_one_address_ends_in_429(app: Flask) -> None:
    client = app.test_client()
    codes = [
        client.post("/desk/sign-in", data={"login": f"guess{number}", "password": "x"}).status_code
        for number in range(CAPACITY + 2)
    ]
    assert codes[:CAPACITY] == [401] * CAPACITY and codes[-1] == 429


def test_what_was_in_the_session_before_signing_in_is_gone(app: Flask) -> None:
    client = app.test_client()
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
    client.post("/desk/sign-in", data={"login": EDITOR, "password": PASSWORDS[EDITOR]})
    with client.session_transaction() as session:
        assert "planted" not in session and session.permanent


def test_signing_out_takes_a_post_and_ends_the_session(entered: Enter) -> None:
    client = entered(EDITOR)
    assert client.get("/desk/sign-out").status_code == 405
    assert client.post("/desk/sign-out").status_code == 302
    assert client.get("/desk/outlets").status_code == 302


def test_a_changed_password_ends_the_other_sessions(entered: Enter) -> None:
    here, there = entered(EDITOR), entered(EDITOR)
    new = "rivers run under the ice"
    wrong = here.post("/desk/password", data={"old": PASSWORDS[EDITOR], "new": new, "again": "other"})
    assert wrong.status_code == 400 and "不一样" in wrong.get_data(as_text=True)
    weak = here.post("/desk/password", data={"old": PASSWORDS[EDITOR], "new": "short", "again": "short"})
    assert weak.status_code == 400 and there.get("/desk").status_code == 200
    assert (
        here.post("/desk/password", data={"old": PASSWORDS[EDITOR], "new": new, "again": new}).status_code
        == 302
    )
    assert here.get("/desk").status_code == 200
    assert there.get("/desk").status_code == 302


def test_a_one_time_password_must_be_changed_first(app: Flask, administrator: FlaskClient) -> None:
    page = administrator.post(
        "/desk/staff/new", data={"login": "new.one", "name": "新人", "roles": ["analyst"]}
    )
    password = page.get_data(as_text=True).split("一次性密码</dt><dd><code>")[1].split("<")[0]
    client = app.test_client()
    answer = client.post("/desk/sign-in", data={"login": "New.One ", "password": password})
    assert answer.headers["Location"].startswith("/desk/password")
    assert client.get("/desk/outlets").headers["Location"].startswith("/desk/password")
    new = "a quiet pond at noon"
    client.post("/desk/password", data={"old": password, "new": new, "again": new})
    assert client.get("/desk/outlets").status_code == 200
    assert password not in administrator.get("/desk/staff").get_data(as_text=True)


def test_forms_are_refused_without_their_token(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert app.test_client().post("/desk/sign-in", data={"login": EDITOR, "password": "x"}).status_code == 400


def test_the_first_page_shows_what_waits(administrator: FlaskClient) -> None:
    assert administrator.get("/desk").status_code == 200
    assert PASSWORDS[ADMINISTRATOR] not in administrator.get("/desk").get_data(as_text=True)
