"""Reading figures of an official account: agreed to once by four eyes, brought in daily, a day that grows never twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select, update

from core import clock
from core.settings import Settings
from institution import approvals
from institution.approval_models import Approval
from scheduler.figures import Reading
from scheduler.models import ChannelAccount
from tests.scheduler import audience_cast
from tests.scheduler.receipt_scene import Site, site, wechat
from tracking.drain import Drain
from tracking.imports.standing_models import ReachStanding, ReachStandingBatch, ReachStandingSum
from tracking.models import Dimension
from tracking.recorder import Recorder
from tracking.store import ReachStore

YESTERDAY = clock.now().astimezone(ZoneInfo("Asia/Shanghai")).date() - timedelta(days=1)


@pytest.fixture
def here(settings: Settings) -> Iterator[Site]:
    with site(settings) as made:
        made.app.config["WTF_CSRF_ENABLED"] = False
        yield made


def article(day: date, title: str, readers: int, column: str = "read_user") -> dict[str, object]:
    """A row as the platform gives it, with the sources of readers in it."""
    source = [
        {"scene_desc": "全部", "user_count": readers},
        {"scene_desc": "公众号消息", "user_count": readers},
    ]
    return {
        "ref_date": day.isoformat(), "msgid": "7_1", "title": title,
        "detail": {column: readers, f"{column}_source": source},
    }  # fmt: skip


def counted(here: Site, day: date = YESTERDAY, *, says: int, shared: int = 0) -> None:
    """What the platform counted on a day."""
    here.wechat.figures["getarticleread", day.isoformat()] = [
        article(day, "守住钱袋子", says),
        article(day, "另一篇", 5),
    ]
    here.wechat.figures["getarticleshare", day.isoformat()] = [
        article(day, "守住钱袋子", shared, "share_user")
    ]


def reading(here: Site, ahead: timedelta = timedelta()) -> Reading:
    """As the job makes it, on a clock that is ahead."""
    sending, runtime = here.line.dispatcher, here.runtime
    zone = runtime.service(Settings).zone
    return Reading(
        here.database, runtime.service(Recorder), sending.opener, sending.channels, zone=zone,
        clock=lambda: clock.now() + ahead,
    )  # fmt: skip


def agreed(here: Site) -> int:
    """An account whose figures two people let in; a piece that is called like an article."""
    number = wechat(here)
    with here.database.transaction() as session:
        session.add(Dimension(kind="piece", key="money-bag", name="守住钱袋子", valid_from=date(2020, 1, 1)))
    page = here.staff().post(f"/desk/channels/{number}/figures/ask", follow_redirects=True).text
    assert "已提交审批" in page and "待审批" in page
    decide(here)
    return number


def decide(here: Site, decision: str = approvals.APPROVED) -> None:
    """A second person decides on what waits."""
    with here.database.transaction() as session:
        asked = select(Approval).where(Approval.kind == "reach.standing").order_by(col(Approval.id).desc())
        waiting = session.exec(asked).first()
        assert waiting is not None
        other = audience_cast.colleague(session, "he.approver", "何批准", "reviewer", clock.now())
        approvals.decide(
            session, waiting.id or 0, decision=decision, opinion="可以。", by=other, now=clock.now()
        )


def reach(here: Site) -> dict[tuple[str, str], int]:
    """What the store holds, by kind and piece."""
    here.runtime.service(Recorder).tick()
    here.runtime.service(Drain).run_once()
    sql = "SELECT kind, piece, sum(quantity) FROM reach_event WHERE source = 'import' GROUP BY kind, piece"
    return {
        (kind, piece): int(number) for kind, piece, number in here.runtime.service(ReachStore).query(sql, {})
    }


def test_nothing_comes_in_before_a_second_person_agreed(here: Site) -> None:
    number = wechat(here)
    counted(here, says=120)
    here.staff().post(f"/desk/channels/{number}/figures/ask")
    assert reading(here).run_once() == 0 and reach(here) == {}
    decide(here, approvals.REJECTED)
    assert reading(here).run_once() == 0 and reach(here) == {}
    assert "未批准" in here.staff().get(f"/desk/channels/{number}").text


def test_a_day_that_grows_brings_in_only_what_is_more(here: Site) -> None:
    agreed(here)
    counted(here, says=120, shared=7)
    assert reading(here).run_once() == 1
    first = {("visited", "money-bag"): 120, ("visited", ""): 5, ("shared", "money-bag"): 7}
    assert reach(here) == first, "articles, and not the sources of their readers on top"
    assert reading(here).run_once() == 0, "not again on the same day"
    later = timedelta(hours=13)
    assert reading(here, later).run_once() == 0 and reach(here) == first, "the same numbers are nothing new"
    counted(here, says=150, shared=6)
    assert reading(here, 2 * later).run_once() == 1
    assert reach(here) == {("visited", "money-bag"): 150, ("visited", ""): 5, ("shared", "money-bag"): 6}


def test_the_control_without_memory_a_day_is_counted_twice(here: Site) -> None:
    agreed(here)
    counted(here, says=120)
    reading(here).run_once()
    with here.database.transaction() as session:
        session.execute(update(ReachStandingSum).values(quantity=0))
    reading(here, timedelta(hours=13)).run_once()
    assert reach(here)["visited", "money-bag"] == 240


def test_a_kill_after_the_deposit_repeats_a_name(here: Site) -> None:
    agreed(here)
    counted(here, says=120)
    reading(here).run_once()
    with here.database.transaction() as session:
        session.execute(update(ReachStandingBatch).values(done=False))
    assert reading(here).run_once() == 1 and reach(here)["visited", "money-bag"] == 120


def test_many_workers_bring_a_day_in_once(here: Site) -> None:
    agreed(here)
    counted(here, says=120)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _number: reading(here).run_once(), range(4)))
    assert reach(here)["visited", "money-bag"] == 120


def test_an_account_that_changed_needs_a_new_agreement(here: Site) -> None:
    number = agreed(here)
    counted(here, says=120)
    with here.database.transaction() as session:
        session.execute(update(ChannelAccount).values(login="wxanother"))
    reading(here).run_once()
    page = here.staff().get(f"/desk/channels/{number}").text
    assert "渠道账号改过了，请重新申请自动计入。" in page and "申请自动计入" in page and reach(here) == {}


def test_who_stops_it_keeps_what_is_in(here: Site) -> None:
    number = agreed(here)
    counted(here, says=120)
    reading(here).run_once()
    assert (
        "不再自动计入"
        in here.staff().post(f"/desk/channels/{number}/figures/end", follow_redirects=True).text
    )
    counted(here, says=900)
    assert reading(here, timedelta(days=1)).run_once() == 0 and reach(here)["visited", "money-bag"] == 120


def test_what_the_platform_is_not_done_with_is_asked_for_soon(here: Site) -> None:
    agreed(here)
    here.wechat.delayed = True
    counted(here, says=1)
    reading(here).run_once()
    with here.database.reading() as session:
        next_at: datetime | None = session.exec(select(ReachStanding.next_at)).one()
    assert next_at is not None and next_at < clock.now() + timedelta(hours=3)


def test_other_accounts_have_no_figures(here: Site) -> None:
    number = here.account(
        "webhook", secrets={"secret": "s" * 30}, options={}, address="https://example.com/x"
    )
    assert here.staff().post(f"/desk/channels/{number}/figures/ask").status_code == 404
