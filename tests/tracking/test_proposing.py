"""What counts as reach changes only by four eyes, for reports to come, and no stored event changes with it."""

import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, select

from core.database import Database
from core.errors import Conflict, DomainError, Invalid, NotAllowed
from institution import approvals
from institution.audit_models import AuditRecord
from tests import factories
from tests.tracking.rows import event, heads, ship
from tracking import closing, proposing, reports, snapshot, trying_out
from tracking import definition as definitions
from tracking.definition import FIRST, Definition
from tracking.models import DefinitionProposal
from tracking.periods import Period
from tracking.store import ReachStore

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 9, 20, 2, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def people(database: Database) -> dict[str, int]:
    with database.transaction() as session:
        factories.tree(session, NOW)
        analyst = factories.person(session, "sun", "孙分析", "analyst", NOW)
        decider = factories.person(session, "qian", "钱审批", "reviewer", NOW)
        return {"analyst": analyst.id or 0, "decider": decider.id or 0}


def propose(session: Session, by: int, **more: Any) -> DefinitionProposal:
    given: dict[str, Any] = {
        "version": "2027-1", "valid_from": date(2027, 1, 1), "kinds": ["visited", "shared"],
        "head_counts": ["import"], "note": "送达不算了。", "now": NOW, **more,
    }  # fmt: skip
    return proposing.propose(session, by=by, zone=ZONE, **given)


def decide(session: Session, by: int, decision: str = approvals.APPROVED, now: datetime = NOW) -> None:
    waiting = approvals.open_request(session, kind=proposing.KIND, subject=proposing.SUBJECT)
    assert waiting is not None and waiting.id is not None
    approvals.decide(session, waiting.id, decision=decision, by=by, now=now, opinion="看过了")


def test_it_takes_force_only_after_another_person_approved(
    database: Database, people: dict[str, int]
) -> None:
    with database.transaction() as session:
        propose(session, people["analyst"])
    later = date(2027, 3, 1)
    with database.reading() as session:
        assert definitions.in_force(session, later) == FIRST
    with pytest.raises(NotAllowed), database.transaction() as session:
        decide(session, people["analyst"])
    with database.transaction() as session:
        decide(session, people["decider"])
    with database.reading() as session:
        found = definitions.in_force(session, later)
        assert found == Definition("2027-1", date(2027, 1, 1), ("visited", "shared"), ("import",))
        assert definitions.in_force(session, date(2026, 12, 31)) == FIRST
        newest, first = proposing.versions(session)
        assert (newest.proposed_by, newest.decided_by) == (people["analyst"], people["decider"])
        assert (first.definition, first.proposed_by) == (FIRST, None)
        actions = session.exec(select(AuditRecord.action).where(AuditRecord.kind == "reach_definition")).all()
        assert actions == ["reach.define", "reach.adopt"]


@pytest.mark.parametrize("decision", [approvals.REJECTED, approvals.CHANGES])
def test_what_was_not_approved_may_be_proposed_anew(
    database: Database, people: dict[str, int], decision: str
) -> None:
    with database.transaction() as session:
        propose(session, people["analyst"])
        decide(session, people["decider"], decision)
    with database.transaction() as session:
        assert definitions.in_force(session, date.max) == FIRST
        propose(session, people["analyst"], kinds=["visited"])
        decide(session, people["decider"])
        assert definitions.in_force(session, date.max).kinds == ("visited",)


def test_changed_afterwards_the_approval_is_refused(database: Database, people: dict[str, int]) -> None:
    with database.transaction() as session:
        one = propose(session, people["analyst"])
        one.kinds = ["visited", "shared", "delivered"]
        session.add(one)
    with pytest.raises(Conflict), database.transaction() as session:
        decide(session, people["decider"])
    with database.reading() as session:
        assert definitions.in_force(session, date.max) == FIRST


def test_one_waits_at_a_time_and_can_be_withdrawn(database: Database, people: dict[str, int]) -> None:
    with database.transaction() as session:
        propose(session, people["analyst"])
        with pytest.raises(Conflict):
            propose(session, people["decider"], version="2027-2")
        request = approvals.open_request(session, kind=proposing.KIND, subject=proposing.SUBJECT)
        assert request is not None
        proposing._take_back(session, request, people["analyst"], NOW)
        propose(session, people["analyst"], version="2027-2")


def test_who_decides_after_the_day_it_begins_is_told(database: Database, people: dict[str, int]) -> None:
    with database.transaction() as session:
        propose(session, people["analyst"])
    midnight = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    with pytest.raises(Invalid, match="生效日期"), database.transaction() as session:
        decide(session, people["decider"], now=midnight)
    with database.transaction() as session:
        decide(session, people["decider"], approvals.CHANGES, now=midnight)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"version": ""}, "version"), ({"version": "2023-1"}, "version"), ({"version": "a b"}, "version"),
        ({"kinds": []}, "kinds"), ({"kinds": ["nonsense"]}, "kinds"), ({"note": " "}, "note"),
        ({"valid_from": date(2026, 9, 20)}, "valid_from"), ({"valid_from": date(2020, 1, 1)}, "valid_from"),
        ({"kinds": list(FIRST.kinds), "head_counts": list(FIRST.head_counts)}, "kinds"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_field(
    database: Database, people: dict[str, int], more: dict[str, Any], field: str
) -> None:
    with pytest.raises(DomainError) as refused, database.transaction() as session:
        propose(session, people["analyst"], **more)
    assert refused.value.field == field


STREAM = [
    event("2025-06-01", visitor=1, channel="web"),
    event("2025-06-01", "delivered", visitor=2, channel="sms"),
    event("2025-06-02", "shared", visitor=1, channel="wechat"),
    heads("2025-06-02", 40),
    heads("2026-06-02", 70, source="import"),
    event("2026-06-02", "delivered", visitor=2, channel="sms"),
    event("2026-06-03", visitor=3, channel="web"),
]


def raw(store: ReachStore) -> list[tuple[Any, ...]]:
    return store.query("SELECT * FROM reach_event ORDER BY id")


def adopt(database: Database, valid_from: date) -> None:
    with database.transaction() as session:
        definitions.adopt(
            session,
            id="two",
            valid_from=valid_from,
            kinds=["visited", "shared"],
            head_counts=["import"],
            now=NOW,
        )


def year_report(store: ReachStore, database: Database, year: int) -> reports.Report:
    with database.reading() as session:
        asked = reports.ask(f"{year}-01-01", f"{year}-12-31", by="channel", compare="year")
        return reports.report(store, session, asked)


def test_changing_it_changes_no_stored_event_and_roll_ups_follow(
    store: ReachStore, database: Database, people: dict[str, int]
) -> None:
    ship(store, "seg-1", STREAM)
    today = date(2026, 9, 20)
    assert closing.close_past(store, database, today) > 0
    before, old = raw(store), year_report(store, database, 2025)
    first = year_report(store, database, 2026)
    assert (first.total.gross, first.total.gross_before, first.total.deduplicated) == (72, 42, 72)
    adopt(database, date(2026, 12, 1))
    answered = year_report(store, database, 2026)  # from raw rows, as long as nothing was closed anew
    closing.close_past(store, database, today)
    assert year_report(store, database, 2026) == answered
    assert answered.definition.id == "two"
    assert (answered.total.gross, answered.total.gross_before) == (1, 2)
    assert raw(store) == before
    assert closing.close_past(store, database, today) == 0, "nothing is closed for ever anew"
    again = year_report(store, database, 2025)
    assert (again.total, again.rows, again.definition) == (old.total, old.rows, FIRST)


def test_the_year_that_is_shown_and_its_base_are_answered_from_roll_ups(
    store: ReachStore, database: Database, people: dict[str, int]
) -> None:
    ship(store, "seg-1", [*STREAM, event("2024-06-01"), event("2023-06-01")])
    adopt(database, date(2026, 12, 1))
    closing.close_past(store, database, date(2026, 9, 20))
    two = Definition("two", date(2026, 12, 1), ("visited", "shared"), ("import",))

    def is_open(one: Definition, year: int) -> bool:
        return bool(snapshot.take(store, one).open_days(Period(date(year, 1, 1), date(year, 12, 31))))

    assert [is_open(two, year) for year in (2025, 2026)] == [False, False]
    assert [is_open(FIRST, year) for year in (2023, 2024)] == [False, False]
    assert is_open(FIRST, 2025), "the last year before the change: its days serve the reports after it"


def test_a_rebuild_makes_the_same(store: ReachStore, database: Database, people: dict[str, int]) -> None:
    ship(store, "seg-1", [*STREAM, event("2024-06-01")])
    adopt(database, date(2026, 12, 1))
    today = date(2026, 9, 20)
    closing.close_past(store, database, today)
    closed = store.query("SELECT day, rows, definition FROM reach_closed FINAL ORDER BY day")
    days, _spans = closing.rebuild(store, database, today)
    assert days == 5
    assert store.query("SELECT day, rows, definition FROM reach_closed FINAL ORDER BY day") == closed
    assert {row[2] for row in closed} == {FIRST.id, "two"}


def test_both_definitions_side_by_side_over_the_same_rows(store: ReachStore) -> None:
    ship(store, "seg-1", STREAM)
    two = Definition("two", date(2026, 12, 1), ("visited", "shared"), ("import",))
    found = trying_out.compare(store, Period(date(2025, 6, 1), date(2025, 6, 30)), FIRST, two)
    assert [(one.present, one.proposed) for one in found.totals] == [(42, 2), (42, 2), (2, 1)]
    assert {one.label: (one.present, one.proposed) for one in found.kinds} == {
        "delivered": (1, 0), "visited": (1, 1), "attended": (40, 0), "shared": (0, 1),
    }  # fmt: skip
    assert {one.label for one in found.channels} == {"web", "sms", "wechat"}
    with pytest.raises(Invalid):
        trying_out.compare(store, Period(date(2025, 6, 1), date(2025, 7, 30)), FIRST, two)
    assert trying_out.last_month(date(2026, 3, 15)) == Period(date(2026, 2, 1), date(2026, 2, 28))


def test_only_the_effect_of_an_approval_adopts() -> None:
    """The verb is called from one place of the program."""
    tracked = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    calling = [
        name
        for name in tracked.stdout.split()
        if (not name.startswith("tests/") and "definitions.adopt(" in (ROOT / name).read_text("utf-8"))
        or (not name.startswith("tests/") and "definition.adopt(" in (ROOT / name).read_text("utf-8"))
    ]  # fmt: skip
    assert calling == ["tracking/proposing.py"]
