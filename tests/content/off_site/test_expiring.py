"""content.off_site.expiring: owners are asked ahead, what nobody confirmed comes down, and confirming is a reviewed revision."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from content import history, lifecycle
from content.models import Kind, State
from content.off_site import expiring, policy, withdrawing
from content.off_site.expiring import Keeper
from content.off_site.models import ExpiryNotice
from core.database import Database
from core.errors import Conflict, Invalid
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from institution.letter_models import Letter
from institution.models import Staff
from tests.content import pieces

Run = Callable[[date], int]
REVIEW_BY = date(2026, 10, 15)


@pytest.fixture
def run(settings: Settings, database: Database, now: datetime) -> Run:
    """Look on a day, with a mail server."""
    known = settings.model_copy(update={"smtp_host": "127.0.0.1", "mail_from": "desk@example.org"})
    vault = Vault(Keys(load_secret(settings)), settings.privacy_ring)
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        for one in (editor, reviewer):
            one.email = vault.encrypt(f"{one.login}@example.org")
            session.add(one)

    def look(day: date) -> int:
        return Keeper(known, database, vault, lambda: now + (day - now.date())).run_once()

    return look


def published(session: Session, key: str, kind: str, now: datetime, more: str = "") -> None:
    editor, reviewer = (
        session.exec(select(Staff).where(Staff.login == login)).one()
        for login in ("lin.editor", "zhou.reviewer")
    )
    given = pieces.text(key, kind=kind, more=f"review_by: {REVIEW_BY}\n{more}")
    pieces.to_the_site(session, given, editor, reviewer, now)


def test_every_kind_has_its_terms() -> None:
    assert set(policy.policy().kinds) == set(Kind)


def test_owners_are_asked_once_ahead_and_what_is_over_comes_down(
    run: Run, database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        published(session, "graphic", "long_graphic", now)
        published(session, "way", "guide", now)
    days: list[Any] = [-31, -30, -29, -7, 0, 13]
    letters = [run(REVIEW_BY + timedelta(days=one)) for one in days]
    assert letters == [0, 2, 0, 2, 2, 0], "30, 7 and 0 days ahead, once each"
    with database.reading() as session:
        assert len(session.exec(select(ExpiryNotice)).all()) == 6
        assert len(session.exec(select(Letter)).all()) == 6
        assert history.published_revision(session, "graphic") is not None
    assert run(REVIEW_BY + timedelta(days=14)) == 1
    assert run(REVIEW_BY + timedelta(days=15)) == 0
    with database.reading() as session:
        assert history.published_revision(session, "graphic") is None
        assert history.published_revision(session, "way") is not None, "a guide stays and its owner is asked"
        gone = withdrawing.last(session, "graphic")
        assert gone is not None and gone.cause == withdrawing.EXPIRED
        assert session.get_one(Staff, gone.by).system


def test_saying_that_it_is_still_true_is_a_revision_that_others_review(
    run: Run, database: Database, now: datetime
) -> None:
    today, later = now.date(), REVIEW_BY + timedelta(days=200)
    with database.transaction() as session:
        published(session, "graphic", "long_graphic", now)
        editor = session.exec(select(Staff).where(Staff.login == "lin.editor")).one()
        reviewer = session.exec(select(Staff).where(Staff.login == "zhou.reviewer")).one()
        by = editor.id or 0
        with pytest.raises(Invalid):
            expiring.confirm(session, "graphic", today, by=by, now=now, today=today)
        with pytest.raises(Conflict):
            expiring.confirm(session, "nothing", later, by=by, now=now, today=today)
        revision = expiring.confirm(session, "graphic", later, by=by, now=now, today=today)
        before = history.by_number(session, "graphic", 1)
        assert revision.text == before.text.replace(str(REVIEW_BY), str(later))
        assert revision.state == State.submitted
    # while others look at it, it stays; but not for ever
    assert run(REVIEW_BY + timedelta(days=14)) >= 0
    with database.transaction() as session:
        assert history.published_revision(session, "graphic") is not None
        lifecycle.approve(session, revision.id or 0, by=reviewer.id or 0, now=now)
        lifecycle.publish(session, revision.id or 0, by=by, now=now)
    assert run(REVIEW_BY + timedelta(days=40)) == 0
    with database.reading() as session:
        assert history.published_revision(session, "graphic") is not None


def test_a_review_that_takes_too_long_keeps_nothing_on_the_site(
    run: Run, database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        published(session, "graphic", "long_graphic", now)
        editor = session.exec(select(Staff).where(Staff.login == "lin.editor")).one()
        later = REVIEW_BY + timedelta(days=200)
        expiring.confirm(session, "graphic", later, by=editor.id or 0, now=now, today=now.date())
    run(REVIEW_BY + timedelta(days=28))
    with database.reading() as session:
        assert history.published_revision(session, "graphic") is None
