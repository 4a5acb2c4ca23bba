"""Who may count: a code works once and in time, a key is ours, of this outlet, and not ended."""

from datetime import datetime, timedelta

import pytest

from campaign.base import screens
from campaign.base.screens import ScreenKeys
from core.database import Database
from core.errors import Invalid, NotAllowed
from core.signing import Keys
from tests import factories

OUTLET = factories.OUTLET_A


@pytest.fixture
def keys() -> ScreenKeys:
    return ScreenKeys(Keys(b"of the tests"))


def _made(tree: Database, now: datetime) -> screens.Made:
    with tree.transaction() as session:
        return screens.make(session, OUTLET, "叫号区", by=None, now=now)


def test_a_code_works_once_as_people_type_it(tree: Database, keys: ScreenKeys, now: datetime) -> None:
    made = _made(tree, now)
    with tree.transaction() as session:
        key = screens.pair(session, OUTLET, f" {made.spelled.lower()} ", keys, now=now)
        assert screens.known(session, OUTLET, key, keys).name == "叫号区"
    with tree.transaction() as session, pytest.raises(NotAllowed):
        screens.pair(session, OUTLET, made.code, keys, now=now)


@pytest.mark.parametrize("late", [timedelta(minutes=31), timedelta(days=400)])
def test_a_code_ends(tree: Database, keys: ScreenKeys, now: datetime, late: timedelta) -> None:
    made = _made(tree, now)
    with tree.transaction() as session, pytest.raises(NotAllowed):
        screens.pair(session, OUTLET, made.code, keys, now=now + late)


def test_a_code_is_of_its_outlet_and_guesses_find_nothing(
    tree: Database, keys: ScreenKeys, now: datetime
) -> None:
    made = _made(tree, now)
    for outlet, code in ((factories.OUTLET_B, made.code), (OUTLET, ""), (OUTLET, "k" * 8), (OUTLET, "%")):
        with tree.transaction() as session, pytest.raises(NotAllowed):
            screens.pair(session, outlet, code, keys, now=now)


def test_a_key_is_ours_of_its_outlet_and_until_it_is_ended(
    tree: Database, keys: ScreenKeys, now: datetime
) -> None:
    made = _made(tree, now)
    with tree.transaction() as session:
        key = screens.pair(session, OUTLET, made.code, keys, now=now)
        assert key not in str(vars(screens.get(session, made.screen.id or 0))), "only its hash is kept"
    forged = ScreenKeys(Keys(b"somebody else")).new()
    for outlet, text in (
        (factories.OUTLET_B, key),
        (OUTLET, forged),
        (OUTLET, key[:-1]),
        (OUTLET, ""),
        (OUTLET, "密"),
    ):
        with tree.reading() as session, pytest.raises(NotAllowed):
            screens.known(session, outlet, text, keys)
    with tree.transaction() as session:
        screens.end(session, screens.get(session, made.screen.id or 0), now=now)
    with tree.reading() as session, pytest.raises(NotAllowed):
        screens.known(session, OUTLET, key, keys)


def test_what_was_ended_cannot_be_paired(tree: Database, keys: ScreenKeys, now: datetime) -> None:
    made = _made(tree, now)
    with tree.transaction() as session:
        screens.end(session, screens.get(session, made.screen.id or 0), now=now)
    with tree.transaction() as session, pytest.raises(NotAllowed):
        screens.pair(session, OUTLET, made.code, keys, now=now)


def test_a_screen_has_a_name_and_hangs_in_an_outlet(tree: Database, now: datetime) -> None:
    for code, name in ((OUTLET, " "), (OUTLET, "字" * 61), (factories.COUNTY, "大厅")):
        with tree.transaction() as session, pytest.raises(Invalid) as found:
            screens.make(session, code, name, by=None, now=now)
        assert found.value.field == "name"
