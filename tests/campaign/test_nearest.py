"""Outlets around a coarse position: the nearest of every point of the cell are among them, and nothing is kept."""

import random
from datetime import datetime

import pytest
from flask import Flask
from sqlmodel import Session

from campaign import nearest
from core.database import Database
from core.errors import Invalid
from institution import outlets
from tests import factories


def test_a_position_is_made_coarse_whatever_was_sent() -> None:
    assert nearest.spot({"latitude": "30.27415", "longitude": "120.15515"}) == (30.3, 120.2)
    for wrong in ({}, {"latitude": "nan", "longitude": "1"}, {"latitude": "91", "longitude": "0"}, {"latitude": "x", "longitude": "inf"}):  # fmt: skip
        with pytest.raises(Invalid):
            nearest.spot(wrong)


def _many(session: Session, now: datetime, luck: random.Random) -> None:
    factories.tree(session, now)
    for number in range(300):
        factories.outlet(
            session, f"9{number:04d}", f"网点{number}", "outlet", factories.PROVINCE, now=now,
            latitude=round(luck.uniform(29.5, 31), 4), longitude=round(luck.uniform(119.3, 121), 4),
        )  # fmt: skip


def test_the_nearest_of_every_point_of_the_cell_are_among_them(database: Database, now: datetime) -> None:
    luck, day = random.Random(8), now.date()
    with database.transaction() as session:
        _many(session, now, luck)
        everything = nearest.around(session, (30.2, 120.1), day)
        whole = nearest.around(
            session, (0.0, 0.0), day
        )  # far away: the ring is thin, the nearest are there all the same
        assert len(whole) >= nearest.SHOWN
        assert nearest.SHOWN < len(everything) < 100
        all_of_them = [
            one for one in session.exec(outlets.narrowed(outlets.Filter(kind="outlet"))) if one.latitude
        ]
        for _try in range(60):
            point = (30.2 + luck.uniform(-0.05, 0.05), 120.1 + luck.uniform(-0.05, 0.05))
            all_of_them.sort(key=lambda one: nearest._distance(point, one))
            wanted = {one.code for one in all_of_them[: nearest.SHOWN]}
            assert wanted <= {one.code for one in everything}


def test_a_closed_outlet_is_nobodys_nearest(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        made = factories.tree(session, now)
        made[factories.OUTLET_A].closed_on = now.date()
        session.flush()
        found = {one.code for one in nearest.around(session, (30.3, 120.1), now.date())}
    assert factories.OUTLET_A not in found and factories.OUTLET_B in found


def test_the_page_may_ask_for_a_position_and_no_other_may(app: Flask) -> None:
    client = app.test_client()
    assert "geolocation=(self)" in client.get("/o").headers["Permissions-Policy"]
    assert "geolocation=()" in client.get("/help").headers["Permissions-Policy"]
    answer = client.post("/o/near", data={"latitude": "30.3", "longitude": "120.1"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert factories.OUTLET_A in {one["code"] for one in answer.get_json()["outlets"]}
    assert client.post("/o/near", data={"latitude": "here"}).status_code == 400
    assert client.get("/o/near?latitude=30.3&longitude=120.1").status_code == 404
