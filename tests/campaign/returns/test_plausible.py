"""What is odd about a return is marked, and what is not odd is not."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from campaign import programme
from campaign.programme import CampaignForm
from campaign.returns import plausible
from core.database import Database
from institution import outlets
from tests import factories
from tests.campaign.returns import cast
from tests.campaign.returns.cast import People


@pytest.fixture
def who(database: Database, now: datetime) -> People:
    with database.transaction() as session:
        return cast.people(session, now)


def marked(session: Session, who: People, now: datetime, **typed: Any) -> list[str]:
    """The keys of the marks of a return handed in now; its photo is not what this is about."""
    number = cast.filed(session, who.clerk, now, **typed)
    found = cast.latest(session, number).marks
    assert all(plausible.sentence(each) for each in found)
    return [each["key"] for each in found if each["key"] != "no_photo"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({}, []),
        ({"joined": "60"}, []),
        ({"joined": "61"}, ["joined"]),
        ({"material_leaflet": "600"}, []),
        ({"material_leaflet": "601"}, ["materials"]),
        ({"heads": "5", "joined": "0", "material_leaflet": "200"}, []),
        ({"held_on": "2026-06-17"}, []),
        ({"held_on": "2026-06-16"}, ["old"]),
    ],
)
def test_its_own_figures(
    database: Database, who: People, now: datetime, typed: dict[str, str], expected: list[str]
) -> None:
    with database.transaction() as session:
        assert marked(session, who, now, **typed) == expected


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ({"place": "village", "heads": "30", "joined": "3"}, ["two_places"]),
        ({"place": "village", "heads": "30", "joined": "3", "starts": "14:00", "ends": "15:00"}, []),
        (
            {"place": "village", "heads": "30", "joined": "3", "starts": "10:59", "ends": "12:00"},
            ["two_places"],
        ),
        ({"place": "village", "heads": "30", "joined": "3", "ends": ""}, ["two_places"]),
        ({"place": "online", "form": "livestream", "heads": "30", "joined": "3"}, []),
        ({"held_on": "2026-09-13", "place": "village"}, []),
        ({"heads": "30", "joined": "3"}, []),
        ({}, ["twice"]),
    ],
)
def test_an_outlet_in_two_places_at_once(
    database: Database, who: People, now: datetime, second: dict[str, str], expected: list[str]
) -> None:
    with database.transaction() as session:
        cast.filed(session, who.clerk, now)
        assert marked(session, who, now, **second) == expected
        assert cast.filed(session, who.clerk, now, outlet=factories.OUTLET_B, place="village")


def test_a_count_far_from_the_outlets_own_history(database: Database, who: People, now: datetime) -> None:
    with database.transaction() as session:
        for number, heads in enumerate(
            (40, 55, 38, 60, 45, 4000)
        ):  # one of them wrong itself: the rule bears it
            cast.verified(session, who, now, held_on=f"2026-08-{10 + number}", heads=str(heads), joined="0")
        assert marked(session, who, now, held_on="2026-09-01", heads="120", joined="0") == []
        assert marked(session, who, now, held_on="2026-09-02", heads="600", joined="0") == ["far"]
        assert marked(
            session, who, now, held_on="2026-09-03", heads="2", joined="0", material_leaflet=""
        ) == ["far"]
        online = {"form": "livestream", "place": "online", "heads": "9000", "joined": "0"}
        assert marked(session, who, now, held_on="2026-09-04", **online) == [], (
            "online has a history of its own"
        )


@pytest.mark.parametrize(
    ("heads", "history", "usual"),
    [
        (1000, [20, 20, 20, 20], None),  # too little to know
        (1000, [20, 20, 20, 20, 20], 20),  # no spread at all
        (59, [20, 20, 20, 20, 20], None),  # not three times as many
        (63, [20, 20, 20, 20, 20], 20),
        (300, [5, 400, 30, 90, 1200], None),  # it varies as much
        (0, [90, 100, 110, 95, 105], 100),
    ],
)
def test_the_robust_rule(heads: int, history: list[int], usual: int | None) -> None:
    assert plausible.far(heads, history) == usual


def test_outside_of_the_campaign_and_of_the_outlets_life(
    database: Database, who: People, now: datetime
) -> None:
    with database.transaction() as session:
        form = CampaignForm(code="week", name="周", starts_on=date(2026, 9, 10), ends_on=date(2026, 9, 12))
        programme.save(session, form, now=now, new=True)
        assert marked(session, who, now, campaign_code="week") == ["period"]
        outlets.get(session, factories.OUTLET_A).open_on = date(2026, 9, 12)
        session.flush()
        early = (now - timedelta(days=4)).date().isoformat()
        assert marked(session, who, now, held_on=early, campaign_code="week") == ["closed"]
