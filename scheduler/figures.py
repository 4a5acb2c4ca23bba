"""Reading figures of official accounts, brought into reach every day once two people agreed to it for the account.

The platform counts up to yesterday and goes on counting for days, so the last days are asked for again and only the
difference is brought in (`tracking.imports.standing`). Articles are known by their title.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

import structlog
from sqlmodel import Session

from core.clock import day_of
from core.database import Database
from core.i18n import mark
from scheduler.account_secrets import Opener
from scheduler.channels.base import Account, AnyChannel, DeliveryError
from scheduler.channels.base_wechat_figures import Figures as Read
from scheduler.channels.base_wechat_figures import Row
from scheduler.models import ChannelAccount
from tracking.imports import sources, standing
from tracking.imports.fields import COUNT, PIECE
from tracking.imports.known import Known
from tracking.imports.lines import Keys
from tracking.imports.standing_models import ReachStanding
from tracking.recorder import Recorder

log = structlog.get_logger()
SOURCE, CHANNEL = "wechat", "wechat"
_BEIJING = ZoneInfo("Asia/Shanghai")  # the platform's day
_DAYS, _MOST = 3, 7  # asked for again each day; at most after an outage
_LEASE, _NEXT, _SOON = timedelta(minutes=30), timedelta(hours=12), timedelta(hours=2)
_COUNTED = {"getarticleread": "visited", "getarticleshare": "shared"}
_CHANGED = mark("渠道账号改过了，请重新申请自动计入。")
_BROKEN = mark("取统计时出错，稍后再试；详情看运行日志。")


@runtime_checkable
class ReadsFigures(Protocol):
    """A channel whose platform counts readers."""

    def figures(self, account: Account, day: date) -> Sequence[Read]:
        """What it counted on a day."""
        ...


def subject_of(account: ChannelAccount) -> str:
    """What stands for the account among standing sources."""
    return f"channel-{account.id}"


def terms_of(account: ChannelAccount) -> dict[str, Any]:
    """Exactly what is agreed to: which account, and what of its figures counts as what."""
    return {
        mark("公众号"): f"{account.login}@{account.address}",
        mark("计为打开"): "getarticleread read_user",
        mark("计为分享"): "getarticleshare share_user",
    }


def has_figures(account: ChannelAccount) -> bool:
    """Whether the platform of an account counts readers."""
    return account.channel == CHANNEL


class Reading:
    """Asks for figures and brings them in; several workers share the accounts."""

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        opener: Opener,
        channels: Mapping[str, AnyChannel],
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._opener = opener
        self._channels = channels
        self._zone = zone
        self._clock = clock

    def run_once(self) -> int:
        """Ask for every account that is due and deposit what is new; returns how many batches were deposited."""
        now = self._clock()
        with self._database.reading() as session:
            waiting = standing.due(session, SOURCE, now)
        for one in waiting:
            with self._database.transaction() as session:
                mine = standing.take(session, one, now, _LEASE)
            if mine:
                self._ask(one)
        return standing.deposit(self._database, self._recorder, self._zone)

    def _ask(self, one: ReachStanding) -> None:
        fault, delayed = "", False
        try:
            delayed = self._read(one)
        except DeliveryError as error:
            fault = error.message
        except Exception:
            log.exception("reading figures failed; it is tried again", standing=one.id)
            fault = _BROKEN
        wait = _SOON if fault or delayed else _NEXT
        with self._database.transaction() as session:
            standing.note(session, one.id or 0, next_at=self._clock() + wait, fault=fault)

    def _read(self, one: ReachStanding) -> bool:
        """Bring the last days in; whether the platform is not done counting yesterday."""
        with self._database.reading() as session:
            account = session.get(ChannelAccount, int(one.subject.rpartition("-")[2]))
            if account is None or not standing.covered(session, one, terms_of(account)):
                raise DeliveryError(_CHANGED, permanent=True)
        channel = self._channels.get(CHANNEL)
        if not isinstance(channel, ReadsFigures):
            return False
        opened, late = self._opener.account(account), False
        for day in _days(one, self._clock()):
            found = channel.figures(opened, day)
            late = late or any(each.delayed for each in found)
            with self._database.transaction() as session:
                sums = _sums(session, one, day, found)
                standing.bring(session, one.id or 0, day, sums, self._clock())
        return late


def _days(one: ReachStanding, now: datetime) -> list[date]:
    """The days to ask for, the earliest first: the last few, and those since the last one that is in."""
    yesterday = day_of(now, _BEIJING) - timedelta(days=1)
    behind = (yesterday - one.last_day).days + _DAYS if one.last_day else _DAYS
    return [yesterday - timedelta(days=back) for back in reversed(range(min(max(behind, _DAYS), _MOST)))]


def _sums(session: Session, one: ReachStanding, day: date, found: Sequence[Read]) -> dict[Keys, int]:
    """What a day's rows add up to; an article that no piece is called like counts without a piece."""
    known, sums = Known.read(session, one.outlet_code), Counter[Keys]()
    for read in found:
        kind = _COUNTED.get(read.kind)
        for row in read.rows if kind else ():
            if row.get("list"):
                continue  # the sources of readers within an article, which is counted already
            piece = known.key(PIECE, str(row.get("title", ""))) or ""
            sums[Keys(day, str(kind), one.outlet_code, CHANNEL, "", piece)] += _number(row, str(kind))
    return dict(sums)


def _number(row: Row, kind: str) -> int:
    """The quantity of a row, in the first of the columns that mean it."""
    last = {name.rpartition(".")[2]: value for name, value in row.items()}
    words = sources.get(SOURCE).words(COUNT + kind)
    values = [last[word] for word in words if isinstance(last.get(word), int)]
    return max(0, int(values[0])) if values else 0
