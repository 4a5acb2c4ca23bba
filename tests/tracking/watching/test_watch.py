"""Each day is looked at once, after it is over, by one process; who asked for it is written to once."""

import json
import os
import threading
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import col, select

from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution.letter_models import Letter
from institution.models import Staff
from tests import factories
from tests.factories import BRANCH_MANAGER, EDITOR, OUTLET_A, OUTSIDE_OUTLET, OUTSIDER
from tests.tracking.watching.days import DAY, visit, weeks
from tracking.files import SEALED
from tracking.spool import SEGMENT
from tracking.store import ReachStore
from tracking.watching import watch
from tracking.watching.models import ReachAlarm, ReachWatch
from tracking.watching.watch import Watch

MORNING = datetime(2026, 9, 15, 22, 5, tzinfo=UTC)  # 6:05 in Shanghai on the 16th


@dataclass
class Post:
    """An installation with a mail server's address, and its clock."""

    settings: Settings
    database: Database
    store: ReachStore
    vault: Vault
    at: datetime = MORNING

    @property
    def watch(self) -> Watch:
        return Watch(self.settings, self.database, self.store, self.vault, lambda: self.at)

    def days(self) -> list[date]:
        with self.database.reading() as session:
            rows = session.exec(select(ReachWatch).order_by(col(ReachWatch.day)))
            return [one.day for one in rows]

    def letters(self) -> dict[str, str]:
        """What is in the outbox, by address; each address once."""
        with self.database.reading() as session:
            packed = [json.loads(self.vault.decrypt(one.sealed)) for one in session.exec(select(Letter))]
        found = {one["to"]: f"{one['subject']}\n{one['text']}" for one in packed}
        assert len(found) == len(packed)
        return found


@pytest.fixture
def post(settings: Settings, database: Database, store: ReachStore, now: datetime) -> Post:
    mailing = settings.model_copy(update={"smtp_host": "127.0.0.1", "mail_from": "a@example.com"})
    found = Post(mailing, database, store, Vault(Keys(b"of-no-value")))
    with database.transaction() as session:
        factories.tree(session, now)
        for login in (EDITOR, BRANCH_MANAGER, OUTSIDER):
            account = factories.staff(session, login, now)
            account.email = found.vault.encrypt(f"{login}@example.com")
            session.add(account)
            watch.subscribe(session, account.id or 0, wanted=True, now=now)
    visit(store, OUTLET_A, "outlet", weeks(9, [40] * 7, but={DAY: 0}))
    visit(store, OUTSIDE_OUTLET, "outlet", weeks(9, [40] * 7, but={DAY: 900}))
    visit(store, "", "web", weeks(9, [5_000] * 7))
    return found


def test_each_morning_once(post: Post) -> None:
    post.at = MORNING - timedelta(minutes=10)
    assert post.watch.run_once() == 0 and post.days() == [], "not before the hour"
    post.at = MORNING
    assert post.watch.run_once() > 0 and post.days() == [DAY]
    assert post.watch.run_once() == 0 and post.days() == [DAY]
    assert set(post.letters()) == {f"{login}@example.com" for login in (EDITOR, BRANCH_MANAGER, OUTSIDER)}


def test_everybody_reads_of_their_part(post: Post) -> None:
    post.watch.run_once()
    said = post.letters()
    own, other, whole = (said[f"{login}@example.com"] for login in (BRANCH_MANAGER, OUTSIDER, EDITOR))
    assert "静默：西湖文三路柜面，1 天没有人访问，平常这些天约有 40 次" in own and "锦江" not in own
    assert "突增：锦江春熙路柜面，2026-09-15 有 900 次访问，平常约 40 次" in other and "西湖" not in other
    assert "西湖文三路柜面" in whole and "锦江春熙路柜面" in whole and "/desk/reach/alarms" in whole


def test_nobody_who_left_closed_or_lost_their_powers(post: Post, now: datetime) -> None:
    with post.database.transaction() as session:
        people = {one.login: one for one in session.exec(select(Staff))}
        watch.subscribe(session, people[EDITOR].id or 0, wanted=False, now=now)
        people[BRANCH_MANAGER].active = False
        session.add(people[BRANCH_MANAGER])
        complaints = factories.person(session, "ma.hear", "马受理", "complaint_handler", now)
        complaints.email = post.vault.encrypt("ma.hear@example.com")
        session.add(complaints)
        watch.subscribe(session, complaints.id or 0, wanted=True, now=now)
    assert post.watch.run_once() > 0
    assert set(post.letters()) == {f"{OUTSIDER}@example.com"}


def test_nothing_new_no_letter_and_without_a_server_none(post: Post) -> None:
    silent = replace(post, settings=post.settings.model_copy(update={"smtp_host": ""}))
    assert silent.watch.run_once() > 0 and post.letters() == {}
    post.at += timedelta(days=1)
    visit(post.store, "", "web", {DAY + timedelta(days=1): 5_000}, name="next")
    visit(post.store, OUTSIDE_OUTLET, "outlet", {DAY + timedelta(days=1): 40}, name="next")
    assert post.watch.run_once() == 0
    assert post.letters() == {} and post.days() == [DAY, DAY + timedelta(days=1)]
    with post.database.reading() as session:
        over = {one.kind: one.over_on for one in session.exec(select(ReachAlarm))}
    assert over == {"silence": None, "spike": DAY + timedelta(days=1)}


def test_what_was_missed_is_made_up_for_but_not_last_month(post: Post) -> None:
    post.watch.run_once()
    post.at = MORNING + timedelta(days=4)
    post.watch.run_once()
    assert post.days() == [DAY + timedelta(days=number) for number in range(5)]
    post.at = MORNING + timedelta(days=40)
    post.watch.run_once()
    assert post.days()[5:] == [DAY + timedelta(days=number) for number in range(34, 41)]


def test_while_the_spool_waits_nothing_is_called_silent(post: Post) -> None:
    waiting = post.settings.spool_dir / f"{SEGMENT}waiting{SEALED}"
    waiting.parent.mkdir(parents=True, exist_ok=True)
    waiting.write_text("x")
    written = (MORNING - timedelta(hours=2)).timestamp()
    os.utime(waiting, (written, written))
    assert post.watch.run_once() == 0 and post.days() == []
    waiting.unlink()
    assert post.watch.run_once() > 0


def test_of_many_processes_one_does_it(post: Post) -> None:
    """Threads with connections of their own stand for them: all have looked before any enters."""
    gate, found = threading.Barrier(4), list[int]()

    class Together(Watch):
        def _watch(self, day: date, now: datetime) -> int:
            gate.wait()
            return super()._watch(day, now)

    def work() -> None:
        database = Database(post.database.url)
        mine = Together(post.settings, database, post.store, post.vault, lambda: post.at)
        found.append(mine.run_once())
        database.close()

    threads = [threading.Thread(target=work) for _number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(found)[:3] == [0, 0, 0] and sorted(found)[3] > 0
    assert post.days() == [DAY] and len(post.letters()) == 3
