"""The lists that a room's file is made of: what they are called, the models of their entries, how one is titled."""

from typing import Any

from pydantic import BaseModel

from content.escape_room import locks
from content.escape_room.format import Character, Clue, Dialogue, Ending, Fact, Item, Room, Scene
from core.i18n import mark

TABLES = {
    "scenes": mark("场景"),
    "locks": mark("锁"),
    "dialogues": mark("对话"),
    "items": mark("物品"),
    "clues": mark("线索"),
    "characters": mark("人物"),
    "endings": mark("结局"),
    "facts": mark("知识点"),
}
ONE: dict[str, type[BaseModel]] = {
    "scenes": Scene,
    "dialogues": Dialogue,
    "items": Item,
    "clues": Clue,
    "characters": Character,
    "endings": Ending,
    "facts": Fact,
}
LOCKS: dict[str, type[BaseModel]] = {
    "choice": locks.ChoiceLock,
    "choices": locks.ChoicesLock,
    "code": locks.CodeLock,
    "order": locks.OrderLock,
    "match": locks.MatchLock,
    "spot": locks.SpotLock,
    "conversation": locks.ConversationLock,
}
LOCK_NAMES = {
    "choice": mark("选一个"),
    "choices": mark("选几个"),
    "code": mark("数字或暗号"),
    "order": mark("排顺序"),
    "match": mark("配对"),
    "spot": mark("找出骗局"),
    "conversation": mark("和骗子对话"),
}
# The room itself, without its lists: a part like the others, at the top of the file.
ABOUT = "about"
_TITLED = {"items": "name", "characters": "name", "clues": "text", "facts": "text"}
_LONGEST = 40


def title(room: Room, table: str, name: str, lang: str) -> str:
    """What an entry is called in a language; a clue or a fact by its first words."""
    one: Any = getattr(room, table)[name]
    if table == "dialogues":
        person = room.characters.get(one.by)
        return str(person.name.of(lang)) if person else name
    words: str = getattr(one, _TITLED.get(table, "title")).of(lang)
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
