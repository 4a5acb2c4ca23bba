"""Rooms ready to be played: compiled once per revision, with their pictures and their words as HTML."""

import re
import threading
from collections.abc import Callable
from functools import lru_cache, partial

from markupsafe import Markup, escape
from sqlmodel import Session, col, select

from content.escape_room import rules
from content.escape_room.compiling import compile_room
from content.escape_room.game import Game
from content.escape_room.state import State, decode, encode
from content.escape_room.view import Seen, view
from content.media import Picture, from_json
from content.models import Kind, Piece, Revision
from content.models import State as Standing
from content.rendering import render
from content.rooms import file
from core.database import Database
from core.errors import Gone, NotFound
from core.i18n import mark

GONE = mark("这个密室已经撤下，不能再玩。看看别的内容吧。")
_MOST = 128  # rooms kept compiled
_TEXTS = _STATES = 4096
_VIEWS = 1024
_PARAGRAPH = re.compile(r"<p>((?:(?!<p[ >]).)*)</p>\s*", re.DOTALL)


class Ready:
    """One revision of a room. `words` and `phrase` make HTML of Markdown, once per text; `decode`, `encode` and `view`
    are those of the room, remembered. Nobody changes a view."""

    def __init__(self, revision: int, key: str, game: Game, pictures: dict[str, Picture]) -> None:
        self.revision, self.key, self.game = revision, key, game
        self.pictures = {name.removeprefix("media/"): picture for name, picture in pictures.items()}
        self.begin: State = rules.start(game)
        self.beginning = encode(game, self.begin)
        self.names = {bolt.name: bolt for bolt in game.bolts}
        self.words: Callable[[str], Markup] = lru_cache(_TEXTS)(self._words)
        self.phrase: Callable[[str], Markup] = lru_cache(_TEXTS)(self._phrase)
        # those who play a room stand in the same places: most steps come to a state that somebody was in before
        self.decode: Callable[[str], State] = lru_cache(_STATES)(partial(decode, game))
        self.encode: Callable[[State], str] = lru_cache(_STATES)(partial(encode, game))
        self.view: Callable[[State, str], Seen] = lru_cache(_VIEWS)(partial(view, game))

    def picture(self, name: str | None) -> Picture | None:
        """A picture by the name that the file uses."""
        return self.pictures.get(name) if name else None

    def _words(self, text: str) -> Markup:
        return Markup(render(text, {}, Kind.escape_room).html)  # noqa: S704  (it passed rendering's allow-list)

    def _phrase(self, text: str) -> Markup:
        """A text that stands within a line: one paragraph without its tags, anything else as it was typed."""
        found = _PARAGRAPH.fullmatch(self._words(text))
        return Markup(found[1]) if found else escape(text)  # noqa: S704  (the same)


class Games:
    """One of a process. `generation` is the number that changes when something was published or withdrawn."""

    def __init__(self, database: Database, generation: Callable[[], int]) -> None:
        self._database, self._generation = database, generation
        self._lock = threading.Lock()
        self._ready: dict[int, Ready] = {}
        self._published: tuple[int, dict[str, int]] = (0, {})

    def current(self, key: str) -> Ready:
        """The published room; NotFound when there is none (any more)."""
        found = self.find(key)
        if found is None:
            raise NotFound(GONE)
        return found

    def find(self, key: str) -> Ready | None:
        """The published room, or None: withdrawn meanwhile, or never there."""
        number = self._on_site().get(key)
        return self.of(number) if number is not None else None

    def going_on(self, key: str, revision: int) -> Ready:
        """The revision that a play began with, also when a newer one was published meanwhile; Gone when the
        room was withdrawn, NotFound when the revision is of another one."""
        if key not in self._on_site():
            raise Gone(GONE)
        ready = self.of(revision)
        if ready.key != key:
            raise NotFound(GONE)
        return ready

    def of(self, revision: int) -> Ready:
        """The room of a revision, compiled at its first use; NotFound when it is no room."""
        ready = self._ready.get(revision)
        if ready is None:
            with self._lock:
                ready = self._ready.get(revision) or self._compile(revision)
        return ready

    def _compile(self, revision: int) -> Ready:
        with self._database.reading() as session:
            found = session.get(Revision, revision)
            if found is None or found.meta.get("kind") != Kind.escape_room:
                raise NotFound(GONE)
            ready = ready_of(found)
        if len(self._ready) >= _MOST:
            self._ready.pop(next(iter(self._ready)))
        self._ready[revision] = ready
        return ready

    def _on_site(self) -> dict[str, int]:
        generation = self._generation()
        known, found = self._published
        if known != generation or not found:
            with self._database.reading() as session:
                found = _published(session)
            self._published = (generation, found)
        return found


def ready_of(revision: Revision) -> Ready:
    """The room of a stored revision."""
    pictures = from_json(revision.media)
    game = compile_room(file.stored(revision.text))
    return Ready(revision.id or 0, revision.piece_key, game, pictures)


def _published(session: Session) -> dict[str, int]:
    query = (
        select(Revision.piece_key, Revision.id)
        .join(Piece, col(Piece.key) == col(Revision.piece_key))
        .where(Revision.state == Standing.published.value, Piece.kind == Kind.escape_room.value)
    )
    return {key: number or 0 for key, number in session.exec(query)}
