"""Rows that come as columns are the rows that the question has."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import bindparam, null, select
from sqlmodel import col

from core.database import Database
from core.gathering import Gathered, gathered
from institution.models import Outlet
from tests import factories

_QUERY: Any = select(
    col(Outlet.code),
    col(Outlet.name),
    (col(Outlet.code) == factories.OUTLET_A).label("this"),
    null().label("empty"),
    col(Outlet.code),  # twice the same
)


@pytest.fixture
def filled(database: Database, now: datetime) -> Database:
    with database.transaction() as session:
        factories.tree(session, now)[factories.OUTLET_A].name = '"引号" \\ 换行\n 路'
    return database


def test_the_rows_are_those_of_the_question(filled: Database) -> None:
    with filled.reading() as session:
        plain = sorted(tuple(row) for row in session.execute(_QUERY))
        assert len(plain) > 3 and any("引号" in row[1] for row in plain)
        assert sorted(gathered(session, _QUERY)) == plain
        one = Gathered(_QUERY.where(col(Outlet.code) == bindparam("code")))
        for code in (factories.OUTLET_A, "nobody", factories.OUTLET_A):
            assert one.on(session.connection(), code=code) == [row for row in plain if row[0] == code]


def test_no_rows_are_no_rows(database: Database) -> None:
    with database.reading() as session:
        assert gathered(session, _QUERY) == []
