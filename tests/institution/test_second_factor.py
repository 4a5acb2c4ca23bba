"""The second factor: asked of who needs it, half signed in is not in, no code works twice."""

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlmodel import Session, col, select

from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from institution import people, second_factor, sessions
from institution.audit_models import AuditRecord
from institution.models import Staff
from institution.powers import PERMISSIONS
from tests import entering, factories
from tests.factories import EDITOR, OUTLET_STAFF, PASSWORDS, REVIEWER

Enter = Callable[[str], FlaskClient]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Second factors are asked for here."""
    return settings.model_copy(update={"second_factor": "required"})


def of(session: Session, login: str) -> Staff:
    account = people.by_login(session, login)
    assert account, login
    return account


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, pattern
    return match[1]


def given(app: Flask, login: str) -> str:
    """Give somebody a second factor; returns its secret."""
    runtime = app.extensions["signpost"]
    secret, long_ago = second_factor.new_secret(), datetime(2026, 1, 1, tzinfo=UTC)
    with runtime[Database].transaction() as session:
        account = of(session, login)
        second_factor.turn_on(
            session, runtime[Vault], account, secret, pyotp.TOTP(secret).at(long_ago), now=long_ago
        )
    return secret


def post_password(client: FlaskClient, login: str, **more: str) -> str:
    data = {"login": login, "password": factories.password(login), **more}
    answer = client.post("/desk/sign-in", data=data)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return str(answer.headers["Location"])


def cookie(client: FlaskClient) -> str:
    with client.session_transaction() as session:
        return str(session.get("_user_id"))


def test_who_publishes_must_set_it_up_before_anything_else(app: Flask) -> None:
    client = app.test_client()
    assert post_password(client, EDITOR, next="/desk/pieces").startswith("/desk/second-factor/set-up")
    for path in ("/desk", "/desk/pieces", "/desk/me"):
        assert client.get(path).headers["Location"].startswith("/desk/second-factor/set-up")
    assert client.post("/desk/pieces/new", data={}).status_code == 302
    page = client.get("/desk/second-factor/set-up?next=/desk/pieces").get_data(as_text=True)
    assert "data:image/svg+xml" in page and 'class="side"' not in page
    secret = found(r"<code>([A-Z2-7 ]+)</code>", page).replace(" ", "")
    sealed = found(r'name="sealed" value="([^"]+)"', page)
    form = {"sealed": sealed, "next": "/desk/pieces"}
    wrong = client.post("/desk/second-factor/set-up", data=form | {"code": "000000"})
    assert wrong.status_code == 400 and secret in wrong.get_data(as_text=True).replace(" ", "")
    before = cookie(client)
    done = client.post("/desk/second-factor/set-up", data=form | {"code": pyotp.TOTP(secret).now()})
    text = done.get_data(as_text=True)
    assert done.status_code == 200 and len(re.findall(r"<li><code>[a-z2-9-]{19}</code>", text)) == 10
    assert cookie(client) != before and client.get("/desk/pieces").status_code == 200


def test_a_sealed_secret_works_for_nobody_else(app: Flask) -> None:
    one, other = app.test_client(), app.test_client()
    post_password(one, EDITOR), post_password(other, REVIEWER)
    page = one.get("/desk/second-factor/set-up").get_data(as_text=True)
    secret = found(r"<code>([A-Z2-7 ]+)</code>", page).replace(" ", "")
    form = {"sealed": found(r'name="sealed" value="([^"]+)"', page), "code": pyotp.TOTP(secret).now()}
    assert other.post("/desk/second-factor/set-up", data=form).status_code == 400
    assert other.post("/desk/second-factor/set-up", data=form | {"sealed": "nonsense"}).status_code == 400


def test_half_signed_in_opens_nothing_but_the_code(app: Flask) -> None:
    secret, client = given(app, EDITOR), app.test_client()
    assert post_password(client, EDITOR, next="/desk/pieces") == "/desk/second-factor?next=/desk/pieces"
    for rule in app.url_map.iter_rules():
        permission = getattr(app.view_functions[rule.endpoint], "permission", "")
        if permission not in PERMISSIONS or rule.arguments:
            continue
        for method in sorted({"GET", "POST"} & (rule.methods or set())):
            answer = client.open(rule.rule, method=method)
            assert answer.status_code == 302, rule.rule
            assert answer.headers["Location"].startswith("/desk/second-factor"), rule.rule
    assert client.get("/desk/password").headers["Location"].startswith("/desk/second-factor")
    assert client.get("/desk/second-factor/set-up").headers["Location"].startswith("/desk/second-factor")
    before = cookie(client)
    assert client.post("/desk/second-factor", data={"code": "000000"}).status_code == 401
    form = {"code": pyotp.TOTP(secret).now(), "next": "/desk/pieces"}
    assert client.post("/desk/second-factor", data=form).headers["Location"] == "/desk/pieces"
    assert client.get("/desk/pieces").status_code == 200 and cookie(client) != before


def test_the_half_sessions_cookie_is_worth_nothing_afterwards(app: Flask) -> None:
    secret, client, thief = given(app, EDITOR), app.test_client(), app.test_client()
    post_password(client, EDITOR)
    with thief.session_transaction() as session:
        session["_user_id"], session["_fresh"] = cookie(client), True
    client.post("/desk/second-factor", data={"code": pyotp.TOTP(secret).now()})
    assert thief.get("/desk").headers["Location"].startswith("/desk/sign-in")


def test_a_code_works_once_also_on_another_device(app: Flask) -> None:
    secret, one, other = given(app, EDITOR), app.test_client(), app.test_client()
    post_password(one, EDITOR), post_password(other, EDITOR)
    code = pyotp.TOTP(secret).now()
    assert one.post("/desk/second-factor", data={"code": code}).status_code == 302
    assert other.post("/desk/second-factor", data={"code": code}).status_code == 401


@pytest.mark.parametrize("guarded", [True, False])
def test_one_code_at_once_lets_one_in(app: Flask, monkeypatch: pytest.MonkeyPatch, guarded: bool) -> None:
    """The control takes the condition of the UPDATE away: then the same code lets in several."""
    secret, runtime = given(app, EDITOR), app.extensions["signpost"]
    code, now = pyotp.TOTP(secret).now(), datetime.now(UTC)
    together, let_in = threading.Barrier(4), []

    def show() -> None:
        with runtime[Database].reading() as session:
            account = of(session, EDITOR)
        together.wait()  # all have read the account before any uses the code
        with runtime[Database].transaction() as session:
            if not guarded:  # what was read before counts again, whatever others have written since
                stale = update(Staff).where(col(Staff.id) == account.id)
                session.execute(stale.values(second_factor_step=account.second_factor_step))
            if second_factor.check(session, runtime[Vault], account, code, now=now):
                let_in.append(1)

    threads = [threading.Thread(target=show) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(let_in) == 1) if guarded else (len(let_in) > 1)


def test_guessing_codes_is_slowed_down_and_a_new_sign_in_does_not_help(app: Flask) -> None:
    given(app, EDITOR)
    codes = []
    for _number in range(8):
        client = app.test_client()
        post_password(client, EDITOR)
        codes.append(client.post("/desk/second-factor", data={"code": "123456"}).status_code)
    assert codes[:5] == [401] * 5 and 429 in codes[5:]


def test_a_recovery_code_works_once(app: Flask, now: datetime) -> None:
    secret, runtime = given(app, EDITOR), app.extensions["signpost"]
    with runtime[Database].transaction() as session:
        codes = second_factor.renew(session, of(session, EDITOR))
    for expected in (302, 401):
        client = app.test_client()
        post_password(client, EDITOR)
        answer = client.post("/desk/second-factor", data={"code": codes[0].upper().replace("-", " ")})
        assert answer.status_code == expected
    with runtime[Database].reading() as session:
        assert second_factor.left(session, of(session, EDITOR)) == 9
    assert secret


def test_who_needs_none_may_have_one_and_lose_it_again(app: Flask) -> None:
    with app.extensions["signpost"][Database].transaction() as session:
        factories.staff(session, OUTLET_STAFF, datetime.now(UTC))
    client = app.test_client()
    assert post_password(client, OUTLET_STAFF) == "/desk"
    assert "未开启" in client.get("/desk/me").get_data(as_text=True)
    secret = given(app, OUTLET_STAFF)
    assert client.get("/desk/me").headers["Location"].startswith("/desk/second-factor")
    client.post("/desk/second-factor", data={"code": pyotp.TOTP(secret).now()})
    assert client.post("/desk/second-factor/off", data={"password": "wrong"}).status_code == 400
    form = {"password": factories.password(OUTLET_STAFF)}
    fresh = client.post("/desk/second-factor/codes", data=form).get_data(as_text=True)
    assert len(re.findall(r"<li><code>", fresh)) == 10
    assert client.post("/desk/second-factor/off", data=form).status_code == 302
    assert "未开启" in client.get("/desk/me").get_data(as_text=True)


def test_who_needs_it_cannot_turn_it_off(app: Flask) -> None:
    secret, client = given(app, EDITOR), app.test_client()
    post_password(client, EDITOR)
    client.post("/desk/second-factor", data={"code": pyotp.TOTP(secret).now()})
    answer = client.post("/desk/second-factor/off", data={"password": PASSWORDS[EDITOR]})
    assert answer.status_code == 400 and "必须使用二次验证" in answer.get_data(as_text=True)


def test_a_one_time_password_with_a_second_factor_asks_for_the_code_first(app: Flask) -> None:
    secret, runtime = given(app, EDITOR), app.extensions["signpost"]
    with runtime[Database].transaction() as session:
        account = of(session, EDITOR)
        password = people.reset_password(session, account, now=datetime.now(UTC))
    client = app.test_client()
    answer = client.post("/desk/sign-in", data={"login": EDITOR, "password": password})
    assert answer.headers["Location"].startswith("/desk/second-factor")
    answer = client.post("/desk/second-factor", data={"code": pyotp.TOTP(secret).now()})
    assert answer.headers["Location"].startswith("/desk/password")
    assert client.get("/desk").headers["Location"].startswith("/desk/password")


def test_a_session_of_the_identity_provider_that_showed_one_is_in(app: Flask) -> None:
    runtime, now = app.extensions["signpost"], datetime.now(UTC)
    with runtime[Database].transaction() as session:
        account = of(session, EDITOR)
        made, token = sessions.begin(
            session, account, address="", agent="", now=now, hours=1, second_factor_at=now
        )
    client = app.test_client()
    with client.session_transaction() as kept:
        kept["_user_id"], kept["_fresh"] = token, True
    assert made.second_factor_at == now and client.get("/desk").status_code == 200


def test_the_secret_is_stored_encrypted_and_what_happened_is_recorded_without_codes(app: Flask) -> None:
    secret, runtime, client = given(app, EDITOR), app.extensions["signpost"], app.test_client()
    post_password(client, EDITOR)
    client.post("/desk/second-factor", data={"code": "987654"})
    client.post("/desk/second-factor", data={"code": pyotp.TOTP(secret).now()})
    with runtime[Database].reading() as session:
        sealed = session.exec(select(Staff.second_factor).where(Staff.login == EDITOR)).one()
        assert sealed and secret not in sealed
        records = [
            one
            for one in session.exec(select(AuditRecord).order_by(col(AuditRecord.id)))
            if one.subject == EDITOR
        ]
    assert [one.action for one in records][-3:] == ["second_factor.on", "session.fail", "session.begin"]
    told = " ".join(one.model_dump_json() for one in records)
    assert "987654" not in told and secret not in told


def test_off_asks_nobody(settings: Settings, app: Flask) -> None:
    given(app, EDITOR)
    runtime = app.extensions["signpost"]
    runtime._made[Settings] = settings.model_copy(update={"second_factor": "off"})
    assert post_password(app.test_client(), EDITOR) == "/desk"
    assert entering.client(app, REVIEWER).get("/desk").status_code == 200


def test_a_clock_that_is_off_by_some_seconds_is_forgiven_and_no_more(now: datetime) -> None:
    secret = second_factor.new_secret()
    at = pyotp.TOTP(secret).at
    assert second_factor._step(secret, at(now - timedelta(seconds=30)), now, after=0)
    assert second_factor._step(secret, at(now + timedelta(seconds=30)), now, after=0)
    assert second_factor._step(secret, at(now - timedelta(seconds=90)), now, after=0) is None
    assert second_factor._step(secret, "１２３４５６", now, after=0) is None
