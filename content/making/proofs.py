"""The proof of a room's text, kept at hand: pages of the desk show it again and again, and a big room takes a second."""

from functools import lru_cache

from content.escape_room import proof
from content.escape_room.format import Room
from content.escape_room.proof import Report
from content.rooms import file
from core.i18n import current_locale


def prove(text: str) -> tuple[Room, Report]:
    """The room and its proof, in the language in force; Faulty when the text is no room."""
    return _proved(text, current_locale())


@lru_cache(16)
def _proved(text: str, _lang: str) -> tuple[Room, Report]:
    """Steps of players are told in words, so there is one for each language."""
    room = file.stored(text)
    return room, proof.prove(room, file=file.FILE)
