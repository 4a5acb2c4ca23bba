"""An import's life: handed in, approved by another, in the books once; taken back by its opposite; never twice."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from core.database import Database
from core.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from core.settings import Settings
from institution import approvals, retention
from institution.audit_models import AuditRecord
from tests import factories
from tests.tracking.imports import cast
from tests.tracking.imports.cast import NOW, SCREENS, Cast, Path, csv, decide, hand_in, stored
from tracking.imports import deciding, draft, keeping, lines, register, saving, sources
from tracking.imports.mapping import guess, saved
from tracking.imports.models import (
    APPLIED,
    APPROVED,
    WAITING,
    WITHDRAWN,
    ReachImport,
    ReachImportFile,
)
from tracking.store import ReachStore


@pytest.fixture
def people(database: Database) -> Cast:
    with database.transaction() as session:
        return cast.people(session)


@pytest.fixture
def path(settings: Settings, database: Database, people: Cast) -> Path:
    return Path(settings, database)


def state(database: Database, number: int | None) -> str:
    with database.reading() as session:
        return register.get(session, number or 0).state


def test_nothing_counts_before_a_second_person_approved(
    database: Database, people: Cast, path: Path, store: ReachStore
) -> None:
    with database.transaction() as session:
        one = hand_in(session, csv(*SCREENS), people.analyst)
    assert path.carry(store) == 0
    assert stored(store) == [] and state(database, one.id) == WAITING
    with pytest.raises(NotAllowed), database.transaction() as session:
        decide(session, one, people.analyst)
    with database.transaction() as session:
        decide(session, one, people.decider)
    assert state(database, one.id) == APPROVED
    assert path.carry(store) == 1
    assert state(database, one.id) == APPLIED
    a, b, batch = factories.OUTLET_A, factories.OUTLET_B, f"import-{one.id}"
    assert stored(store) == [
        (batch, "2026-09-15", a, "full-surrender", "completed", 31),
        (batch, "2026-09-15", a, "full-surrender", "visited", 64),
        (batch, "2026-09-15", b, "ai-voice", "completed", 20),
        (batch, "2026-09-15", b, "ai-voice", "visited", 52),
        (batch, "2026-09-16", a, "full-surrender", "visited", 7),
    ]
    visitors = store.query("SELECT DISTINCT visitor, channel, toString(at, 'Asia/Shanghai') FROM reach_event")
    assert {(row[0], row[1], row[2][11:16]) for row in visitors} == {(0, "screen", "12:00")}


def test_carrying_again_changes_nothing(
    database: Database, people: Cast, path: Path, store: ReachStore
) -> None:
    with database.transaction() as session:
        one = hand_in(session, csv(*SCREENS), people.analyst)
        decide(session, one, people.decider)
    path.carry(store)
    before = stored(store)
    with database.transaction() as session:  # as if it had been killed before it could say so
        row = register.get(session, one.id or 0)
        row.state, row.deposited = APPROVED, 0
        session.add(row)
    assert path.carry(store) == 1
    assert stored(store) == before


def test_undoing_is_the_same_lines_turned_under_a_batch_of_their_own(
    database: Database, people: Cast, path: Path, store: ReachStore
) -> None:
    with database.transaction() as session:
        one = hand_in(session, csv(*SCREENS), people.analyst)
        decide(session, one, people.decider)
    path.carry(store)
    first = stored(store)
    with database.transaction() as session:
        back = register.undo(session, one.id or 0, by=people.analyst, now=NOW, reason="口径不对")
    assert path.carry(store) == 0
    with pytest.raises(NotAllowed), database.transaction() as session:
        decide(session, back, people.analyst)
    with database.transaction() as session:
        decide(session, back, people.decider)
    assert path.carry(store) == 1
    both = stored(store)
    assert both[: len(first)] == first, "the first events stand as they stood"
    turned = [(f"import-{back.id}", *row[1:5], -row[5]) for row in first]
    assert both[len(first) :] == turned
    with pytest.raises(Conflict), database.transaction() as session:
        register.undo(session, one.id or 0, by=people.analyst, now=NOW, reason="再撤一次")
    with pytest.raises(Conflict), database.transaction() as session:
        register.undo(session, back.id or 0, by=people.analyst, now=NOW, reason="撤销的撤销")
    with database.transaction() as session:  # what was taken back may come again, as another import
        again = hand_in(session, csv(*SCREENS), people.analyst)
        decide(session, again, people.decider)
    path.carry(store)
    assert sum(row[5] for row in stored(store)) == 174


def test_only_what_is_in_the_books_can_be_undone_with_a_reason(
    database: Database, people: Cast, path: Path, store: ReachStore
) -> None:
    with database.transaction() as session:
        one = hand_in(session, csv(*SCREENS), people.analyst)
    with pytest.raises(Conflict), database.transaction() as session:
        register.undo(session, one.id or 0, by=people.analyst, now=NOW, reason="错了")
    with database.transaction() as session:
        decide(session, one, people.decider)
    path.carry(store)
    with pytest.raises(Invalid), database.transaction() as session:
        register.undo(session, one.id or 0, by=people.analyst, now=NOW, reason=" ")


def test_the_same_content_is_refused_with_the_number_of_the_earlier_one(
    database: Database, people: Cast
) -> None:
    with database.transaction() as session:
        one = hand_in(session, csv(*SCREENS), people.analyst)
    again = "\n".join(SCREENS).encode("gb18030")
    with pytest.raises(Conflict, match=f"第 {one.id} 号导入"), database.transaction() as session:
        hand_in(session, again, people.decider, file_name="renamed.csv", constants={"campaign": "month-2026"})


@pytest.mark.parametrize("decision", [approvals.REJECTED, approvals.CHANGES, WITHDRAWN])
def test_what_was_not_approved_lets_the_file_go(
    database: Database, people: Cast, path: Path, store: ReachStore, decision: str
) -> None:
    with database.transaction() as session:
        one = hand_in(session, csv(*SCREENS), people.analyst)
    with database.transaction() as session:
        if decision == WITHDRAWN:
            request = register.asked(session, one)
            assert request is not None
            deciding.take_back(session, request, people.analyst, NOW)
        else:
            decide(session, one, people.decider, decision)
    assert state(database, one.id) == decision
    assert path.carry(store) == 0
    with database.transaction() as session:
        assert hand_in(session, csv(*SCREENS), people.analyst).id != one.id


def test_while_one_row_is_bad_nothing_is_written(database: Database, people: Cast) -> None:
    with pytest.raises(Invalid, match="第 5 行，日期"), database.transaction() as session:
        hand_in(session, csv(*SCREENS, "2027-01-01,,,1,1"), people.analyst)
    with database.reading() as session:
        assert session.exec(select(ReachImport)).all() == []


def test_what_was_changed_underneath_is_neither_approved_nor_deposited(
    database: Database, people: Cast, path: Path, store: ReachStore
) -> None:
    other = lines.packed([lines.Line(lines.Keys(cast.TODAY, "visited"), 1_000_000)])
    with database.transaction() as session:
        one = hand_in(session, csv(*SCREENS), people.analyst)
        session.get_one(ReachImportFile, one.id).lines = other
    with pytest.raises(Conflict), database.transaction() as session:
        decide(session, one, people.decider)
    with database.transaction() as session:
        two = hand_in(session, csv(*SCREENS[:-1]), people.analyst)
        decide(session, two, people.decider)
    with database.transaction() as session:
        session.get_one(ReachImportFile, two.id).lines = other
    assert path.carry(store) == 0
    assert stored(store) == []


def test_two_who_hand_in_the_same_at_once_make_one(database: Database, people: Cast) -> None:
    start, said = threading.Barrier(4), list[str]()

    def run() -> None:
        start.wait()
        try:
            with database.transaction() as session:
                hand_in(session, csv(*SCREENS), people.analyst)
            said.append("")
        except DomainError as error:
            said.append(type(error).__name__)

    _together(run, 4)
    assert sorted(said) == ["", "Conflict", "Conflict", "Conflict"]


def test_two_processes_that_carry_at_once_deposit_once(
    settings: Settings, database: Database, people: Cast, path: Path, store: ReachStore
) -> None:
    with database.transaction() as session:
        one = hand_in(session, csv(*SCREENS), people.analyst)
        decide(session, one, people.decider)
    others = [Path(settings, database) for _ in range(3)]
    start, done = threading.Barrier(3), list[int]()

    def run(other: Path) -> None:
        start.wait()
        done.append(other.depositor.run_once())

    threads = [threading.Thread(target=run, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    path.carry(store)
    assert sum(done) == 1
    assert sum(row[5] for row in stored(store)) == 174
    with database.reading() as session:
        actions = session.exec(select(AuditRecord.action).where(AuditRecord.kind == "reach_import")).all()
    assert sorted(actions) == ["reach.import", "reach.import.apply"]


def _together(run: Callable[[], None], number: int) -> None:
    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_large_import_goes_in_parts(
    database: Database, people: Cast, path: Path, store: ReachStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register, "PART", 2)
    with database.transaction() as session:
        one = hand_in(session, csv(*SCREENS), people.analyst)
        decide(session, one, people.decider)
    assert (one.lines, one.parts) == (5, 3)
    monkeypatch.setattr(
        register, "PART", 4
    )  # a newer version cuts otherwise; what was begun goes on as it began
    path.depositor.run_once()
    assert sorted(each.stem for each in path.spool.sealed()) == [f"import-{one.id}-{n}" for n in (1, 2, 3)]
    path.carry(store)
    assert len(stored(store)) == 5
    ids = [row[0] for row in store.query("SELECT id FROM reach_event ORDER BY id")]
    assert ids == [f"import-{one.id}-{n}" for n in range(1, 6)]


def test_the_original_is_kept_for_its_time_and_the_lines_for_ever(
    database: Database, people: Cast, path: Path, store: ReachStore
) -> None:
    data = csv(*SCREENS)
    with database.transaction() as session:
        one = hand_in(session, data, people.analyst)
        decide(session, one, people.decider)
    path.carry(store)
    with database.reading() as session:
        assert register.original(session, one) == data
    rule = retention.RULES["reach.import"]
    assert keeping and "reach.import" not in retention.run(database, {}, NOW)
    later = NOW + timedelta(days=rule.days + 1)
    assert retention.run(database, {}, later)["reach.import"] == 1
    with database.reading() as session:
        with pytest.raises(NotFound):
            register.original(session, one)
        assert len(register.lines_of(session, one)) == 5
    with database.transaction() as session:
        back = register.undo(session, one.id or 0, by=people.analyst, now=later, reason="来源重报")
        decide(session, back, people.decider)
    path.carry(store)
    assert sum(row[5] for row in stored(store)) == 0


def test_a_mapping_is_saved_by_name_and_laid_over_next_months_file(database: Database, people: Cast) -> None:
    columns = guess(sources.WECHAT, ("日子", "标题", "阅读"))
    odd = columns.__class__(columns.headings, ("day", "piece", "count:visited"), {"channel": "wechat"})
    given: dict[str, Any] = {
        "source": "wechat",
        "place": factories.PROVINCE,
        "by": people.analyst,
        "now": NOW,
    }
    with database.transaction() as session:
        one = saving.save(session, odd, name="省公司订阅号", **given)
        assert saving.save(session, odd, name="省公司订阅号", **given).id == one.id
        with pytest.raises(Invalid):
            saving.save(session, odd, name=" ", **given)
    with database.reading() as session:
        kept = saving.get(session, one.id or 0)
        found = saved(kept.mapping, ("标题", "阅读", "在看", "日子"))
    assert found.fields == ("piece", "count:visited", "", "day")
    assert found.constants == {"channel": "wechat"}
    with database.transaction() as session:
        saving.remove(session, one.id or 0)
        with pytest.raises(NotFound):
            saving.get(session, one.id or 0)


def test_a_draft_comes_back_as_it_was() -> None:
    made = draft.read("sms", " 回执\x00.csv ", csv("日期,成功数", "2026-09-15,3"))
    assert draft.unpacked(draft.packed(made)) == made
    assert made.file_name == "回执.csv"


def test_facts_tell_who_decides_of_overlaps(database: Database, people: Cast) -> None:
    with database.transaction() as session:
        one = hand_in(session, csv(*SCREENS), people.analyst)
        two = hand_in(session, csv(*SCREENS[:2]), people.analyst)
        request = register.asked(session, two)
        assert request is not None
        said = dict(deciding.facts(session, request))
        assert said["请留意"] == f"同来源、日期有重叠的导入：第 {one.id} 号"
        assert said["数量"] == "访问 64、读完 31" or said["数量"] == "读完 31、访问 64"
