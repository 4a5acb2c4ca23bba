"""content.releases: published at its time, once; not what was overtaken; moved and cancelled on the desk."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlmodel import Session, select

from content import history, lifecycle, releases
from content.models import Revision, State
from content.release_models import Release, ReleaseState
from content.releases import Releaser
from core import clock
from core.database import Database
from core.errors import Conflict, Invalid
from institution.models import Staff
from tests import factories
from tests.content import pieces

HOUR = timedelta(hours=1)


def approved(
    session: Session, editor: Staff, reviewer: Staff, now: datetime, body: str = pieces.BODY
) -> Revision:
    revision = pieces.saved(session, pieces.text(body=body), editor.id or 0, now)
    lifecycle.submit(session, revision.id or 0, by=editor.id or 0, now=now)
    lifecycle.approve(session, revision.id or 0, by=reviewer.id or 0, now=now)
    session.refresh(revision)
    return revision


def planned(database: Database, now: datetime) -> tuple[int, int, int, int]:
    """An approved revision that is to come out in an hour: release, revision, editor, reviewer."""
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        revision = approved(session, editor, reviewer, now)
        made = releases.schedule(session, revision.id or 0, now + HOUR, by=editor.id or 0, now=now)
        return made.id or 0, revision.id or 0, editor.id or 0, reviewer.id or 0


def standing(database: Database, release_id: int, revision_id: int) -> tuple[str, str, str]:
    with database.reading() as session:
        release = releases.get(session, release_id)
        return release.state, history.get(session, revision_id).state, release.note


def test_it_comes_out_at_its_time_and_once_also_after_an_outage(database: Database, now: datetime) -> None:
    release, revision, _editor, _reviewer = planned(database, now)
    times = iter([now + HOUR - timedelta(seconds=1), now + 9 * HOUR, now + 9 * HOUR, now + 10 * HOUR])
    job = Releaser(database, lambda: next(times))
    assert job.run_once() == 0
    assert standing(database, release, revision)[:2] == ("waiting", "approved")
    assert [job.run_once(), job.run_once(), job.run_once()] == [1, 0, 0]
    assert standing(database, release, revision)[:2] == ("done", "published")
    with database.reading() as session:
        assert history.get(session, revision).published_at == now + 9 * HOUR
        steps = [step.action for step, _number in history.steps(session, "stop-first")]
    assert steps.count("published") == 1


def test_two_processes_publish_once(database: Database, now: datetime) -> None:
    release, revision, _editor, _reviewer = planned(database, now)
    done: list[bool] = []

    def carry() -> None:
        with database.transaction() as session:
            done.append(releases.carry_out(session, release, now + HOUR) is not None)

    threads = [threading.Thread(target=carry) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(done) == [False, False, False, True]
    assert standing(database, release, revision)[:2] == ("done", "published")


@pytest.mark.parametrize("between", ["newer", "withdrawn", "by hand"])
def test_what_was_overtaken_is_not_published_and_says_why(
    database: Database, now: datetime, between: str
) -> None:
    release, revision, editor, reviewer = planned(database, now)
    with database.transaction() as session:
        if between == "newer":
            pieces.saved(session, pieces.text(body="## 别的\n\n换了说法。\n"), editor, now)
        else:
            lifecycle.publish(session, revision, by=editor, now=now)
        if between == "withdrawn":
            lifecycle.withdraw(session, "stop-first", by=editor, now=now, reason="写错了")
            lifecycle.submit(session, revision, by=editor, now=now)
            lifecycle.approve(session, revision, by=reviewer, now=now)
    assert Releaser(database, lambda: now + HOUR).run_once() == 1
    state, of_revision, note = standing(database, release, revision)
    assert (state, of_revision) == ("stopped", "published" if between == "by hand" else "approved")
    assert {"newer": "新的第 2 版", "withdrawn": "撤下过", "by hand": "由人发布"}[between] in note


def test_what_is_not_approved_or_not_in_the_future_is_refused(database: Database, now: datetime) -> None:
    release, revision, editor, _reviewer = planned(database, now)
    with database.transaction() as session:
        draft = pieces.saved(session, pieces.text("other-1"), editor, now).id or 0
    for number, at, error in (
        (draft, now + HOUR, Conflict),
        (revision, now + HOUR, Conflict),
    ):
        with pytest.raises(error), database.transaction() as session:
            releases.schedule(session, number, at, by=editor, now=now)
    for at in (now, now - HOUR, now + timedelta(days=400)):
        with pytest.raises(Invalid), database.transaction() as session:
            releases.move(session, release, at, by=editor, now=now)
    with database.transaction() as session:
        releases.cancel(session, release, now=now)
    assert Releaser(database, lambda: now + 2 * HOUR).run_once() == 0
    assert standing(database, release, revision)[:2] == ("cancelled", "approved")
    with pytest.raises(Conflict), database.transaction() as session:
        releases.move(session, release, now + HOUR, by=editor, now=now)


def test_on_the_desk_it_is_planned_moved_shown_and_cancelled(
    database: Database, now: datetime, cast: dict[str, Staff], entered: Callable[[str], FlaskClient]
) -> None:
    with database.transaction() as session:
        approved(session, cast[factories.EDITOR], cast[factories.REVIEWER], now)
    client = entered(factories.ADMINISTRATOR)
    path = "/desk/pieces/stop-first"
    assert "到时发布第 1 版" in client.get(path).text
    coming = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT08:30")
    refused = client.post(f"{path}/1/release", data={"at": "2020-01-01T08:00"}, follow_redirects=True)
    assert "发布时间要在现在之后" in refused.text
    assert "请选择发布的日期和时间" in client.post(f"{path}/1/release", follow_redirects=True).text
    client.post(f"{path}/1/release", data={"at": coming})
    with database.reading() as session:
        made = session.exec(select(Release)).one()
        assert (made.state, made.due_at.minute) == (ReleaseState.waiting, 30)
    assert "先停一停" in client.get("/desk/releases").text
    assert "取消定时发布" in client.get(path).text
    later = (clock.now() + timedelta(days=3)).strftime("%Y-%m-%dT09:15")
    client.post(f"/desk/releases/{made.id}/move", data={"at": later})
    with database.reading() as session:
        assert releases.get(session, made.id or 0).due_at.minute == 15
    client.post(f"/desk/releases/{made.id}/cancel")
    with database.reading() as session:
        assert releases.get(session, made.id or 0).state == ReleaseState.cancelled
        assert history.newest(session, "stop-first").state == State.approved  # type: ignore[union-attr]
