"""How long photos are kept, and the sweep that takes files away which no return shows any more."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import func
from sqlmodel import Session, col, select

from campaign.returns import photos
from campaign.returns.models import OPEN, SUBMITTED, ReturnPhoto, ReturnVersion
from core.database import Database
from core.i18n import mark
from institution import retention
from institution.retention import Rule

_SPARED_SECONDS = 24 * 3600.0  # an upload whose commit is still to come
EVERY_SECONDS = 900.0


def _over(before: datetime) -> list[object]:
    waiting = select(ReturnVersion.return_id).where(col(ReturnVersion.state).in_((*OPEN, SUBMITTED)))
    return [
        col(ReturnPhoto.added_at) < before,
        col(ReturnPhoto.dropped_at).is_(None),
        col(ReturnPhoto.return_id).not_in(waiting),
    ]


def _count(session: Session, before: datetime) -> int:
    return session.exec(select(func.count()).select_from(ReturnPhoto).where(*_over(before))).one()  # type: ignore[arg-type]


def _clear(session: Session, before: datetime) -> int:
    numbers = list(session.exec(select(ReturnPhoto.id).where(*_over(before))))  # type: ignore[arg-type]
    for start in range(0, len(numbers), 500):
        photos.forget(session, [one or 0 for one in numbers[start : start + 500]], before)
    return len(numbers)


def sweep(database: Database, files_dir: Path, now: datetime) -> int:
    """Take away the files that no photo refers to; returns how many. Looks at a part of the folder each time.

    A file is written before its photo is committed, so that what is young is spared; a photo that was dropped
    leaves its file to this, so that a commit that fails loses none.
    """
    folder = files_dir / "returns"
    part = f"{int(now.timestamp() // EVERY_SECONDS) % 16:x}"
    found = [
        path
        for place in (sorted(folder.glob(f"{part}?")) if folder.is_dir() else ())
        for path in place.iterdir()
        if now.timestamp() - path.stat().st_mtime > _SPARED_SECONDS
    ]
    gone = 0
    for path in found:
        with database.reading() as session:
            query = select(ReturnPhoto.id).where(
                ReturnPhoto.file == f"returns/{path.parent.name}/{path.name}",
                col(ReturnPhoto.dropped_at).is_(None),
            )
            kept = session.exec(query.limit(1)).first()
        if kept is None:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


retention.declare(
    Rule(
        "return.photo",
        mark("活动回执的照片（可能有人像）"),
        1095,
        mark("《个人信息保护法》第十九条：为实现目的所必要的最短时间；数字留着，照片不留"),
        count=_count,
        clear=_clear,
    )
)
