"""`signpost privacy`: keys are changed under a running institution, also when the change is killed again and again."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete
from sqlmodel import Session, SQLModel, col, select

from campaign import audience, former
from campaign.contacts import EMAIL, Consent, Contact, FormerIndex
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from institution import letters, rotation, sealed
from institution.audit_models import AuditRecord
from institution.letter_models import Letter
from institution.models import Outlet
from scheduler.counting import visitor_of
from scheduler.models import Batch, BatchState, Delivery, Push, PushState
from tests import forked
from tests.campaign.reaching import Asked
from tests.scheduler.audience_cast import people, plan
from webapp import commands, personal
from webapp.cli import main

Run = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[2]
NEW, NEWER = "the-new-key-of-many-letters-for-tests", "the-newer-key-of-many-letters-for-tests"
assert personal.institution


def _ring(settings: Settings, *ring: str) -> Vault:
    return Vault(Keys(load_secret(settings)), ring)


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run `signpost` on this test's installation; the first word is the ring."""
    monkeypatch.setenv("SIGNPOST_HOME", str(settings.home))
    monkeypatch.setenv("SIGNPOST_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("SIGNPOST_SECRET_KEY", "test-secret-of-no-value")

    def invoke(ring: str, *words: str) -> Result:
        monkeypatch.setenv("SIGNPOST_PRIVACY_KEYS", ring)
        commands.runtime.cache_clear()
        result = CliRunner().invoke(main, ["privacy", *words])
        commands.runtime().close()
        return result

    yield invoke
    commands.runtime.cache_clear()


def _filled(database: Database, vault: Vault, now: datetime, count: int) -> int:
    with database.transaction() as session:
        if session.get(Outlet, "100000") is None:
            session.add(Outlet(code="100000", name="总公司", kind="head_office", updated_at=now))
            session.flush()
        list_id = people(session, vault, count, now)
        letters.post(session, vault=vault, to="guest@example.com", subject="一", text="二", now=now)
    return list_id


def _sound(session: Session, vault: Vault, count: int) -> None:
    """Every contact opens, stands under the newest key, and is found by its address."""
    rows = list(session.exec(select(Contact)))
    assert len(rows) == count and rotation.stale(session, vault) == 0
    for row in rows:
        address = vault.decrypt(row.email_sealed)
        assert row.email_sealed.startswith(vault.seal_mark)
        assert row.email_index == row.identity == vault.index(EMAIL, address)


def test_every_encrypted_column_is_known_to_the_rotation() -> None:
    named = {
        (table.name, column.name)
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
        if "seal" in column.name
    }
    declared = {(name, column) for name, one in sealed.SEALED.items() for column in one.columns}
    assert named <= declared
    assert {("staff", "email"), ("staff", "second_factor")} <= declared


def test_a_rotation_moves_everything_and_a_second_one_has_nothing_to_do(
    run: Run, settings: Settings, database: Database, now: datetime
) -> None:
    _filled(database, _ring(settings), now, 30)
    done = run(NEW, "rotate")
    assert done.exit_code == 0, done.output
    assert "联系人：30 行" in done.output and "系统邮件：1 行" in done.output
    after = _ring(settings, NEW)
    with database.reading() as session:
        _sound(session, after, 30)
        (letter,) = session.exec(select(Letter))
        assert letter.to_index == after.index("email", "guest@example.com")
        (record,) = session.exec(select(AuditRecord).where(AuditRecord.action == "privacy.rotate"))
        assert record.after["rows"] == {"联系人": 30, "系统邮件": 1} and record.via == "command"
    again = run(NEW, "rotate")
    assert again.exit_code == 0 and "没有要做的" in again.output
    assert "不再需要" in run(f"{NEWER},{NEW}", "rotate").output
    with database.reading() as session:
        _sound(session, _ring(settings, NEWER), 30)


def test_refusals_old_links_and_counted_people_survive(
    run: Run, settings: Settings, database: Database, now: datetime
) -> None:
    before = _ring(settings)
    list_id = _filled(database, before, now, 5)
    old = [before.index(EMAIL, f"p{number}@example.com") for number in range(1, 6)]
    with database.transaction() as session:
        audience.refuse(session, EMAIL, old[1], via="page", now=now)
        counted = visitor_of(before, old[3])
    assert run(NEW, "rotate").exit_code == 0
    vault = _ring(settings, NEW)
    new = [vault.index(EMAIL, f"p{number}@example.com") for number in range(1, 6)]
    with database.transaction() as session:
        assert audience.is_refused(session, EMAIL, new[1])
        audience.refuse(session, EMAIL, old[2], via="one-click", now=now)  # a link in a letter of last year
        assert audience.is_refused(session, EMAIL, new[2]) and audience.is_refused(session, EMAIL, old[2])
        chosen = {one.address_index for one in Asked(session, EMAIL, list_id).reached()}
        assert chosen == {new[0], new[3], new[4]}
        first = former.firsts(session, new)
        assert visitor_of(vault, first[new[3]]) == counted
    assert run(f"{NEWER},{NEW}", "rotate").exit_code == 0
    newest = _ring(settings, NEWER)
    with database.reading() as session:
        for number in (2, 3):
            assert audience.is_refused(session, EMAIL, newest.index(EMAIL, f"p{number}@example.com"))
        index = newest.index(EMAIL, "p4@example.com")
        assert visitor_of(newest, former.firsts(session, [index])[index]) == counted


def test_refusals_of_erased_people_keep_their_key_and_come_back_with_the_person(
    run: Run, settings: Settings, database: Database, now: datetime
) -> None:
    first = _ring(settings, NEW)
    _filled(database, first, now, 3)
    with database.transaction() as session:
        row = session.exec(
            select(Contact).where(Contact.email_index == first.index(EMAIL, "p1@example.com"))
        ).one()
        audience.refuse_contact(session, row.id or 0, EMAIL, now=now)
        audience.erase(session, row.id or 0)
    told = run(f"{NEWER},{NEW}", "rotate").output
    assert "1 条仍在密钥" in told and first.key_ids[0] in told and "不再需要" not in told
    vault = _ring(settings, NEWER, NEW)
    with database.transaction() as session:
        people(session, vault, 3, now)
        again = vault.index(EMAIL, "p1@example.com")
        assert session.exec(select(Contact).where(Contact.email_index == again)).one()
        assert audience.is_refused(session, EMAIL, again)
        assert list(rotation.kept(session, vault)) == []


def test_between_two_keys_nothing_is_doubled_and_nobody_who_refused_is_written_to(
    settings: Settings, database: Database, now: datetime
) -> None:
    old, new = _ring(settings), _ring(settings, NEW)
    list_id = _filled(database, old, now, 4)
    with database.transaction() as session:
        audience.refuse(session, EMAIL, old.index(EMAIL, "p1@example.com"), via="page", now=now)
    with database.transaction() as session:  # a process with the new ring, before any rotation
        people(session, new, 6, now)
        assert len(list(session.exec(select(Contact)))) == 6
        audience.refuse(session, EMAIL, old.index(EMAIL, "p2@example.com"), via="page", now=now)
        audience.refuse(session, EMAIL, new.index(EMAIL, "p5@example.com"), via="page", now=now)
        found = Asked(session, EMAIL, list_id)
        assert found.left_out().refused == 3 and len(found.reached()) == 3


def test_a_missing_key_is_said_and_loses_nothing(
    run: Run, settings: Settings, database: Database, now: datetime
) -> None:
    _filled(database, _ring(settings, NEW), now, 4)
    failed = run(NEWER, "rotate")
    assert failed.exit_code == 1 and "4 行打不开" in failed.output
    held = run(NEWER, "keys").output
    assert "打不开" in held and _ring(settings, NEW).key_ids[0] in held
    assert run(f"{NEWER}\n{NEW}", "rotate").exit_code == 0
    with database.reading() as session:
        _sound(session, _ring(settings, NEWER), 4)


def test_a_person_doubled_by_a_process_with_the_old_ring_is_named_and_stops_nobody(
    run: Run, settings: Settings, database: Database, now: datetime
) -> None:
    _filled(database, _ring(settings), now, 3)
    assert run(NEW, "rotate").exit_code == 0
    with database.transaction() as session:
        people(
            session, _ring(settings), 4, now, name="旧进程的名单"
        )  # knows only the old key: doubles three people
    again = run(NEW, "rotate", "--batch", "50")
    assert again.exit_code == 1 and "3 行与同一个人的另一行重复" in again.output
    assert "联系人：1 行" in again.output


def test_killed_again_and_again_it_ends_where_one_run_ends(
    settings: Settings, database: Database, now: datetime
) -> None:
    count = 1200
    before, after = _ring(settings), _ring(settings, NEW)
    list_id = _filled(database, before, now, count)
    with database.transaction() as session:
        for number in range(10, count + 1, 10):
            audience.refuse(
                session, EMAIL, before.index(EMAIL, f"p{number}@example.com"), via="page", now=now
            )
    left, kills = count, 0
    while kills < 3:
        process = _rotating(settings)
        while process.poll() is None and _stale(database, after) > left - count // 5:
            time.sleep(0.01)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait(30)
        left = _stale(database, after)
        assert 0 < left < count, "the kill came in the middle"
    assert _rotating(settings).wait(120) == 0
    with database.reading() as session:
        _sound(session, after, count)
        found = Asked(session, EMAIL, list_id)
        assert found.left_out().refused == count // 10
        assert len(found.reached()) == count - count // 10
        assert len(list(session.exec(select(FormerIndex)))) == 2 * count, "an e-mail and a webhook each"


def test_deliveries_of_an_address_go_along(
    run: Run, settings: Settings, database: Database, now: datetime
) -> None:
    vault = _ring(settings)
    list_id = _filled(database, vault, now, 1)
    index = vault.index(EMAIL, "p1@example.com")
    with database.transaction() as session:
        number = _delivered(session, plan(session, list_id, now).id or 0, index, now)
    assert run(NEW, "rotate").exit_code == 0
    with database.reading() as session:
        assert session.get_one(Delivery, number).address_index == _ring(settings, NEW).index(
            EMAIL, "p1@example.com"
        )


def test_retention_says_what_is_due_and_clears_it_once(
    run: Run, settings: Settings, database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    _filled(database, _ring(settings), now, 3)
    with database.transaction() as session:
        gone = session.exec(select(Contact).order_by(col(Contact.id))).first()
        assert gone is not None
        session.execute(delete(Consent).where(col(Consent.contact_id) == gone.id))
    shown = run("", "retention", "--dry-run")
    assert shown.exit_code == 0 and "第四十七条" in shown.output
    assert _idle(database) == 3, "a dry run clears nothing"
    monkeypatch.setenv("SIGNPOST_RETENTION", "contact.idle=1")
    assert "本机构设定" in run("", "retention").output
    assert _idle(database) == 2
    with database.reading() as session:
        records = session.exec(select(AuditRecord).where(AuditRecord.action == "privacy.retention"))
        assert [one.after.get("contact.idle") for one in records] == [1]
    assert "已清除 0 项" in run("", "retention").output
    monkeypatch.setenv("SIGNPOST_RETENTION", "session=30")
    assert "少于应保存的 180 天" in run("", "retention").output
    monkeypatch.setenv("SIGNPOST_RETENTION", "nonsense=30")
    assert "没有 nonsense" in run("", "retention").output


def _idle(database: Database) -> int:
    with database.reading() as session:
        return len(list(session.exec(select(Contact))))


def _delivered(session: Session, plan_id: int, index: str, now: datetime) -> int:
    """A row of a push, as the planner writes it."""
    push = Push(plan_id=plan_id, due_at=now, state=PushState.done, list_id=1, channel="email", created_at=now)
    session.add(push)
    session.flush()
    batch = Batch(
        key="b1",
        push_id=push.id or 0,
        number=1,
        size=1,
        channel="email",
        state=BatchState.sent,
        not_before=now,
    )
    session.add(batch)
    session.flush()
    row = Delivery(
        key="d1",
        push_id=push.id or 0,
        batch_id=batch.id or 0,
        contact_id=1,
        address_index=index,
        state="sent",
    )
    session.add(row)
    session.flush()
    return row.id or 0


def _rotating(settings: Settings) -> "subprocess.Popen[bytes]":
    """`signpost privacy rotate` in a process of its own, in small batches."""
    environment = {
        **os.environ,
        "SIGNPOST_HOME": str(settings.home),
        "SIGNPOST_DATABASE_URL": settings.database_url,
        "SIGNPOST_SECRET_KEY": "test-secret-of-no-value",
        "SIGNPOST_PRIVACY_KEYS": NEW,
    }
    command = [
        sys.executable,
        "-c",
        "from webapp.cli import main; main()",
        "privacy",
        "rotate",
        "--batch",
        "10",
    ]
    return forked.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)


def _stale(database: Database, vault: Vault) -> int:
    with database.reading() as session:
        return rotation.stale(session, vault)


def test_refusals_given_while_keys_change_are_all_heard(
    settings: Settings, database: Database, now: datetime
) -> None:
    count = 240
    before, after = _ring(settings), _ring(settings, NEW)
    list_id = _filled(database, before, now, count)
    old = [before.index(EMAIL, f"p{number}@example.com") for number in range(1, count + 1)]
    start = threading.Barrier(5)

    def refuse(part: list[str]) -> None:
        start.wait(10)
        for index in part:
            with database.transaction() as session:
                audience.refuse(session, EMAIL, index, via="one-click", now=now)

    threads = [threading.Thread(target=refuse, args=(old[turn::8],)) for turn in range(4)]
    for thread in threads:
        thread.start()
    start.wait(10)
    rotation.rotate(database, after, batch=7)
    for thread in threads:
        thread.join(120)
    with database.reading() as session:
        _sound(session, after, count)
        found = Asked(session, EMAIL, list_id)
        assert found.left_out().refused == count // 2 and len(found.reached()) == count // 2
