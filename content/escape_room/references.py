"""Checks that the parts of a room fit each other: every name leads somewhere, pictures say what they show."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from pydantic import BaseModel

from content.escape_room.codes import normal
from content.escape_room.conditions import FACTS, Clause, Condition
from content.escape_room.faults import RoomFault, at
from content.escape_room.format import Dialogue, Door, Helper, Room, Said, Scene
from content.escape_room.locks import CodeLock, ConversationLock, Needs
from content.escape_room.outline import Place, clauses, parts
from core.i18n import gettext as _
from core.i18n import mark

# Which list of the room a name is looked up in, and what its things are called.
WHAT = {
    "scenes": mark("场景"),
    "items": mark("物品"),
    "clues": mark("线索"),
    "locks": mark("锁"),
    "marks": mark("标记"),
    "dialogues": mark("对话"),
    "endings": mark("结局"),
    "characters": mark("人物"),
    "facts": mark("知识点"),
    "replies": mark("回答"),
}
_ASKED = dict(zip(FACTS, ("items", "clues", "locks", "locks", "scenes", "marks", "replies"), strict=True))


def check(room: Room) -> list[RoomFault]:
    """Everything that does not fit, each at its place."""
    known = _known(room)
    found: list[RoomFault] = []
    for place, part in parts(room):
        for field, table, name in _names(part):
            if name not in known[table]:
                found.append(_unknown(place, field, table, name, known[table]))
        found += _further(room, place, part)
    return found


def _known(room: Room) -> dict[str, Collection[str]]:
    known: dict[str, Collection[str]] = {
        table: getattr(room, table) for table in WHAT if table not in ("marks", "replies")
    }
    replies = {
        f"{name}/{line}/{reply}"
        for name, told in room.dialogues.items()
        for line, said in told.lines.items()
        for reply in said.replies
    }
    return {**known, "replies": replies, "marks": {name for one in clauses(room) for name in one.mark}}


def _unknown(place: Place, field: str, table: str, name: str, known: Collection[str]) -> RoomFault:
    close = get_close_matches(name, known, 1)
    near = _("是不是“%(name)s”？", name=close[0]) if close else ""
    return at(
        RoomFault("no_such", words={"name": name, "what": _(WHAT[table]), "near": near}), (*place, field)
    )


_Name = tuple[str, str, str]


def _names(part: BaseModel) -> Iterator[_Name]:
    """Every name in a part: the field, the list it must be in, the name."""
    if isinstance(part, Condition):
        yield from ((fact, _ASKED[fact], name) for fact in FACTS for name in getattr(part, fact))
    elif isinstance(part, Needs):
        yield from (("has", "items", name) for name in part.has)
        yield from (("knows", "clues", name) for name in part.knows)
    elif isinstance(part, Clause):
        yield from _of_clause(part)
    else:
        yield from _of_part(part)


def _of_clause(clause: Clause) -> Iterator[_Name]:
    yield from (("give", "items", name) for name in clause.give)
    yield from (("note", "clues", name) for name in clause.note)
    single = (("go", "scenes", clause.go), ("lock", "locks", clause.lock), ("end", "endings", clause.end))
    yield from ((field, table, name) for field, table, name in single if name)
    if clause.talk:
        yield "talk", "dialogues", clause.talk.partition("/")[0]


_FIELDS: dict[type[BaseModel], tuple[tuple[str, str], ...]] = {
    Room: (("start", "scenes"),),
    Helper: (("advises", "characters"),),
    Door: (("to", "scenes"), ("lock", "locks")),
    Dialogue: (("by", "characters"),),
    Said: (("by", "characters"),),
    ConversationLock: (("by", "characters"),),
}


def _of_part(part: BaseModel) -> Iterator[_Name]:
    for field, table in _FIELDS.get(type(part), ()):
        if name := getattr(part, field):
            yield field, table, name
    yield from (("teaches", "facts", name) for name in getattr(part, "teaches", ()))


def _further(room: Room, place: Place, part: BaseModel) -> Iterator[RoomFault]:
    """What is more than a name that is not there."""
    if getattr(part, "picture", None) and not getattr(part, "alt", None):
        yield at(RoomFault("alt"), (*place, "picture"))
    if isinstance(part, Room) and part.cover and not part.cover_alt:
        yield at(RoomFault("alt"), ("cover_alt",))
    if isinstance(part, Scene) and any(clause.go for clause in part.enter):
        yield at(RoomFault("enter_go"), (*place, "enter"))
    if isinstance(part, CodeLock):
        yield from _codes(place, part)
    if isinstance(part, Dialogue | ConversationLock):
        yield from _lines(place, part)
    if isinstance(part, Clause) and part.talk and "/" in part.talk:
        name, _slash, line = part.talk.partition("/")
        if name in room.dialogues and line not in room.dialogues[name].lines:
            yield _no_line((*place, "talk"), line, room.dialogues[name].lines)


def _codes(place: Place, lock: CodeLock) -> Iterator[RoomFault]:
    answers = {normal(answer) for answer in lock.answers}
    if "" in answers:
        yield at(RoomFault("empty"), (*place, "answers"))
    for number, one in enumerate(lock.wrong):
        for like in one.like:
            if normal(like) in answers:
                yield at(RoomFault("same_code", words={"name": like}), (*place, "wrong", number, "like"))


def _lines(place: Place, told: Dialogue | ConversationLock) -> Iterator[RoomFault]:
    if told.start and told.start not in told.lines:
        yield _no_line((*place, "start"), told.start, told.lines)
    for line, said in told.lines.items():
        for reply, one in said.replies.items():
            if one.next and one.next not in told.lines:
                yield _no_line((*place, "lines", line, "replies", reply, "next"), one.next, told.lines)


def _no_line(place: Place, name: str, known: Collection[str]) -> RoomFault:
    close = get_close_matches(name, known, 1)
    near = _("是不是“%(name)s”？", name=close[0]) if close else ""
    return at(RoomFault("no_line", words={"name": name, "near": near}), place)
