"""What became of a push: failures by reason with what to do, who said no since, what was read of it."""

import hashlib
from dataclasses import dataclass, fields
from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import exists, func, or_
from sqlmodel import Session, col, select

from campaign.addresses import kind_of
from campaign.audience_models import PurposeRefusal
from campaign.contacts import Refusal, levels
from core.i18n import mark
from institution.models import Outlet
from institution.powers import WHOLE, Scope
from scheduler.models import TROUBLE, Delivery, DeliveryState, Push
from scheduler.receipt_models import PushReceived, PushTally
from tracking.store import ReachStore

log = structlog.get_logger()

DAYS = 7
_REASONS = 20
# What a reason's beginning or a word in it asks for, and whether sending again helps once that is done; the first that
# fits.
_STEPS = (
    (("删除",), mark("不用做什么。"), False),
    (("SMTP 552",), mark("邮箱满了，过几天再发一次。"), True),
    (
        (
            "SMTP 5",
            "不存在",
            "空号",
            "没有这个",
            "不是成员",
            "取消关注",
            "没有关注",
            "没有这位",
            "已取消订阅",
            "无效",
        ),
        mark("核对地址；改好后另建计划补发。"),
        False,
    ),
    (("黑名单", "退订", "拒收"), mark("尊重本人意愿，不再发。"), False),
    (("签名", "模板"), mark("请管理员在平台核对签名和模板，再补发。"), True),
    (("余额", "欠费"), mark("请管理员充值后补发。"), True),
    (("许可",), mark("请管理员在平台开通许可，再补发。"), True),
    (("HTTP 4",), mark("请管理员核对渠道账号。"), True),
)
_OTHER = mark("查明原因后，可以再发一次。")

_READ = """
SELECT kind, toInt64(sum(quantity)), toInt64(uniqExact(visitor)) FROM reach_event
WHERE day >= {first:Date} AND day <= {last:Date} AND channel = {channel:String} AND campaign = {campaign:String}
AND ({piece:String} = '' OR piece = {piece:String}) AND ({whole:UInt8} = 1 OR has({outlets:Array(String)}, outlet))
AND kind IN ('visited', 'engaged') GROUP BY kind
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """A reason, how many failed for it, what to do next (sentences to be translated), whether sending again helps then."""

    reason: str
    count: int
    next_step: str
    again: bool = True

    @property
    def number(self) -> str:
        """What the form calls the reason."""
        return number_of(self.reason)


@dataclass(frozen=True, slots=True)
class Read:
    """What happened on our pages in the seven days from the push, under its campaign, piece and channel."""

    opened: int
    clicked: int
    engaged: int


@dataclass(frozen=True, slots=True)
class Heads:
    """Heads of all calls together; None for what the platform does not count."""

    total: int | None
    filtered: int | None
    reached: int | None
    failed: int | None
    shown: int | None
    clicked: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """What platforms said later: so many had it, failed after all, opened it, were cleared of doubt; and the heads of
    calls where nobody is named (None where none came)."""

    arrived: int
    failed: int
    opened: int
    cleared: int
    heads: Heads | None


def told(session: Session, push_id: int) -> Told | None:
    """What receipts say of a push; None while none came."""
    sums = session.get(PushReceived, push_id)
    columns = [func.sum(getattr(PushTally, one.name)) for one in fields(Heads)]
    heads = session.exec(select(*columns).where(PushTally.push_id == push_id)).one()
    known = Heads(*heads) if any(one is not None for one in heads) else None
    if sums is None:
        return Told(0, 0, 0, 0, known) if known else None
    return Told(sums.arrived, sums.failed, sums.opened, sums.cleared, known)


def failures(session: Session, push_id: int) -> list[Failure]:
    """Why recipients failed, the commonest reason first."""
    query = (
        select(Delivery.reason, func.count())
        .where(Delivery.push_id == push_id, TROUBLE, Delivery.state == DeliveryState.failed)
        .group_by(Delivery.reason)
        .order_by(func.count().desc(), Delivery.reason)
        .limit(_REASONS)
    )
    return [Failure(reason, count, *_step(reason)) for reason, count in session.exec(query)]


def next_step(reason: str) -> str:
    """What to do about a reason."""
    return _step(reason)[0]


def number_of(reason: str) -> str:
    """What a form calls a reason: the sentence itself may be long, and have any characters."""
    return hashlib.sha256(reason.encode()).hexdigest()[:16]


def failed(session: Session, push_id: int, *, after: int = 0, limit: int) -> list[Delivery]:
    """The next failed recipients after one's number, in the order of their numbers."""
    query = select(Delivery).where(
        Delivery.push_id == push_id, Delivery.state == DeliveryState.failed, col(Delivery.id) > after
    )
    return list(session.exec(query.order_by(col(Delivery.id)).limit(limit)))


def _step(reason: str) -> tuple[str, bool]:
    found = ((step, again) for words, step, again in _STEPS if any(word in reason for word in words))
    return next(found, (_OTHER, True))


def unsubscribed(session: Session, push: Push) -> int:
    """Of those who got it, how many have said no since it began: on the channel, or to what it was about alone."""
    since, index, kind = (
        push.started_at or push.created_at,
        col(Delivery.address_index),
        kind_of(push.channel),
    )
    every = exists().where(
        col(Refusal.address_index) == index,
        col(Refusal.channel) == kind,
        col(Refusal.refused_at) >= since,
    )
    alone = exists().where(
        col(PurposeRefusal.address_index) == index,
        col(PurposeRefusal.channel) == kind,
        col(PurposeRefusal.purpose).in_(levels(push.purpose)[1:]),
        col(PurposeRefusal.refused_at) >= since,
    )
    query = (
        select(func.count())
        .select_from(Delivery)
        .where(Delivery.push_id == push.id, Delivery.state == DeliveryState.sent, or_(every, alone))
    )
    return session.exec(query).one()


def read(session: Session, store: ReachStore, push: Push, zone: ZoneInfo) -> Read | None:
    """What was read of it, in the push's part of the tree; None where nothing tells it from other visits, or the
    store does not answer.

    Links carry campaign and channel and not the push, so pushes of one piece in one week share their readers.
    """
    if not push.campaign and not push.piece_key:
        return None
    first = (push.started_at or push.due_at).astimezone(zone).date()
    given = {
        "first": first, "last": first + timedelta(days=DAYS), "channel": push.channel, "campaign": push.campaign,
        "piece": push.piece_key, "whole": int(push.outlet_code == WHOLE), "outlets": _outlets(session, push.outlet_code),
    }  # fmt: skip
    try:
        rows = store.query(_READ, given)
    except Exception as fault:  # whatever ails the store, a figure never breaks the page
        log.warning("push_read", fault=str(fault))
        return None
    found = {kind: (count, people) for kind, count, people in rows}
    return Read(
        opened=found.get("visited", (0, 0))[1],
        clicked=found.get("visited", (0, 0))[0],
        engaged=found.get("engaged", (0, 0))[0],
    )


def _outlets(session: Session, code: str) -> list[str]:
    """The nodes of a part of the tree; none for the whole, which asks for no list."""
    if code == WHOLE:
        return []
    return list(session.exec(select(Outlet.code).where(Scope(frozenset([code])).condition(Outlet.code))))
