"""What may come after the page: reports that are waited for until a moment that all of a page share."""

from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from sqlmodel import Session

from core.database import Database
from core.i18n import current_locale
from tracking.reports import Ask
from tracking.store import ReachStore
from tracking.waiting import Waiting

T = TypeVar("T")


class Later:
    """What may come after the page: each thing is waited for until a moment that all of them share."""

    def __init__(self, waiting: Waiting, database: Database, store: ReachStore, seconds: float) -> None:
        self.missing = False
        self._waiting, self._database, self._store = waiting, database, store
        self._until = monotonic() + seconds

    def known(self, name: str, ask: Ask) -> bool:
        """Whether this was answered before, so that it can be asked first."""
        return self._waiting.known((name, ask, current_locale()))

    def get(self, name: str, ask: Ask, work: Callable[[ReachStore, Session, Ask], T]) -> T | None:
        """What `work` says of a question; None when the page must go out without it."""

        def run() -> tuple[T]:
            with self._database.reading() as session:
                return (work(self._store, session, ask),)

        found = self._waiting.ask((name, ask, current_locale()), run, self._until - monotonic())
        self.missing = self.missing or found is None
        return found[0] if found else None
