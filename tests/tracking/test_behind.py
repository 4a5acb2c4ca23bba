"""The rows behind a figure: for every cell of every report they add up to exactly this cell."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from core.errors import Invalid, NotFound
from core.settings import Settings
from tests.tracking.rows import event, heads, ship
from tests.tracking.test_conservation import TREE
from tracking import behind, measure, periods, rollups
from tracking.behind import Behind, Figure
from tracking.definition import FIRST
from tracking.events import KINDS, ReachEvent
from tracking.groupings import BYS
from tracking.measure import Measured
from tracking.periods import Period
from tracking.question import Where
from tracking.reports import Ask
from tracking.snapshot import take
from tracking.store import ReachStore

NOW = Period(date(2023, 2, 20), date(2023, 4, 5))
PAIRS = (("branch", "month"), ("day", "hour"), ("channel", "week"), ("outlet", "kind"), ("province", "piece"))


def _events() -> list[ReachEvent]:
    """Two years, some of it at an outlet that moved from one province to another on 10 March 2023."""
    dice = random.Random(4)
    found = []
    for year in (2022, 2023):
        for number in range(400):
            day = NOW.first.replace(year=year) + timedelta(dice.randrange(NOW.days))
            more = {
                "outlet": dice.choice(["a", "b", "it's", "H", "", "unknown"]),
                "channel": dice.choice(["web", "wechat", ""]),
                "piece": dice.choice(["p", "q", ""]),
                "campaign": dice.choice(["315", ""]),
                "audience": dice.choice(["elders", ""]),
                "batch": f"seg-{number % 7}",
            }
            if dice.random() < 0.1:
                found.append(heads(day.isoformat(), dice.randrange(-2, 9), **more))
            else:
                kind, visitor = dice.choice(KINDS), dice.randrange(30)
                found.append(event(day.isoformat(), kind, hour=dice.randrange(16), visitor=visitor, **more))
    return found


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReachStore]:
    """Half of the days closed, the others open; nobody below changes anything."""
    home = tmp_path_factory.mktemp("behind")
    store = ReachStore.open(Settings(_env_file=None, home=home))
    ship(store, "seg-1", _events())
    rollups.close_days(store, date(2023, 3, 15))
    yield store
    store.close()


def _asked(by: tuple[str, ...], within: str = "", where: Where = ()) -> Ask:
    return Ask(periods.compare(NOW, periods.YEAR), by, within, where, people=False)


def _measured(store: ReachStore, asked: Ask, *, before: bool) -> Measured:
    base = asked.compared.base
    assert base is not None
    period, shifted = (base, asked.compared.forward) if before else (NOW, periods.as_it_is)
    found = take(store, FIRST)
    return measure.measure(store, TREE, asked.question, period, FIRST, snapshot=found, shifted=shifted)


def _behind(store: ReachStore, asked: Ask, keys: tuple[str | None, ...], *, before: bool = False) -> Behind:
    return Behind.of(store, TREE, take(store, FIRST), FIRST, Figure(asked, keys, before))


@pytest.mark.parametrize("by", [*((one,) for one in BYS), *PAIRS], ids="×".join)
@pytest.mark.parametrize("before", [False, True], ids=["now", "before"])
def test_the_rows_of_every_cell_add_up_to_it(filled: ReachStore, by: tuple[str, ...], before: bool) -> None:
    for within, where in (("", ()), ("P", ()), ("", (("channel", ("web", "")),))):
        asked = _asked(by, within, where)
        measured = _measured(filled, asked, before=before)
        assert measured.rows
        some = list(measured.rows.items())[:: max(1, len(measured.rows) // 4)]
        for key, figures in some:
            found = _behind(filled, asked, key, before=before)
            rows, quantity = found.total()
            assert quantity == figures.gross, key
            sums = found.sums()
            assert (sums.rows, sums.quantity) == (rows, quantity), key
        assert _behind(filled, asked, (), before=before).total()[1] == measured.total.gross


@pytest.mark.parametrize("group", behind.GROUPS)
def test_groups_add_up_to_the_figure(filled: ReachStore, group: str) -> None:
    found = _behind(filled, _asked(("branch",)), ("P",))
    rows, quantity = found.total()
    groups = found.by(group)
    assert len(groups) > 1 or group == "source"
    assert (sum(one.rows for one in groups), sum(one.quantity for one in groups)) == (rows, quantity)


def test_pages_hold_every_row_once_and_no_visitor(filled: ReachStore) -> None:
    found = _behind(filled, _asked(("channel",)), (None,))
    rows, quantity = found.total()
    pages = [found.page(number) for number in range(1, -(-rows // behind.PER_PAGE) + 2)]
    lines = [line for page in pages for line in page]
    assert [len(page) for page in pages[:-2]] == [behind.PER_PAGE] * (len(pages) - 2)
    assert pages[-1] == []
    assert len({line["id"] for line in lines}) == len(lines) == rows
    assert (
        sum(
            line["quantity"] if isinstance(line["quantity"], int) else int(line["quantity"]) for line in lines
        )
        == quantity
    )
    assert lines == sorted(lines, key=lambda line: (line["day"], line["outlet"], line["at"], line["id"]))
    assert all("visitor" not in line for line in lines)
    assert found.everything() == lines


def test_outside_of_the_part_nothing_is_found(filled: ReachStore) -> None:
    for by, key in (
        ("outlet", "it's"),
        ("branch", "Q"),
        ("outlet", "nowhere"),
        ("outlet", ""),
        ("city", "Q"),
    ):
        with pytest.raises(NotFound):
            _behind(filled, _asked((by,), "P"), (key,))
    mine = _behind(filled, _asked(("outlet",), "P"), ("b",))
    assert {line["day"] < date(2023, 3, 10) for line in mine.everything()} == {True}, "it moved away then"


def test_what_is_too_much_is_refused_with_a_sentence(
    filled: ReachStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behind, "MOST_EXPORTED", 10)
    with pytest.raises(Invalid, match="缩小范围"):
        _behind(filled, _asked(("channel",)), (None,)).everything()
    with pytest.raises(Invalid):
        Figure(Ask(periods.compare(NOW, periods.NONE), ("channel",)), before=True).period  # noqa: B018
