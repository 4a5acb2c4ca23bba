"""Boards: ties share a place, the end freezes them, who stays out stays out; what is kept of a member, and how long."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask
from hypothesis import given
from hypothesis import strategies as some
from sqlmodel import Session, select

from campaign.play_sessions import boards, hosting, keeping
from campaign.play_sessions.boards import ranked
from campaign.play_sessions.hosting import ScreenLinks
from campaign.play_sessions.models import PlayMember, PlaySession
from content.rooms.playing import Table
from core import clock
from core.database import Database
from core.settings import Settings
from institution import retention
from tests import factories
from tests.campaign.play_sessions.conftest import Joins, host
from tests.content.rooms.conftest import KEY
from tests.content.rooms.plain import Plain
from tests.content.rooms.test_plain_play import onward


def member(number: int, points: int, seconds: int = 0, **more: object) -> PlayMember:
    now = datetime(2026, 9, 15, tzinfo=UTC)
    given = {"nickname": f"n{number}", "name_key": f"n{number}", "opened": 1, "locks": 7} | more
    return PlayMember(id=number, session_id=1, points=points, seconds=seconds, joined_at=now, **given)  # type: ignore[arg-type]


@given(some.lists(some.tuples(some.integers(0, 5), some.integers(0, 3)), max_size=12))
def test_a_place_is_one_more_than_how_many_have_more_points(given: list[tuple[int, int]]) -> None:
    rows = [(member(at, points, seconds), "") for at, (points, seconds) in enumerate(given, start=1)]
    for line in ranked(rows, most=99):
        assert line.place == 1 + sum(points > line.points for points, _seconds in given)
    lines = ranked(rows, most=99)
    assert [line.points for line in lines] == sorted((points for points, _s in given), reverse=True)


def of(database: Database, number: int = 1) -> PlayMember:
    with database.reading() as session:
        return session.get_one(PlayMember, number)


def shown(app: Flask, database: Database, hosted: PlaySession, now: datetime) -> boards.SessionBoard:
    games = app.extensions["signpost"][Table].games
    with database.reading() as session:
        return boards.session_board(session, hosted.id or 0, games.current, "zh", now)


def test_a_whole_play_is_kept_as_figures_alone_and_sent_again_scores_once(
    app: Flask, database: Database, hosted: PlaySession, joins: Joins
) -> None:
    phone = joins("阿明")
    onward(phone)
    assert "看大家的成绩" in phone.page.text
    one = of(database)
    assert (one.opened, one.locks, one.ending) == (7, 7, "safe")
    assert one.points == 80
    for html in list(phone.seen):  # every form of the play once more
        phone.page = type(phone.page)(html)
        for do in list(phone.page.buttons)[:2]:
            if do != "certificate":
                phone.press(do)
    again = of(database)
    assert again.model_dump() == one.model_dump()
    columns = set(PlayMember.__table__.columns.keys())  # type: ignore[attr-defined]
    assert columns == {
        "id", "session_id", "nickname", "name_key", "hidden", "ticket_hash", "play_hash", "opened", "locks", "points",
        "seconds", "ending", "joined_at",
    }  # fmt: skip
    board = shown(app, database, hosted, clock.now())
    assert [(line.place, line.nickname, line.points) for line in board.lines] == [(1, "阿明", 80)]
    assert (board.joined, board.ended, board.share) == (1, 1, 100)


def test_a_play_of_its_own_or_begun_again_does_not_count(database: Database, joins: Joins) -> None:
    phone = joins("阿明")
    phone.press("look:photo")
    phone.client.post(f"/play/{KEY}", data={"do": "start", "fresh": "1"})
    onward(phone_at(phone))
    assert of(database).opened == 0


def phone_at(phone: Plain) -> Plain:
    """The phone where its cookie says that it is."""
    phone.open(f"/play/{KEY}")
    return phone


def test_the_end_freezes_the_board(app: Flask, database: Database, hosted: PlaySession, joins: Joins) -> None:
    phone = joins("阿明")
    for do in ("look:photo", "look:granny", "say:0:2", "look:phone"):
        phone.press(do)
    phone.press("answer:first", pick=phone.picks("先停一停，不转账"))
    before = of(database)
    assert before.opened == 1
    with database.transaction() as session:
        hosting.end(session, hosted.id or 0, now=clock.now())
        hosting.end(session, hosted.id or 0, now=clock.now())
    phone.press("look:phone")
    phone.press(
        next(do for do in phone.page.buttons if do.startswith("say:0:") and _hangs(phone.page.html, do))
    )
    assert "打开了" in phone.page.text, "the room goes on for the phone"
    assert of(database).model_dump() == before.model_dump()
    token = app.extensions["signpost"][ScreenLinks].screen(hosted.id or 0)
    html = app.test_client().get(token).get_data(as_text=True)
    assert "这一场结束了" in html
    assert "阿明" in html


def _hangs(html: str, do: str) -> bool:
    return "我挂了" in html.split(f'value="{do}"', 1)[1].split("</button>", 1)[0]


def test_control_without_the_end_the_same_step_counts(database: Database, joins: Joins) -> None:
    phone = joins("阿明")
    for do in ("look:photo", "look:granny", "say:0:2", "look:phone"):
        phone.press(do)
    phone.press("answer:first", pick=phone.picks("先停一停，不转账"))
    phone.press("look:phone")
    phone.press(
        next(do for do in phone.page.buttons if do.startswith("say:0:") and _hangs(phone.page.html, do))
    )
    assert of(database).opened == 2


def test_who_stays_out_is_on_no_board_and_still_one_of_all(
    app: Flask, database: Database, hosted: PlaySession, joins: Joins
) -> None:
    onward(joins("", hidden="1"))
    onward(joins("阿明"))
    joins("小红")
    with database.transaction() as session:
        hosting.hide(session, hosted.id or 0, 3)
    board = shown(app, database, hosted, clock.now())
    assert [line.nickname for line in board.lines] == ["阿明"]
    assert [bar.nickname for bar in board.bars] == ["阿明"]
    assert (board.joined, board.ended) == (3, 2)


def put(session: Session, hosted: PlaySession, nickname: str, points: int) -> None:
    number = session.exec(select(PlayMember.id)).all()
    one = member(len(number) + 1, points, nickname=nickname, name_key=nickname)
    one.session_id, one.joined_at = hosted.id or 0, hosted.opened_at
    session.add(one)
    session.flush()


def test_the_best_of_an_outlet_and_of_a_campaign_are_those_of_ended_sessions(
    app: Flask, database: Database, hosted: PlaySession
) -> None:
    now = clock.now()
    other, far = host(database, now), host(database, now, factories.OUTSIDE_OUTLET)
    with database.transaction() as session:
        for number in (other.id, far.id):
            hosting.get(session, number or 0).campaign_code = "autumn"
        put(session, hosted, "甲", 50)
        put(session, other, "乙", 40)
        put(session, far, "丙", 90)
    with database.reading() as session:
        assert boards.of_outlet(session, factories.OUTLET_A, KEY, now) == []
    later = now + timedelta(hours=3)
    with database.reading() as session:
        mine = boards.of_outlet(session, factories.OUTLET_A, KEY, later)
        all_of_it = boards.of_campaign(session, "autumn", KEY, later)
    assert [(line.place, line.nickname) for line in mine] == [(1, "甲"), (2, "乙")]
    assert [(line.place, line.nickname, line.outlet) for line in all_of_it] == [
        (1, "丙", "锦江春熙路柜面"), (2, "乙", "西湖文三路柜面"),
    ]  # fmt: skip


def test_nicknames_go_thirty_days_after_the_end_and_figures_stay(
    app: Flask, database: Database, hosted: PlaySession, joins: Joins
) -> None:
    onward(joins("阿明"))
    joins("小红")
    ended = clock.now()
    with database.transaction() as session:
        hosting.end(session, hosted.id or 0, now=ended)
    before = of(database)
    assert retention.RULES["play.nickname"].days == keeping.DAYS == 30
    assert "play.nickname" not in retention.run(database, {}, ended + timedelta(days=29))
    assert of(database).nickname == "阿明"
    assert retention.run(database, {}, ended + timedelta(days=31))["play.nickname"] == 2
    after = of(database)
    assert (after.nickname, after.play_hash, after.name_key) == ("", "", "#1")
    assert (after.points, after.opened, after.ending) == (before.points, before.opened, before.ending)
    assert "play.nickname" not in retention.run(database, {}, ended + timedelta(days=32))
    lines = shown(app, database, hosted, ended).lines
    assert [(line.place, line.nickname, line.points) for line in lines] == [(1, "", 80)]


def test_a_play_of_the_hall_counts_once_for_the_outlet_whatever_the_phone_came_by(
    app: Flask, settings: Settings, database: Database, joins: Joins
) -> None:
    onward(joins("阿明"))
    found = [path.read_text("utf-8") for path in Path(settings.spool_dir).glob("seg-*")]
    events = [line.split("\t") for text in found for line in text.splitlines()]
    assert Counter(event[3] for event in events) == {"engaged": 1, "completed": 1}
    assert {tuple(event[6:10]) for event in events} == {("", KEY, factories.OUTLET_A, "outlet")}


def test_the_address_of_a_board_does_not_lead_to_the_screen(app: Flask, hosted: PlaySession) -> None:
    links, client = app.extensions["signpost"][ScreenLinks], app.test_client()
    board, screen = links.board(hosted.id or 0), links.screen(hosted.id or 0)
    assert (
        client.get(board).status_code
        == client.get(screen).status_code
        == client.get(f"{screen}/now").status_code
        == 200
    )
    assert hosted.code is not None
    assert hosted.code[:3] + " " + hosted.code[3:] in client.get(screen).get_data(as_text=True)
    assert client.get(board.replace("/play/board/", "/screen/play/")).status_code == 404
    assert client.get(screen[:-1] + ("A" if screen[-1] != "A" else "B")).status_code == 404
    assert client.get("/screen/play/1").status_code == 404
