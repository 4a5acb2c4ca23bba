"""The robot of a WeCom (企业微信) group: a news card, or text; its key is the only secret.

Facts: developer.work.weixin.qq.com/document/path/91770. HTTP is 200 also on failure: `errcode` decides.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.i18n import mark
from scheduler.channels.base import Account, Field, Message, Rate
from scheduler.channels.base_robot import No, Post, Robot, cut, fitted, is_card, judge, key_of

NAME = "wecom_robot"
LABEL = mark("企业微信群机器人")
ADDRESS = "https://qyapi.weixin.qq.com"
FORM = (
    Field("address", mark("接口地址"), mark("平台的地址，一般不改。"), value=ADDRESS),
    Field(
        "secret",
        mark("Webhook 地址"),
        mark("企业微信群 → 群机器人 → 添加，复制整个 Webhook 地址；知道它的人都能往群里发消息。"),
        secret=True,
    ),
)
_TEXT, _TITLE, _SUMMARY = 2048, 128, 512  # bytes
_NO = {
    -1: No(mark("企业微信系统繁忙（-1）。"), permanent=False),
    40058: No(mark("企业微信不收这条消息：内容太长或格式不对（40058）。"), everyone=False),
    45009: No(mark("企业微信群机器人一分钟最多发 20 条（45009）。"), wait=60),
    93000: No(
        mark("企业微信不认识这个机器人（93000）：它可能已被移出群。请把新的 Webhook 地址填进渠道账号。")
    ),
}


class WecomRobot(Robot):
    """Posts into one group, twenty times a minute at most."""

    name = NAME
    rates = (Rate(20, 60),)

    def post(self, account: Account, message: Message, now: datetime) -> Post:
        """A news card where there is a link to follow, otherwise text."""
        key = key_of(account.secrets[0], "key")
        return Post(f"{account.address.rstrip('/')}/cgi-bin/webhook/send?key={key}", _body(message))

    def judge(self, answer: Mapping[str, Any]) -> None:
        """By `errcode`."""
        judge("WeCom", answer.get("errcode"), _NO)


def _body(message: Message) -> dict[str, Any]:
    if not is_card(message):
        return {"msgtype": "text", "text": {"content": fitted(message, _TEXT)}}
    article = {
        "title": cut(message.subject, _TITLE),
        "description": cut(message.summary, _SUMMARY),
        "url": message.link,
        "picurl": message.picture,
    }
    return {"msgtype": "news", "news": {"articles": [{key: text for key, text in article.items() if text}]}}
