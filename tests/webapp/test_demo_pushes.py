"""The demo's pushes: planted once, carried out through the sandbox beside the site, taken away without a trace."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
import requests
from sqlmodel import Session, col, select

from campaign.contacts import Consent, Contact, ContactList, Refusal
from campaign.programme import listing
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution import approvals, people
from institution.approval_models import Approval
from institution.models import Outlet
from scheduler import accounts, plans
from scheduler.account_form import AccountForm
from scheduler.account_secrets import Secrets
from scheduler.channels.registry import KINDS
from scheduler.jobs import Outgoing
from scheduler.models import Batch, ChannelAccount, Delivery, Plan, Push
from scheduler.sandbox.kept import Kept
from scheduler.sandbox.registry import STAND_INS
from tests import factories
from tests.content import pieces
from tests.scheduler import audience_cast
from tests.servers import free_port
from webapp import demo_pushes, demo_sandbox
from webapp.commands import server
from webapp.runtime import Runtime, build

PIECES = ("ai-voice", "full-surrender", "screen-share", "credit-repair")


def _two_ports() -> int:
    """A free port with a free one after it, which is that of mail."""
    while True:
        port = free_port()
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port + 1))
            return port


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    made = build(settings.model_copy(update={"sandbox_port": _two_ports(), "rate_storage": "memory://"}))
    with made.service(Database).transaction() as session:
        cast = factories.cast(session, clock.now())
        for key in PIECES:
            pieces.to_the_site(
                session, pieces.text(key), cast[factories.EDITOR], cast[factories.REVIEWER], clock.now()
            )
    yield made
    made.close()


def plant(runtime: Runtime) -> int:
    vault, settings = runtime.service(Vault), runtime.service(Settings)
    held = Secrets(runtime.service(Keys), vault)
    with runtime.service(Database).transaction() as session:
        return demo_pushes.plant(session, settings, held, vault, PIECES, now=clock.now())


def carry_out(runtime: Runtime) -> None:
    while runtime.service(Outgoing).run_once():
        pass


def states(session: Session) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    query = select(Push.channel, Delivery.state).join(Delivery, col(Delivery.push_id) == Push.id)
    for channel, state in session.exec(query):
        found.setdefault(channel, []).append(state)
    return found


def test_three_pushes_go_through_the_sandbox_and_one_waits_for_somebody(runtime: Runtime) -> None:
    settings = runtime.service(Settings)
    assert plant(runtime) == 4
    assert plant(runtime) == 0, "again: nothing changes"
    with demo_sandbox.running(settings) as sandbox:
        carry_out(runtime)
        inbox = requests.get(f"http://127.0.0.1:{settings.sandbox_port}/", timeout=10)
    assert inbox.status_code == 200 and "先停一停" in inbox.text
    assert sandbox.total == {"email": 22, "jpush": 24, "webpush": 6} and sandbox.breaches == []
    with runtime.service(Database).reading() as session:
        found = states(session)
        assert found["email"].count("failed") == 2, "something to look into"
        assert set(session.exec(select(Push.state))) == {"done"}
        waiting = session.exec(select(Plan).where(Plan.approval == "asked")).one()
        assert (waiting.channel, waiting.state) == ("dingtalk_robot", "draft")


def test_a_newcomer_approves_the_one_that_waits_and_it_arrives(runtime: Runtime) -> None:
    plant(runtime)
    database, now = runtime.service(Database), clock.now()
    with demo_sandbox.running(runtime.service(Settings)) as sandbox:
        with database.transaction() as session:
            asked = session.exec(select(Approval).where(col(Approval.decision).is_(None))).one()
            number = people.by_login(session, factories.ADMINISTRATOR)
            assert number is not None
            approvals.decide(session, asked.id or 0, decision=approvals.APPROVED, by=number.id or 0, now=now)
            plans.send_now(session, int(asked.subject), now=now)
        carry_out(runtime)
        (arrived,) = [one for one in sandbox.arrived if one.app == "dingtalk_robot"]
    assert "先停一停" in arrived.title + arrived.text and sandbox.breaches == []


def test_every_kind_of_account_that_has_a_stand_in_is_there(runtime: Runtime) -> None:
    plant(runtime)
    with runtime.service(Database).reading() as session:
        rows = list(session.exec(select(ChannelAccount)))
    assert {row.channel for row in rows} == {*STAND_INS, "wechat_notice"} <= KINDS.keys()
    assert all(row.demo and "127.0.0.1" in row.line for row in rows if row.channel != "webpush")


def test_the_inbox_is_there_again_after_a_start_and_a_torn_line_is_left_out(runtime: Runtime) -> None:
    settings = runtime.service(Settings)
    plant(runtime)
    with demo_sandbox.running(settings):
        carry_out(runtime)
    file = settings.home / "sandbox.jsonl"
    with file.open("a", encoding="utf-8") as kept:
        kept.write('["email", "torn')
    with demo_sandbox.running(settings) as again:
        assert again.total == {"email": 22, "jpush": 24, "webpush": 6}
        assert len(Kept(file).arrived) == 52


def test_clearing_takes_all_of_it_and_nothing_of_ones_own(runtime: Runtime) -> None:
    database = runtime.service(Database)
    vault, now = runtime.service(Vault), clock.now()
    with database.transaction() as session:
        own = audience_cast.people(session, vault, 3, now)
        form = AccountForm("webhook", "自己的", "https://gateway.example.com/x")
        held = Secrets(runtime.service(Keys), vault)
        mine, _shown = accounts.create(session, form, held=held, now=now)
        audience_cast.plan(session, own, now, channel="webhook", account_id=mine.id)
    plant(runtime)
    with demo_sandbox.running(runtime.service(Settings)):
        carry_out(runtime)
    with database.transaction() as session:
        theirs = session.exec(select(ContactList.id).where(ContactList.name == demo_pushes.LIST)).one()
        account = session.exec(select(ChannelAccount.id).where(ChannelAccount.channel == "jpush")).one()
        audience_cast.plan(session, theirs, now, channel="jpush", account_id=account, name="试一试")
    with database.transaction() as session:
        demo_pushes.clear(session)
    with database.reading() as session:
        assert session.exec(select(ChannelAccount.name)).all() == ["自己的"]
        assert [one.name for one in plans.everything(session)] == ["九月提醒"]
        assert len(session.exec(select(Contact.id)).all()) == 3
        assert len(session.exec(select(ContactList.id)).all()) == 1
        for table in (Push, Batch, Delivery):
            assert session.exec(select(table.id)).first() is None
        assert len(session.exec(select(Consent.id)).all()) == 6
        assert session.exec(select(Refusal.channel)).all() == []
    assert plant(runtime) == 4, "and it can be loaded again"


def test_it_runs_only_beside_the_demo_and_only_when_the_setting_says_so(runtime: Runtime) -> None:
    settings, database = runtime.service(Settings), runtime.service(Database)
    off = settings.model_copy(update={"sandbox_port": 0})
    with database.transaction() as session:
        assert not demo_sandbox.is_wanted(session, settings), "a tree of one's own"
        session.get_one(Outlet, factories.PROVINCE).demo = True
        session.flush()
        assert demo_sandbox.is_wanted(session, settings)
        assert not demo_sandbox.is_wanted(session, off)
        vault = runtime.service(Vault)
        held = Secrets(runtime.service(Keys), vault)
        assert demo_pushes.plant(session, off, held, vault, PIECES, now=clock.now()) == 0
        assert listing(session) == []


def test_a_port_that_is_taken_keeps_nobody_from_serving(
    runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = runtime.service(Settings)
    with socket.socket() as taken, ExitStack() as beside:
        taken.bind(("127.0.0.1", settings.sandbox_port))
        taken.listen()
        server._run_sandbox(settings, beside)
    assert str(settings.sandbox_port) in capsys.readouterr().err


def test_what_it_keeps_is_readable_only_as_messages(tmp_path: Any) -> None:
    file = tmp_path / "sandbox.jsonl"
    file.write_text('{"a": 1}\n[1]\n\nnonsense\n["sms", "1", "t", "x", "", "", "", "", 3.5]\n', "utf-8")
    assert [one.app for one in Kept(file).arrived] == ["sms"]
