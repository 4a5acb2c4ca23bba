"""Four eyes: never one's own, nobody twice, exactly what was asked for; and of two at once one wins."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.database import Database
from core.errors import Conflict, DomainError, Invalid, NotAllowed
from institution import approval_paths, approval_search, approvals, deciders, people, sessions, stand_ins
from institution.approval_models import Approval, ApprovalStep, StandIn
from institution.approval_paths import HEAD, OWN, Step
from institution.approval_paths import PROVINCE as AT_PROVINCE
from institution.approval_search import Filter
from institution.audit_models import AuditRecord
from tests import factories
from tests.factories import COUNTY, EDITOR, HEAD_OFFICE, OUTLET_A, OUTSIDE_OUTLET, OUTSIDE_PROVINCE, PROVINCE
from tests.institution.approval_cast import CURRENT, KIND, SETTLED, declare, undeclare

HASH = "a" * 64
REVIEWERS = {
    "ai.head": ("艾总审", ""),
    "bo.head": ("薄总审", ""),
    "cai.branch": ("蔡省审", PROVINCE),
    "dai.county": ("戴县审", COUNTY),
    "fan.far": ("范省审", OUTSIDE_PROVINCE),
}
Cast = dict[str, int]


@pytest.fixture(autouse=True)
def kind() -> Iterator[None]:
    declare()
    yield
    undeclare()


@pytest.fixture
def cast(database: Database, now: datetime) -> Cast:
    """The tree, an editor and reviewers of several parts; their numbers."""
    with database.transaction() as session:
        factories.tree(session, now)
        found = {EDITOR: factories.staff(session, EDITOR, now).id or 0}
        for login, (name, node) in REVIEWERS.items():
            account, _password = people.add(
                session, login=login, name=name, roles=["reviewer"], now=now, at=node
            )
            found[login] = account.id or 0
    return found


def ask(session: Session, by: int, now: datetime, **more: Any) -> Approval:
    values = {"kind": KIND, "subject": "thing", "subject_hash": HASH, "title": "一件事"} | more
    return approvals.request(session, by=by, now=now, **values)


def asked(database: Database, by: int, now: datetime, **more: Any) -> int:
    with database.transaction() as session:
        return ask(session, by, now, **more).id or 0


def approve(session: Session, number: int, by: int, now: datetime) -> Approval:
    return approvals.decide(session, number, decision="approved", by=by, now=now)


def test_a_decision_settles_the_thing_and_is_on_record(database: Database, cast: Cast, now: datetime) -> None:
    number = asked(database, cast[EDITOR], now)
    with database.transaction() as session:
        approvals.decide(
            session, number, decision="approved", by=cast["ai.head"], now=now, opinion=" 可以 ", seen=HASH
        )
    assert [(number, "approved", cast["ai.head"], "可以")] == SETTLED
    with database.reading() as session:
        assert approvals.granted(session, kind=KIND, subject="thing", subject_hash=HASH)
        assert not approvals.granted(session, kind=KIND, subject="thing", subject_hash="b" * 64)
        actions = session.exec(select(AuditRecord.action).order_by(col(AuditRecord.id))).all()
        assert list(actions)[-2:] == ["approval.request", "approval.decide"]


@pytest.mark.parametrize("decision", ["changes", "rejected"])
def test_a_refusal_gives_its_reason(database: Database, cast: Cast, now: datetime, decision: str) -> None:
    number = asked(database, cast[EDITOR], now)
    with database.transaction() as session:
        with pytest.raises(Invalid, match="理由"):
            approvals.decide(session, number, decision=decision, by=cast["ai.head"], now=now, opinion="  ")
        approvals.decide(session, number, decision=decision, by=cast["ai.head"], now=now, opinion="写错了")
    assert [(number, decision, cast["ai.head"], "写错了")] == SETTLED


def test_nobody_decides_their_own_whatever_they_may(database: Database, cast: Cast, now: datetime) -> None:
    number = asked(database, cast["ai.head"], now)
    with database.transaction() as session, pytest.raises(NotAllowed, match="另一位同事"):
        approve(session, number, cast["ai.head"], now)


def test_who_lacks_the_permission_there_does_not_decide(
    database: Database, cast: Cast, now: datetime
) -> None:
    number = asked(database, cast[EDITOR], now, outlet_code=PROVINCE)
    with database.transaction() as session:
        for login in ("fan.far", "dai.county"):
            with pytest.raises(NotAllowed):
                approve(session, number, cast[login], now)
        approve(session, number, cast["cai.branch"], now)


def test_an_account_that_was_closed_decides_nothing(database: Database, cast: Cast, now: datetime) -> None:
    number = asked(database, cast[EDITOR], now)
    with database.transaction() as session:
        people.get(session, cast["ai.head"]).active = False
        session.flush()
        with pytest.raises(NotAllowed):
            approve(session, number, cast["ai.head"], now)


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE approval SET decision = 'approved', decided_by = requested_by",
        "UPDATE approval_step SET decision = 'approved', decided_by = requested_by",
        "UPDATE approval_step SET decision = 'approved', decided_by = :other, for_staff = requested_by",
        "UPDATE approval_step SET decision = 'approved', decided_by = :other, for_staff = :other",
        "UPDATE approval_step SET requested_by = :other",
        "UPDATE approval SET decision = 'approved'",
        "UPDATE approval_step SET decision = 'approved'",
        "UPDATE approval_step SET number = 1",
    ],
)
def test_the_database_itself_refuses_what_breaks_four_eyes(
    database: Database, cast: Cast, now: datetime, wrong: str
) -> None:
    with database.transaction() as session:
        steps = [Step("一", "content.approve"), Step("二", "content.approve")]
        approval_paths.save(
            session, kind=KIND, outlet_code="", steps=steps, due_days=None, by=cast[EDITOR], now=now
        )
        ask(session, cast[EDITOR], now)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.connection().execute(text(wrong), {"other": cast["ai.head"]} if ":other" in wrong else {})


def test_the_database_refuses_a_second_step_by_one_person(
    database: Database, cast: Cast, now: datetime
) -> None:
    with database.transaction() as session:
        steps = [Step("一", "content.approve"), Step("二", "content.approve")]
        approval_paths.save(
            session, kind=KIND, outlet_code="", steps=steps, due_days=None, by=cast[EDITOR], now=now
        )
        ask(session, cast[EDITOR], now)
    with pytest.raises(IntegrityError), database.transaction() as session:
        for number in (1, 2):
            session.execute(
                update(ApprovalStep)
                .where(col(ApprovalStep.number) == number)
                .values(decision="approved", decided_by=cast["ai.head"])
            )


def three_steps(session: Session, by: int, now: datetime) -> None:
    steps = [
        Step("县里", "content.approve", OWN),
        Step("省里", "content.approve", AT_PROVINCE),
        Step("总公司", "content.approve", HEAD),
    ]
    approval_paths.save(session, kind=KIND, outlet_code=PROVINCE, steps=steps, due_days=3, by=by, now=now)


def test_steps_are_taken_in_their_order_each_by_somebody_else(
    database: Database, cast: Cast, now: datetime
) -> None:
    with database.transaction() as session:
        three_steps(session, cast["bo.head"], now)
        made = ask(session, cast[EDITOR], now, outlet_code=COUNTY)
        assert made.due_at == now + timedelta(days=3)
        assert [one.outlet_code for one in approvals.steps(session, made)] == [COUNTY, PROVINCE, ""]
        number = made.id or 0
        approve(session, number, cast["ai.head"], now)  # the head office may decide for the county too
        with pytest.raises(NotAllowed, match="前一步"):
            approve(session, number, cast["ai.head"], now)
        with pytest.raises(NotAllowed):
            approve(session, number, cast["dai.county"], now)
        approve(session, number, cast["cai.branch"], now)
        assert SETTLED == [] and approvals.get(session, number).decision is None
        approve(session, number, cast["bo.head"], now)
        assert [one[1] for one in SETTLED] == ["approved"]
        with pytest.raises(Conflict):
            approve(session, number, cast["fan.far"], now)


def test_a_step_that_says_no_ends_it(database: Database, cast: Cast, now: datetime) -> None:
    with database.transaction() as session:
        three_steps(session, cast["bo.head"], now)
        number = ask(session, cast[EDITOR], now, outlet_code=COUNTY).id or 0
        approvals.decide(
            session, number, decision="changes", by=cast["dai.county"], now=now, opinion="再改改"
        )
        assert approvals.get(session, number).decision == "changes"
        assert approvals.open_request(session, kind=KIND, subject="thing") is None
        ask(session, cast[EDITOR], now, outlet_code=COUNTY, subject_hash="b" * 64)


def test_the_path_of_the_nearest_node_holds(database: Database, cast: Cast, now: datetime) -> None:
    with database.transaction() as session:
        three_steps(session, cast["bo.head"], now)
        approval_paths.save(
            session, kind=KIND, outlet_code=COUNTY, steps=[Step("只此一步", "content.approve")],
            due_days=None, by=cast["bo.head"], now=now,
        )  # fmt: skip

        def names(node: str) -> list[str]:
            return [one.name for one in approval_paths.steps_of(session, KIND, node)[0]]

        assert names(OUTLET_A) == ["只此一步"] and names(PROVINCE) == ["县里", "省里", "总公司"]
        assert names(OUTSIDE_OUTLET) == names("") == names("no-such-node") == ["审批"]
        assert approval_paths.place_of(session, HEAD_OFFICE, AT_PROVINCE) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "nothing.known"},
        {"outlet_code": "nowhere"},
        {"steps": []},
        {"steps": [Step("一", "content.approve")] * 7},
        {"steps": [Step("", "content.approve")]},
        {"steps": [Step("一", "content.view")]},
        {"steps": [Step("一", "no.such")]},
        {"steps": [Step("一", "content.approve", "elsewhere")]},
        {"due_days": 0},
        {"due_days": 91},
    ],
)
def test_a_path_that_makes_no_sense_is_refused(
    database: Database, cast: Cast, now: datetime, wrong: dict[str, Any]
) -> None:
    good: dict[str, Any] = {
        "kind": KIND, "outlet_code": "", "steps": [Step("一", "content.approve")], "due_days": 5
    }  # fmt: skip
    with database.transaction() as session, pytest.raises(Invalid):
        approval_paths.save(session, by=cast[EDITOR], now=now, **good | wrong)


def test_one_open_request_for_a_thing(database: Database, cast: Cast, now: datetime) -> None:
    with database.transaction() as session:
        first = ask(session, cast[EDITOR], now)
        assert ask(session, cast[EDITOR], now).id == first.id
        with pytest.raises(Conflict, match="已有一份待审申请"):
            ask(session, cast[EDITOR], now, subject_hash="b" * 64)
        approvals.withdraw(session, first.id or 0, by=cast[EDITOR], now=now)
        assert ask(session, cast[EDITOR], now, subject_hash="b" * 64).id != first.id
        with pytest.raises(Invalid):
            ask(session, cast[EDITOR], now, subject="other", due_at=now)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(
            Approval(
                kind=KIND, subject="thing", subject_hash=HASH, title="", requested_by=cast[EDITOR],
                requested_at=now,
            )
        )  # fmt: skip


def test_only_who_asked_withdraws_and_not_after_a_decision(
    database: Database, cast: Cast, now: datetime
) -> None:
    number = asked(database, cast[EDITOR], now)
    with database.transaction() as session:
        with pytest.raises(NotAllowed):
            approvals.withdraw(session, number, by=cast["ai.head"], now=now)
        approve(session, number, cast["ai.head"], now)
        with pytest.raises(Conflict):
            approvals.withdraw(session, number, by=cast[EDITOR], now=now)


def test_what_was_changed_since_needs_a_new_request(database: Database, cast: Cast, now: datetime) -> None:
    number = asked(database, cast[EDITOR], now)
    CURRENT["thing"] = "b" * 64
    with database.transaction() as session, pytest.raises(Conflict, match="被改过"):
        approve(session, number, cast["ai.head"], now)
    del CURRENT["thing"]
    with database.transaction() as session, pytest.raises(Conflict, match="被改过"):
        approvals.decide(session, number, decision="approved", by=cast["ai.head"], now=now, seen="c" * 64)
    assert SETTLED == []
    CURRENT["thing"] = "b" * 64
    with database.transaction() as session:  # nothing stays stuck: it can be sent back
        approvals.decide(session, number, decision="changes", by=cast["ai.head"], now=now, opinion="已改动")
    assert [one[1] for one in SETTLED] == ["changes"]


def test_a_kind_that_nobody_declared_is_a_fault_of_ours(
    database: Database, cast: Cast, now: datetime
) -> None:
    with database.transaction() as session, pytest.raises(ValueError, match="undeclared"):
        ask(session, cast[EDITOR], now, kind="nothing.known")


def stand_in(
    session: Session, absent: int, substitute: int, now: datetime, *, days: int = 3, start: int = -1
) -> StandIn:
    return stand_ins.set_up(
        session, absent=absent, stand_in=substitute, begins_at=now + timedelta(days=start),
        ends_at=now + timedelta(days=start + days), by=absent, now=now,
    )  # fmt: skip


def test_a_stand_in_decides_within_the_time_and_is_named(
    database: Database, cast: Cast, now: datetime
) -> None:
    number = asked(database, cast[EDITOR], now)
    with database.transaction() as session:
        stand_in(session, cast["ai.head"], cast["dai.county"], now)
        step = approvals.open_step(session, approvals.get(session, number))
        for day in (timedelta(days=-2), timedelta(days=2)):
            assert not deciders.may(
                session, approvals.get(session, number), step, cast["dai.county"], now + day
            )
        approve(session, number, cast["dai.county"], now)
        session.refresh(step)
        assert (step.decided_by, step.for_staff) == (cast["dai.county"], cast["ai.head"])


def test_a_stand_in_decides_nothing_that_either_of_them_asked_for(
    database: Database, cast: Cast, now: datetime
) -> None:
    with database.transaction() as session:
        stand_in(session, cast["ai.head"], cast["dai.county"], now)
        of_absent = ask(session, cast["ai.head"], now, subject="one").id or 0
        of_stand_in = ask(session, cast["dai.county"], now, subject="two").id or 0
        for number in (of_absent, of_stand_in):
            with pytest.raises(NotAllowed):
                approve(session, number, cast["dai.county"], now)


def test_powers_are_not_handed_on_from_stand_in_to_stand_in(
    database: Database, cast: Cast, now: datetime
) -> None:
    number = asked(database, cast[EDITOR], now)
    with database.transaction() as session:
        stand_in(session, cast["ai.head"], cast["dai.county"], now)
        stand_in(session, cast["dai.county"], cast["fan.far"], now)
        with pytest.raises(NotAllowed):
            approve(session, number, cast["fan.far"], now)


def test_neither_the_absent_one_nor_the_stand_in_decides_another_step(
    database: Database, cast: Cast, now: datetime
) -> None:
    with database.transaction() as session:
        steps = [Step("一", "content.approve"), Step("二", "content.approve")]
        approval_paths.save(
            session, kind=KIND, outlet_code="", steps=steps, due_days=None, by=cast[EDITOR], now=now
        )
        stand_in(session, cast["ai.head"], cast["dai.county"], now)
        number = ask(session, cast[EDITOR], now).id or 0
        approve(session, number, cast["dai.county"], now)
        for login in ("ai.head", "dai.county"):
            with pytest.raises(NotAllowed):
                approve(session, number, cast[login], now)
        approve(session, number, cast["bo.head"], now)


def test_a_stand_in_is_one_other_open_account_in_a_time_of_its_own(
    database: Database, cast: Cast, now: datetime
) -> None:
    a, b, c = cast["ai.head"], cast["bo.head"], cast["cai.branch"]
    with database.transaction() as session:
        system = people.system_account(session, "robot", "机器", now).id or 0
        for absent, other in ((a, a), (a, system), (a, 9999)):
            with pytest.raises(Invalid):
                stand_in(session, absent, other, now)
        for start, days in ((-3, 2), (0, 0), (0, 93)):
            with pytest.raises(Invalid):
                stand_in(session, a, b, now, start=start, days=days)
        first = stand_in(session, a, b, now)
        with pytest.raises(Conflict):
            stand_in(session, a, c, now, start=1)
        stand_in(session, a, c, now, start=2)
        stand_ins.end(session, first.id or 0, now=now)
        with pytest.raises(Conflict):
            stand_ins.end(session, first.id or 0, now=now)
        assert stand_ins.absent_for(session, b, now) == []


def test_the_queue_shows_exactly_what_may_be_decided(database: Database, cast: Cast, now: datetime) -> None:
    """The list's one query and the verb's own check never disagree."""
    with database.transaction() as session:
        three_steps(session, cast["bo.head"], now)
        stand_in(session, cast["ai.head"], cast["fan.far"], now)
        stand_in(session, cast["cai.branch"], cast["dai.county"], now)
        for index, node in enumerate(("", PROVINCE, COUNTY, OUTLET_A, OUTSIDE_PROVINCE, OUTSIDE_OUTLET)):
            for login in (EDITOR, "ai.head", "cai.branch", "dai.county"):
                ask(session, cast[login], now, subject=f"{index}-{login}", outlet_code=node)
        for row in session.exec(select(Approval).where(col(Approval.outlet_code).in_([COUNTY, OUTLET_A]))):
            if row.requested_by != cast["dai.county"]:
                approve(session, row.id or 0, cast["dai.county"], now)
        everything = session.exec(select(Approval)).all()
        shown = 0
        for number in cast.values():
            who = approval_search.viewer(session, number, sessions.powers_of(session, number), now)
            listed = session.exec(approval_search.query(who, Filter())).all()
            may = [
                one
                for one in everything
                if one.decision is None
                and deciders.may(session, one, approvals.open_step(session, one), number, now)
            ]
            assert {one.id for one in listed} == {one.id for one in may}
            assert all(approval_search.sees(session, who, one) for one in may)
            named = {one.id for one in may}
            candidates = {
                one.id
                for one in everything
                if one.decision is None
                and number
                in {
                    each.id
                    for each in deciders.candidates(session, one, approvals.open_step(session, one), now)
                }
            }
            assert candidates == named
            shown += len(may)
        assert shown > 20


def test_an_edit_and_a_decision_at_once_never_approve_what_nobody_saw(
    database: Database, cast: Cast, now: datetime
) -> None:
    """Whichever comes first: what is granted afterwards is never the edited thing."""
    for turn in range(6):
        subject = f"thing-{turn}"
        number = asked(database, cast[EDITOR], now, subject=subject)

        def edit(subject: str = subject) -> None:
            CURRENT[subject] = "b" * 64

        def decide(number: int = number) -> None:
            with database.transaction() as session:
                approve(session, number, cast["ai.head"], now)

        race([edit, decide])
        with database.reading() as session:
            edited = {"kind": KIND, "subject": subject, "subject_hash": "b" * 64}
            assert approvals.granted(session, **edited) is None
        with database.transaction() as session, pytest.raises(Conflict):
            approve(session, number, cast["bo.head"], now)


def test_control_a_grant_without_its_hash_would_cover_the_edited_thing(
    database: Database, cast: Cast, now: datetime
) -> None:
    number = asked(database, cast[EDITOR], now)
    with database.transaction() as session:
        approve(session, number, cast["ai.head"], now)
    CURRENT["thing"] = "b" * 64
    with database.reading() as session:
        anyhow = select(Approval).where(Approval.subject == "thing", Approval.decision == "approved")
        assert session.exec(anyhow).first() is not None
        assert approvals.granted(session, kind=KIND, subject="thing", subject_hash="b" * 64) is None


def race(workers: list[Callable[[], None]]) -> list[str]:
    """Run these at the same moment; what each came to: ok, or the name of its error."""
    barrier, outcomes = threading.Barrier(len(workers)), []

    def run(worker: Callable[[], None]) -> None:
        barrier.wait()
        try:
            worker()
            outcomes.append("ok")
        except DomainError as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=run, args=(one,)) for one in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return sorted(outcomes)


def test_of_two_deciders_at_once_one_wins(database: Database, cast: Cast, now: datetime) -> None:
    for turn in range(8):
        number = asked(database, cast[EDITOR], now, subject=f"thing-{turn}")
        SETTLED.clear()

        def decide(login: str, decision: str, number: int = number) -> Callable[[], None]:
            def run() -> None:
                with database.transaction() as session:
                    approvals.decide(
                        session, number, decision=decision, by=cast[login], now=now, opinion="看过"
                    )

            return run

        outcomes = race([decide("ai.head", "approved"), decide("bo.head", "rejected")])
        assert outcomes == ["Conflict", "ok"]
        with database.reading() as session:
            won = approvals.get(session, number)
            step = approvals.steps(session, won)[0]
            assert (step.decision, step.decided_by) == (won.decision, won.decided_by)
            assert [one[1] for one in SETTLED if one[0] == number][-1] == won.decision


def test_control_without_the_guard_both_deciders_succeed(
    database: Database, cast: Cast, now: datetime
) -> None:
    """What the conditional UPDATE is for: who only looks first and writes then overwrites the other."""
    number = asked(database, cast[EDITOR], now)
    looked = threading.Barrier(2)

    def decide(login: str, decision: str) -> Callable[[], None]:
        def run() -> None:
            with database.reading() as session:
                is_open = approvals.get(session, number).decision is None
            looked.wait(30)
            with database.transaction() as session:
                if is_open:
                    session.execute(
                        update(Approval)
                        .where(col(Approval.id) == number)
                        .values(decision=decision, decided_by=cast[login], decided_at=now)
                    )

        return run

    assert race([decide("ai.head", "approved"), decide("bo.head", "rejected")]) == ["ok", "ok"]


def test_a_withdrawal_and_a_decision_at_once(database: Database, cast: Cast, now: datetime) -> None:
    for turn in range(6):
        number = asked(database, cast[EDITOR], now, subject=f"thing-{turn}")

        def withdraw(number: int = number) -> None:
            with database.transaction() as session:
                approvals.withdraw(session, number, by=cast[EDITOR], now=now)

        def decide(number: int = number) -> None:
            with database.transaction() as session:
                approve(session, number, cast["ai.head"], now)

        assert race([withdraw, decide]) == ["Conflict", "ok"]
        with database.reading() as session:
            made = approvals.get(session, number)
            assert made.decision in ("withdrawn", "approved")
            assert (made.decided_by is None) == (made.decision == "withdrawn")


def test_two_requests_at_once_make_one(database: Database, cast: Cast, now: datetime) -> None:
    def request() -> None:
        with database.transaction() as session:
            ask(session, cast[EDITOR], now)

    assert race([request, request]) in (["ok", "ok"], ["Conflict", "ok"])  # never a broken transaction
    with database.reading() as session:
        assert len(session.exec(select(Approval)).all()) == 1
