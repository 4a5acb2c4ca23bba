"""Campaigns: what runs when, what is refused, order of pieces, and the campaign file."""

from datetime import UTC, date, datetime

import pytest
import yaml
from sqlmodel import Session, select

from campaign import calendar, programme
from campaign.models import Campaign, CampaignPiece
from campaign.programme import CampaignForm
from content.models import PageGeneration, Piece
from core.database import Database
from core.errors import Conflict, DomainError, Invalid, NotFound
from core.i18n import using_locale
from tracking import dimensions

FILE = """
code: september-week
name: 金融教育宣传周
name_en: Financial Education Week
theme: warning
tag: 金融教育宣传周
slogan: 保障金融权益 助力美好生活
heading: 先停一停，<br>问一问，再转账
summary: 三分钟看懂今年最常见的骗局。
starts_on: 2026-09-15
ends_on: 2026-09-21
pieces: [full-surrender, ai-voice]
help: 先别转账，打电话问一问。
"""


def pieces(session: Session, now: datetime, *keys: str) -> None:
    for key in keys:
        session.add(Piece(key=key, kind="article", created_at=now))
    session.flush()


def form(**more: object) -> CampaignForm:
    values = {"code": "spring", "name": "春天", "starts_on": date(2026, 3, 9), "ends_on": date(2026, 3, 15)}
    return CampaignForm(**{**values, **more})  # type: ignore[arg-type]


def test_a_file_gives_the_campaign_and_doing_it_again_changes_nothing(
    database: Database, now: datetime
) -> None:
    data = yaml.safe_load(FILE)
    with database.transaction() as session:
        pieces(session, now, "ai-voice", "full-surrender")
        first = programme.import_file(session, data, now).model_dump()
        keys = programme.piece_keys(session, "september-week")
        assert programme.import_file(session, data, now).model_dump() == first
    assert keys == ["full-surrender", "ai-voice"]
    assert first["starts_on"] == date(2026, 9, 15)
    assert first["help_text"] == "先别转账，打电话问一问。"
    with database.reading() as session:
        assert len(session.exec(select(CampaignPiece)).all()) == 2
        names = dimensions.names(session, "campaign", now.date())
        assert names["september-week"] == "金融教育宣传周"


def test_a_file_may_bring_a_picture(database: Database, now: datetime) -> None:
    data = {**yaml.safe_load(FILE), "pieces": [], "hero": "media/hero.svg"}
    with database.transaction() as session:
        made = programme.import_file(session, data, now, hero=lambda name: f"/media/{name[6:]}")
    assert made.hero_url == "/media/hero.svg"


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"slogam": "x"}, None, "slogam"),
        ({"starts_on": "2026-9-1"}, "starts_on", "2026-09-15"),
        ({"pieces": ["no-such-piece"]}, "pieces", "no-such-piece"),
    ],
)
def test_a_wrong_file_is_refused_with_its_field(
    database: Database, now: datetime, change: dict[str, object], field: str | None, words: str
) -> None:
    data = {**yaml.safe_load(FILE), "pieces": [], **change}
    with pytest.raises(Invalid) as caught, database.transaction() as session:
        programme.import_file(session, data, now)
    assert caught.value.field == field
    assert words in str(caught.value)
    with database.reading() as session:
        assert programme.listing(session) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "Has Space"}, "code"),
        ({"code": "a"}, "code"),
        ({"name": "  "}, "name"),
        ({"theme": "neon"}, "theme"),
        ({"starts_on": None}, "starts_on"),
        ({"ends_on": None}, "ends_on"),
        ({"ends_on": date(2026, 3, 8)}, "ends_on"),
        ({"texts": {"heading": "<b>粗</b>"}}, "heading"),
        ({"texts": {"summary": "<br>"}}, "summary"),
        ({"texts": {"slogan": "长" * 121}}, "slogan"),
        ({"name": "长" * 121}, "name"),
    ],
)
def test_each_rule_names_its_field(
    database: Database, now: datetime, change: dict[str, object], field: str
) -> None:
    with pytest.raises(DomainError) as caught, database.transaction() as session:
        programme.save(session, form(**change), now=now)
    assert caught.value.field == field


def test_a_title_may_break_where_the_sense_breaks(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        made = programme.save(session, form(texts={"heading": "先停一停，<br>再<wbr>转账"}), now=now)
    assert made.heading == "先停一停，<br>再<wbr>转账"


def test_new_and_changed_are_told_apart(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        programme.save(session, form(), now=now, new=True)
        with pytest.raises(Conflict):
            programme.save(session, form(), now=now, new=True)
        with pytest.raises(NotFound):
            programme.save(session, form(code="autumn"), now=now, new=False)
        assert programme.save(session, form(name="春分"), now=now, new=False).name == "春分"


def test_the_current_campaign_is_the_visible_one_that_began_last(database: Database, now: datetime) -> None:
    long = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31)}
    with database.transaction() as session:
        programme.save(session, form(code="all-year", **long), now=now)
        programme.save(session, form(), now=now)
        programme.save(session, form(code="hidden", visible=False), now=now)
        on = [programme.current(session, date(2026, 3, day)) for day in (8, 9, 15, 16)]
        shown = programme.on_show(session, date(2027, 1, 1))
    assert [one.code if one else None for one in on] == ["all-year", "spring", "spring", "all-year"]
    assert [one.code for one in shown.past] == ["all-year", "spring"]
    assert (shown.running, shown.coming) == ([], [])


def test_coming_campaigns_stand_soonest_first(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        programme.save(session, form(), now=now)
        later = {"starts_on": date(2026, 7, 8), "ends_on": date(2026, 7, 8)}
        programme.save(session, form(code="july", **later), now=now)
        shown = programme.on_show(session, date(2026, 1, 1))
    assert [one.code for one in shown.coming] == ["spring", "july"]


def test_pieces_move_up_and_down_and_stop_at_the_ends(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        pieces(session, now, "a1", "b2", "c3")
        programme.save(session, form(pieces=["a1", "b2", "c3"]), now=now)
        programme.move(session, "spring", "c3", by=-1)
        assert programme.piece_keys(session, "spring") == ["a1", "c3", "b2"]
        programme.move(session, "spring", "a1", by=-1)
        programme.move(session, "spring", "b2", by=1)
        assert programme.piece_keys(session, "spring") == ["a1", "c3", "b2"]
        programme.save(session, form(name="名字变了"), now=now)  # pieces None: left as they are
        assert programme.piece_keys(session, "spring") == ["a1", "c3", "b2"]
        with pytest.raises(NotFound):
            programme.move(session, "spring", "zz", by=1)


def test_only_published_pieces_are_shown(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        pieces(session, now, "a1")
        programme.save(session, form(pieces=["a1"]), now=now)
        assert programme.pieces(session, "spring") == []


def test_saving_has_the_pages_rendered_anew(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        programme.save(session, form(), now=now)
        first = session.exec(select(PageGeneration.value)).one()
        programme.save(session, form(name="又变了"), now=now)
        session.expire_all()
        assert session.exec(select(PageGeneration.value)).one() > first


def test_texts_follow_the_language_and_fall_back_to_chinese() -> None:
    made = datetime(2026, 1, 1, tzinfo=UTC)
    days = {
        "starts_on": date(2026, 1, 1),
        "ends_on": date(2026, 1, 2),
        "created_at": made,
        "updated_at": made,
    }
    one = Campaign(code="x1", name="春天", name_en="Spring", slogan="只有中文", **days)  # type: ignore[arg-type]
    assert one.shown("name") == "春天"
    with using_locale("en"):
        assert one.shown("name") == "Spring"
        assert one.shown("slogan") == "只有中文"


@pytest.mark.parametrize(
    ("first", "last", "chinese", "english"),
    [
        (date(2026, 9, 15), date(2026, 9, 21), "9月15日—21日", "15–21 September"),
        (date(2026, 9, 15), date(2026, 10, 8), "9月15日—10月8日", "15 September – 8 October"),
        (date(2026, 7, 8), date(2026, 7, 8), "7月8日", "8 July"),
        (
            date(2026, 12, 30),
            date(2027, 1, 3),
            "2026年12月30日—2027年1月3日",
            "30 December 2026 – 3 January 2027",
        ),
    ],
)
def test_periods_read_as_people_say_them(first: date, last: date, chinese: str, english: str) -> None:
    assert calendar.period(first, last) == chinese
    with using_locale("en"):
        assert calendar.period(first, last) == english


def test_the_next_tuesday_is_today_on_a_tuesday() -> None:
    assert calendar.next_tuesday(date(2026, 9, 15)) == date(2026, 9, 15)
    assert calendar.next_tuesday(date(2026, 9, 16)) == date(2026, 9, 22)
    assert calendar.next_tuesday(date(2026, 9, 21)) == date(2026, 9, 22)
