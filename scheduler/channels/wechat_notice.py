"""Notices of a WeChat 服务号 to one person: by template, or by a subscription the person gave for one message.

Service notices only, no marketing (developers.weixin.qq.com/doc: Template_Message_Interface, subscribe/bizsend).
"""

from core.i18n import mark
from scheduler.channels.base import Account, DeliveryError, Field, Message, Rate
from scheduler.channels.base_http import Http
from scheduler.channels.base_token import TokenChannel
from scheduler.channels.base_wechat import ADDRESS, Api
from scheduler.channels.base_wechat_receipts import GREETED, WHERE_RECEIPTS, greeting, receipts, tallies

__all__ = ["greeting", "receipts", "tallies"]

NAME = "wechat_notice"
LABEL = mark("微信服务通知")
RECEIVED, WHERE = GREETED, WHERE_RECEIPTS
FORM: tuple[Field, ...] = (
    Field("address", mark("接口地址"), value=ADDRESS),
    Field("login", "AppID", mark("微信公众平台 → 设置与开发 → 开发接口管理")),
    Field("secret", "AppSecret", mark("同一页；只显示一次"), secret=True),
    Field("way", mark("方式（template 模板消息，subscribe 订阅通知）"), value="template"),
    Field("token", mark("回调令牌"), mark("服务器配置里的 Token"), secret=True, required=False),
    Field("aes_key", mark("回调密钥"), mark("安全模式的 EncodingAESKey"), secret=True, required=False),
)


class WechatNotice(TokenChannel["NoticeLine"]):
    """One call a person. A key is recognised for ten minutes only, so what is in doubt waits for its receipt."""

    name = NAME
    batch_size = 100
    group = 1
    idempotent = False
    call_size = 1
    rates: tuple[Rate, ...] = (Rate(100_000, 86400),)

    def line(self, http: Http, account: Account) -> "NoticeLine":
        """A line to the platform."""
        return NoticeLine(Api(http, account, self._tokens, self._clock))


class NoticeLine:
    """A line to one 服务号."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._subscribed = api.account.options.get("way", "template") == "subscribe"

    def send(self, message: Message) -> str:
        """Send one notice; what the platform calls it (a subscription's has no number)."""
        if not message.template:
            raise DeliveryError(
                mark("服务通知要用公众号的模板，请填写模板编号。"), permanent=True, everyone=True
            )
        call = {
            "touser": message.address,
            "template_id": message.template,
            "data": {name: {"value": value} for name, value in message.parameters},
        }
        if self._subscribed:
            self._api.named(
                self._api.done("/cgi-bin/message/subscribe/bizsend", {**call, "page": message.link}),
                "errcode",
            )
            return ""
        call |= {"url": message.link, "client_msg_id": message.key}
        return self._api.named(self._api.done("/cgi-bin/message/template/send", call), "msgid")
