"""Forms entered together end as if they had come one after the other; one that is refused lets none in."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import SelectBase
from sqlmodel import Session, col, select

from campaign.events.models import Occurrence
from campaign.registration import registering
from campaign.registration.entry import Entry, Wanted
from campaign.registration.models import Registration
from campaign.registration.registering import Asked
from core.database import Database
from core.errors import Conflict, Invalid, NotFound
from core.privacy import Vault
from core.signing import Keys
from tests.campaign.registration import making

VAULT = Vault(Keys(b"of the tests"))


def _entered(session: Session, where: Sequence[Occurrence]) -> list[list[tuple[str, int, str]]]:
    """Each occurrence's registrations: state, size and whose, in the order of the queue; seats taken come last."""
    found = []
    for one in where:
        query = (
            select(Registration).where(Registration.occurrence_id == one.id).order_by(col(Registration.id))
        )
        rows = [(each.state, each.size, VAULT.decrypt(each.name_sealed)) for each in session.exec(query)]
        taken = session.exec(select(Occurrence.taken).where(Occurrence.id == one.id)).one()
        found.append([*rows, ("taken", taken, "")])
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("options", [None, {"a": 2, "b": 3}])
def test_together_or_one_after_the_other_is_the_same(
    database: Database, now: datetime, seed: int, options: dict[str, int] | None
) -> None:
    chance = random.Random(seed)
    forms = [
        making.wanted(number, chance.randint(1, 3), option=chance.choice("ab") if options else "")
        for number in range(12)
    ]
    at = [chance.randrange(2) for _form in forms]
    ended = []
    for way, size in enumerate((12, 1, 5)):
        with database.transaction() as session:
            where = [
                making.occurrence(session, now, capacity=4, code=f"w{way}{place}", options=options)
                for place in range(2)
            ]
            asked = [_asked(where[at[n]], form, now, f"{way}") for n, form in enumerate(forms)]
        with database.transaction() as session:
            for first in range(0, 12, size):
                registering.enter(session, VAULT, asked[first : first + size])
        with database.reading() as session:
            ended.append(_entered(session, where))
    assert ended[0] == ended[1] == ended[2]
    assert any(state == "waiting" for rows in ended[0] for state, *_rest in rows), (
        "the control: it was too full"
    )


def _asked(where: Occurrence, form: Wanted, now: datetime, way: str) -> Asked:
    mine = replace(form, request_key=f"{way}-{form.request_key}")
    return Asked(where.id or 0, Entry.of(VAULT, mine, now))


def test_one_that_is_refused_lets_none_in(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        one = making.occurrence(session, now, capacity=9)
    good, same = (_asked(one, making.wanted(1), now, way) for way in "ab")
    large = _asked(one, making.wanted(2, 9), now, "c")
    nowhere = Asked(987_654, _asked(one, making.wanted(3), now, "d").entry)
    for bad, error in ((same, Conflict), (large, Invalid), (nowhere, NotFound)):
        with pytest.raises(error), database.transaction() as session:
            registering.enter(session, VAULT, [good, bad])
    with database.reading() as session:
        assert _entered(session, [one]) == [[("taken", 0, "")]]


def test_the_same_form_again_gives_the_same_beside_new_ones(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        one = making.occurrence(session, now, capacity=9)
        first, second = (_asked(one, making.wanted(number), now, "x") for number in (1, 2))
        (number,) = registering.enter(session, VAULT, [first])
        assert registering.enter(session, VAULT, [second, first])[1] == number
        assert len(_entered(session, [one])[0]) == 3


def test_forms_are_looked_for_by_index_from_the_first_on(database: Database) -> None:
    """PostgreSQL knows no figures of a new table, and keeps the plan that it made then for many forms."""
    asked = registering._known_by(8, 8)._statement
    assert isinstance(asked, SelectBase)
    values = {f"{name}_{at}": f"{name}{at}" for at in range(8) for name in ("key", "phone")}
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    with database.reading() as session:
        dialect = session.get_bind().dialect
        said = asked.params(values).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        plan = "\n".join(str(row) for row in session.connection().exec_driver_sql(f"{explain} {said}"))
    assert "event_registration" in plan
    assert "Seq Scan" not in plan and "SCAN event_registration" not in plan, plan
