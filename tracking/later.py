"""What may come after the page: reports that are waited for until a moment that all of a page share."""

from collections.abc import Sequence
from time import monotonic

from sqlmodel import Session

from core.database import Database
from core.i18n import current_locale
from tracking import reports
from tracking.reports import Ask, Report
from tracking.store import ReachStore
from tracking.waiting import Waiting


class Later:
    """What may come after the page: each thing is waited for until a moment that all of them share."""

    def __init__(self, waiting: Waiting, database: Database, store: ReachStore, seconds: float) -> None:
        self._waiting, self._database, self._store = waiting, database, store
        self._until = monotonic() + seconds

    def known(self, asks: Sequence[Ask]) -> bool:
        """Whether these were answered before, so that they can be asked first."""
        return self._waiting.known((tuple(asks), current_locale()))

    def learn(self, asks: Sequence[Ask]) -> None:
        """All of these have been answered, in several parts: next time they can be asked at once."""
        self._waiting.learn((tuple(asks), current_locale()))

    def get(self, asks: Sequence[Ask]) -> dict[Ask, Report]:
        """The answers, all from one snapshot; {} when the page must go out without them."""

        def run() -> dict[Ask, Report]:
            with self._database.reading() as session:
                return answers(self._store, session, asks)

        if not asks:
            return {}
        key = (tuple(asks), current_locale())
        return self._waiting.ask(key, run, self._until - monotonic()) or {}


def answers(store: ReachStore, session: Session, asks: Sequence[Ask]) -> dict[Ask, Report]:
    """Question → its report, all from one snapshot."""
    return dict(zip(asks, reports.several(store, session, asks), strict=True)) if asks else {}
