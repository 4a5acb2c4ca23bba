"""content.lifecycle: a revision never changes, a second person approves, one version is on the site."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from content import history, lifecycle
from content.models import PageGeneration, State
from core.database import Database
from core.errors import Conflict, Invalid, NotAllowed
from tests.content import pieces
from tracking.models import Dimension

FROZEN = [
    "text = 'changed'",
    "hash = 'changed'",
    "meta = '{}'",
    "media = '{}'",
    "number = 9",
    "piece_key = 'other'",
    "author_id = 2",
    "created_at = '2020-01-01 00:00:00'",
]


def generation(session: Session) -> int:
    return session.exec(select(PageGeneration.value)).first() or 0


def run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("change", FROZEN)
def test_the_database_refuses_to_change_a_revision(database: Database, now: datetime, change: str) -> None:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        pieces.to_the_site(session, pieces.text(), editor, reviewer, now)
    with pytest.raises(DBAPIError, match="never changes"), database.transaction() as session:
        session.execute(sql(f"UPDATE revision SET {change}"))


def test_the_database_refuses_to_delete_a_revision(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, _reviewer = pieces.people(session, now)
        pieces.saved(session, pieces.text(), editor.id or 0, now)
    with pytest.raises(DBAPIError, match="never changes"), database.transaction() as session:
        session.execute(sql("DELETE FROM revision"))


def test_the_same_content_makes_no_new_revision(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, _reviewer = pieces.people(session, now)
        first = pieces.saved(session, pieces.text(), editor.id or 0, now)
        again = lifecycle.save(session, pieces.draft(pieces.text()), by=editor.id or 0, now=now)
        changed = pieces.saved(session, pieces.text(body="## 改了\n"), editor.id or 0, now)
    assert again is None
    assert (first.number, changed.number) == (1, 2)


def test_a_piece_keeps_its_kind(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, _reviewer = pieces.people(session, now)
        pieces.saved(session, pieces.text(), editor.id or 0, now)
        with pytest.raises(Invalid):
            lifecycle.save(session, pieces.draft(pieces.text(kind="guide")), by=editor.id or 0, now=now)


def test_who_began_with_an_older_revision_is_told(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, _reviewer = pieces.people(session, now)
        by = editor.id or 0
        pieces.saved(session, pieces.text(), by, now)
        pieces.saved(session, pieces.text(body="## 二\n"), by, now)
        with pytest.raises(Conflict):
            lifecycle.save(session, pieces.draft(pieces.text(body="## 三\n")), by=by, now=now, base=1)
        assert lifecycle.save(session, pieces.draft(pieces.text(body="## 三\n")), by=by, now=now, base=2)


def test_the_way_to_the_site_and_off_it(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        assert lifecycle.published(session, "stop-first") is None
        before = generation(session)
        pieces.to_the_site(session, pieces.text(), editor, reviewer, now)
        shown = lifecycle.published(session, "stop-first")
        assert shown is not None
        assert (shown.title, shown.first_published_at, shown.url) == ("先停一停", now, "/p/stop-first")
        assert generation(session) == before + 1
        assert session.exec(select(Dimension.name).where(Dimension.key == "stop-first")).one() == "先停一停"
        with pytest.raises(Invalid):
            lifecycle.withdraw(session, "stop-first", by=editor.id or 0, now=now, reason=" ")
        lifecycle.withdraw(session, "stop-first", by=editor.id or 0, now=now, reason="数字有误")
        assert lifecycle.published(session, "stop-first") is None
        assert lifecycle.published_list(session) == []
        assert generation(session) == before + 2
        actions = [step.action for step, _number in history.steps(session, "stop-first")]
    assert actions == ["withdrawn", "published", "approved", "submitted"]


def test_nobody_approves_their_own(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, _reviewer = pieces.people(session, now)
        revision = pieces.saved(session, pieces.text(), editor.id or 0, now)
        lifecycle.submit(session, revision.id or 0, by=editor.id or 0, now=now)
        with pytest.raises(NotAllowed):
            lifecycle.approve(session, revision.id or 0, by=editor.id or 0, now=now)
        assert history.get(session, revision.id or 0).state == State.submitted


def test_what_was_not_approved_is_not_published(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        by = editor.id or 0
        revision = pieces.saved(session, pieces.text(), by, now)
        with pytest.raises(Invalid):
            lifecycle.publish(session, revision.id or 0, by=by, now=now)
        lifecycle.submit(session, revision.id or 0, by=by, now=now)
        lifecycle.reject(session, revision.id or 0, by=reviewer.id or 0, now=now, opinion="期限写错了")
        assert revision.state == State.draft
        with pytest.raises(Invalid):
            lifecycle.publish(session, revision.id or 0, by=by, now=now)


def test_a_state_set_by_hand_does_not_replace_the_approval(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, _reviewer = pieces.people(session, now)
        revision = pieces.saved(session, pieces.text(), editor.id or 0, now)
        session.execute(sql("UPDATE revision SET state = 'approved'"))
        session.refresh(revision)
        with pytest.raises(Invalid):
            lifecycle.publish(session, revision.id or 0, by=editor.id or 0, now=now)


def test_the_approval_of_one_revision_does_not_cover_the_next(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        pieces.to_the_site(session, pieces.text(), editor, reviewer, now)
        changed = pieces.saved(session, pieces.text(body="## 别的\n"), editor.id or 0, now)
        with pytest.raises(Invalid):
            lifecycle.publish(session, changed.id or 0, by=editor.id or 0, now=now)


def test_a_newer_revision_takes_the_place_of_the_older(database: Database, now: datetime) -> None:
    later = now + timedelta(days=1)
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        first = pieces.to_the_site(session, pieces.text(), editor, reviewer, now)
        pieces.to_the_site(session, pieces.text(more="minutes: 4\n"), editor, reviewer, later)
        session.refresh(first)
        shown = lifecycle.published(session, "stop-first")
        assert shown is not None
        assert (first.state, shown.minutes) == (State.superseded, 4)
        assert (shown.first_published_at, shown.published_at) == (now, later)


def test_the_database_lets_only_one_revision_be_published(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, _reviewer = pieces.people(session, now)
        pieces.saved(session, pieces.text(), editor.id or 0, now)
        pieces.saved(session, pieces.text(body="## 二\n"), editor.id or 0, now)
    with pytest.raises(DBAPIError), database.transaction() as session:
        session.execute(sql("UPDATE revision SET state = 'published'"))


def test_submitting_again_takes_ones_own_older_request_back(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        by = editor.id or 0
        first = pieces.saved(session, pieces.text(), by, now)
        lifecycle.submit(session, first.id or 0, by=by, now=now)
        second = pieces.saved(session, pieces.text(body="## 二\n"), by, now)
        lifecycle.submit(session, second.id or 0, by=by, now=now)
        session.refresh(first)
        assert (first.state, second.state) == (State.draft, State.submitted)
        with pytest.raises(Conflict):
            lifecycle.approve(session, first.id or 0, by=reviewer.id or 0, now=now)


def test_only_the_newest_is_submitted_and_taken_back_by_its_submitter(
    database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        by = editor.id or 0
        first = pieces.saved(session, pieces.text(), by, now)
        second = pieces.saved(session, pieces.text(body="## 二\n"), by, now)
        with pytest.raises(Conflict):
            lifecycle.submit(session, first.id or 0, by=by, now=now)
        lifecycle.submit(session, second.id or 0, by=by, now=now)
        with pytest.raises(NotAllowed):
            lifecycle.take_back(session, second.id or 0, by=reviewer.id or 0, now=now)
        lifecycle.take_back(session, second.id or 0, by=by, now=now)
        assert second.state == State.draft


def test_of_two_who_publish_at_once_one_succeeds(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        by = editor.id or 0
        revision = pieces.saved(session, pieces.text(), by, now)
        lifecycle.submit(session, revision.id or 0, by=by, now=now)
        lifecycle.approve(session, revision.id or 0, by=reviewer.id or 0, now=now)
        number = revision.id or 0
    start, outcomes = threading.Barrier(4), []

    def work() -> None:
        start.wait()
        try:
            with database.transaction() as mine:
                lifecycle.publish(mine, number, by=by, now=now)
            outcomes.append("done")
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=work) for _ in range(4)]
    run(threads)
    assert sorted(outcomes) == ["conflict"] * 3 + ["done"]


def test_two_who_write_at_once_both_get_a_number(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, _reviewer = pieces.people(session, now)
        by = editor.id or 0
        pieces.saved(session, pieces.text(), by, now)

    def work(name: int) -> None:
        for at in range(5):
            with database.transaction() as mine:
                lifecycle.save(mine, pieces.draft(pieces.text(body=f"## {name}-{at}\n")), by=by, now=now)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(3)]
    run(threads)
    with database.reading() as session:
        numbers = [revision.number for revision in history.revisions(session, "stop-first")]
    assert numbers == list(range(16, 0, -1))


def test_the_diary_stands_in_its_order(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        for key, number, season in (("c", 1, 2), ("b", 2, 1), ("a", 1, 1)):
            more = f"number: {number}\nseason: {season}\n"
            pieces.to_the_site(session, pieces.text(key, kind="diary", more=more), editor, reviewer, now)
        assert [one.key for one in lifecycle.published_list(session, "diary")] == ["a", "b", "c"]


def test_what_was_withdrawn_comes_back_only_through_another_review(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        by = editor.id or 0
        revision = pieces.to_the_site(session, pieces.text(), editor, reviewer, now)
        lifecycle.withdraw(session, "stop-first", by=by, now=now, reason="先撤下核对")
        with pytest.raises(Conflict):
            lifecycle.publish(session, revision.id or 0, by=by, now=now)
        pieces.onward(session, revision, editor, reviewer, now)
        assert lifecycle.published(session, "stop-first") is not None


def test_two_approved_revisions_published_at_once_leave_one(database: Database, now: datetime) -> None:
    numbers = []
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        by = editor.id or 0
        for body in ("## 一\n", "## 二\n"):
            revision = pieces.saved(session, pieces.text(body=body), by, now)
            lifecycle.submit(session, revision.id or 0, by=by, now=now)
            lifecycle.approve(session, revision.id or 0, by=reviewer.id or 0, now=now)
            numbers.append(revision.id or 0)
    start, outcomes = threading.Barrier(2), []

    def work(number: int) -> None:
        start.wait()
        with database.transaction() as mine:
            lifecycle.publish(mine, number, by=by, now=now)
        outcomes.append(number)

    run([threading.Thread(target=work, args=(number,)) for number in numbers])
    with database.reading() as session:
        states = sorted(one.state for one in history.revisions(session, "stop-first"))
    assert sorted(outcomes) == numbers
    assert states == ["published", "superseded"]
