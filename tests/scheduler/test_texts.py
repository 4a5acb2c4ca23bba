"""Short messages to registered people: set by occasion, sent once to who gave no address, called when they fail."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlmodel import Session, col, select

from campaign.registration import notices, occasions
from campaign.registration.models import Notice
from campaign.registration.telling import Telling
from campaign.registration.work import Doorkeeper
from core import clock
from core.database import Database
from core.errors import Invalid
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution import letters
from institution.letter_models import Letter
from scheduler import texts
from scheduler.account_secrets import Opener, Secrets
from scheduler.channels.sms_aliyun import AliyunSms
from scheduler.models import ChannelAccount
from scheduler.sandbox import sms_aliyun as platform
from scheduler.sandbox.core import Fault, Sandbox
from scheduler.text_models import NoticeText
from scheduler.texts import NoticeTexts, TextRoom
from tests import entering, factories
from tests.campaign.registration import making
from tests.servers import free_port, listening
from webapp.create_app import create_app
from webapp.runtime import build

WORDS = "event={event}\nwhen={when}\nwhere={where}\ncode={code}\nlink={link}"
Run = Callable[[datetime], int]


@pytest.fixture
def sandbox() -> Iterator[tuple[Sandbox, str]]:
    made, port = Sandbox(), free_port()
    made.add(platform.SmsAliyun())
    with listening(made, port):
        yield made, f"http://127.0.0.1:{port}/sms_aliyun"


@pytest.fixture
def run(
    settings: Settings, database: Database, vault: Vault, keys: Keys, sandbox: tuple[Sandbox, str]
) -> Run:
    """One round of telling and carrying at a moment; how many messages were accepted."""
    held = Secrets(keys, vault)
    with database.transaction() as session:
        session.add(_account(held, sandbox[1]))
    channels = {"sms_aliyun": AliyunSms(clock.now, (5.0, 5.0))}

    def one(at: datetime) -> int:
        teller = Telling(settings, database, vault, Doorkeeper(keys, 0), lambda: at, texts=NoticeTexts(vault))
        teller.run_once()
        opener = Opener(settings, held, lambda: at)
        return TextRoom(database, vault, opener, channels, lambda: at).run_once()

    return one


def _account(held: Secrets, address: str) -> ChannelAccount:
    at = datetime.fromisoformat("2026-09-15T06:30:00+00:00")
    return ChannelAccount(
        id=1, channel="sms_aliyun", name="短信", address=address, login=platform.ACCESS_KEY,
        options={"sign_name": platform.SIGN}, secret_sealed=held.seal(platform.SECRET), created_at=at, updated_at=at,
    )  # fmt: skip


def _set(session: Session, now: datetime, *kinds: str) -> None:
    for kind in kinds:
        texts.change(session, kind, account_id=1, template=platform.EVENT, parameters=WORDS, now=now)


def _states(database: Database) -> list[tuple[str, str, str]]:
    with database.reading() as session:
        found = session.exec(select(Notice).order_by(col(Notice.id))).all()
        return [(one.kind, one.state, one.channel) for one in found]


def test_who_gave_no_address_is_told_by_short_message_once(
    database: Database, vault: Vault, now: datetime, run: Run, sandbox: tuple[Sandbox, str]
) -> None:
    with database.transaction() as session:
        where = making.occurrence(session, now, capacity=5, outlet_code="33010601")
        made = making.party(session, vault, where, 1, now=now)
        code = made.code
    assert run(now) == 0, "nothing is set, nothing is sent"
    with database.transaction() as session:
        _set(session, now, notices.REGISTERED, notices.DAY_BEFORE, notices.TWO_HOURS)
    starts = now + timedelta(days=3)
    moments = [now, now + timedelta(minutes=1), starts - timedelta(hours=20), starts - timedelta(hours=19)]
    assert [run(at) for at in moments] == [1, 0, 1, 0]
    assert run(starts - timedelta(minutes=100)) == 1
    assert [one.to for one in sandbox[0].arrived] == [making.wanted(1).phone] * 3
    assert all(f"签到码{code}" in one.text and "/my/" in one.text for one in sandbox[0].arrived)
    assert sandbox[0].breaches == []
    with database.reading() as session:
        assert {(one.status, one.sealed) for one in session.exec(select(Letter))} == {("sent", "")}


def test_what_did_not_arrive_is_called(
    database: Database, vault: Vault, now: datetime, run: Run, sandbox: tuple[Sandbox, str]
) -> None:
    with database.transaction() as session:
        where = making.occurrence(session, now, capacity=5)
        number = where.id or 0
        making.party(session, vault, where, 1, now=now)
        _set(session, now, notices.CALLED_OFF)
    sandbox[0].fail("sms_aliyun", Fault("code", "isv.MOBILE_NUMBER_ILLEGAL"))
    with database.transaction() as session:
        occasions.call_off(session, number, "台风", now)
    assert run(now) == 0
    assert _states(database) == [(notices.CALLED_OFF, notices.SENT, "sms")]
    run(now)
    assert _states(database) == [(notices.CALLED_OFF, notices.BY_HAND, "")]


def test_an_account_that_was_closed_sends_nothing_and_the_outlet_calls(
    database: Database, vault: Vault, now: datetime, run: Run, sandbox: tuple[Sandbox, str]
) -> None:
    with database.transaction() as session:
        where = making.occurrence(session, now, capacity=5)
        number = where.id or 0
        making.party(session, vault, where, 1, now=now)
        _set(session, now, notices.CALLED_OFF)
        session.get_one(ChannelAccount, 1).active = False
    with database.transaction() as session:
        occasions.call_off(session, number, "台风", now)
    assert run(now) == 0 and not sandbox[0].arrived
    assert _states(database) == [(notices.CALLED_OFF, notices.BY_HAND, "")]


def test_a_message_in_doubt_is_not_sent_again(
    database: Database, vault: Vault, now: datetime, run: Run, sandbox: tuple[Sandbox, str]
) -> None:
    with database.transaction() as session:
        where = making.occurrence(session, now, capacity=5)
        making.party(session, vault, where, 1, now=now)
        _set(session, now, notices.REGISTERED)
    with database.transaction() as session:  # a worker took it, handed it over, and died
        letters.post_short(
            session, vault=vault, phone="13800000001", short=letters.Short(1, platform.EVENT), now=now
        )
        (held,) = letters.claim(session, vault=vault, now=now, channel=letters.SHORT)
        letters.handing(session, held.id, now)
    assert run(now) == 1
    assert run(now + letters.LEASE * 2) == 0
    with database.reading() as session:
        assert session.get_one(Letter, held.id).status == letters.UNCERTAIN
    assert len(sandbox[0].arrived) == 1


def test_only_what_can_be_is_set(database: Database, now: datetime, run: Run) -> None:
    with database.transaction() as session:
        for kind, more, field in (
            ("nothing", {}, None),
            (notices.DAY_BEFORE, {"account_id": 7}, "account"),
            (notices.DAY_BEFORE, {"template": " "}, "template"),
            (notices.DAY_BEFORE, {"parameters": "a={password}"}, "parameters"),
        ):
            given = {"account_id": 1, "template": "SMS_1", "parameters": "a={event}", **more}
            with pytest.raises(Invalid) as refused:
                texts.change(session, kind, **given, now=now)  # type: ignore[arg-type]
            assert refused.value.field == field
        _set(session, now, notices.DAY_BEFORE)
        assert NoticeTexts(Vault(Keys(b"x"))).kinds(session) == {notices.DAY_BEFORE}
        texts.change(session, notices.DAY_BEFORE, account_id=None, template="", parameters="", now=now)
        assert session.exec(select(NoticeText)).all() == []


def test_the_desk_sets_them(settings: Settings, vault: Vault, keys: Keys) -> None:
    runtime = build(settings)
    with runtime.service(Database).transaction() as session:
        factories.cast(session, clock.now())
    app: Flask = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    admin = entering.client(app, factories.ADMINISTRATOR)
    assert "还没有短信账号" in admin.get("/desk/channels/texts").text
    with runtime.service(Database).transaction() as session:
        session.add(_account(Secrets(keys, vault), "http://127.0.0.1:1"))
    form = {"kind": notices.DAY_BEFORE, "account": "1", "template": platform.EVENT, "parameters": WORDS}
    page = admin.post("/desk/channels/texts", data=form, follow_redirects=True)
    assert "“前一天提醒”的短信已保存" in page.text and platform.EVENT in page.text
    wrong = admin.post("/desk/channels/texts", data=form | {"parameters": "bad"})
    assert wrong.status_code == 400 and "模板参数第 1 行" in wrong.text and ">bad</textarea>" in wrong.text
    assert admin.post("/desk/channels/texts", data=form | {"kind": "x"}).status_code == 404
    runtime.close()
