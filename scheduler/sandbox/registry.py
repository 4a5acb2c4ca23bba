"""Every stand-in, one line each: what it is called, how its messages look, and what an account must be given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.i18n import mark
from scheduler.sandbox import dingtalk_robot, feishu_robot, wechat, wechat_box, wecom_app, wecom_robot
from scheduler.sandbox.core import Sandbox, StandIn


class Look(StrEnum):
    """How a message looks to who gets it."""

    chat = "chat"
    sms = "sms"
    notice = "notice"
    card = "card"
    mail = "mail"


@dataclass(frozen=True, slots=True)
class Offer:
    """A stand-in: `fill` are the fields of the channel's account form and what to type there."""

    make: Callable[[], StandIn]
    label: str
    look: Look
    fill: Mapping[str, str]


_HOOK, _SIGN = mark("Webhook 地址"), mark("加签密钥")
STAND_INS: dict[str, Offer] = {
    wecom_robot.NAME: Offer(wecom_robot.WecomRobot, mark("企业微信群机器人"), Look.chat, {_HOOK: wecom_robot.KEY}),
    dingtalk_robot.NAME: Offer(dingtalk_robot.DingtalkRobot, mark("钉钉群机器人"), Look.chat, {_HOOK: dingtalk_robot.TOKEN, _SIGN: dingtalk_robot.SECRET}),
    feishu_robot.NAME: Offer(feishu_robot.FeishuRobot, mark("飞书群机器人"), Look.chat, {_HOOK: feishu_robot.KEY, mark("签名密钥"): feishu_robot.SECRET}),
    wechat.NAME: Offer(wechat.Wechat, mark("微信公众号"), Look.card, {"AppID": wechat_box.APP, "AppSecret": wechat_box.SECRET, mark("回调令牌"): wechat_box.TOKEN, mark("回调密钥"): wechat_box.AES_KEY}),
    wecom_app.NAME: Offer(wecom_app.WecomApp, mark("企业微信应用"), Look.card, {mark("企业 ID"): wecom_app.CORP, "AgentId": str(wecom_app.AGENT), "Secret": wecom_app.SECRET}),
}  # fmt: skip


def filled(sandbox: Sandbox) -> Sandbox:
    """The sandbox with every stand-in in it."""
    for offer in STAND_INS.values():
        sandbox.add(offer.make())
    return sandbox
