"""How collecting stands: what waits, what was set aside, what was dropped today, what went wrong, room on disk."""

import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.i18n import gettext, mark
from tracking import aside, schema
from tracking.aside import Aside
from tracking.files import OPEN, SEALED
from tracking.health import DRAINED, FAILURES, Health
from tracking.store import ReachStore

LATE = 300.0  # seconds that a segment may wait before somebody is told
LOW_SHARE, LOW_BYTES = 0.05, 1 << 30  # a disk with less free than both is nearly full
RECENT = 3600.0  # seconds for which a failure is told on the desk's first page


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened: a Unix time and its sentence."""

    at: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Spooled:
    """What a spool folder holds and says, without asking the store. Ages in seconds, sizes in bytes."""

    segments: int
    size: int
    oldest: float
    aside: tuple[Aside, ...]
    drained: Happened | None
    failures: tuple[Happened, ...]
    free: int
    total: int

    @property
    def nearly_full(self) -> bool:
        """Whether the disk of the spool has little room left."""
        return self.total > 0 and self.free < min(LOW_BYTES, LOW_SHARE * self.total)

    @property
    def rejected(self) -> int:
        """How many lines were set aside."""
        return sum(one.lines for one in self.aside)

    def warnings(self, now: float) -> list[str]:
        """What somebody should look at, as sentences; empty when all is well."""
        said = []
        if self.oldest > LATE:
            said.append(gettext(_LATE) % {"minutes": int(self.oldest // 60), "segments": self.segments})
        if self.aside:
            said.append(gettext(_ASIDE) % {"lines": self.rejected})
        if self.nearly_full:
            said.append(gettext(_FULL) % {"free": f"{self.free / 2**30:.1f}"})
        return said + [one.sentence for one in self.failures if now - one.at < RECENT]


_LATE = mark("有 %(segments)s 段触达等了 %(minutes)s 分钟还没有入库")
_ASIDE = mark("有 %(lines)s 行触达不能入库，已搁置，请查看")
_FULL = mark("收集触达的磁盘快满了，只剩 %(free)s GiB")


def spooled(folder: Path, now: float | None = None) -> Spooled:
    """Look at a spool folder; a folder that is gone or cannot be read holds nothing."""
    now = time.time() if now is None else now
    waiting = list(_waiting(folder))
    notes = Health(folder).latest()
    happened = {kind: Happened(note.at, note.sentence) for kind, note in notes.items()}
    total, free = _room(folder)
    return Spooled(
        segments=len(waiting),
        size=sum(size for _, size in waiting),
        oldest=max((now - at for at, _ in waiting), default=0.0),
        aside=tuple(aside.every(folder)),
        drained=happened.get(DRAINED),
        failures=tuple(happened[kind] for kind in FAILURES if kind in happened),
        free=free,
        total=total,
    )


def dropped(store: ReachStore, day: str, here: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """What was dropped on a day by reason: in the store, and counted in this process but not there yet."""
    found = {
        str(reason): int(number)
        for reason, number in store.query(
            "SELECT toString(reason), sum(quantity) FROM reach_drop WHERE day = {day:Date} GROUP BY reason",
            {"day": day},
        )
    }
    for (on, reason), number in here.items():
        if on == day:
            found[reason] = found.get(reason, 0) + number
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def as_json(state: Spooled, drops: Mapping[str, int], now: float) -> dict[str, Any]:
    """The same for the command line, which may ask another process."""
    found = asdict(state)
    found.update(drops=dict(drops), warnings=state.warnings(now), version=schema.VERSION)
    return found


def _waiting(folder: Path) -> list[tuple[float, int]]:
    found = []
    for path in folder.glob("[!.]*"):
        if path.suffix in (OPEN, SEALED):
            try:
                status = path.stat()
            except OSError:
                continue  # shipped meanwhile
            if status.st_size:
                found.append((status.st_mtime, status.st_size))
    return found


def _room(folder: Path) -> tuple[int, int]:
    """Bytes of the disk, and those still free; of the nearest folder above that exists."""
    for place in (folder, *folder.parents):
        try:
            usage = shutil.disk_usage(place)
        except OSError:
            continue
        return usage.total, usage.free
    return 0, 0
