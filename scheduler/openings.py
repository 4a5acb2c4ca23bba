"""The link of a message that says which message it was in: `/g/<the delivery's key>/<path>`, then the page itself.

Only whether a link was followed is kept, with the time of the first; not by which device, nor what was read after.
It is asked by follow-ups, and shown as a count. PIPL art. 6: what serves the purpose, and no more.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from core.database import inserting
from core.i18n import mark
from institution import retention
from institution.retention import Rule
from scheduler.models import Delivery
from scheduler.opening_models import Opening

PREFIX = "g"
_KEY = re.compile(r"[0-9a-f]{32}")
_DAYS = 365


def marked(path: str, key: str) -> str:
    """A path of our own that says in which message it stood; a key that is none leaves it as it is."""
    return f"/{PREFIX}/{key}{path}" if _KEY.fullmatch(key) else path


def target(path: str, query: str) -> str:
    """Where a marked link leads: always a page of our own, whatever the path looks like."""
    clean = "/" + path.replace("\\", "/").lstrip("/")
    return f"{clean}?{query}" if query else clean


def note(session: Session, key: str, now: datetime) -> bool:
    """Note that a message was opened; the first time counts, and only of a message that was sent."""
    if not _KEY.fullmatch(key) or session.get(Opening, key) is not None:
        return False
    if session.exec(select(Delivery.id).where(Delivery.key == key)).first() is None:
        return False
    values = {"key": key, "at": now}
    made = inserting(session.connection().dialect)(Opening).values(values).on_conflict_do_nothing()
    session.execute(made)
    return True


def keys(session: Session, found: Sequence[str]) -> set[str]:
    """Which of these messages were opened."""
    return set(session.exec(select(Opening.key).where(col(Opening.key).in_(found))))


def _old(session: Session, before: datetime) -> int:
    return session.exec(select(func.count()).select_from(Opening).where(col(Opening.at) < before)).one()


retention.declare(
    Rule(
        "push.opening",
        mark("推送链接的打开记录"),
        _DAYS,
        mark("《个人信息保护法》第六条、第十九条：最小范围、最短时间"),
        count=_old,
        clear=lambda session, before: (
            session.connection().execute(delete(Opening).where(col(Opening.at) < before)).rowcount
        ),
    )
)
