"""Nodes that a form may offer: by scope, as many levels as one can read through; what is typed beside the list."""

from collections.abc import Iterator
from datetime import date, datetime

import pytest
from sqlmodel import Session

from core.database import Database
from core.errors import Invalid
from institution import outlets, places
from institution.powers import Scope
from tests import factories
from tests.factories import (
    CITY,
    COUNTY,
    HEAD_OFFICE,
    OUTLET_A,
    OUTLET_B,
    OUTSIDE_OUTLET,
    OUTSIDE_PROVINCE,
    PROVINCE,
)

WHOLE, BRANCH = Scope(frozenset({""})), Scope(frozenset({PROVINCE}))


@pytest.fixture
def session(database: Database, now: datetime) -> Iterator[Session]:
    with database.transaction() as session:
        factories.tree(session, now)
        yield session


def codes(found: places.Choices) -> list[str]:
    return [code for code, _name in found]


def test_the_whole_institution_comes_first_and_levels_from_the_top(session: Session) -> None:
    found = places.choices(session, WHOLE)
    assert codes(found) == ["", PROVINCE, OUTSIDE_PROVINCE, CITY, COUNTY, OUTLET_A, OUTLET_B, OUTSIDE_OUTLET]
    assert found[0] == ("", "整个机构") and found.first == "" and not found.more


def test_a_branch_sees_its_own_part_and_begins_with_its_top(session: Session) -> None:
    found = places.choices(session, BRANCH)
    assert codes(found) == [PROVINCE, CITY, COUNTY, OUTLET_A, OUTLET_B]
    assert found.first == PROVINCE
    assert places.choices(session, Scope(frozenset())) == []


def test_too_many_nodes_are_cut_at_a_level_but_never_the_chosen_one(session: Session) -> None:
    found = places.choices(session, BRANCH, most=3)
    assert codes(found) == [PROVINCE, CITY, COUNTY] and found.more
    kept = places.choices(session, BRANCH, most=3, chosen=OUTLET_B)
    assert codes(kept) == [PROVINCE, CITY, COUNTY, OUTLET_B]


def test_a_closed_node_is_offered_to_nothing_new(session: Session) -> None:
    outlets.get(session, OUTLET_B).closed_on = date(2024, 1, 1)
    session.flush()
    assert OUTLET_B not in codes(places.choices(session, BRANCH))
    assert OUTLET_B in codes(places.choices(session, BRANCH, chosen=OUTLET_B))
    assert places.suggest(session, BRANCH, "古荡") == []


def test_suggestions_stay_inside_and_upper_levels_come_first(session: Session) -> None:
    assert [code for code, _ in places.suggest(session, BRANCH, "西湖")] == [COUNTY, OUTLET_A, OUTLET_B]
    assert places.suggest(session, BRANCH, "春熙") == []
    assert places.suggest(session, WHOLE, "5101") == [(OUTSIDE_OUTLET, "锦江春熙路柜面")]


def test_names_of_what_is_not_in_the_tree_are_their_codes(session: Session) -> None:
    assert places.names(session, ["", PROVINCE, "gone"]) == {
        "": "整个机构",
        PROVINCE: "浙江省分公司",
        "gone": "gone",
    }
    assert places.name(session, HEAD_OFFICE) == "示范人寿保险总公司"


def test_what_is_typed_wins_over_the_list_and_must_name_one_node(session: Session) -> None:
    assert places.typed(session, {"outlet_code": PROVINCE}) == PROVINCE
    for text in (OUTLET_A, " 西湖文三路柜面 "):
        assert places.typed(session, {"outlet_code": PROVINCE, "outlet_code_typed": text}) == OUTLET_A
    for text in ("西湖", "nowhere"):
        with pytest.raises(Invalid):
            places.typed(session, {"outlet_code_typed": text})
