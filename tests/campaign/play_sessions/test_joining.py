"""Joining a session: by code, under a nickname that may be shown, each nickname once; a form sent twice joins once."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlmodel import select

from campaign.play_sessions import hosting, joining
from campaign.play_sessions.hosting import Wanted
from campaign.play_sessions.joining import Joining
from campaign.play_sessions.models import PlayMember, PlaySession
from core import clock
from core.database import Database
from core.errors import Conflict, Invalid, NotFound
from tests import factories
from tests.campaign.play_sessions.conftest import CHROME, Joins, host, send
from tests.content.rooms.conftest import KEY
from tests.content.rooms.plain import Plain


def members(database: Database) -> list[PlayMember]:
    with database.reading() as session:
        return list(session.exec(select(PlayMember).order_by(PlayMember.id)))  # type: ignore[arg-type]


def test_a_code_leads_to_the_room_and_the_phone_goes_on_from_its_cookie(
    app: Flask, hosted: PlaySession
) -> None:
    phone = Plain(app.test_client(), {"User-Agent": CHROME})
    code = hosted.code or ""
    page = phone.open(f"/play/join?code={code[:3]} {code[3:]}")
    assert "西湖文三路柜面" in page.text
    assert "一通电话" in page.text
    send(phone, code, "阿明")
    assert "客厅" in phone.page.text
    assert "客厅" in phone.open(f"/play/{KEY}").text
    assert "sp_v" in {cookie.key for cookie in (phone.client._cookies or {}).values()}


@pytest.mark.parametrize("code", ["000000", "12345", "abc", "１２３４５６", "'; drop table"])
def test_a_wrong_code_says_where_to_look(app: Flask, hosted: PlaySession, code: str) -> None:
    phone = Plain(app.test_client())
    if code == hosted.code:
        return
    assert "请看大屏上的六位数字" in phone.open(f"/play/join?code={code}").text
    assert phone.status == 404


@pytest.mark.parametrize(
    "nickname",
    [
        "<b>粗</b>",
        "<script>alert(1)</script>",
        "13800138000",
        "138 0013 8000",
        "官方客服",
        "f.u.c.k",
        "x" * 13,
        "",
        "  ",
    ],
)
def test_a_nickname_that_may_not_be_shown_is_refused_and_loses_nothing(
    database: Database, joins: Joins, nickname: str
) -> None:
    phone = joins(nickname)
    assert phone.status == 409
    assert "昵称" in phone.page.text
    assert members(database) == []
    assert "<script>alert" not in phone.page.html
    assert "<b>粗" not in phone.page.html


def test_who_does_not_want_to_appear_needs_no_nickname(database: Database, joins: Joins) -> None:
    assert "客厅" in joins("", hidden="1").page.text
    assert "客厅" in joins("", hidden="1").page.text
    assert [one.hidden for one in members(database)] == [True, True]


@pytest.mark.parametrize("other", ["阿明", "阿·明", " 阿明 ", "阿-明"])
def test_a_nickname_is_there_once(database: Database, joins: Joins, other: str) -> None:
    joins("阿明")
    phone = joins(other)
    assert phone.status == 409
    assert "已有人用" in phone.page.text
    assert len(members(database)) == 1


def test_the_same_form_sent_twice_joins_once(app: Flask, database: Database, hosted: PlaySession) -> None:
    phone = Plain(app.test_client())
    form = phone.open(f"/play/join/{hosted.code}").forms[-1]
    fields: Any = dict(form.fields) | {"nickname": "阿明"}
    for _twice in range(2):
        assert "客厅" in phone.post(form.action, fields).text
    assert len(members(database)) == 1


def race(database: Database, write: Callable[[str], None], count: int = 16) -> Counter[str]:
    """How it went for so many who all want the same nickname in the same moment."""
    together = threading.Barrier(count)

    def one(number: int) -> str:
        together.wait()
        try:
            write(f"ticket {number}")
        except Conflict:
            return "refused"
        return "joined"

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(one, range(count)))


def test_of_many_phones_with_the_same_nickname_one_has_it(database: Database, hosted: PlaySession) -> None:
    def write(ticket: str) -> None:
        with database.transaction() as session:
            one = hosting.by_code(session, hosted.code or "", clock.now())
            joining.join(session, one, Joining("阿明", ticket=ticket), now=clock.now())

    assert race(database, write) == {"joined": 1, "refused": 15}
    assert len(members(database)) == 1


def test_control_looking_before_without_the_key_lets_several_have_it(
    database: Database, hosted: PlaySession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard is that one key stands for one nickname; where it does not, all have it."""
    monkeypatch.setattr(joining, "compared", lambda name: f"{name}{threading.get_ident()}")

    def write(ticket: str) -> None:
        with database.transaction() as session:
            one = hosting.by_code(session, hosted.code or "", clock.now())
            joining.join(session, one, Joining("阿明", ticket=ticket), now=clock.now())

    assert race(database, write)["joined"] > 1


def test_an_ended_session_takes_nobody_and_its_code_is_free_again(
    database: Database, hosted: PlaySession
) -> None:
    later = hosted.closes_at + timedelta(seconds=1)
    with database.transaction() as session:
        with pytest.raises(NotFound):
            hosting.by_code(session, hosted.code or "", later)
        with pytest.raises(Conflict):
            joining.join(session, hosting.get(session, hosted.id or 0), Joining("阿明"), now=later)
        hosting.free_codes(session, later)
    with database.reading() as session:
        assert hosting.get(session, hosted.id or 0).code is None


def test_what_cannot_be_hosted_names_its_field(database: Database, hosted: PlaySession) -> None:
    now = clock.now()
    wrong = [
        (factories.PROVINCE, Wanted(KEY, 2), "outlet_code"),
        ("nowhere", Wanted(KEY, 2), "outlet_code"),
        (factories.OUTLET_A, Wanted("no-room", 2), "piece_key"),
        (factories.OUTLET_A, Wanted(KEY, 3), "hours"),
        (factories.OUTLET_A, Wanted(KEY, 2, campaign_code="none"), "campaign_code"),
    ]
    for outlet, wanted, field in wrong:
        with database.transaction() as session, pytest.raises(Invalid) as found:
            hosting.open_session(session, outlet, wanted, by=None, now=now)
        assert found.value.field == field
    for _more in range(hosting.MOST_OPEN - 1):
        host(database, now)
    with pytest.raises(Conflict):
        host(database, now)
    host(database, now, factories.OUTLET_B)
