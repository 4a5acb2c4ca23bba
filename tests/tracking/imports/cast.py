"""The cast of the import tests: an institution with keys described, files of counts, people who ask and decide."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from core.cells import to_csv
from core.database import Database
from core.settings import Settings
from core.signing import Keys
from institution import approvals
from institution.powers import WHOLE
from tests import factories
from tracking import dimensions
from tracking.attribution import Attributions
from tracking.drain import Drain
from tracking.imports import deciding, draft, mapping, register, sources
from tracking.imports.depositing import Depositor
from tracking.imports.models import ReachImport
from tracking.recorder import Recorder
from tracking.spool import Spool
from tracking.store import ReachStore

NOW = datetime(2026, 9, 20, 2, 0, tzinfo=UTC)
TODAY = date(2026, 9, 20)
ZONE = ZoneInfo("Asia/Shanghai")
ANALYST, DECIDER = "sun.analyst", "qian.decider"


@dataclass
class Cast:
    """Two people, by their numbers."""

    analyst: int
    decider: int


def keys(session: Session) -> None:
    """The named tree, and pieces and a campaign by name."""
    factories.tree(session, NOW)
    for key, name in (("full-surrender", "全额退保骗局"), ("ai-voice", "AI 换声")):
        dimensions.describe(session, "piece", key, name)
    dimensions.describe(session, "campaign", "month-2026", "金融教育宣传月")


def people(session: Session) -> Cast:
    """All keys, somebody who imports and somebody who approves."""
    keys(session)
    analyst = factories.person(session, ANALYST, "孙分析", "analyst", NOW)
    decider = factories.person(session, DECIDER, "钱审批", "reviewer", NOW)
    return Cast(analyst.id or 0, decider.id or 0)


def csv(*rows: str) -> bytes:
    """A CSV file of rows written with commas."""
    head, *rest = (row.split(",") for row in rows)
    return to_csv(head, rest)


SCREENS = (
    "日期,网点编号,内容,点播次数,看完次数",
    f"2026-09-15,{factories.OUTLET_A},full-surrender,64,31",
    f"2026-09-15,{factories.OUTLET_B},AI 换声,52,20",
    f"2026-09-16,{factories.OUTLET_A},full-surrender,7,0",
)


def hand_in(session: Session, data: bytes, by: int, source: str = "screens", **more: Any) -> ReachImport:
    """Hand a file in with the mapping that its headings suggest."""
    made = draft.read(source, more.pop("file_name", "counts.csv"), data)
    guessed = mapping.guess(sources.get(source), made.table.headings)
    constants = {**guessed.constants, **more.pop("constants", {})}
    columns = mapping.typed(guessed.headings, guessed.fields, constants)
    given: dict[str, Any] = {"place": WHOLE, **more}
    return register.submit(session, made, columns, by=by, now=NOW, today=TODAY, **given)


def decide(session: Session, one: ReachImport, by: int, decision: str = approvals.APPROVED) -> None:
    """Decide the open request of an import."""
    assert deciding.PERMISSION
    waiting = approvals.open_request(session, kind=register.kind_of(one), subject=str(one.id))
    assert waiting is not None and waiting.id is not None
    approvals.decide(session, waiting.id, decision=decision, by=by, now=NOW, opinion="看过了")


@dataclass
class Path:
    """From the database to the store: what carries approved imports."""

    settings: Settings
    database: Database

    def __post_init__(self) -> None:
        self.spool = Spool(self.settings.spool_dir)
        self.recorder = Recorder(self.spool, Attributions(Keys(b"of the tests")), self.settings)
        self.depositor = Depositor(self.database, self.recorder, ZONE, lambda: NOW)

    def carry(self, store: ReachStore) -> int:
        """Deposit what is approved and ship it; the number of imports done."""
        done = self.depositor.run_once()
        Drain(self.spool, store).run_once()
        return done


def stored(store: ReachStore) -> list[tuple[Any, ...]]:
    """What the store holds of imports: batch, day, outlet, piece, kind, quantity."""
    return store.query(
        "SELECT batch, toString(day), outlet, piece, kind, quantity FROM reach_event WHERE source = 'import' "
        "ORDER BY batch, day, outlet, piece, kind"
    )
