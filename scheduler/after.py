"""What became of a push: failures by reason with what to do, who said no since, what was read of it."""

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import func
from sqlmodel import Session, col, select

from campaign.contacts import Refusal
from core.i18n import mark
from institution.models import Outlet
from institution.powers import WHOLE, Scope
from scheduler.models import TROUBLE, Delivery, DeliveryState, Push
from tracking.store import ReachStore

log = structlog.get_logger()

DAYS = 7
_REASONS = 20
# What a reason's beginning or a word in it asks for; the first that fits.
_STEPS = (
    (("删除",), mark("不用做什么。")),
    (
        ("SMTP 5", "不存在", "空号", "没有这个", "不是成员", "取消关注"),
        mark("核对地址；改好后另建计划补发。"),
    ),
    (("黑名单", "退订", "拒收"), mark("尊重本人意愿，不再发。")),
    (("签名", "模板"), mark("请管理员在平台核对签名和模板，再补发。")),
    (("余额", "欠费"), mark("请管理员充值后补发。")),
    (("HTTP 4",), mark("请管理员核对渠道账号。")),
)
_OTHER = mark("核对地址后，可另建计划补发。")

_READ = """
SELECT kind, toInt64(sum(quantity)), toInt64(uniqExact(visitor)) FROM reach_event
WHERE day >= {first:Date} AND day <= {last:Date} AND channel = {channel:String} AND campaign = {campaign:String}
AND ({piece:String} = '' OR piece = {piece:String}) AND ({whole:UInt8} = 1 OR has({outlets:Array(String)}, outlet))
AND kind IN ('visited', 'engaged') GROUP BY kind
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """A reason, how many failed for it, and what to do next; both sentences to be translated."""

    reason: str
    count: int
    next_step: str


@dataclass(frozen=True, slots=True)
class Read:
    """What happened on our pages in the seven days from the push, under its campaign, piece and channel."""

    opened: int
    clicked: int
    engaged: int


def failures(session: Session, push_id: int) -> list[Failure]:
    """Why recipients failed, the commonest reason first."""
    query = (
        select(Delivery.reason, func.count())
        .where(Delivery.push_id == push_id, TROUBLE, Delivery.state == DeliveryState.failed)
        .group_by(Delivery.reason)
        .order_by(func.count().desc(), Delivery.reason)
        .limit(_REASONS)
    )
    return [Failure(reason, count, next_step(reason)) for reason, count in session.exec(query)]


def next_step(reason: str) -> str:
    """What to do about a reason."""
    return next((step for words, step in _STEPS if any(word in reason for word in words)), _OTHER)


def unsubscribed(session: Session, push: Push) -> int:
    """Of those who got it, how many have said no on the channel since it began."""
    since = push.started_at or push.created_at
    query = (
        select(func.count())
        .select_from(Delivery)
        .join(
            Refusal,
            (col(Refusal.address_index) == col(Delivery.address_index))
            & (col(Refusal.channel) == push.channel),
        )
        .where(
            Delivery.push_id == push.id,
            Delivery.state == DeliveryState.sent,
            col(Refusal.refused_at) >= since,
        )
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
