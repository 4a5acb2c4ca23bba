"""Errors stop the way to review; warnings may be left with a reason, for exactly one revision, seen by the reviewer."""

from datetime import datetime

import pytest
from sqlmodel import Session, select

from content import lifecycle, review
from content.check import overruling, report
from content.check.findings import Severity
from content.check.models import Overruling
from content.faults import Faulty
from content.models import Revision
from core.database import Database
from core.errors import Conflict, DomainError, Invalid, NotFound
from institution import approvals
from institution.audit_models import AuditRecord
from institution.models import Staff
from tests.content import pieces

URGING = "## 讲座\n\n名额有限，先到先得。\n\n问一问，再转账。\n"
PROMISING = "## 产品\n\n我们的产品保本保息。\n"


@pytest.fixture
def people(database: Database, now: datetime) -> tuple[Staff, Staff]:
    with database.transaction() as session:
        return pieces.people(session, now)


def draft(session: Session, body: str, by: Staff, now: datetime) -> Revision:
    return pieces.saved(session, pieces.text(body=body), by.id or 0, now)


def leave(
    session: Session, revision: Revision, by: Staff, now: datetime, reason: str = "讲座场地只有四十个座位"
) -> None:
    mark = overruling.findings(session, revision, now.date())[0].mark
    overruling.overrule(session, revision, mark, reason=reason, by=by.id or 0, now=now, on=now.date())


def leave_all(session: Session, revision: Revision, by: Staff, now: datetime) -> None:
    for one in overruling.findings(session, revision, now.date()):
        if one.is_open:
            overruling.overrule(
                session, revision, one.mark, reason="讲座确实要领号", by=by.id or 0, now=now, on=now.date()
            )


def test_an_error_stops_the_way_to_review_and_names_line_and_way_out(
    database: Database, people: tuple[Staff, Staff], now: datetime
) -> None:
    with database.transaction() as session:
        revision = draft(session, PROMISING, people[0], now)
        with pytest.raises(Faulty) as refused:
            lifecycle.submit(session, revision.id or 0, by=people[0].id or 0, now=now)
        assert revision.state == "draft"
        assert approvals.open_request(session, kind=review.APPROVAL_KIND, subject="stop-first") is None
    assert "第 9 行" in str(refused.value)
    assert "保本" in str(refused.value)


def test_an_error_cannot_be_left(database: Database, people: tuple[Staff, Staff], now: datetime) -> None:
    with database.transaction() as session:
        revision = draft(session, PROMISING, people[0], now)
        assert overruling.findings(session, revision, now.date())[0].severity is Severity.error
        with pytest.raises(Invalid):
            leave(session, revision, people[0], now)
        assert session.exec(select(Overruling)).all() == []


@pytest.mark.parametrize("reason", ["", "   ", "好的"])
def test_a_warning_is_left_only_with_a_reason(
    database: Database, people: tuple[Staff, Staff], now: datetime, reason: str
) -> None:
    with database.transaction() as session:
        revision = draft(session, URGING, people[0], now)
        with pytest.raises(Invalid):
            leave(session, revision, people[0], now, reason)


def test_a_reason_is_kept_with_who_when_and_the_hash_and_the_reviewer_sees_it(
    database: Database, people: tuple[Staff, Staff], now: datetime
) -> None:
    with database.transaction() as session:
        revision = draft(session, URGING, people[0], now)
        found = overruling.findings(session, revision, now.date())
        assert len(found) == 2
        leave(session, revision, people[0], now)
        kept = session.exec(select(Overruling)).one()
        assert (kept.revision_hash, kept.by, kept.at) == (revision.hash, people[0].id, now)
        assert any("编辑没有说明理由" in said for _label, said in report.lines(session, revision, now.date()))
        with pytest.raises(Faulty):
            lifecycle.submit(session, revision.id or 0, by=people[0].id or 0, now=now)
        leave_all(session, revision, people[0], now)
        request = lifecycle.submit(session, revision.id or 0, by=people[0].id or 0, now=now)
        facts = review._facts(session, request)
        assert list(facts[-3:]) == report.lines(session, revision, now.date())
        shown = "\n".join(f"{label} {value}" for label, value in facts)
        assert f"保留理由（{people[0].name}）：讲座场地只有四十个座位" in shown
        assert "编辑没有说明理由" not in shown
    with database.reading() as session:
        actions = [(one.action, one.note) for one in session.exec(select(AuditRecord))]
    assert ("piece.overrule", "讲座场地只有四十个座位") in actions


def test_a_reason_belongs_to_one_revision_alone(
    database: Database, people: tuple[Staff, Staff], now: datetime
) -> None:
    with database.transaction() as session:
        first = draft(session, URGING, people[0], now)
        leave(session, first, people[0], now)
        second = draft(session, URGING + "\n再问一次。\n", people[0], now)
        assert [one.is_open for one in overruling.findings(session, first, now.date())] == [False, True]
        assert [one.is_open for one in overruling.findings(session, second, now.date())] == [True, True]


def test_what_was_left_can_be_taken_up_again_but_not_once_submitted(
    database: Database, people: tuple[Staff, Staff], now: datetime
) -> None:
    with database.transaction() as session:
        revision = draft(session, URGING, people[0], now)
        mark = overruling.findings(session, revision, now.date())[0].mark
        with pytest.raises(NotFound):
            overruling.restore(session, revision, mark)
        leave(session, revision, people[0], now)
        with pytest.raises(Conflict):
            overruling.overrule(
                session, revision, mark, reason="再说一次理由", by=people[0].id or 0, now=now, on=now.date()
            )
        overruling.restore(session, revision, mark)
        assert all(one.is_open for one in overruling.findings(session, revision, now.date()))
        leave_all(session, revision, people[0], now)
        lifecycle.submit(session, revision.id or 0, by=people[0].id or 0, now=now)
        with pytest.raises(DomainError):
            overruling.restore(session, revision, mark)
        with pytest.raises(DomainError):
            leave(session, revision, people[0], now)


def test_the_front_matter_leaves_a_warning_with_its_reason_but_never_an_error(
    database: Database, people: tuple[Staff, Staff], now: datetime
) -> None:
    more = "overruled:\n  - {rule: urgency, words: 名额有限, reason: 场地只有四十座}\n  - {rule: return-promise, words: 保本, reason: 我说了算}\n"
    body = URGING + "\n我们的产品保本。\n"
    with database.transaction() as session:
        revision = pieces.saved(session, pieces.text(body=body, more=more), people[0].id or 0, now)
        found = {one.excerpt: one for one in overruling.findings(session, revision, now.date())}
    assert found["名额有限"].reason == "场地只有四十座"
    assert found["先到先得"].is_open
    assert found["保本"].is_open
