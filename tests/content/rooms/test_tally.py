"""What plays do, counted for editors: each mistake once a play, plays that were left, beside their passages."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from content.escape_room.locks import CodeLock
from content.rooms import mistakes, tally
from content.rooms.models import RoomCount, RoomStand
from content.rooms.playing import Table
from content.rooms.tally import Tally
from core import clock
from core.database import Database
from tests import factories
from tests.content.rooms.conftest import KEY
from tests.content.rooms.plain import Plain
from tests.content.rooms.test_plain_play import play


def counts(database: Database, kind: str) -> dict[str, int]:
    with database.reading() as session:
        return tally.counted(session, KEY, kind)


def wrong(phone: Plain) -> Plain:
    """To the first lock, and wrong at it."""
    for do in ("start", "look:phone"):
        phone.press(do)
    phone.press("answer:first", pick=phone.picks("先转过去再说"))
    return phone


def test_a_mistake_counts_once_for_each_play_and_is_shown_beside_its_passage(
    app: Flask, database: Database, visitor: Callable[[], Plain], entered: Callable[[str], FlaskClient]
) -> None:
    for _two in range(2):
        phone = wrong(visitor())
        phone.press("answer:first", pick=phone.picks("先转过去再说"))
    phone.press("answer:first", pick=phone.picks("把验证码念给他听"))
    app.extensions["signpost"][Tally].flush()
    app.extensions["signpost"][Tally].flush()
    assert counts(database, tally.WRONG) == {"first/pay": 2, "first/code": 1}
    page = entered(factories.EDITOR).get(f"/desk/pieces/{KEY}/learning").get_data(as_text=True)
    for words in ("locks.first.options.pay", "先转过去再说", "钱转出去就很难追回", "67%"):
        assert words in page, words


def test_a_play_that_does_not_come_back_within_a_day_was_left_where_it_stood(
    app: Flask, database: Database, visitor: Callable[[], Plain]
) -> None:
    wrong(visitor())
    play(visitor())
    found = app.extensions["signpost"][Tally]
    assert found.run_once() == 0
    zone = found._zone
    with database.transaction() as session:
        assert tally.fold(session, clock.now() - timedelta(hours=23), zone) == 0
        assert len(session.exec(select(RoomStand)).all()) == 2
        assert tally.fold(session, clock.now() + timedelta(seconds=1), zone) == 2
        assert tally.fold(session, clock.now() + timedelta(seconds=1), zone) == 0
    assert counts(database, tally.LEFT) == {"living/first": 1}
    assert counts(database, tally.ENDED) == {"": 1}


def test_what_cannot_be_written_now_is_written_later(
    app: Flask, database: Database, visitor: Callable[[], Plain]
) -> None:
    wrong(visitor())
    found = app.extensions["signpost"][Tally]
    with database.transaction() as session:
        session.connection().exec_driver_sql("ALTER TABLE room_count RENAME TO room_gone")
    try:
        found.flush()
    except Exception as error:
        assert "room_count" in str(error)
    else:
        raise AssertionError("the table was away")
    finally:
        with database.transaction() as session:
            session.connection().exec_driver_sql("ALTER TABLE room_gone RENAME TO room_count")
    found.flush()
    assert counts(database, tally.WRONG) == {"first/pay": 1}


def test_days_add_up_and_versions_can_be_told_apart(
    database: Database, app: Flask, visitor: Callable[[], Plain]
) -> None:
    for _three in range(3):
        wrong(visitor())
        app.extensions["signpost"][Tally].flush()
    with database.reading() as session:
        one = session.exec(select(RoomCount)).one()
        assert (one.count, tally.counted(session, KEY, tally.WRONG, one.hash)) == (3, {"first/pay": 3})
        assert tally.counted(session, KEY, tally.WRONG, "another") == {}


def test_every_kind_of_mistake_finds_its_passage(app: Flask, room: str) -> None:
    plain = app.extensions["signpost"][Table].games.current(room).game.room
    given = {
        "first/pay": 3, "cards/counter+lacking": 1, "drawer/like-1": 2, "drawer/otherwise": 1, "message/passage-1": 1,
        "numbers/place-2": 1, "steps/place-1": 1, "caller/start/pay": 4, "cards/lacking": 1, "first/gone": 1,
    }  # fmt: skip
    found = {one.name: one for one in mistakes.of_room(plain, given, {"living/caller": 2, "living/": 5})}
    places = {passage.at: passage.chosen for lock in found.values() for passage in lock.passages}
    assert isinstance(plain.locks["drawer"], CodeLock)
    assert places["locks.caller.lines.start.replies.pay"] == "好，我这就转。"
    assert places["locks.drawer.wrong.0"] == "1949 / 19?8"
    assert places["locks.message.passages.0"] == "尊敬的客户，"
    assert "96110" not in places["locks.numbers.pairs.1"]
    assert "12378" in places["locks.numbers.pairs.1"]
    assert places["locks.first.?"] == "gone"
    assert found["caller"].left == 2
    assert sum(found["first"].passages[at].share for at in range(2)) == 1
    assert Counter(one.count for one in found["caller"].passages) == {4: 1}
