"""content.guard: by raw SQL nothing comes to the site that others did not approve, and no review changes afterwards."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from content import history, lifecycle
from content.models import State
from core.database import Database
from institution.models import Staff
from tests.content import pieces

TO_THE_SITE = "UPDATE revision SET state = 'published' WHERE piece_key = 'stop-first'"
ANOTHER = "approval_step WHERE approval_id IN (SELECT id FROM approval WHERE kind = 'content.publish')"
INSERTED = """INSERT INTO revision (piece_key, number, text, meta, media, hash, author_id, created_at, state)
    SELECT piece_key, number + 5, text, meta, media, hash, author_id, created_at, 'published' FROM revision"""
FORGED = """INSERT INTO approval (kind, subject, subject_hash, title, reason, outlet_code, requested_by, requested_at,
    current_step, decision, decided_by, decided_at, opinion)
    SELECT kind, subject, subject_hash, title, reason, outlet_code, requested_by, requested_at, 1, 'approved', {by},
    requested_at, '' FROM approval"""


def refused(database: Database, *statements: str, match: str) -> None:
    with pytest.raises(DBAPIError, match=match), database.transaction() as session:
        for statement in statements:
            session.execute(sql(statement))


def submitted(session: Session, now: datetime) -> tuple[Staff, Staff, int]:
    editor, reviewer = pieces.people(session, now)
    revision = pieces.saved(session, pieces.text(), editor.id or 0, now)
    lifecycle.submit(session, revision.id or 0, by=editor.id or 0, now=now)
    return editor, reviewer, revision.id or 0


def approved(database: Database, now: datetime) -> tuple[int, int, int]:
    with database.transaction() as session:
        editor, reviewer, number = submitted(session, now)
        lifecycle.approve(session, number, by=reviewer.id or 0, now=now)
        return editor.id or 0, reviewer.id or 0, number


def test_control_what_others_approved_is_published_by_sql_too(database: Database, now: datetime) -> None:
    approved(database, now)
    with database.transaction() as session:
        session.execute(sql(TO_THE_SITE))
    with database.reading() as session:
        assert history.published_revision(session, "stop-first") is not None


def test_what_nobody_approved_is_not_published_by_sql(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        _editor, reviewer, _number = submitted(session, now)
        other = reviewer.id or 0
    by_hand = "UPDATE revision SET state = 'approved'"
    refused(database, TO_THE_SITE, match="only a reviewed revision")
    refused(database, by_hand, TO_THE_SITE, match="only a reviewed revision")
    refused(database, INSERTED, match="begins as a draft")
    refused(database, INSERTED.replace("'published'", "'approved'"), match="begins as a draft")
    refused(database, FORGED.format(by=other), match="a review never changes")
    # a request that was called approved while its steps were not
    lie = f"UPDATE approval SET decision = 'approved', decided_by = {other}, decided_at = requested_at"
    refused(database, lie, by_hand, TO_THE_SITE, match="only a reviewed revision")
    # one's own approval is refused by the table itself, as before
    own = "UPDATE approval SET decision = 'approved', decided_by = requested_by, decided_at = requested_at"
    refused(database, own, match="four_eyes")


def test_a_review_of_one_hash_does_not_cover_another(database: Database, now: datetime) -> None:
    editor, _reviewer, number = approved(database, now)
    with database.transaction() as session:
        changed = pieces.saved(session, pieces.text(body="## 别的\n"), editor, now)
        session.execute(sql(f"UPDATE revision SET state = 'approved' WHERE id = {changed.id}"))
        mine = history.get(session, number).hash
    refused(
        database,
        f"UPDATE revision SET state = 'published' WHERE id = {changed.id}",
        match="only a reviewed revision",
    )
    refused(database, f"UPDATE approval SET subject_hash = '{changed.hash}'", match="a review never changes")
    refused(
        database,
        f"UPDATE revision SET hash = '{mine}' WHERE id = {changed.id}",
        match="a revision never changes",
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE approval SET subject = 'other'",
        "UPDATE approval SET kind = 'other'",
        "UPDATE approval SET requested_by = decided_by",
        "UPDATE approval SET decision = 'rejected'",
        "UPDATE approval SET opinion = 'fine'",
        "UPDATE approval_step SET decision = 'rejected'",
        f"DELETE FROM {ANOTHER}",
        "DELETE FROM approval",
        "UPDATE revision_step SET action = 'other'",
        "DELETE FROM revision_step",
    ],
)
def test_what_was_decided_stays_as_it_was(database: Database, now: datetime, statement: str) -> None:
    approved(database, now)
    refused(database, statement, match="a review never changes")


def test_what_was_withdrawn_is_not_put_back_by_its_old_review(database: Database, now: datetime) -> None:
    editor, reviewer, number = approved(database, now)
    later = now + timedelta(hours=1)
    with database.transaction() as session:
        lifecycle.publish(session, number, by=editor, now=now)
        lifecycle.withdraw(session, "stop-first", by=editor, now=later, reason="数字有误")
    by_hand = "UPDATE revision SET state = 'approved'"
    refused(database, TO_THE_SITE, match="only a reviewed revision")
    refused(database, by_hand, TO_THE_SITE, match="only a reviewed revision")
    with database.transaction() as session:
        lifecycle.submit(session, number, by=editor, now=later + timedelta(hours=1))
        lifecycle.approve(session, number, by=reviewer, now=later + timedelta(hours=2))
        revision = lifecycle.publish(session, number, by=editor, now=later + timedelta(hours=2))
        assert revision.state == State.published
