"""Nothing in a room is in vain: what no player ever comes to, and what is lacking to teach."""

from collections.abc import Iterator

from content.escape_room.deeds import Test
from content.escape_room.exploring import Edge, Explorer, Point
from content.escape_room.faults import RoomFault
from content.escape_room.game import Bolt, Game, Place, Talk
from content.escape_room.judging import Code, Numbers
from content.escape_room.moves import wrongs
from content.escape_room.reduction import added, givers, signs
from content.escape_room.rules import Action

At = tuple[int, int, int]


class Covered:
    """What happened while a room was explored from its start."""

    def __init__(self, explorer: Explorer, start: Point) -> None:
        self.explorer, self.start, self.facts = explorer, start, start.facts
        self.spots: set[At] = {start.at}
        self.done: set[tuple[At, Action]] = set()
        self.endings: set[int] = set()
        self._avoiding: dict[int, Covered] = {}
        for state, edges in explorer.tried():
            at = (state.scene, state.front, state.line)
            for edge in edges:
                self.spots |= {at, edge.to}
                self.done.add((at, edge.action))
                self.facts |= edge.adds
                self.endings.add(edge.ending)
                if edge.action.verb == "go" and _passed(explorer.game, at[0], edge):
                    self.done.add((at, Action("passed", edge.action.name)))
        for state, action in explorer.refrained:
            self.done.add(((state.scene, state.front, state.line), action))
        self.scenes = {scene for scene, _front, _line in self.spots}
        self.fronts = {front for _scene, front, _line in self.spots}
        self.lines = {(front, line) for _scene, front, line in self.spots}
        self.said = {(at[1], action.value) for at, action in self.done if action.verb == "say"}

    def avoiding(self, when: Test, adds: int = 0) -> "Covered":
        """The same for somebody who never takes the harmless facts that a condition forbids.

        Who takes everything at once may have been past the moment when it held, or never at that moment. `adds`:
        what the act itself adds; where nothing else gives what is forbidden, its first time was such a moment.
        """
        game, masks = self.explorer.game, self.explorer.masks
        never = signs(when)[1] & masks.relevant & ~masks.touchy
        if not never or [given for _wants, given in givers(game) if given & never] == [adds]:
            return self
        if never not in self._avoiding:
            other = Explorer(game, self.explorer.bound, never)
            other.graph(self.start)
            self._avoiding[never] = Covered(other, self.start)
        return self._avoiding[never]


def _passed(game: Game, scene: int, edge: Edge) -> bool:
    way = game.places[scene].ways[edge.action.name]
    return bool(edge.ending) or not way.lock or edge.to[1] != way.lock


def unreached(covered: Covered) -> Iterator[RoomFault]:
    """Scenes, hotspots, doors, items, clues, dialogues, lines, replies, locks, endings that no player comes to."""
    game = covered.explorer.game
    for number, place in enumerate(game.places):
        yield from _in_scene(covered, number, place)
    things = [("has", "item", "items", name) for name in game.room.items]
    things += [("knows", "clue", "clues", name) for name in game.room.clues]
    for fact, kind, field, name in things:
        if not covered.facts >> game.bits[fact, name] & 1:
            yield _unreached(kind, (field, name))
    for number, front in enumerate(game.fronts[1:], start=1):
        yield from _in_front(covered, number, front) if front else ()
    for number, name in enumerate(game.endings, start=1):
        if number not in covered.endings:
            yield RoomFault("ending", missing=(name,), place=("endings", name), words={"name": name})


def _unreached(kind: str, place: tuple[str, ...], scene: str = "", lock: str = "") -> RoomFault:
    name = place[-1]
    return RoomFault(
        f"unreached_{kind}", scene=scene, lock=lock, missing=(name,), place=place, words={"name": name}
    )


def _in_scene(covered: Covered, number: int, place: Place) -> Iterator[RoomFault]:
    if number not in covered.scenes:
        yield _unreached("scene", ("scenes", place.name), place.name)
        return
    for name, spot in place.spots.items():
        if ((number, 0, 0), Action("look", name)) not in covered.avoiding(spot.when, added(spot.deeds)).done:
            yield _unreached("hotspot", ("scenes", place.name, "hotspots", name), place.name)
    for name, way in place.ways.items():
        if ((number, 0, 0), Action("passed", name)) not in covered.avoiding(way.when).done:
            yield _unreached("door", ("scenes", place.name, "doors", name), place.name)


def _in_front(covered: Covered, number: int, front: Talk | Bolt) -> Iterator[RoomFault]:
    kind, lock = ("lock", front.name) if isinstance(front, Bolt) else ("dialogue", "")
    where = (f"{kind}s", front.name)
    if number not in covered.fronts:
        yield _unreached(kind, where, lock=lock)
        return
    for at, line in enumerate(front.lines):
        if (number, at) not in covered.lines:
            yield _unreached("line", (*where, "lines", line.name), lock=lock)
            continue
        for reply, choice in enumerate(line.choices, start=1):
            said = (number, (at, reply))
            # What a fraudster is answered is always there; whether the way out opens the lock is asked elsewhere.
            adds = choice.chose | added(choice.deeds)
            if not lock and said not in covered.avoiding(choice.when, adds).said:
                yield _unreached("reply", (*where, "lines", line.name, "replies", choice.name))


def unopened(covered: Covered) -> Iterator[RoomFault]:
    """Locks that a player meets but can never open, with what is lacking."""
    game = covered.explorer.game
    nodes = list(covered.explorer.graph(covered.start))
    for number, front in enumerate(game.fronts):
        if not isinstance(front, Bolt) or number not in covered.fronts or covered.facts & front.opened:
            continue
        facts = [node.facts for node in nodes if any(at[1] == number for at in node.spots)]
        has = max(facts, key=lambda one: (one & front.needs).bit_count(), default=0)
        missing = tuple(name for (_fact, name), bit in game.bits.items() if front.needs & ~has & 1 << bit)
        scenes = {at[0] for at in covered.spots if at[1] == number}
        scene = game.places[min(scenes)].name
        kind = "needs" if missing else "never_opens"
        yield RoomFault(kind, scene=scene, lock=front.name, missing=missing, place=("locks", front.name))


def lacking(game: Game) -> Iterator[RoomFault]:
    """What is lacking to teach: facts without a lock, locks without a fact, mistakes without a word, questions."""
    taught = {name for bolt in game.bolts for name in bolt.told.teaches}
    for bolt in game.bolts:
        where = ("locks", bolt.name)
        if not bolt.told.teaches:
            yield RoomFault("teaches_nothing", lock=bolt.name, place=where)
        for name in _unexplained(bolt):
            yield RoomFault("unexplained", lock=bolt.name, place=where, missing=(name,), words={"name": name})
    for name, fact in game.room.facts.items():
        if name not in taught:
            yield RoomFault("untaught", missing=(name,), place=("facts", name), words={"name": name})
        if len(fact.questions) < 2:
            yield RoomFault(
                "questions", missing=(name,), place=("facts", name, "questions"), words={"name": name}
            )


def _unexplained(bolt: Bolt) -> list[str]:
    judge: Numbers | Code | None = bolt.judge
    verdicts = [judge.judge(value) for value in wrongs(judge)] if judge is not None else []
    return list(
        dict.fromkeys(one.wrong for one in verdicts if one is not None and not one.right and not one.texts)
    )
