"""What a push led to, step by step: delivered → visited → engaged → completed → registered → attended, by outlet, and
beside what other channels did for the same.

Figures are person-times of tracking, counted and added up as in every report. A link carries campaign, outlet and
channel and not the push: an event of reach has no column for one, and the format of its lines is public, so that it
will not get one for this. Two pushes of the same on one channel within a week therefore share their readers.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlmodel import Session

from scheduler.after import DAYS
from scheduler.models import Push
from tracking import funnel, reports
from tracking.funnel import STEPS, Row
from tracking.groupings import CAMPAIGN, CHANNEL, KIND, OUTLET, PIECE
from tracking.periods import NONE, Period, compare
from tracking.question import Where
from tracking.reports import Ask
from tracking.store import ReachStore

log = structlog.get_logger()
_MOST = 50  # rows of a table


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of the push's channel as a whole and by outlet, and of every channel; `first` and `last` are its days."""

    first: date
    last: date
    whole: Row
    outlets: tuple[Row, ...]
    channels: tuple[Row, ...]
    more: int = 0


def steps(session: Session, store: ReachStore, push: Push, zone: ZoneInfo, today: date) -> Steps | None:
    """The steps in the seven days from the push, under its campaign, or its piece where it has no campaign; None where
    nothing tells it from other visits, or the store does not answer."""
    if not push.campaign and not push.piece_key:
        return None
    first = (push.started_at or push.due_at).astimezone(zone).date()
    last = max(first, min(today, first + timedelta(days=DAYS)))
    same = (CAMPAIGN, (push.campaign,)) if push.campaign else (PIECE, (push.piece_key,))
    by_channel: Where = (same, (KIND, STEPS))
    mine: Where = (*by_channel, (CHANNEL, (push.channel,)))
    compared = compare(Period(first, last), NONE)
    asks = [
        Ask(compared, (OUTLET, KIND), push.outlet_code, mine, people=False),
        Ask(compared, (CHANNEL, KIND), push.outlet_code, by_channel, people=False),
        Ask(compared, (KIND,), push.outlet_code, mine, people=False),
    ]
    try:
        outlets, channels, whole = reports.several(store, session, asks)
    except Exception as fault:  # whatever ails the store, a figure never breaks the page
        log.warning("push_steps", fault=str(fault))
        return None
    total, rows = funnel.funnel(outlets, whole)
    _total, beside = funnel.funnel(channels, whole)
    return Steps(first, last, total, rows[:_MOST], beside[:_MOST], max(0, len(rows) - _MOST))
