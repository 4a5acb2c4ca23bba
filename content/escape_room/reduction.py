"""What a proof may leave out without losing anything: which facts matter, which are harmless, what depends on what.

Facts only grow. A fact is *harmless* when having it can never take a possibility away: it is asked for positively
only, or where it is asked for negatively (a hotspot that is gone once its thing was taken) what is lost would add
nothing new. Everything else is *touchy*. If F ⊆ G differ in harmless facts only, whatever can be done from F can be
done from G, and leaves G with at least as much. So:

* Whether an ending can be reached does not change when harmless facts are taken as soon as they can be.
* Scores, hints, what was looked at, and wrong tries that neither run out nor do anything decide nothing: left out.
* A wrong try that does nothing but bring the last one nearer is harmless, too, until the last one.
* Places that can be reached from each other by moves that take only harmless facts are one place (`exploring`).
* Leaving a fact behind for good is a possibility, too; `leaving` says how all ways of leaving are covered.
"""

from collections.abc import Iterator
from functools import reduce
from itertools import chain
from operator import or_
from typing import NamedTuple

from content.escape_room.deeds import Deeds, Test
from content.escape_room.game import Bolt, Choice, Game, Line, Talk
from content.escape_room.judging import Code, Numbers, Verdict
from content.escape_room.moves import wrongs
from content.escape_room.rules import Action, mistake


class Masks(NamedTuple):
    """Bits: facts that are asked for or found, those of them that are touchy; `quiet`: locks whose wrong answers do nothing; `patient`: locks whose wrong answers
    do nothing but run out, and always can."""

    relevant: int
    touchy: int
    quiet: frozenset[int]
    patient: frozenset[int]


class _Act(NamedTuple):
    """Something a player does: when, its clauses, facts it adds anyway, whether it leads to another place."""

    when: Test
    deeds: Deeds
    adds: int
    leads: bool


def signs(test: Test, flip: bool = False) -> tuple[int, int]:
    """Bits that a condition wants, and bits that it must not have."""
    wants, bans = (test.banned, test.wanted) if flip else (test.wanted, test.banned)
    inner = [(part, flip) for part in (*test.every, *test.some)] + [(part, not flip) for part in test.none]
    for part, flipped in inner:
        more = signs(part, flipped)
        wants, bans = wants | more[0], bans | more[1]
    return wants, bans


def asked(test: Test) -> int:
    """Every bit that a condition looks at."""
    wants, bans = signs(test)
    return wants | bans


def masks(game: Game) -> Masks:
    """Look through a game once."""
    acts, bolts = list(_acts(game)), game.bolts
    silent = [one for one in bolts if not any(wrong_deeds(one))]
    quiet = frozenset(one.number for one in silent if not one.told.limit)
    patient = frozenset(one.number for one in silent if one.told.limit and _mistakes(one) > 1)
    plain = frozenset(one.number for one in bolts if one.number in quiet and _simple(one.deeds))
    relevant = sum(1 << bit for (fact, _name), bit in game.bits.items() if fact in ("has", "knows"))
    relevant |= reduce(or_, (asked(act.when) for act in acts), 0)
    relevant |= reduce(or_, (asked(deed.when) for act in acts for deed in act.deeds), 0)
    relevant |= reduce(
        or_, (one.needs | one.opened | (one.failed if one.told.limit else 0) for one in bolts), 0
    )
    touchy = reduce(or_, (one.failed | (0 if one.number in plain else one.opened) for one in bolts), 0)
    together = _together(acts)
    before = -1
    while before != touchy:
        before = touchy
        for act in acts:
            touchy |= _touched(game, act, touchy, together, relevant)
    return Masks(relevant, touchy & relevant, quiet, patient)


def _mistakes(bolt: Bolt) -> int:
    """How many different mistakes can be made in turn (the same one twice running counts once)."""
    if bolt.judge is not None:
        judged = ((value, bolt.judge.judge(value)) for value in wrongs(bolt.judge))
        return len({mistake(verdict, value) for value, verdict in judged if verdict})
    heard: set[int] = set()
    todo = [bolt.start]
    while todo:
        line = todo.pop()
        if line not in heard:
            heard.add(line)
            todo += [choice.next for choice in bolt.lines[line].choices if choice.next >= 0]
    falls = ((bolt.lines[at].name, one.name) for at in heard for one in bolt.lines[at].choices if one.fall)
    return len({mistake(Verdict(False, wrong=f"{line}/{name}")) for line, name in falls})


def wrong_deeds(bolt: Bolt) -> Iterator[Deeds]:
    """What wrong answers do."""
    if isinstance(bolt.judge, Numbers):
        yield from bolt.judge.deeds
    elif isinstance(bolt.judge, Code):
        yield from (deeds for _patterns, _because, deeds in bolt.judge.wrong)
    yield from (choice.deeds for line in bolt.lines for choice in line.choices)


def _simple(deeds: Deeds) -> bool:
    return all(deed.when == Test() and not _leads(deeds) for deed in deeds)


def _leads(deeds: Deeds) -> bool:
    return any(deed.scene >= 0 or deed.front or deed.ending for deed in deeds)


def _acts(game: Game) -> Iterator[_Act]:
    for place in game.places:
        yield _Act(Test(), place.enter, place.bit, True)
        yield from (_Act(spot.when, spot.deeds, 0, False) for spot in place.spots.values())
        yield from (_Act(way.when, (), 0, True) for way in place.ways.values())
    for front in game.fronts:
        if isinstance(front, Bolt):
            yield _Act(Test(), front.deeds, front.opened, True)
            yield from (_Act(Test(), deeds, 0, True) for deeds in (front.failing, *wrong_deeds(front)))
        elif isinstance(front, Talk):
            said = chain.from_iterable(line.choices for line in front.lines)
            yield from (_Act(one.when, one.deeds, one.chose, one.next >= 0) for one in said)


def _together(acts: list[_Act]) -> dict[int, int]:
    """For every fact, the facts that whoever has it has for certain: all its givers give them, too."""
    found: dict[int, int] = {}
    for act in acts:
        always = reduce(or_, (deed.adds for deed in act.deeds if deed.when == Test()), act.adds)
        for adds in (act.adds, *(deed.adds for deed in act.deeds)):
            for bit in each(adds):
                found[bit] = found.get(bit, -1) & (adds | always)
    return found


def _touched(game: Game, act: _Act, touchy: int, together: dict[int, int], relevant: int) -> int:
    """The facts that become touchy because of one act, given those that are."""
    adds = (act.adds | added(act.deeds)) & relevant
    leads = act.leads or _leads(act.deeds)
    found = sum(
        bit
        for bit in each(signs(act.when)[1])
        if (leads or adds & ~together.get(bit, 0)) and not _opens_only(game, act, bit)
    )
    moving = [deed for deed in act.deeds if deed.scene >= 0 or deed.front or deed.ending]
    for deed in act.deeds:
        wants, bans = signs(deed.when)
        shows = deed.front and deed.scene < 0 and not deed.ending and len(moving) == 1 and not act.leads
        if deed.adds & touchy or (deed in moving and not shows):
            found |= wants
        needless = deed not in moving and not act.leads
        found |= sum(
            bit for bit in each(bans) if not needless or deed.adds & relevant & ~together.get(bit, 0)
        )
    return found


def _opens_only(game: Game, act: _Act, bit: int) -> bool:
    """Whether the act only brings a lock to the front, and the fact is that this lock is open."""
    if act.adds or act.leads or len(act.deeds) != 1:
        return False
    deed = act.deeds[0]
    front = game.fronts[deed.front]
    still = not deed.adds and deed.scene < 0 and not deed.ending
    return still and isinstance(front, Bolt) and bit == front.opened


def each(mask: int) -> Iterator[int]:
    """The bits of a mask, one by one."""
    while mask:
        yield mask & -mask
        mask &= mask - 1


def givers(game: Game) -> list[tuple[int, int]]:
    """Of everything that adds facts: the bits that it wants first, and those that it adds."""
    found = []
    for act in _acts(game):
        wants = reduce(or_, (signs(deed.when)[0] for deed in act.deeds), signs(act.when)[0])
        found.append((wants, act.adds | added(act.deeds)))
    return found + [(bolt.needs, bolt.opened | added(bolt.deeds)) for bolt in game.bolts]


def added(deeds: Deeds) -> int:
    """Every bit that clauses may add."""
    return reduce(or_, (deed.adds for deed in deeds), 0)


def wanted(game: Game, at: tuple[int, int, int], action: Action) -> int:
    """The bits without which an action at a position is not possible, or comes to nothing."""
    front, place = game.fronts[at[1]], game.places[at[0]]
    if action.verb == "look":
        return signs(place.spots[action.name].when)[0]
    if action.verb == "go":
        way = place.ways[action.name]
        return signs(way.when)[0] | _bolted(game, way.lock)
    needs = front.needs if isinstance(front, Bolt) else 0
    if action.verb == "say" and front is not None:
        needs |= signs(front.lines[at[2]].choices[int(action.value[1]) - 1].when)[0]
    return needs


def dependence(game: Game, scene: int, front: int, line: int) -> int:
    """Every bit that what can be done at a position may look at."""
    at = game.fronts[front]
    if at is None:
        place, found = game.places[scene], 0
        for spot in place.spots.values():
            found |= asked(spot.when) | _deeds_ask(game, spot.deeds)
        for way in place.ways.values():
            found |= asked(way.when) | _deeds_ask(game, game.places[way.to].enter) | _bolted(game, way.lock)
        return found
    found = _line_asks(game, at.lines[line]) if at.lines else 0
    if isinstance(at, Bolt):
        found |= at.needs | at.opened | at.failed
        for deeds in (at.deeds, at.failing, *wrong_deeds(at)):
            found |= _deeds_ask(game, deeds)
    return found


def _line_asks(game: Game, line: Line) -> int:
    choices: tuple[Choice, ...] = line.choices
    return reduce(or_, (asked(one.when) | _deeds_ask(game, one.deeds) for one in choices), 0)


def _deeds_ask(game: Game, deeds: Deeds) -> int:
    found = 0
    for deed in deeds:
        found |= asked(deed.when) | _bolted(game, deed.front)
        if deed.scene >= 0:
            found |= _deeds_ask(game, game.places[deed.scene].enter)
    return found


def _bolted(game: Game, number: int) -> int:
    bolt = game.fronts[number]
    return bolt.opened | bolt.failed if isinstance(bolt, Bolt) else 0
