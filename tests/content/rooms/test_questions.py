"""Questions before, after and weeks later: parallel, of nobody, once; what the desk says of them."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from content import question_views
from content.escape_room.learning import PHASES
from content.rooms import answers, learners
from content.rooms.learners import LATER_DAYS, Invitation, Invitations, Learner
from content.rooms.models import RoomAnswer
from content.rooms.playing import Table
from core.database import Database
from core.errors import NotFound
from core.signing import Keys
from tests import factories
from tests.content.rooms.conftest import KEY
from tests.content.rooms.plain import Plain
from tests.content.rooms.test_plain_play import onward, play

TOKEN = re.compile(r'name="token" value="([^"]+)"')


def rows(database: Database) -> list[RoomAnswer]:
    with database.reading() as session:
        return list(session.exec(select(RoomAnswer)))


def answered(html: str, right: str = "1") -> dict[str, str]:
    """Every question of a page answered with its first option."""
    return {name: right for name in re.findall(r'name="(fact-[^"]+)" value="1"', html)}


def post(phone: Plain, action: str, fields: dict[str, str]) -> str:
    given: Any = fields
    return phone.post(action, given).html


def sealed(phone: Plain) -> str:
    """The state that the page carries."""
    return next(value for form in phone.page.forms for name, value in form.fields if name == "state")


def begun(phone: Plain, **more: str) -> Plain:
    html = phone.open(f"/play/{KEY}/before").html
    found = TOKEN.search(html)
    assert found is not None
    post(phone, f"/play/{KEY}/before", {"token": found[1], "do": "answer", **answered(html), **more})
    return phone


def test_before_and_after_are_of_the_same_learner_and_ask_other_questions(
    database: Database, visitor: Callable[[], Plain]
) -> None:
    phone = onward(begun(visitor(), audience="elders"))
    assert "再答几道小题" in phone.page.text
    state = sealed(phone)
    html = post(phone, f"/play/{KEY}/after", {"state": state})
    action = re.search(r'action="(/play/answers/[^"]+)"', html)
    assert action is not None
    for _twice in range(2):
        done = post(phone, action[1], {"phase": "after", **answered(html)})
    assert "三周后再来答一次" in done
    found = rows(database)
    assert Counter(one.phase for one in found) == {"before": 3, "after": 3}
    assert len({one.learner for one in found}) == 1
    assert {one.audience for one in found} == {"elders"}
    forms = {(one.fact, one.phase): one.form for one in found}
    assert all(forms[fact, "before"] != forms[fact, "after"] for fact, _phase in forms)
    assert set(RoomAnswer.__table__.columns.keys()) == {  # type: ignore[attr-defined]
        "learner", "fact", "phase", "room", "hash", "form", "right", "audience", "day",
    }  # fmt: skip


def test_who_skips_plays_and_leaves_nothing(database: Database, visitor: Callable[[], Plain]) -> None:
    phone = visitor()
    found = TOKEN.search(phone.open(f"/play/{KEY}/before").html)
    assert found is not None
    assert "客厅" in post(
        phone, f"/play/{KEY}/before", {"token": found[1], "do": "skip", "fact-hang-up": "1"}
    )
    assert rows(database) == []


def test_only_who_has_ended_is_asked_after(visitor: Callable[[], Plain]) -> None:
    phone = visitor()
    phone.press("start")
    state = sealed(phone)
    post(phone, f"/play/{KEY}/after", {"state": state})
    assert phone.status == 400


def test_weeks_later_is_not_before_two_weeks(
    app: Flask, database: Database, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = date(2026, 9, 15)
    monkeypatch.setattr(question_views, "_today", lambda: today)
    runtime = app.extensions["signpost"]
    revision = runtime[Table].games.current(room).revision
    phone = Plain(app.test_client())
    for days, status in ((LATER_DAYS - 1, 400), (LATER_DAYS, 200)):
        invited = Invitation(Learner("abc", 5), revision, today - timedelta(days=days))
        token = runtime[Invitations].sign(invited)
        html = phone.open(f"/play/later/{token}").html
        assert ("还早一点" in html) == (status == 400)
        post(phone, f"/play/answers/{token}", {"phase": "later", **(answered(html) or {"fact-hang-up": "1"})})
        assert phone.status == status
    assert {one.phase for one in rows(database)} == {"later"}


@pytest.mark.parametrize("token", ["", "x", "a~b", "abc.5..1.739000", "é" * 20, "a" * 500])
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    with pytest.raises(NotFound):
        Invitations(Keys(b"one")).read(token)


def test_a_token_of_another_key_is_refused() -> None:
    invited = Invitation(Learner("abc", 5, "elders"), 3, date(2026, 9, 15))
    token = Invitations(Keys(b"one")).sign(invited)
    assert Invitations(Keys(b"one")).read(token) == invited
    with pytest.raises(NotFound):
        Invitations(Keys(b"two")).read(token)


def test_each_form_comes_equally_often_in_each_phase(app: Flask, room: str) -> None:
    plain = app.extensions["signpost"][Table].games.current(room).game.room
    for phase in PHASES:
        seen = Counter(
            (one.fact, one.number)
            for turn in range(1000, 1036)
            for one in learners.asked(plain, phase, Learner("x", turn))
        )
        for fact, told in plain.facts.items():
            assert {seen[fact, form] for form in range(len(told.questions))} == {36 // len(told.questions)}


def test_gains_pair_learners_and_keep_audiences_apart(app: Flask, room: str) -> None:
    plain = app.extensions["signpost"][Table].games.current(room).game.room

    def row(learner: int, phase: str, right: bool, audience: str = "") -> RoomAnswer:
        return RoomAnswer(
            learner=f"l{learner}", fact="no-code", phase=phase, room=room, hash="h", form=0, right=right,
            audience=audience, day=date(2026, 9, 15),
        )  # fmt: skip

    found = [row(at, "before", at < 10, "elders" if at < 20 else "") for at in range(40)]
    found += [row(at, "after", at < 30, "elders" if at < 20 else "") for at in range(39)]
    found.append(row(99, "after", True))
    everybody, elders = answers.gains_of(found, plain)
    assert everybody.change is not None
    assert elders.change is not None
    assert (everybody.audience, everybody.change.n, everybody.before, everybody.after) == (
        "",
        39,
        (10, 40),
        (31, 40),
    )
    assert everybody.change.gain == pytest.approx(20 / 39)
    assert not everybody.change.few
    assert (elders.audience, elders.change.n, elders.change.few) == ("elders", 20, True)


def test_forms_that_are_not_equally_hard_are_named() -> None:
    def row(at: int, form: int, right: bool) -> RoomAnswer:
        return RoomAnswer(
            learner=f"{form} {at}", fact="f", phase="before", room="r", hash="h", form=form, right=right,
            day=date(2026, 9, 15),
        )  # fmt: skip

    even = answers.forms_of([row(at, form, at % 2 == 0) for at in range(60) for form in (0, 1)])
    apart = answers.forms_of([row(at, form, at % 10 < 3 + 5 * form) for at in range(60) for form in (0, 1)])
    few = answers.forms_of([row(at, form, form == 1) for at in range(20) for form in (0, 1)])
    assert [answers.uneven(one, "f") for one in (even, apart, few)] == [False, True, False]


def test_the_desk_shows_gains_without_a_cause_and_gives_them_as_a_file(
    app: Flask, visitor: Callable[[], Plain], entered: Callable[[str], FlaskClient]
) -> None:
    phone = onward(begun(visitor()))
    html = post(phone, f"/play/{KEY}/after", {"state": sealed(phone)})
    action = re.search(r'action="(/play/answers/[^"]+)"', html)
    assert action is not None
    post(phone, action[1], {"phase": "after", **answered(html)})
    desk = entered(factories.EDITOR)
    page = desk.get(f"/desk/pieces/{KEY}/learning").get_data(as_text=True)
    assert "不等于是这个密室带来的" in page
    assert "人数太少" in page
    table = desk.get(f"/desk/pieces/{KEY}/learning?export=csv").get_data(as_text=True)
    assert table.count("\n") == 4
    assert "验证码谁要都不给" in table


def test_a_play_without_questions_before_is_still_one_learner(
    visitor: Callable[[], Plain], database: Database
) -> None:
    phone = play(visitor())
    state = sealed(phone)
    html = post(phone, f"/play/{KEY}/after", {"state": state})
    action = re.search(r'action="(/play/answers/[^"]+)"', html)
    assert action is not None
    post(phone, action[1], {"phase": "after", **answered(html)})
    again = post(phone, f"/play/{KEY}/after", {"state": state})
    action = re.search(r'action="(/play/answers/[^"]+)"', again)
    assert action is not None
    post(phone, action[1], {"phase": "after", **answered(again)})
    assert len(rows(database)) == 3
