"""Names and places as they stood then."""

from datetime import date, datetime

import pytest
from sqlmodel import Session, select

from core.database import Database
from core.errors import Invalid
from core.i18n import using_locale
from institution.models import OutletSpan
from tests import factories
from tracking.dimensions import Tree, describe, names


def move(session: Session, code: str, day: date, name: str, parent: str) -> None:
    """From `day` on the node has this name and hangs there."""
    last = session.exec(
        select(OutletSpan).where(OutletSpan.code == code).order_by(OutletSpan.valid_from.desc())  # type: ignore[attr-defined]
    ).first()
    assert last is not None
    last.valid_to = day
    session.add(OutletSpan(code=code, name=name, kind=last.kind, parent_code=parent, valid_from=day))
    session.flush()


def test_describing_again_changes_nothing(database: Database) -> None:
    with database.transaction() as session:
        for _ in range(2):
            describe(session, "piece", "full-surrender", "“全额退保”退掉了什么", name_en="Full surrender")
        assert names(session, "piece", date(2023, 1, 1))["full-surrender"] == "“全额退保”退掉了什么"
        with using_locale("en"):
            assert names(session, "piece", date(2023, 1, 1))["full-surrender"] == "Full surrender"


def test_a_dated_name_keeps_the_one_before(database: Database) -> None:
    with database.transaction() as session:
        describe(session, "campaign", "september", "金融知识普及月")
        describe(session, "campaign", "september", "金融教育宣传月", valid_from=date(2024, 1, 1))
        describe(session, "campaign", "september", "金融教育宣传周", valid_from=date(2025, 1, 1))
        found = [names(session, "campaign", date(year, 9, 30))["september"] for year in (2023, 2024, 2025)]
    assert found == ["金融知识普及月", "金融教育宣传月", "金融教育宣传周"]


def test_a_correction_without_a_date_changes_the_name_in_force(database: Database) -> None:
    with database.transaction() as session:
        describe(session, "campaign", "september", "金融知识普及月")
        describe(session, "campaign", "september", "金融教育宣传月", valid_from=date(2024, 1, 1))
        describe(session, "campaign", "september", "金融教育月")
        found = [names(session, "campaign", date(year, 9, 30))["september"] for year in (2023, 2024)]
    assert found == ["金融知识普及月", "金融教育月"]


def test_channels_have_names_of_their_own(database: Database) -> None:
    with database.transaction() as session:
        assert names(session, "channel", date(2023, 1, 1))["wechat"] == "微信公众号"
        describe(session, "channel", "wechat", "国寿微信")
        found = names(session, "channel", date(2023, 1, 1))
    assert found["wechat"] == "国寿微信"
    assert found[""] == "未指明渠道"


def test_an_unknown_kind_is_refused(database: Database) -> None:
    with database.transaction() as session, pytest.raises(Invalid):
        describe(session, "outlet", "1", "x")


def test_an_outlet_is_named_as_it_was(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
        move(session, factories.OUTLET_A, date(2023, 6, 1), "文三路新柜面", factories.COUNTY)
        tree = Tree.read(session)
    assert tree.name(factories.OUTLET_A, date(2023, 5, 31)) == "西湖文三路柜面"
    assert tree.name(factories.OUTLET_A, date(2023, 6, 1)) == "文三路新柜面"
    assert tree.name("99999999", date(2023, 6, 1)) == "99999999"
    assert tree.name("", date(2023, 6, 1)) == "总部线上"
    assert tree.moves(date(2023, 1, 1), date(2023, 12, 31)) == [], "a new name is no move"


def test_an_outlet_belongs_where_it_hung_on_the_day(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
        move(session, factories.OUTLET_B, date(2023, 6, 1), "西湖古荡柜面", factories.OUTSIDE_PROVINCE)
        tree = Tree.read(session)
    assert tree.moves(date(2023, 1, 1), date(2023, 12, 31)) == [date(2023, 6, 1)]
    before = tree.branches(factories.HEAD_OFFICE, date(2023, 5, 31))
    after = tree.branches(factories.HEAD_OFFICE, date(2023, 6, 1))
    assert before[factories.OUTLET_B] == factories.PROVINCE
    assert after[factories.OUTLET_B] == factories.OUTSIDE_PROVINCE
    assert after[factories.OUTLET_A] == after[factories.COUNTY] == factories.PROVINCE
    assert after[factories.HEAD_OFFICE] == factories.HEAD_OFFICE
    assert factories.OUTSIDE_OUTLET not in tree.branches(factories.PROVINCE, date(2023, 6, 1))
    assert tree.branches(factories.CITY, date(2023, 1, 1))[factories.OUTLET_A] == factories.COUNTY
