"""Every stand-in, one line each: what it is called, how its messages look, and what an account must be given."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

from core.i18n import mark
from scheduler.channels.base import Look
from scheduler.sandbox import (
    dingtalk_robot,
    feishu_robot,
    getui,
    jpush,
    mail,
    sms_aliyun,
    sms_tencent,
    webpush,
    wechat,
    wechat_box,
    wecom_app,
    wecom_robot,
)
from scheduler.sandbox.core import Sandbox, StandIn


class Beside(Protocol):
    """A stand-in that speaks something else than HTTP, on a port of its own: a mail server."""

    def listening(self, port: int) -> AbstractContextManager[None]:
        """Answer on a port of loopback for the length of a block."""
        ...


@dataclass(frozen=True, slots=True)
class Offer:
    """A stand-in: `fill` are the fields of the channel's account form and what to type there. One that is no part of
    the web server has `beside` and no `make`."""

    make: Callable[[], StandIn] | None
    label: str
    look: Look
    fill: Mapping[str, str]
    beside: Callable[[Sandbox], Beside] | None = None


_HOOK, _SIGN = mark("Webhook 地址"), mark("加签密钥")
_SMS_SIGN, _TEMPLATE = mark("短信签名"), mark("短信模板")
STAND_INS: dict[str, Offer] = {
    wecom_robot.NAME: Offer(wecom_robot.WecomRobot, mark("企业微信群机器人"), Look.chat, {_HOOK: wecom_robot.KEY}),
    dingtalk_robot.NAME: Offer(dingtalk_robot.DingtalkRobot, mark("钉钉群机器人"), Look.chat, {_HOOK: dingtalk_robot.TOKEN, _SIGN: dingtalk_robot.SECRET}),
    feishu_robot.NAME: Offer(feishu_robot.FeishuRobot, mark("飞书群机器人"), Look.chat, {_HOOK: feishu_robot.KEY, mark("签名密钥"): feishu_robot.SECRET}),
    sms_aliyun.NAME: Offer(sms_aliyun.SmsAliyun, mark("短信（阿里云）"), Look.sms, {"AccessKey ID": sms_aliyun.ACCESS_KEY, "AccessKey Secret": sms_aliyun.SECRET, _SMS_SIGN: sms_aliyun.SIGN, _TEMPLATE: sms_aliyun.NOTICE}),
    sms_tencent.NAME: Offer(sms_tencent.SmsTencent, mark("短信（腾讯云）"), Look.sms, {"SecretId": sms_tencent.SECRET_ID, "SecretKey": sms_tencent.SECRET_KEY, "SdkAppId": sms_tencent.APP, _SMS_SIGN: sms_tencent.SIGN, _TEMPLATE: sms_tencent.NOTICE}),
    wechat.NAME: Offer(wechat.Wechat, mark("微信公众号"), Look.card, {"AppID": wechat_box.APP, "AppSecret": wechat_box.SECRET, mark("回调令牌"): wechat_box.TOKEN, mark("回调密钥"): wechat_box.AES_KEY}),
    wecom_app.NAME: Offer(wecom_app.WecomApp, mark("企业微信应用"), Look.card, {mark("企业 ID"): wecom_app.CORP, "AgentId": str(wecom_app.AGENT), "Secret": wecom_app.SECRET, mark("回调令牌"): wechat_box.TOKEN, mark("回调密钥"): wechat_box.AES_KEY}),
    jpush.NAME: Offer(jpush.JPush, mark("极光推送"), Look.notice, {"AppKey": jpush.APP, "Master Secret": jpush.SECRET}),
    getui.NAME: Offer(getui.Getui, mark("个推"), Look.notice, {"AppID": getui.APP, "AppKey": getui.KEY, "MasterSecret": getui.SECRET}),
    webpush.NAME: Offer(webpush.WebPush, mark("浏览器推送"), Look.notice, {mark("联系邮箱"): webpush.CONTACT, mark("VAPID 私钥"): webpush.KEY}),
    mail.NAME: Offer(None, mark("电子邮件"), Look.mail, {mark("加密"): "none"}, beside=mail.Mail),
}  # fmt: skip


def filled(sandbox: Sandbox) -> Sandbox:
    """The sandbox with every stand-in in it."""
    for offer in STAND_INS.values():
        if offer.make is not None:
            sandbox.add(offer.make())
    return sandbox


@contextmanager
def besides(sandbox: Sandbox, port: int) -> Iterator[dict[str, int]]:
    """What listens beside the web server, from this port on: which port each has. OSError when one is taken."""
    with ExitStack() as stack:
        ports: dict[str, int] = {}
        for name, offer in STAND_INS.items():
            if offer.beside is not None:
                ports[name] = port + len(ports)
                stack.enter_context(offer.beside(sandbox).listening(ports[name]))
        yield ports


def address(base: str, name: str, ports: Mapping[str, int]) -> str:
    """What to type as the address of an account."""
    return f"127.0.0.1:{ports[name]}" if name in ports else f"{base}/{name}"
