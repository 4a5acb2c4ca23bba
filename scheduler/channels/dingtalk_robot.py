"""The robot of a DingTalk (钉钉) group: a link card, or text; signed where the group asks for signatures.

Facts: open.dingtalk.com/document/robots/custom-robot-access. HTTP is 200 also on failure: `errcode` decides. Who
oversteps twenty a minute is shut out for ten minutes.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from core.i18n import mark
from scheduler.channels.base import Account, Field, Message, Rate
from scheduler.channels.base_robot import (
    BODY_BYTES,
    No,
    Post,
    Robot,
    cut,
    fitted,
    is_card,
    judge,
    key_of,
    within,
)

NAME = "dingtalk_robot"
LABEL = mark("钉钉群机器人")
ADDRESS = "https://oapi.dingtalk.com"
FORM = (
    Field("address", mark("接口地址"), mark("平台的地址，一般不改。"), value=ADDRESS),
    Field(
        "secret",
        mark("Webhook 地址"),
        mark("钉钉群 → 群设置 → 机器人 → 自定义，复制整个 Webhook 地址。"),
        secret=True,
    ),
    Field(
        "sign",
        mark("加签密钥"),
        mark("机器人的安全设置选了“加签”时填，以 SEC 开头。"),
        secret=True,
        required=False,
    ),
    Field(
        "keyword",
        mark("关键词"),
        mark("机器人的安全设置选了“自定义关键词”时填其中一个；消息里没有它时，会加在末尾。"),
        required=False,
    ),
)
_TITLE, _SUMMARY, _FRAME = 300, 2_000, 200  # bytes; a signature and a time go with the message
_BLOCKED = 600  # seconds
_NO = {
    -1: No(mark("钉钉系统繁忙（-1）。"), permanent=False),
    40035: No(mark("钉钉不收这条消息：内容太长或格式不对（40035）。"), everyone=False),
    130101: No(mark("钉钉群机器人一分钟最多发 20 条，超了要停 10 分钟（130101）。"), wait=_BLOCKED),
    660026: No(mark("钉钉群机器人一分钟最多发 20 条，超了要停 10 分钟（660026）。"), wait=_BLOCKED),
    300005: No(mark("钉钉不认识这个机器人（300005）：它可能已被移出群。请把新的 Webhook 地址填进渠道账号。")),
    310000: No(
        mark("钉钉没有放行（310000）：请核对机器人的安全设置（关键词、加签密钥、IP 地址段）与渠道账号。")
    ),
}


class DingtalkRobot(Robot):
    """Posts into one group, twenty times a minute at most."""

    name = NAME
    rates = (Rate(20, 60),)

    def post(self, account: Account, message: Message, now: datetime) -> Post:
        """A link card where there is a link to follow, otherwise text."""
        query = {"access_token": key_of(account.secrets[0], "access_token")}
        secret = "".join(account.secrets[1:2])
        if secret:
            stamp = str(int(now.timestamp() * 1000))
            query |= {"timestamp": stamp, "sign": sign(secret, stamp)}
        address = f"{account.address.rstrip('/')}/robot/send?{urlencode(query)}"
        return Post(address, _body(message, account.options.get("keyword", "")))

    def judge(self, answer: Mapping[str, Any]) -> None:
        """By `errcode`."""
        judge("DingTalk", answer.get("errcode"), _NO)


def sign(secret: str, stamp: str) -> str:
    """Base64 of HMAC-SHA256 over the milliseconds and the secret, with the secret as its key."""
    made = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(made).decode()


def _body(message: Message, keyword: str) -> dict[str, Any]:
    if not is_card(message):
        return within(
            lambda limit: {"msgtype": "text", "text": {"content": fitted(message, limit, keyword)}},
            BODY_BYTES - _FRAME,
        )
    text = cut(message.summary, _SUMMARY)
    if keyword and keyword not in message.subject + text:
        text = f"{text}\n{keyword}".strip()
    link = {
        "title": cut(message.subject, _TITLE),
        "text": text or message.subject,
        "messageUrl": message.link,
        "picUrl": message.picture,
    }
    return {"msgtype": "link", "link": link}
