"""Whatever is imported and taken back, in whatever order, over whatever was there: every dimension comes out even."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tracking.imports.cast import ZONE
from tests.tracking.rows import event
from tracking import rollups
from tracking.definition import FIRST, Definition
from tracking.events import KINDS, ReachEvent, new_id, to_line
from tracking.imports import lines
from tracking.imports.lines import Keys, Line
from tracking.schema import ROLLUPS
from tracking.store import ReachStore

FIRST_DAY = date(2023, 2, 20)
DIMENSIONS = ("day", "outlet", "channel", "campaign", "piece", "audience", "place", "kind")
TWO = Definition("2023-2", date(2023, 2, 1), ("visited", "shared", "handed_out"), ("import",))

KEYS = st.builds(
    Keys,
    day=st.integers(0, 5).map(lambda n: FIRST_DAY + timedelta(n)),
    kind=st.sampled_from(KINDS),
    outlet=st.sampled_from(["a", "b", "it's\tb\\c", ""]),
    channel=st.sampled_from(["screen", "wechat"]),
    campaign=st.sampled_from(["315", ""]),
    piece=st.sampled_from(["p", "网点\n内容", ""]),
    audience=st.sampled_from(["elders", ""]),
    place=st.sampled_from(["village", ""]),
)
IMPORTS = st.lists(
    st.dictionaries(KEYS, st.integers(1, 5000), min_size=1, max_size=8), min_size=1, max_size=3
)
ONLINE = st.lists(
    st.builds(
        lambda day, kind, visitor, outlet, campaign, hour: event(
            str(FIRST_DAY + timedelta(day)), kind, visitor=visitor, outlet=outlet, campaign=campaign, hour=hour
        ),
        st.integers(0, 5), st.sampled_from(KINDS), st.integers(0, 3), st.sampled_from(["a", "b"]),
        st.sampled_from(["315", ""]), st.integers(0, 15),
    ),
    max_size=10,
)  # fmt: skip


@pytest.fixture
def emptied(store: ReachStore) -> Callable[[], ReachStore]:
    def empty() -> ReachStore:
        for table in ("reach_event", "reach_counted", "reach_deposit", *ROLLUPS):
            store.command(f"TRUNCATE TABLE {table}")
        return store

    return empty


def figures(store: ReachStore, definition: Definition) -> dict[tuple[str, str], tuple[int, int]]:
    """Gross and deduplicated by dimension and key, from raw, without what is zero."""
    every = ", ".join(f"toString({name})" for name in DIMENSIONS)
    gross = store.query(
        f"SELECT {every}, sum(quantity) FROM reach_event WHERE kind IN {rollups.listed(definition.kinds)} "
        "GROUP BY ALL"
    )
    once = store.query(
        "SELECT toString(day), outlet, channel, campaign, piece, audience, place, sum(quantity) "
        f"FROM {rollups.unique_table(definition, '1')} GROUP BY ALL"
    )
    found: dict[tuple[str, str], list[int]] = {}
    for place, rows in enumerate((gross, once)):
        for row in rows:
            for name, key in zip(DIMENSIONS, row[:-1], strict=False):
                found.setdefault((name, str(key)), [0, 0])[place] += int(row[-1])
    return {key: (a, b) for key, (a, b) in found.items() if a or b}


def ship(store: ReachStore, name: str, found: list[Line]) -> None:
    made = lines.events(name, lines.unpacked(lines.packed(found)), ZONE)
    store.ship(f"{name}-1", b"".join(map(to_line, made)))


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(online=ONLINE, drawn=IMPORTS, back=st.data())
def test_import_and_undo_net_to_nothing_in_every_dimension(
    emptied: Callable[[], ReachStore], online: list[ReachEvent], drawn: list[dict[Keys, int]], back: Any
) -> None:
    store = emptied()
    store.ship(f"seg-{new_id()}", b"".join(map(to_line, online)))
    untouched = {one.id: figures(store, one) for one in (FIRST, TWO)}
    made = [(f"import-{new_id()}", lines.as_sums(sums)) for sums in drawn]
    for name, found in made:
        ship(store, name, found)
    after = figures(store, FIRST)
    added = sum(one.quantity for _n, found in made for one in found if one.keys.kind in FIRST.kinds)
    for name in ("outlet", "channel", "day"):
        pairs = [pair for (of, _key), pair in untouched[FIRST.id].items() if of == name]
        before = [sum(pair[place] for pair in pairs) for place in (0, 1)]
        for place in (0, 1):
            grown = sum(pair[place] for (of, _key), pair in after.items() if of == name)
            assert grown - before[place] == added, (name, place)
    for name, found in back.draw(st.permutations(made)):  # once more, in any order: nothing changes
        ship(store, name, found)
    assert figures(store, FIRST) == after
    rollups.close_days(store, FIRST_DAY + timedelta(3))
    for name, found in back.draw(st.permutations(made)):
        for _again in range(2):
            ship(store, f"undo-of-{name}", list(lines.turned(found)))
    assert {one.id: figures(store, one) for one in (FIRST, TWO)} == untouched


@given(drawn=st.dictionaries(KEYS, st.integers(1, lines.MOST), max_size=12))
def test_lines_come_back_as_they_were_and_totals_add_up(drawn: dict[Keys, int]) -> None:
    found = lines.as_sums(drawn)
    assert sorted(lines.unpacked(lines.packed(found))) == found
    assert lines.packed(found) == lines.packed(found[::-1])
    sums = lines.totals(found)
    assert {sum(by.values()) for by in sums.values()} == {sum(drawn.values())}
