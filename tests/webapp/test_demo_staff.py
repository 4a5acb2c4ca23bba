"""The demo's people: one for each role, with new passwords whenever asked, closed when the demo goes."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from core.database import Database
from core.errors import Conflict
from institution import sessions
from institution.models import Outlet, Staff
from institution.powers import ROLES
from tests import factories
from webapp import demo_staff


@pytest.fixture
def planted(database: Database, now: datetime) -> Database:
    """The named tree, as if it were the demo's."""
    with database.transaction() as session:
        factories.tree(session, now)
        for outlet in session.exec(select(Outlet)):
            outlet.demo = True
            session.add(outlet)
    return database


def _roles(session: Session) -> set[tuple[str, str]]:
    accounts = session.exec(select(Staff).where(col(Staff.demo))).all()
    return {grant for one in accounts for grant in sessions.powers_of(session, one.id or 0).grants}


def test_every_role_but_the_administrator_has_somebody(planted: Database, now: datetime) -> None:
    with planted.transaction() as session:
        found = demo_staff.enrol(session, now)
        held = _roles(session)
    assert {role for role, _place in held} == set(ROLES) - {"administrator"}
    assert ("branch_manager", factories.PROVINCE) in held and ("outlet_staff", factories.OUTLET_A) in held
    assert len({one.password for one in found}) == len(found)


def test_again_gives_new_passwords_to_the_same_people(planted: Database, now: datetime) -> None:
    with planted.transaction() as session:
        first = demo_staff.enrol(session, now)
    with planted.transaction() as session:
        second = demo_staff.enrol(session, now + timedelta(minutes=1))
        assert len(session.exec(select(Staff)).all()) == len(first)
    assert not {one.password for one in first} & {one.password for one in second}


def test_dismissed_people_are_closed_and_may_come_back(planted: Database, now: datetime) -> None:
    with planted.transaction() as session:
        number = len(demo_staff.enrol(session, now))
        assert demo_staff.dismiss(session, now) == number
        assert demo_staff.dismiss(session, now) == 0
        assert not any(session.scalars(select(Staff.active)))
        demo_staff.enrol(session, now)
        assert all(session.scalars(select(Staff.active)))


def test_without_a_demo_there_is_nobody_to_enrol(database: Database, now: datetime) -> None:
    with database.transaction() as session, pytest.raises(Conflict):
        demo_staff.enrol(session, now)
