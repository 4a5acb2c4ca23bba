"""Trying a room out at the desk: from anywhere, with what is hidden, counted nowhere."""

import html
import re

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from content.escape_room import reading
from content.escape_room.compiling import compile_room
from content.making import trial
from content.making.writing import block
from content.rooms.models import RoomTrace
from core.database import Database
from core.errors import NotFound
from tests.content.escape_room import making
from tests.content.making.test_splicing import TEXT
from tests.content.room_desk.test_room_desk import ROOM


def state(page: str) -> str:
    return html.unescape(re.findall(r'name="state" value="([^"]*)"', page)[0])


@pytest.mark.parametrize(
    "at, words",
    [
        ("", "电话响个不停"), ("scenes/stairs", "高价收银行卡"), ("scenes/outlet", "慢慢说"), ("locks/drawer", "这把锁的答案"),
        ("dialogues/clerk", "先做什么，再做什么"), ("locks/steps", "这把锁的答案"),
    ],
)  # fmt: skip
def test_it_begins_anywhere(editor: FlaskClient, at: str, words: str) -> None:
    page = editor.get(f"{ROOM}/play?at={at}").get_data(as_text=True)
    assert words in page and "不计数，也不保存" in page
    assert f'action="{ROOM}/play"' in page and 'action="/play/' not in page


def test_the_way_there_is_the_shortest_and_the_rules_allow_every_step() -> None:
    room, _faults = reading.read_text(TEXT)
    assert room is not None
    game = compile_room(room)
    for table in ("scenes", "locks", "dialogues"):
        for name in getattr(room, table):
            actions = trial.way_to(TEXT, table, name)
            now = trial.walked(game, actions)
            front = game.fronts[now.front]
            assert name == (game.places[now.scene].name if table == "scenes" else front and front.name)
    assert trial.way_to(TEXT, "scenes", "living") == ()
    with pytest.raises(NotFound):
        trial.way_to(TEXT, "locks", "none")


def test_in_a_big_room_every_place_is_reached_too() -> None:
    """More points than a search looks at: then the ways of the proof are followed."""
    room = making.read(making.big())
    text, game = block(making.big()), compile_room(room)
    for table, name in (
        ("scenes", list(room.scenes)[-1]),
        ("locks", list(room.locks)[-1]),
        ("scenes", list(room.scenes)[3]),
    ):
        now = trial.walked(game, trial.way_to(text, table, name))
        front = game.fronts[now.front]
        assert name == (game.places[now.scene].name if table == "scenes" else front and front.name)


def test_the_answer_opens_the_lock(editor: FlaskClient) -> None:
    page = editor.get(f"{ROOM}/play?at=locks/drawer").get_data(as_text=True)
    hidden = page[page.index("trial-hidden") :]
    assert "<li>1958</li>" in hidden
    step = editor.post(f"{ROOM}/play", data={"state": state(page), "do": "answer:drawer", "code": "1958"})
    assert "打开了" in step.get_data(as_text=True)


def test_a_step_by_script_brings_the_scene_alone(editor: FlaskClient) -> None:
    page = editor.get(f"{ROOM}/play").get_data(as_text=True)
    answer = editor.post(
        f"{ROOM}/play", data={"state": state(page), "do": "look:photo"}, headers={"X-Scene": "1"}
    )
    part = answer.get_data(as_text=True)
    assert (
        "<!doctype" not in part
        and "一九五八年" in part
        and "奶奶的手机" in part[part.index("trial-hidden") :]
    )


def test_nothing_is_counted_or_kept(editor: FlaskClient, database: Database) -> None:
    page = editor.get(f"{ROOM}/play?at=locks/drawer").get_data(as_text=True)
    for code in ("1949", "1949", "7"):
        page = editor.post(
            f"{ROOM}/play", data={"state": state(page), "do": "answer:drawer", "code": code}
        ).get_data(as_text=True)
    with database.reading() as session:
        assert session.exec(select(RoomTrace)).all() == []


def test_a_state_of_another_version_begins_anew(editor: FlaskClient) -> None:
    answer = editor.post(f"{ROOM}/play", data={"state": "made up", "do": "look:photo"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{ROOM}/play")
