"""What an official account hears of its messages and its followers by callback: receipts, heads, who left and came back.

Events: developers.weixin.qq.com/doc/service (MASSSENDJOBFINISH, TEMPLATESENDJOBFINISH, PUBLISHJOBFINISH, subscribe,
unsubscribe, subscribe_msg_*).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from core.i18n import mark
from scheduler.channels.base import About, Account, Closed, DeliveryError, Receipt, Tally
from scheduler.channels.base_wechat_events import Fields, greeting, opened

__all__ = ["greeting"]
GREETED = b"success"  # what a callback is answered with
WHERE_RECEIPTS = mark(
    "微信公众平台 › 设置与开发 › 开发接口管理 › 服务器配置：填入网址，Token 与 EncodingAESKey 要和上面填的一致，"
    "消息格式选 XML，保存后启用。"
)


@dataclass(frozen=True, slots=True)
class MassResult:
    """How a mass message ended, in heads: the platform never says who it was that it did not reach.

    `filtered`: who was left after those were taken out who refuse, or had their four of the month.
    """

    reference: str
    sent: bool
    total: int
    filtered: int
    reached: int
    failed: int


def mass_result(event: Fields) -> MassResult | None:
    """What a callback says of a mass message; None when it is about something else."""
    if event.get("Event") != "MASSSENDJOBFINISH":
        return None
    numbers = [int(event.get(name, "0")) for name in ("TotalCount", "FilterCount", "SentCount", "ErrorCount")]
    state = event.get("Status", "").replace(" ", "").lower()
    return MassResult(event.get("MsgID", event.get("MsgId", "")), state == "sendsuccess", *numbers)


def receipts(
    account: Account, body: bytes, _headers: Mapping[str, str], query: Mapping[str, str]
) -> list[Receipt]:
    """What a callback says of messages; DeliveryError when the platform did not sign it.

    Of a mass message that reached only some there is none: nobody can say whom; `tallies` has the numbers.
    """
    event = opened(account, body, query)
    kind, who = event.get("Event", ""), event.get("FromUserName", "")
    mass = mass_result(event)
    if mass is not None:
        if not mass.sent:
            return [Receipt(mass.reference, error=not_passed())]
        return [Receipt(mass.reference)] if mass.reached == mass.total else []
    if kind == "PUBLISHJOBFINISH":
        done = event.get("PublishEventInfo/publish_status") == "0"
        reference = event.get("PublishEventInfo/publish_id", "")
        return [Receipt(reference, error=None if done else not_passed())]
    if kind == "TEMPLATESENDJOBFINISH":
        return [Receipt(event.get("MsgID", ""), who, _template_error(event))]
    if kind == "unsubscribe":
        return [Receipt("", who, _left(), About.person)]
    return [Receipt("", who, about=About.person)] if kind == "subscribe" else []


def tallies(
    account: Account, body: bytes, _headers: Mapping[str, str], query: Mapping[str, str]
) -> list[Tally]:
    """The heads of a mass message; `filtered` are those the platform took out."""
    mass = mass_result(opened(account, body, query))
    if mass is None:
        return []
    return [Tally(mass.reference, mass.total, mass.total - mass.filtered, mass.reached, mass.failed)]


def not_passed() -> DeliveryError:
    """The platform's people or rules let a message not pass."""
    return DeliveryError(
        mark("微信审核没有通过，或没有发成；原因请看微信公众平台的通知。"), permanent=True, everyone=True
    )


def _left() -> DeliveryError:
    return DeliveryError(mark("对方取消了关注。"), permanent=True, closes=Closed.not_following)


def _template_error(event: Fields) -> DeliveryError | None:
    state = event.get("Status", "").lower()
    if state == "success":
        return None
    if "user block" in state:
        return DeliveryError(mark("对方拒收公众号的通知。"), permanent=True, closes=Closed.withdrawn)
    return DeliveryError(mark("微信没有把通知送到。"), permanent=True)
