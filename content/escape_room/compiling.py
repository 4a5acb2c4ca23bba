"""From a room without faults to a game: everything that does not depend on who plays, done once."""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256

from content.escape_room.codes import normal
from content.escape_room.conditions import FACTS, Clause, Condition
from content.escape_room.deeds import Deed, Deeds, Test
from content.escape_room.format import Dialogue, Reply, Room, Scene
from content.escape_room.game import Bolt, Choice, Game, Line, Place, Spot, Talk, Way
from content.escape_room.judging import Code, Numbers, Said
from content.escape_room.locks import (
    Answering,
    ChoiceLock,
    ChoicesLock,
    CodeLock,
    ConversationLock,
    Lock,
    MatchLock,
    OrderLock,
    SpotLock,
)
from content.escape_room.outline import clauses, conditions

_Bits = dict[tuple[str, str], int]
_Judged = tuple[Numbers | Code | None, Said, Said]


def compile_room(room: Room) -> Game:
    """The game of a room; some milliseconds for a big one."""
    made = _Maker(room)
    bolts = tuple(made.bolt(number, name, lock) for number, (name, lock) in enumerate(room.locks.items()))
    talks = tuple(made.talk(name, told) for name, told in room.dialogues.items())
    places = tuple(made.place(name, scene) for name, scene in room.scenes.items())
    digest = sha256(room.model_dump_json(by_alias=True).encode()).hexdigest()[:16]
    finds, fronts = (1 << len(room.items) + len(room.clues)) - 1, (None, *talks, *bolts)
    begins = made.scenes[room.start]
    return Game(room, digest, made.bits, finds, places, fronts, bolts, tuple(room.endings), begins)


class _Maker:
    """Looks names up in one room."""

    def __init__(self, room: Room) -> None:
        self.room, self.bits = room, _bits(room)
        self.scenes = {name: number for number, name in enumerate(room.scenes)}
        self.talks = {name: number for number, name in enumerate(room.dialogues, start=1)}
        self.locks = {name: number for number, name in enumerate(room.locks, start=1 + len(self.talks))}
        self.endings = {name: number for number, name in enumerate(room.endings, start=1)}

    def mask(self, fact: str, names: Sequence[str]) -> int:
        return sum(1 << self.bits[fact, name] for name in set(names))

    def test(self, condition: Condition | None) -> Test:
        if condition is None:
            return Test()
        wanted = sum(self.mask(fact, getattr(condition, fact)) for fact in FACTS)
        banned = 0
        none: tuple[Test, ...] = ()
        if condition.not_ is not None:
            inner = self.test(condition.not_)
            if inner.wanted.bit_count() == 1 and inner == Test(inner.wanted):
                banned = inner.wanted
            else:
                none = (inner,)
        every, some = (tuple(map(self.test, part)) for part in (condition.all, condition.any or ()))
        return Test(wanted, banned, every, some, none)

    def deed(self, clause: Clause) -> Deed:
        talk, _, said = (clause.talk or "").partition("/")
        front = line = 0
        if talk:
            told = self.room.dialogues[talk]
            front, line = self.talks[talk], list(told.lines).index(said) if said else _first(told)
        elif clause.lock:
            front, line = self.locks[clause.lock], _first(self.room.locks[clause.lock])
        given = (("has", clause.give), ("knows", clause.note), ("marked", clause.mark))
        adds = sum(self.mask(fact, names) for fact, names in given)
        scene = self.scenes[clause.go] if clause.go else -1
        return Deed(self.test(clause.when), adds, scene, front, line, self.endings.get(clause.end or "", 0))

    def deeds(self, clauses: tuple[Clause, ...]) -> Deeds:
        return tuple(map(self.deed, clauses))

    def place(self, name: str, scene: Scene) -> Place:
        spots = {
            at: Spot(self.mask("looked", [f"{name}/{at}"]), self.test(one.when), self.deeds(one.then), one)
            for at, one in scene.hotspots.items()
        }
        ways = {
            at: Way(self.test(one.when), self.scenes[one.to], self.locks.get(one.lock or "", 0), one)
            for at, one in scene.doors.items()
        }
        more = tuple(self.test(one.when) for one in scene.more)
        return Place(name, self.mask("visited", [name]), self.deeds(scene.enter), spots, ways, more, scene)

    def talk(self, name: str, told: Dialogue) -> Talk:
        order = list(told.lines)

        def choice(path: str, at: str, one: Reply) -> Choice:
            bit = self.bits.get(("chose", f"{path}/{at}"))
            after = order.index(one.next) if one.next else -1
            chose = 0 if bit is None else 1 << bit
            return Choice(at, one.text, self.test(one.when), chose, after, self.deeds(one.then))

        lines = tuple(
            Line(
                line,
                said.says,
                said.by or told.by,
                tuple(choice(f"{name}/{line}", at, one) for at, one in said.replies.items()),
            )
            for line, said in told.lines.items()
        )
        return Talk(name, lines, told)

    def bolt(self, number: int, name: str, lock: Lock) -> Bolt:
        needs = self.mask("has", lock.needs.has) | self.mask("knows", lock.needs.knows)
        opened, failed = self.mask("opened", [name]), self.mask("failed", [name])
        failing = self.deeds(lock.limit.then) if lock.limit else ()
        judge, shown, partners = self.judge(name, lock)
        lines = self.pressing(name, lock) if isinstance(lock, ConversationLock) else ()
        deeds = self.deeds(lock.then)
        return Bolt(
            name,
            number,
            opened,
            failed,
            needs,
            deeds,
            failing,
            judge,
            shown,
            partners,
            _first(lock),
            lines,
            lock,
        )

    def judge(self, name: str, lock: Lock) -> _Judged:
        salt = f"{self.room.key}/{name}"
        if isinstance(lock, ChoiceLock | ChoicesLock):
            return self.choosing(lock, salt)
        if isinstance(lock, CodeLock):
            wrong = tuple(
                (tuple(map(_pattern, one.like)), one.because, self.deeds(one.then)) for one in lock.wrong
            )
            return Code(lock.answers[0], frozenset(map(normal, lock.answers)), wrong, lock.otherwise), (), ()
        if isinstance(lock, OrderLock | MatchLock):
            return _row(lock, salt)
        return _spot(lock) if isinstance(lock, SpotLock) else (None, (), ())

    def choosing(self, lock: ChoiceLock | ChoicesLock, salt: str) -> _Judged:
        names = shuffled(list(lock.options), salt)
        options = [lock.options[name] for name in names]
        right = tuple(number for number, one in enumerate(options, start=1) if one.right)
        becauses = tuple(one.because for one in options)
        deeds = tuple(self.deeds(one.then) for one in options)
        single = isinstance(lock, ChoiceLock)
        judge = Numbers(right, False, single, True, len(names), tuple(names), becauses, deeds, lock.otherwise)
        return judge, tuple(one.text for one in options), ()

    def pressing(self, name: str, lock: ConversationLock) -> tuple[Line, ...]:
        order = list(lock.lines)

        def choice(at: str, one: Answering) -> Choice:
            after = order.index(one.next) if one.next else -1
            return Choice(at, one.text, Test(), 0, after, self.deeds(one.then), one.fall, one.out)

        made = []
        for line, said in lock.lines.items():
            names = shuffled(list(said.replies), f"{self.room.key}/{name}/{line}")
            made.append(Line(line, said.says, lock.by, tuple(choice(at, said.replies[at]) for at in names)))
        return tuple(made)


def shuffled(names: Sequence[str], salt: str) -> list[str]:
    """An order that depends on the names alone; never the written one where there are more than two."""
    mixed = sorted(names, key=lambda name: sha256(f"{salt}/{name}".encode()).digest())
    return mixed[1:] + mixed[:1] if mixed == list(names) and len(mixed) > 2 else mixed


def _row(lock: OrderLock | MatchLock, salt: str) -> _Judged:
    written = lock.pieces if isinstance(lock, OrderLock) else lock.pairs
    order = [str(number) for number in range(len(written))]
    mixed = shuffled(order, salt)
    if mixed == order:
        mixed.reverse()  # two that happened to stand as written
    right = tuple(mixed.index(number) + 1 for number in order)
    becauses = tuple(one.because for one in written)
    names = tuple(f"place-{number}" for number in range(1, len(order) + 1))
    once = isinstance(lock, OrderLock)
    judge = Numbers(right, True, False, once, len(order), names, becauses, ((),) * len(order), lock.otherwise)
    if isinstance(lock, OrderLock):
        return judge, tuple(lock.pieces[int(name)].text for name in mixed), ()
    partners = tuple(lock.pairs[int(name)].right for name in mixed)
    return judge, tuple(pair.left for pair in lock.pairs), partners


def _spot(lock: SpotLock) -> _Judged:
    numbers = range(1, len(lock.passages) + 1)
    right = tuple(number for number in numbers if lock.passages[number - 1].fraud)
    becauses = tuple(one.because for one in lock.passages)
    names = tuple(f"passage-{number}" for number in numbers)
    judge = Numbers(
        right, False, False, True, len(numbers), names, becauses, ((),) * len(numbers), lock.otherwise
    )
    return judge, tuple(one.text for one in lock.passages), ()


def _pattern(like: str) -> re.Pattern[str]:
    """`*` is anything, `?` one sign; what stands between is brought into the form of codes."""
    signs = {"*": ".*", "?": "."}
    return re.compile(
        "".join(signs.get(part) or re.escape(normal(part)) for part in re.split(r"([*?])", like))
    )


def _first(told: Dialogue | Lock) -> int:
    if not isinstance(told, Dialogue | ConversationLock):
        return 0
    return list(told.lines).index(told.start) if told.start else 0


def _bits(room: Room) -> _Bits:
    """A number for every fact: those that conditions may name, and which hotspots were looked at."""
    names: dict[tuple[str, str], None] = {}
    things: tuple[tuple[str, Iterable[str]], ...] = (
        ("has", room.items),
        ("knows", room.clues),
        ("opened", room.locks),
        ("failed", room.locks),
        ("visited", room.scenes),
    )
    names |= dict.fromkeys((fact, name) for fact, named in things for name in named)
    names |= dict.fromkeys(("marked", name) for clause in clauses(room) for name in clause.mark)
    named_in = (pair for one in conditions(room) for pair in one.names())
    names |= dict.fromkeys(pair for pair in named_in if pair[0] in ("chose", "marked"))
    looks = ((at, name) for at, scene in room.scenes.items() for name in scene.hotspots)
    names |= dict.fromkeys(("looked", f"{at}/{name}") for at, name in looks)
    return {pair: number for number, pair in enumerate(names)}
