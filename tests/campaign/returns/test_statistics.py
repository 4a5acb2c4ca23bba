"""A campaign's statistical return: columns by province from verified returns and from what the store knows."""

import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlmodel import Session

from campaign import programme
from campaign.models import Campaign
from campaign.programme import CampaignForm
from campaign.returns import filing, statistics
from core.database import Database
from core.settings import Settings
from institution.powers import WHOLE, Scope
from tests import factories
from tests.campaign.returns import cast
from tests.campaign.returns.cast import Books, People
from tracking import sheets
from tracking.drain import Drain
from tracking.events import new_event
from tracking.store import ReachStore

TODAY = date(2026, 9, 20)
ALL, SICHUAN = Scope(frozenset({WHOLE})), Scope(frozenset({factories.OUTSIDE_PROVINCE}))


@pytest.fixture
def who(database: Database, now: datetime) -> People:
    with database.transaction() as session:
        form = CampaignForm(
            code="week", name="金融教育宣传周", starts_on=date(2026, 9, 10), ends_on=date(2026, 9, 16)
        )
        made = cast.people(session, now)
        programme.save(session, form, now=now, new=True)
    return made


def campaign(session: Session) -> Campaign:
    return programme.get(session, "week")


def file_some(session: Session, who: People, now: datetime) -> int:
    """Two verified ones of one outlet, one of another province, one that waits, one of no campaign, one taken back."""
    head = factories.person(session, "head.verifies", "总行", "administrator", now).id or 0
    here = {"campaign_code": "week"}
    cast.verified(session, who, now, **here, audience_elders="50", audiences=["youth"])
    cast.verified(
        session,
        who,
        now,
        **here,
        held_on="2026-09-15",
        form="livestream",
        place="online",
        heads="900",
        partners=[],
    )
    far = cast.filed(
        session, who.outsider, now, outlet=factories.OUTSIDE_OUTLET, **here, heads="20", place="outlet"
    )
    cast.decide(session, far, head, now)
    cast.filed(session, who.clerk, now, **here, held_on="2026-09-12", heads="777")
    cast.verified(session, who, now, held_on="2026-09-11")
    gone = cast.verified(session, who, now, **here, held_on="2026-09-10", heads="5000")
    filing.void(session, gone, by=who.clerk, now=now, reason="没有办成")
    cast.decide(session, gone, who.branch, now)
    return head


def test_columns_add_up_by_province(
    settings: Settings, database: Database, who: People, now: datetime
) -> None:
    with database.transaction() as session:
        file_some(session, who, now)
    books, store = Books(settings, database), ReachStore.open(settings)
    try:
        books.keeper.run_once()
        at = datetime(2026, 9, 14, 4, tzinfo=UTC)
        keys: dict[str, Any] = {
            "at": at,
            "zone": cast.ZONE,
            "campaign": "week",
            "source": "web",
            "channel": "wechat",
        }
        outlet = factories.OUTLET_A
        books.recorder.deposit(
            "seen", [new_event(kind, outlet=outlet, visitor=7, **keys) for kind in ("visited", "visited", "shared")]
        )  # fmt: skip
        Drain(books.spool, store).run_once()
        with database.reading() as session:
            found = statistics.gather(session, store, campaign(session), scope=ALL, reach=ALL, today=TODAY)
            own = statistics.gather(
                session, store, campaign(session), scope=SICHUAN, reach=SICHUAN, today=TODAY
            )
            blind = statistics.gather(
                session, store, campaign(session), scope=ALL, reach=Scope(frozenset()), today=TODAY
            )
            daily = statistics.gather(session, store, None, scope=ALL, reach=ALL, today=TODAY)
    finally:
        store.close()
    assert [row.code for row in found.rows] == [factories.PROVINCE, factories.OUTSIDE_PROVINCE]
    here = found.rows[0].numbers
    expected = {
        "outlets": 1, "activities": 2, "online": 1, "joint": 1, "courses": 1, "staff": 6, "heads": 60, "viewers": 900,
        "joined": 84, "materials": 160, "wechat": 4, "place_community": 1, "group_elders": 950, "group_youth": 0,
        "reach": 962, "views": 2, "shares": 1,
    }  # fmt: skip
    assert {key: here[key] for key in expected} == expected
    assert found.total.numbers["activities"] == 3
    assert found.total.numbers["reach"] == 962 + 20
    assert found.waiting == 1
    assert [row.code for row in own.rows] == [factories.OUTSIDE_PROVINCE], "another province is not shown"
    assert blind.total.numbers["reach"] == 0
    assert daily.total.numbers["activities"] == 1


def test_the_workbook_has_typed_cells_and_says_how_each_column_is_counted(
    settings: Settings, database: Database, who: People, now: datetime
) -> None:
    with database.transaction() as session:
        file_some(session, who, now)
    store = ReachStore.open(settings)
    try:
        with database.reading() as session:
            found = statistics.gather(session, store, campaign(session), scope=ALL, reach=ALL, today=TODAY)
    finally:
        store.close()
    book = load_workbook(io.BytesIO(sheets.as_xlsx(statistics.sheet(found))))
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    heads = rows[0]
    assert heads[:6] == (
        "机构编号",
        "省级机构",
        "参与网点（个）",
        "开展活动（场）",
        "其中线上活动（场）",
        "其中联合开展（场）",
    )
    for needed in (
        "投入宣传人员（人次）", "发放宣传资料（份）", "微信发布、转发（条）", "微博发布、转发（条）", "触达消费者（人次）",
        "现场参与（人次）", "互动完成（人）", "原创短视频（件）", "以案说险（篇）", "风险提示（篇）", "媒体报道（篇）", "公益短信（条）",
        "LED、自助屏（块）", "讲座、培训（场）", "浏览量（人次）",
    ):  # fmt: skip
        assert needed in heads
    assert rows[-1][1] == "合计"
    assert all(isinstance(cell, int) for row in rows[1:] for cell in row[2:])
    assert rows[1][heads.index("投入宣传人员（人次）")] == 6
    told = {row[0]: row[1] for row in book.worksheets[1].iter_rows(values_only=True)}
    assert set(heads[2:]) <= set(told)
    assert "同一人参加两场计两次" in str(told["投入宣传人员（人次）"])
