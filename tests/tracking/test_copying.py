"""Moving to another store: every raw row once, also after a crash in the middle, and a difference is named."""

from datetime import date

import pytest

from core.errors import Conflict
from core.settings import Settings
from tests.tracking.fronts import Fronts
from tests.tracking.rows import event, heads, ship
from tracking import copying, rollups
from tracking.store import ReachStore

ALL = "SELECT * FROM reach_event ORDER BY id"


class Crash(Exception):
    """The process ends here."""


@pytest.fixture
def filled(store: ReachStore) -> ReachStore:
    ship(
        store,
        "seg-1",
        [
            *(
                event(f"2023-0{m}-15", id=f"{m}-{n}", visitor=n, piece="it's\t\\")
                for m in (1, 2)
                for n in range(9)
            ),
            heads("2023-02-16", -4, id="h", outlet="o"),
        ],
    )
    store.ship("drops-1", b"2023-03-15\tbot\t412\tr\n2022-03-15\tbot\t3\tr\n")
    return store


def copy(old: ReachStore, new: ReachStore, *, until: str = "") -> list[tuple[str, int]]:
    told: list[tuple[str, int]] = []

    def tell(month: str, rows: int) -> None:
        told.append((month, rows))
        if month == until:
            raise Crash

    copying.copy(old, new, tell, portion=4)
    return told


@pytest.mark.parametrize("kind", ["server", "cluster"])
def test_every_row_arrives_once_though_the_copy_was_broken_off(
    filled: ReachStore, settings: Settings, running: Fronts, kind: str
) -> None:
    new = ReachStore.open(settings.model_copy(update={"reach_url": running[kind].url()}))
    with pytest.raises(Crash):
        copy(filled, new, until="202301")
    copying._portions(filled, new, "2023-02-15", 3)  # shipped, and then the process ended
    expected = [("202301", 9), ("202302", 10)]
    for _again in range(2):
        assert copy(filled, new) == expected
        assert new.query(ALL) == filled.query(ALL)
        drops = "SELECT * FROM reach_drop ORDER BY ALL"
        assert new.query(drops) == filled.query(drops)
    assert rollups.counted(new) == rollups.counted(filled)
    assert rollups.close_days(new, date(2024, 1, 1)) == 3
    new.close()


def test_a_store_with_rows_of_its_own_is_named_by_month(
    filled: ReachStore, settings: Settings, running: Fronts
) -> None:
    new = ReachStore.open(settings.model_copy(update={"reach_url": running["server"].url()}))
    ship(new, "seg-1", [event("2023-02-01")])
    with pytest.raises(Conflict, match="202302"):
        copy(filled, new)
    new.close()
