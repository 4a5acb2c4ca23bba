"""A revision and its approval: what each decision does to it, at the desk and when two act at once."""

import threading
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from content import history, lifecycle, review
from content.models import Revision, State
from core.database import Database
from core.errors import Conflict, DomainError
from institution import approval_kinds, approvals
from institution.models import Staff
from tests import entering, factories
from tests.content import pieces

APPROVALS = "/desk/approvals"


@pytest.fixture
def submitted(database: Database, cast: dict[str, Staff], now: datetime) -> int:
    """A submitted revision; the number of its request."""
    with database.transaction() as session:
        by = cast[factories.EDITOR].id or 0
        revision = pieces.saved(session, pieces.text(), by, now)
        request = lifecycle.submit(session, revision.id or 0, by=by, now=now, reason="请看期限")
        return request.id or 0


def revision_of(database: Database, number: int = 1) -> Revision:
    with database.reading() as session:
        return history.by_number(session, "stop-first", number)


@pytest.fixture
def reviewer(app: Flask) -> FlaskClient:
    return entering.client(app, factories.REVIEWER)


def decide(client: FlaskClient, number: int, decision: str, opinion: str = "") -> int:
    data = {"decision": decision, "opinion": opinion, **pieces.ALL_RIGHT}
    return client.post(f"{APPROVALS}/{number}/decide", data=data).status_code


@pytest.mark.parametrize(
    ("decision", "state"),
    [("approved", State.approved), ("changes", State.draft), ("rejected", State.draft)],
)
def test_a_decision_at_the_desk_moves_the_revision(
    reviewer: FlaskClient, submitted: int, database: Database, decision: str, state: State
) -> None:
    assert decide(reviewer, submitted, decision, "看过了") in (302, 303)
    assert revision_of(database).state == state
    with database.reading() as session:
        step, _number = history.steps(session, "stop-first")[0]
    assert (step.action, step.note) == (decision, "看过了")
    assert reviewer.get("/desk/pieces/stop-first").status_code == 200


def test_the_item_shows_the_page_and_the_facts(reviewer: FlaskClient, submitted: int) -> None:
    page = reviewer.get(f"{APPROVALS}/{submitted}").text
    assert "以案说险" in page and "首次发布" in page and "请看期限" in page
    preview = reviewer.get(f"{APPROVALS}/{submitted}/preview")
    assert preview.status_code == 200 and "问一问，再转账" in preview.text


def test_facts_say_how_much_changed(
    database: Database, app: Flask, cast: dict[str, Staff], now: datetime
) -> None:
    editor, second = cast[factories.EDITOR], cast[factories.REVIEWER]
    with database.transaction() as session:
        pieces.to_the_site(session, pieces.text(), editor, second, now)
        newer = pieces.saved(session, pieces.text(body="## 二\n"), editor.id or 0, now)
        request = lifecycle.submit(session, newer.id or 0, by=editor.id or 0, now=now)
        facts = dict(approval_kinds.of(review.APPROVAL_KIND).facts(session, request))
    assert "第 1 版" in facts["改动"]


def test_nobody_decides_on_their_own(app: Flask, database: Database, now: datetime) -> None:
    administrator = entering.client(app, factories.ADMINISTRATOR)
    administrator.post("/desk/pieces/new", data={"text": pieces.text(), "base": "0", "do": "save"})
    administrator.post("/desk/pieces/stop-first/1/submit")
    with database.reading() as session:
        request = approvals.open_request(session, kind=review.APPROVAL_KIND, subject="stop-first")
        assert request is not None
    assert decide(administrator, request.id or 0, "approved") in (400, 403)
    assert revision_of(database).state == State.submitted


def test_withdrawing_the_request_takes_the_revision_back(
    app: Flask, submitted: int, database: Database
) -> None:
    editor = entering.client(app, factories.EDITOR)
    assert editor.post(f"{APPROVALS}/{submitted}/withdraw").status_code in (302, 303)
    assert revision_of(database).state == State.draft
    with database.reading() as session:
        assert history.steps(session, "stop-first")[0][0].action == "taken_back"


def test_a_newer_text_does_not_slip_under_a_decision(
    reviewer: FlaskClient, submitted: int, database: Database, cast: dict[str, Staff], now: datetime
) -> None:
    with database.transaction() as session:
        newer = pieces.saved(session, pieces.text(body="## 偷偷改\n"), cast[factories.EDITOR].id or 0, now)
    assert decide(reviewer, submitted, "approved") in (302, 303)
    assert (revision_of(database, 1).state, revision_of(database, 2).state) == ("approved", "draft")
    with pytest.raises(DomainError), database.transaction() as session:
        lifecycle.publish(session, newer.id or 0, by=cast[factories.EDITOR].id or 0, now=now)


def test_a_due_day_goes_along(app: Flask, database: Database, cast: dict[str, Staff], now: datetime) -> None:
    with database.transaction() as session:
        pieces.saved(session, pieces.text(), cast[factories.EDITOR].id or 0, now)
    editor = entering.client(app, factories.EDITOR)
    editor.post("/desk/pieces/stop-first/1/submit", data={"due_on": "2099-01-31"})
    with database.reading() as session:
        request = approvals.open_request(session, kind=review.APPROVAL_KIND, subject="stop-first")
        assert request is not None and request.due_at is not None
        assert request.due_at - datetime(2099, 1, 31, 15, 59, tzinfo=now.tzinfo) < timedelta(minutes=1)
    assert editor.post("/desk/pieces/stop-first/1/submit", data={"due_on": "31.1."}).status_code == 302


def race(database: Database, *acts: object) -> list[str]:
    """Run the acts at once, each in a transaction of its own; what became of each, in their order."""
    start, outcomes = threading.Barrier(len(acts)), [""] * len(acts)

    def work(at: int) -> None:
        start.wait()
        try:
            with database.transaction() as session:
                acts[at](session)  # type: ignore[operator]
            outcomes[at] = "done"
        except DomainError as error:
            outcomes[at] = type(error).__name__

    threads = [threading.Thread(target=work, args=(at,)) for at in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


def test_of_a_decision_and_a_taking_back_at_once_one_holds(
    database: Database, cast: dict[str, Staff], now: datetime
) -> None:
    by, other = cast[factories.EDITOR].id or 0, cast[factories.REVIEWER].id or 0
    for turn in range(6):
        with database.transaction() as session:
            revision = pieces.saved(session, pieces.text(body=f"## {turn}\n"), by, now)
            lifecycle.submit(session, revision.id or 0, by=by, now=now)
            number = revision.id or 0
        outcomes = race(
            database,
            lambda session, number=number: lifecycle.approve(session, number, by=other, now=now),
            lambda session, number=number: lifecycle.take_back(session, number, by=by, now=now),
        )
        assert sorted(outcomes) == [Conflict.__name__, "done"], outcomes
        expected = State.approved if outcomes[0] == "done" else State.draft
        assert revision_of(database, turn + 1).state == expected
