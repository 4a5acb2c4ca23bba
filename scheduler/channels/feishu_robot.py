"""The robot of a Feishu (飞书) or Lark group: a card with a button, or text; signed where the group asks for it.

Facts: open.feishu.cn/document/client-docs/bot-v3/add-custom-bot. HTTP is 200 also on failure: `code` decides. A
picture would have to be uploaded by an app of its own, so cards have none.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.i18n import gettext, mark, using_locale
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

NAME = "feishu_robot"
LABEL = mark("飞书群机器人")
ADDRESS = "https://open.feishu.cn"
FORM = (
    Field("address", mark("接口地址"), mark("平台的地址，一般不改。"), value=ADDRESS),
    Field(
        "secret",
        mark("Webhook 地址"),
        mark("飞书群 → 设置 → 群机器人 → 自定义机器人，复制整个 Webhook 地址。"),
        secret=True,
    ),
    Field(
        "sign",
        mark("签名密钥"),
        mark("机器人的安全设置选了“签名校验”时填。"),
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
_MORE = mark("看一看")
_NO = {
    9499: No(mark("飞书不收这条消息：内容太长或格式不对（9499）。"), everyone=False),
    11232: No(mark("飞书群机器人发得太快（11232）：一秒最多 5 条，一分钟最多 100 条。"), wait=60),
    19001: No(mark("飞书不认识这个机器人（19001）：它可能已被移出群。请把新的 Webhook 地址填进渠道账号。")),
    19021: No(mark("飞书核对签名没有通过（19021）：请核对渠道账号的签名密钥，以及服务器的时间。")),
    19022: No(mark("飞书没有放行（19022）：服务器的 IP 地址不在机器人的白名单里。")),
    19024: No(mark("飞书没有放行（19024）：消息里没有机器人要求的关键词，请填进渠道账号。")),
}


class FeishuRobot(Robot):
    """Posts into one group, five times a second and a hundred times a minute at most."""

    name = NAME
    rates = (Rate(5, 1), Rate(100, 60))

    def post(self, account: Account, message: Message, now: datetime) -> Post:
        """A card where there is a link to follow, otherwise text."""
        body = _body(message, account.options.get("keyword", ""))
        secret = "".join(account.secrets[1:2])
        if secret:
            stamp = str(int(now.timestamp()))
            body = {"timestamp": stamp, "sign": sign(secret, stamp), **body}
        key = key_of(account.secrets[0], "")
        return Post(f"{account.address.rstrip('/')}/open-apis/bot/v2/hook/{key}", body)

    def judge(self, answer: Mapping[str, Any]) -> None:
        """By `code`, which the first version of the interface called `StatusCode`."""
        judge("Feishu", answer.get("code", answer.get("StatusCode")), _NO)


def sign(secret: str, stamp: str) -> str:
    """Base64 of HMAC-SHA256 over nothing, with the seconds and the secret as its key."""
    made = hmac.new(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(made).decode()


def _body(message: Message, keyword: str) -> dict[str, Any]:
    if not is_card(message):
        return within(
            lambda limit: {"msg_type": "text", "content": {"text": fitted(message, limit, keyword)}},
            BODY_BYTES - _FRAME,
        )
    text = cut(message.summary, _SUMMARY)
    if keyword and keyword not in message.subject + text:
        text = f"{text}\n{keyword}".strip()
    with using_locale(message.locale):
        more = gettext(_MORE)
    button = {"tag": "button", "type": "primary", "text": _plain(more), "url": message.link}
    elements = [{"tag": "div", "text": _plain(text)}] if text else []
    card = {
        "header": {"title": _plain(cut(message.subject, _TITLE)), "template": "green"},
        "elements": [*elements, {"tag": "action", "actions": [button]}],
    }
    return {"msg_type": "interactive", "card": card}


def _plain(text: str) -> dict[str, str]:
    return {"tag": "plain_text", "content": text}
