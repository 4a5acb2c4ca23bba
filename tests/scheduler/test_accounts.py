"""Accounts at channels: secrets sealed, shown once, replaced with a day's overlap; nothing sent elsewhere."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from core import clock
from core.database import Database
from core.errors import Conflict, Invalid
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution import rotation
from institution.audit_models import AuditRecord
from scheduler import accounts
from scheduler.account_secrets import OVERLAP, Opener, Secrets, derived
from scheduler.accounts import AccountForm
from scheduler.channels.base import DeliveryError
from scheduler.jobs import Outgoing
from scheduler.models import ChannelAccount, Push
from tests import entering, factories
from tests.scheduler.audience_cast import account, people, plan, send_now
from tests.scheduler.receivers import MailReceiver
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

HOOK = AccountForm("webhook", "客服系统", "https://gateway.example/messages")
MAIL = AccountForm(
    "email",
    "浙江邮件",
    "smtp.example.com",
    port=587,
    tls="starttls",
    login="edu",
    sender="消保部 <edu@example.com>",
)
TYPED = "a secret of the gateway's own making"


@pytest.fixture
def held(keys: Keys, vault: Vault) -> Secrets:
    return Secrets(keys, vault)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    runtime = build(settings)
    with runtime.service(Database).transaction() as session:
        factories.cast(session, clock.now())
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    runtime.close()


def _form(form: AccountForm, **more: str) -> dict[str, str]:
    names = ("name", "address", "port", "tls", "login", "sender", "outlet_code")
    return {name: str(getattr(form, name)) for name in names} | more


def test_a_secret_is_made_and_sealed(database: Database, held: Secrets, now: datetime) -> None:
    with database.transaction() as session:
        made, shown = accounts.create(session, HOOK, held=held, now=now)
        assert shown.startswith("whsec_") and len(shown) > 40
        assert shown not in made.secret_sealed and held.of(made, now) == (shown,)
        typed, none = accounts.create(session, _named(HOOK, "另一个"), held=held, secret=TYPED, now=now)
        assert none == "" and held.of(typed, now) == (TYPED,)
        mail, none = accounts.create(session, MAIL, held=held, secret="pass word", now=now)
        assert none == "" and held.of(mail, now) == ("pass word",)
    with database.reading() as session:
        told = [f"{row.before}{row.after}{row.note}" for row in session.exec(select(AuditRecord))]
        assert len(told) == 3 and not any(shown in one or TYPED in one or "pass word" in one for one in told)


def _named(form: AccountForm, name: str, **more: Any) -> AccountForm:
    known = {field: getattr(form, field) for field in form.__slots__}
    return AccountForm(**(known | {"name": name} | more))


def test_the_old_secret_signs_for_a_day_more(database: Database, held: Secrets, now: datetime) -> None:
    with database.transaction() as session:
        made, first = accounts.create(session, HOOK, held=held, now=now)
        second = accounts.replace_secret(session, made.id or 0, held=held, now=now)
        assert first != second
        assert held.of(made, now + OVERLAP - timedelta(seconds=1)) == (second, first)
        assert held.of(made, now + OVERLAP) == (second,)
        third = accounts.replace_secret(session, made.id or 0, held=held, secret=TYPED, now=now)
        assert third == "" and held.of(made, now) == (TYPED, second)


def test_receivers_of_the_first_releases_change_over_too(
    database: Database, held: Secrets, keys: Keys, now: datetime
) -> None:
    with database.transaction() as session:
        row = session.get_one(ChannelAccount, account(session, "https://old.example/", now))
        old = derived(keys, "https://old.example/")
        assert held.of(row, now) == (old,)
        with pytest.raises(Conflict, match="先更换"):
            moved = _named(HOOK, row.name, address="https://new.example/")
            accounts.edit(session, row.id or 0, moved, held=held, now=now)
        new = accounts.replace_secret(session, row.id or 0, held=held, now=now)
        assert held.of(row, now) == (new, old)


def test_a_password_is_not_sent_to_another_server(database: Database, held: Secrets, now: datetime) -> None:
    with database.transaction() as session:
        made, _none = accounts.create(session, MAIL, held=held, secret="pass word", now=now)
        for more in ({"address": "mail.evil.example"}, {"port": 25}, {"tls": "none"}, {"login": "other"}):
            with pytest.raises(Invalid) as caught:
                accounts.edit(session, made.id or 0, _named(MAIL, "浙江邮件", **more), held=held, now=now)
            assert caught.value.field == "secret", more
        away = _named(MAIL, "浙江邮件", address="mail.example.com")
        accounts.edit(session, made.id or 0, away, held=held, secret="another word", now=now)
        assert held.of(made, now) == ("another word",)
        accounts.edit(session, made.id or 0, _named(away, "新名字"), held=held, now=now)
        assert held.of(made, now) == ("another word",), "left empty it stays"
        with pytest.raises(Invalid):
            accounts.replace_secret(session, made.id or 0, held=held, now=now)


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (_named(HOOK, " "), "name"),
        (_named(HOOK, "x", address="ftp://x/"), "address"),
        (_named(HOOK, "x", address="https://u:p@x/"), "address"),
        (_named(HOOK, "x", address="https://[x/"), "address"),
        (_named(HOOK, "x", channel="pigeon"), "channel"),
        (_named(HOOK, "x", outlet_code="nowhere"), "outlet_code"),
        (_named(MAIL, "x", address="smtp.example.com:25"), "address"),
        (_named(MAIL, "x", port=0), "port"),
        (_named(MAIL, "x", tls="hope"), "tls"),
        (_named(MAIL, "x", sender="nobody"), "sender"),
    ],
)
def test_what_an_account_must_say(
    database: Database, held: Secrets, now: datetime, form: AccountForm, field: str
) -> None:
    with database.transaction() as session, pytest.raises(Invalid) as caught:
        accounts.create(session, form, held=held, now=now)
    assert caught.value.field == field


def test_a_short_secret_and_a_taken_name_are_refused(
    database: Database, held: Secrets, now: datetime
) -> None:
    with database.transaction() as session:
        accounts.create(session, HOOK, held=held, now=now)
        with pytest.raises(Conflict):
            accounts.create(session, HOOK, held=held, now=now)
        with pytest.raises(Invalid, match="24"):
            accounts.create(session, _named(HOOK, "x"), held=held, secret="short", now=now)


def test_mail_goes_by_the_account_that_the_plan_chose(
    settings: Settings, database: Database, vault: Vault, now: datetime
) -> None:
    """Nothing is set in the settings: the branch has a server of its own."""
    runtime: Runtime = build(settings)
    line = runtime.service(Outgoing)
    with MailReceiver().serve() as receiver:
        form = _named(MAIL, "本地", address="127.0.0.1", port=receiver.port, tls="none", login="")
        with database.transaction() as session:
            made, _none = accounts.create(session, form, held=Secrets(runtime.service(Keys), vault), now=now)
            send_now(
                session, plan(session, people(session, vault, 2, now), now, account_id=made.id), clock.now()
            )
        line.run_once()
        line.stop()
        assert len(receiver.inbox.effects) == 2
        mail = next(iter(receiver.inbox.contents.values()))
        assert "edu@example.com" in mail["From"]
    runtime.close()


def test_a_push_without_its_account_is_not_sent(
    settings: Settings, database: Database, held: Secrets, now: datetime
) -> None:
    lost = Push(plan_id=1, due_at=now, state="running", list_id=1, channel="webhook", created_at=now)
    with database.reading() as session, pytest.raises(DeliveryError) as caught:
        Opener(settings, held, lambda: now).open(session, lost)
    assert caught.value.permanent and caught.value.everyone


def test_at_the_desk_a_secret_is_shown_once(admin: FlaskClient) -> None:
    assert "还没有渠道账号" in admin.get("/desk/channels").text
    answer = admin.post("/desk/channels/new?kind=webhook", data=_form(HOOK))
    shown = re.search(r"whsec_[\w-]+", answer.text)
    assert answer.status_code == 200 and shown is not None
    assert answer.headers["Cache-Control"] == "no-store"
    for path in ("/desk/channels", "/desk/channels/1", "/desk/channels?export=csv"):
        assert shown[0] not in admin.get(path).text, path
    again = admin.post("/desk/channels/1/secret")
    fresh = re.search(r"whsec_[\w-]+", again.text)
    assert fresh is not None and fresh[0] != shown[0] and "两个签名都会带上" in again.text
    assert "旧密钥有效到" in admin.get("/desk/channels/1").text
    typed = admin.post("/desk/channels/1/secret", data={"secret": TYPED}, follow_redirects=True)
    assert "密钥已更换" in typed.text and TYPED not in typed.text


def test_at_the_desk_a_form_that_fails_keeps_what_was_typed_but_no_secret(admin: FlaskClient) -> None:
    form = _form(MAIL, port="many", secret="pass word")
    answer = admin.post("/desk/channels/new?kind=email", data=form)
    assert answer.status_code == 400 and 'value="smtp.example.com"' in answer.text
    assert "端口须在" in answer.text and "pass word" not in answer.text
    assert (
        admin.post("/desk/channels/new?kind=email", data=_form(MAIL, secret="pass word")).status_code == 303
    )
    changed = _form(MAIL, address="mail.evil.example")
    assert "请把密码再填一次" in admin.post("/desk/channels/1", data=changed).text
    assert admin.get("/desk/channels/new?kind=pigeon").status_code == 404


def test_at_the_desk_a_topic_that_waits_for_a_yes_has_its_link(app: Flask, admin: FlaskClient) -> None:
    admin.post("/desk/channels/new?kind=email", data=_form(MAIL, secret="pass word"))
    found = re.search(r"/hooks/email/[\w-]+", admin.get("/desk/channels/1").text)
    assert found is not None
    said = {"Type": "SubscriptionConfirmation", "SubscribeURL": "https://sns.x-1.amazonaws.com/?A=1&Token=2"}
    assert app.test_client().post(found[0], json=said).status_code == 200
    page = admin.get("/desk/channels/1").text
    assert 'href="https://sns.x-1.amazonaws.com/?A=1&amp;Token=2" target="_blank" rel="noopener' in page


def test_at_the_desk_two_who_edit_see_both_versions_and_closing_says_what_it_did(admin: FlaskClient) -> None:
    admin.post("/desk/channels/new?kind=webhook", data=_form(HOOK))
    found = re.search(r'name="base" value="([^"]+)"', admin.get("/desk/channels/1").text)
    assert found is not None
    admin.post("/desk/channels/1", data=_form(_named(HOOK, "先存的"), base=found[1]))
    answer = admin.post("/desk/channels/1", data=_form(_named(HOOK, "后存的"), base=found[1]))
    assert answer.status_code == 409 and "先存的" in answer.text and "后存的" in answer.text
    assert "已停用" in admin.post("/desk/channels/1/close", follow_redirects=True).text
    assert "已启用" in admin.post("/desk/channels/1/open", follow_redirects=True).text


def test_an_administrator_of_a_province_sees_its_accounts_alone(app: Flask, admin: FlaskClient) -> None:
    runtime = app.extensions["signpost"]
    with runtime[Database].transaction() as session:
        factories.person(
            session, "local.admin", "省管理", "administrator", clock.now(), at=factories.PROVINCE
        )
    local = entering.client(app, "local.admin")
    admin.post("/desk/channels/new?kind=webhook", data=_form(HOOK))
    outside = _named(HOOK, "四川", outlet_code=factories.OUTSIDE_PROVINCE)
    admin.post("/desk/channels/new?kind=webhook", data=_form(outside))
    own = _named(HOOK, "浙江", outlet_code=factories.OUTLET_A)
    assert "whsec_" in local.post("/desk/channels/new?kind=webhook", data=_form(own)).text
    page = local.get("/desk/channels").text
    assert "浙江" in page and "四川" not in page and "客服系统" not in page
    for number in (1, 2, 99):
        assert local.get(f"/desk/channels/{number}").status_code == 404
        assert local.post(f"/desk/channels/{number}/secret").status_code == 404
    assert local.get("/desk/channels/3").status_code == 200
    elsewhere = local.post("/desk/channels/new?kind=webhook", data=_form(_named(outside, "y")))
    assert elsewhere.status_code in (400, 403) and "whsec_" not in elsewhere.text
    moved = local.post("/desk/channels/3", data=_form(_named(own, "浙江", outlet_code="")))
    assert moved.status_code in (400, 403)


def test_secrets_follow_when_the_keys_are_changed(database: Database, keys: Keys, now: datetime) -> None:
    old = Secrets(keys, Vault(keys, ["a key of before, long enough"]))
    with database.transaction() as session:
        made, first = accounts.create(session, HOOK, held=old, now=now)
        second = accounts.replace_secret(session, made.id or 0, held=old, now=now)
    ring = Vault(keys, ["a key of now, long enough", "a key of before, long enough"])
    report = rotation.rotate(database, ring)
    assert sum(report.changed.values()) == 1, "the one account"
    alone = Secrets(keys, Vault(keys, ["a key of now, long enough"]))
    with database.reading() as session:
        row = session.exec(select(ChannelAccount)).one()
        assert alone.of(row, now) == (second, first)
