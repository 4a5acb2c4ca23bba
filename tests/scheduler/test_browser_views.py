"""The calls by which browsers ask to be told: only JSON, only at known services, only so many, only with an account."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from limits import parse
from sqlmodel import select

from campaign import consents
from campaign.audience_models import ContactAddress
from campaign.contacts import Consent, Contact, ContactList, Refusal
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution.audit_models import AuditRecord
from scheduler import accounts
from scheduler.account_form import AccountForm
from scheduler.account_secrets import Secrets
from scheduler.channels.webpush import public_key
from scheduler.models import ChannelAccount
from scheduler.sandbox.webpush import KEY, subscription
from tests import factories
from tracking.attribution import Attribution, Attributions
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

VERSION = "2026-01-education"


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    made = build(settings)
    yield made
    made.close()


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    return create_app(runtime)


@pytest.fixture
def client(app: Flask, runtime: Runtime) -> FlaskClient:
    account(runtime)
    return app.test_client()


def account(runtime: Runtime, now: datetime | None = None) -> int:
    form = AccountForm("webpush", "浏览器", "", sender="push@example.cn")
    held = Secrets(runtime.service(Keys), runtime.service(Vault))
    with runtime.service(Database).transaction() as session:
        made, _shown = accounts.create(session, form, held=held, secret=KEY, now=now or clock.now())
        return made.id or 0


def given(browser: str = "b1", host: str = "https://fcm.googleapis.com") -> dict[str, Any]:
    return dict(json.loads(subscription(host, browser)))


def ask(client: FlaskClient, verb: str, **said: Any) -> Any:
    return client.post(f"/push/{verb}", json=said, headers={"Accept": "application/json"})


def test_nothing_is_offered_without_an_account(app: Flask, runtime: Runtime) -> None:
    client = app.test_client()
    assert client.get("/push/offer").status_code == 404
    assert "现在还不能" in client.get("/push").text
    assert ask(client, "subscribe", subscription=given(), version=VERSION).status_code == 404
    number = account(runtime)
    offer = client.get("/push/offer").get_json()
    assert offer["key"] == public_key(KEY) and KEY not in json.dumps(offer)
    assert offer["version"] == VERSION and "7 天里最多 3 条" in offer["often"]
    assert "data-told" in client.get("/push").text
    with runtime.service(Database).transaction() as session:
        accounts.set_active(session, number, False, now=clock.now())
    assert client.get("/push/offer").status_code == 404


def test_a_browser_subscribes_asks_and_stops(client: FlaskClient, runtime: Runtime) -> None:
    endpoint = given()["endpoint"]
    assert ask(client, "standing", endpoint=endpoint).get_json() == {"told": False}
    answer = ask(client, "subscribe", subscription=given(), version=VERSION, page="/p/ai-voice?a=secret")
    assert answer.get_json() == {"told": True} and "Set-Cookie" not in answer.headers
    assert ask(client, "standing", endpoint=endpoint).get_json() == {"told": True}
    with runtime.service(Database).reading() as session:
        assert session.exec(select(Consent.source)).one() == "browser /p/ai-voice", "nothing of the query"
        actions = set(session.exec(select(AuditRecord.action)))
        assert "browser.subscribe" in actions
    assert ask(client, "stop", endpoint=endpoint).get_json() == {"told": False}
    assert ask(client, "standing", endpoint=endpoint).get_json() == {"told": False}
    answer = ask(client, "subscribe", subscription=given(), version=VERSION)
    assert (answer.status_code, answer.get_json()["error"]["field"]) == (409, "subscription")


def test_an_outlet_whose_link_led_here_is_whom_it_counts_for(
    client: FlaskClient, runtime: Runtime, now: datetime
) -> None:
    with runtime.service(Database).transaction() as session:
        factories.cast(session, now)
    token = runtime.service(Attributions).sign(Attribution("", factories.OUTLET_A, "qr"))
    client.set_cookie("sp_a", token)
    assert ask(client, "subscribe", subscription=given(), version=VERSION).status_code == 200
    with runtime.service(Database).reading() as session:
        assert session.exec(select(Contact.outlet_code)).one() == factories.OUTLET_A


def test_a_move_is_told_by_the_worker(client: FlaskClient, runtime: Runtime) -> None:
    ask(client, "subscribe", subscription=given("old"), version=VERSION)
    said = {"former": given("old")["endpoint"], "subscription": given("new")}
    assert ask(client, "renew", **said).get_json() == {"told": True}
    assert ask(client, "standing", endpoint=given("new")["endpoint"]).get_json() == {"told": True}
    said["subscription"] = given("new", "https://10.0.0.1")
    assert ask(client, "renew", **said).status_code == 400


@pytest.mark.parametrize(
    "host",
    ["https://127.0.0.1", "http://127.0.0.1:8099", "https://169.254.169.254", "https://intranet.example.cn"],
)
def test_nobody_has_us_post_to_a_host_of_their_own(client: FlaskClient, runtime: Runtime, host: str) -> None:
    answer = ask(client, "subscribe", subscription=given("b1", host), version=VERSION)
    assert answer.status_code == 400 and "推送服务" in answer.get_json()["error"]["message"]
    with runtime.service(Database).reading() as session:
        assert session.exec(select(ContactAddress.id)).all() == []


def test_the_demo_says_that_its_pushes_go_nowhere_else(client: FlaskClient, runtime: Runtime) -> None:
    with runtime.service(Database).transaction() as session:
        one = session.exec(select(ChannelAccount)).one()
        one.options = {"allow_http": "1"}
        session.add(one)
    answer = ask(client, "subscribe", subscription=given(), version=VERSION)
    assert answer.status_code == 400 and "沙盒" in answer.get_json()["error"]["message"]
    inside = given("b1", "http://127.0.0.1:8099/webpush")
    assert ask(client, "subscribe", subscription=inside, version=VERSION).status_code == 200


def test_a_key_is_made_where_none_is_given(app: Flask, runtime: Runtime) -> None:
    form = AccountForm("webpush", "浏览器", "", sender="push@example.cn")
    held = Secrets(runtime.service(Keys), runtime.service(Vault))
    with runtime.service(Database).transaction() as session:
        made, shown = accounts.create(session, form, held=held, now=clock.now())
        private = held.named(made)["secret"]
    assert shown == "" and made.address == ""
    assert app.test_client().get("/push/offer").get_json()["key"] == public_key(private)


def test_further_services_are_a_setting(settings: Settings) -> None:
    own = build(settings.model_copy(update={"push_services": "push.example.cn, *.Push.Example.org"}))
    account(own)
    client = create_app(own).test_client()
    for host, status in (
        ("https://push.example.cn", 200),
        ("https://a.push.example.org", 200),
        ("https://fcm.googleapis.com", 400),
    ):
        assert ask(client, "subscribe", subscription=given("b", host), version=VERSION).status_code == status
    own.close()


@pytest.mark.parametrize("verb", ["subscribe", "renew", "stop", "standing"])
def test_only_json_is_read(client: FlaskClient, verb: str) -> None:
    for more in (
        {"data": {"endpoint": "x"}},
        {"data": "{}", "content_type": "text/plain"},
        {"json": [1]},
        {"json": {"endpoint": 3}},
    ):
        assert client.post(f"/push/{verb}", **more).status_code == 400


def test_so_many_in_a_minute(app: Flask, client: FlaskClient) -> None:
    app.extensions["signpost_limiter"].rates["browser"] = parse("3/minute")
    codes = [
        ask(client, "subscribe", subscription=given(f"b{n}"), version=VERSION).status_code for n in range(5)
    ]
    assert codes == [200, 200, 200, 429, 429]
    assert client.get("/push").status_code == 200


def test_words_that_changed_meanwhile_are_shown_again(client: FlaskClient, runtime: Runtime) -> None:
    with runtime.service(Database).transaction() as session:
        consents.add_text(session, "education", "2026-09", "我同意收到教育通知。", "", valid_from=clock.now())
    answer = ask(client, "subscribe", subscription=given(), version=VERSION)
    assert (answer.status_code, answer.get_json()["error"]["field"]) == (409, "version")
    assert ask(client, "subscribe", subscription=given(), version="2026-09").status_code == 200


def test_many_in_one_moment_make_one_contact_each_and_one_list(app: Flask, client: FlaskClient) -> None:
    codes: list[int] = []
    start = threading.Barrier(8)

    def one(number: int) -> None:
        start.wait()
        answer = ask(app.test_client(), "subscribe", subscription=given(f"b{number % 4}"), version=VERSION)
        codes.append(answer.status_code)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 8
    runtime: Any = app.extensions["signpost"]
    with runtime.service(Database).reading() as session:
        assert len(session.exec(select(Contact.id)).all()) == 4
        assert len(session.exec(select(Consent.id)).all()) == 4
        assert len(session.exec(select(ContactList.id)).all()) == 1
        assert session.exec(select(Refusal.channel)).all() == []


def test_the_worker_rules_its_own_path_alone(client: FlaskClient) -> None:
    answer = client.get("/push/worker.js")
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Service-Worker-Allowed"] == "/push/"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
