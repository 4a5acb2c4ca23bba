"""scheduler.withdrawn: a piece that was taken down stops plans and pushes, before the next batch at the latest."""

from datetime import datetime

import pytest
from sqlmodel import Session, select

from content import history, lifecycle
from core.database import Database
from core.errors import Invalid
from core.privacy import Vault
from institution.models import Staff
from scheduler import pushes, withdrawn
from scheduler.cutting import cut
from scheduler.models import Plan, PlanState, Push, PushState
from tests.content import pieces
from tests.scheduler.audience_cast import activate, people, plan
from webapp import off_site

KEY = "stop-first"


@pytest.fixture
def writers(database: Database, now: datetime) -> tuple[Staff, Staff]:
    """Who writes and who reviews, with a piece of theirs on the site and the plugs of the application."""
    off_site.plug()
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        pieces.to_the_site(session, pieces.text(), editor, reviewer, now)
        return editor, reviewer


def active(session: Session, vault: Vault, now: datetime, **more: str) -> Plan:
    made = plan(session, people(session, vault, 3, now), now, **more)
    activate(session, made, now)
    return made


def pushed(session: Session, one: Plan, now: datetime, state: PushState) -> Push:
    push = Push(
        plan_id=one.id or 0, due_at=now, state=state, piece_key=one.piece_key, subject="一封", body=one.body,
        list_id=one.list_id, channel=one.channel, created_at=now,
        started_at=now if state == PushState.running else None,
    )  # fmt: skip
    session.add(push)
    session.flush()
    return push


def test_plans_and_pushes_stop_with_the_piece_and_go_on_only_after_it_is_back(
    database: Database, vault: Vault, writers: tuple[Staff, Staff], now: datetime
) -> None:
    editor, reviewer = writers
    by = editor.id or 0
    with database.transaction() as session:
        mine = active(session, vault, now, piece_key=KEY)
        push = pushed(session, mine, now, PushState.running)
        assert len(withdrawn.concerned(session, KEY, now)) == 2
        lifecycle.withdraw(session, KEY, by=by, now=now, reason="数字有误")
    with database.transaction() as session:
        stopped, halted = session.get_one(Push, push.id), session.get_one(Plan, mine.id)
        assert (stopped.state, halted.state) == (PushState.paused, PlanState.paused)
        assert stopped.reason == halted.reason == withdrawn.REASON
        with pytest.raises(Invalid):
            pushes.resume(session, push.id or 0, now)
    with database.transaction() as session:
        again = history.newest(session, KEY)
        assert again is not None
        pieces.onward(session, again, editor, reviewer, now)
        pushes.resume(session, push.id or 0, now)


def test_a_link_to_the_piece_in_the_words_counts_and_another_piece_does_not(
    database: Database, vault: Vault, writers: tuple[Staff, Staff], now: datetime
) -> None:
    by = writers[0].id or 0
    with database.transaction() as session:
        linked = active(
            session, vault, now, name="有链接", subject="看", body=f"看 https://x.example/p/{KEY}?a=1 。"
        )
        other = active(
            session, vault, now, name="另一篇", subject="看", body=f"看 https://x.example/p/{KEY}-2 。"
        )
        first, second = (pushed(session, one, now, PushState.running) for one in (linked, other))
        lifecycle.withdraw(session, KEY, by=by, now=now, reason="数字有误")
    with database.reading() as session:
        assert session.get_one(Push, first.id).state == PushState.paused
        assert session.get_one(Push, second.id).state == PushState.running
        assert session.get_one(Plan, other.id).state == PlanState.active


def test_nothing_is_cut_of_a_push_whose_piece_is_gone(
    database: Database, vault: Vault, writers: tuple[Staff, Staff], now: datetime
) -> None:
    with database.transaction() as session:
        mine = active(session, vault, now, piece_key=KEY)
        lifecycle.withdraw(session, KEY, by=writers[0].id or 0, now=now, reason="数字有误")
        push = pushed(session, mine, now, PushState.cutting)
    with database.transaction() as session:
        assert not cut(session, push.id or 0, batch_sizes={"email": 10}, now=now)
    with database.reading() as session:
        found = session.exec(select(Push)).one()
        assert (found.state, found.reason) == (PushState.paused, withdrawn.REASON)
