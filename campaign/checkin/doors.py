"""Links that open the door of one occurrence to one phone, for as long as it is held; only a hash is kept.

The link carries its key behind `#`, which browsers keep to themselves: it stands in no log and no referrer.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from campaign.checkin.models import Door
from campaign.events.models import Occurrence
from core.errors import Conflict, NotFound
from core.i18n import mark
from institution import audit

PATH = "/door/"
AFTER = timedelta(hours=12)  # what was scanned offline may come home late
audit.declare({"door.open": mark("开通签到链接"), "door.end": mark("停用签到链接")})


class Shut(NotFound):
    """The link is not, or no longer, one that opens a door."""


def make(session: Session, occurrence: Occurrence, *, label: str, by: int, now: datetime) -> tuple[Door, str]:
    """A new door and its key, which is shown once; Conflict for an occurrence that is over."""
    if now >= occurrence.ends_at + AFTER:
        raise Conflict(mark("这场活动早就结束了，不能再开通签到。"))
    key = secrets.token_urlsafe(24)
    door = Door(
        occurrence_id=occurrence.id or 0,
        key_hash=_hash(key),
        label=label.strip()[:60],
        created_by=by,
        created_at=now,
        expires_at=occurrence.ends_at + AFTER,
    )
    session.add(door)
    session.flush()
    after = {"label": door.label, "expires_at": door.expires_at.isoformat()}
    audit.record(session, "door.open", "door", door.id, after=after, outlet_code=occurrence.outlet_code)
    return door, key


def end(session: Session, number: int, now: datetime) -> None:
    """Shut a door at once: its phone sees and sends nothing more."""
    door = session.get(Door, number)
    if door is None:
        raise NotFound(mark("没有找到这个签到链接。"))
    if door.ended_at is None:
        door.ended_at = now
        session.add(door)
        place = session.get_one(Occurrence, door.occurrence_id).outlet_code
        audit.record(session, "door.end", "door", number, outlet_code=place, note=door.label)


def opened(session: Session, key: str, now: datetime) -> Door:
    """The door that a key opens now; Shut otherwise."""
    door = session.exec(select(Door).where(Door.key_hash == _hash(key[:200]))).first()
    if door is None or door.ended_at is not None or now >= door.expires_at:
        raise Shut(mark("这个签到链接已经停用或过期，请到工作台重新开通。"))
    return door


def seen(session: Session, door: Door, now: datetime) -> None:
    """Note that the door's phone was here."""
    session.execute(update(Door).where(col(Door.id) == door.id).values(seen_at=now))


def of(session: Session, occurrence_id: int) -> list[Door]:
    """The doors of an occurrence, the newest first."""
    query = select(Door).where(Door.occurrence_id == occurrence_id)
    return list(session.exec(query.order_by(col(Door.id).desc())))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
