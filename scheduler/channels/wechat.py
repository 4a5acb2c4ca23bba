"""WeChat official account (公众号, 服务号): articles to many followers in a call, known again by their clientmsgid.

Limits (developers.weixin.qq.com/doc/service/guide/product/message/Batch_Sends.html): 60 calls a minute; a 服务号
reaches each follower four times a calendar month, a 公众号 sends once a day. The interface takes two followers at least.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from core.i18n import mark
from scheduler.channels.base import Account, DeliveryError, Field, Message, Rate, Receipt, Tally, Tokens
from scheduler.channels.base_http import TIMEOUT, Http
from scheduler.channels.base_token import TokenChannel, certain
from scheduler.channels.base_wechat import (
    ADDRESS,
    BAD_MEDIA,
    BAD_OPENID,
    MEANINGS,
    SENT_BEFORE,
    Api,
    code_of,
    refusal,
)
from scheduler.channels.base_wechat_article import Articles, body
from scheduler.channels.base_wechat_figures import Figures, figures
from scheduler.channels.base_wechat_receipts import (
    GREETED,
    WHERE_RECEIPTS,
    MassResult,
    greeting,
    mass_result,
    not_passed,
    receipts,
    tallies,
)

__all__ = ["MassResult", "greeting", "mass_result", "receipts", "tallies"]
NAME = "wechat"
LABEL = mark("微信公众号")
FORM: tuple[Field, ...] = (
    Field("address", mark("接口地址"), value=ADDRESS),
    Field("login", "AppID", mark("微信公众平台 → 设置与开发 → 开发接口管理")),
    Field("secret", "AppSecret", mark("同一页；只显示一次"), secret=True),
    Field("kind", mark("账号类型（service 服务号，subscription 公众号）"), value="service"),
    Field("author", mark("作者"), mark("图文上显示的作者，不超过 16 个字"), required=False),
    Field(
        "thumb_media_id", mark("默认封面"), mark("永久素材的 media_id；内容没有图片时用它"), required=False
    ),
    Field("token", mark("回调令牌"), mark("服务器配置里的 Token"), secret=True, required=False),
    Field("aes_key", mark("回调密钥"), mark("安全模式的 EncodingAESKey"), secret=True, required=False),
)
QUOTAS = {"service": Rate(4, 31 * 86400, "address"), "subscription": Rate(1, 86400, "call")}
"""What a kind of account may send; the platform counts the first by calendar month, the second by Beijing's day."""

RECEIVED, WHERE = GREETED, WHERE_RECEIPTS
TO_ALL, TO_TAG = "@all", "@tag:"  # addresses that stand for all followers, or for those with a tag


class Wechat(TokenChannel["MassLine"]):
    """Mass sending. A call with a clientmsgid that the platform saw within 24 hours is answered with the message that
    went out then, so what is in doubt is simply sent again."""

    name = NAME
    batch_size = 10_000
    group = 10_000
    idempotent = True
    call_size = 10_000
    rates: tuple[Rate, ...] = (Rate(60, 60),)

    def __init__(
        self, clock: Callable[[], datetime], tokens: Tokens, timeout: tuple[float, float] = TIMEOUT
    ) -> None:
        super().__init__(clock, tokens, timeout)
        self._articles = Articles()

    def line(self, http: Http, account: Account) -> "MassLine":
        """A line to the platform."""
        return MassLine(Api(http, account, self._tokens, self._clock), self._articles)

    def figures(self, account: Account, day: date) -> list[Figures]:
        """What the platform counted on a day of its articles: who read and who shared them."""
        with self.connect(account) as line:
            return [figures(line.api, kind, day) for kind in ("getarticleread", "getarticleshare")]

    def ask(self, account: Account, references: Sequence[str]) -> list[Receipt | Tally]:
        """How mass messages ended of which no event came: sent, or refused by the platform; none while it sends."""
        with self.connect(account) as line:
            return [one for number in references for one in line.ended(number)]


@dataclass(frozen=True, slots=True)
class Publication:
    """What became of publishing: `state` 0 published, 1 on its way, the rest failed or taken back."""

    state: int
    article: str = ""
    address: str = ""


class MassLine:
    """A line to one official account."""

    def __init__(self, api: Api, articles: Articles) -> None:
        self.api = api
        self._articles = articles

    def send_many(self, key: str, messages: Sequence[Message]) -> list[str | DeliveryError]:
        """Send one article to all of them: to followers by openid, to `@all` or `@tag:7` by what they stand for."""
        same = {(one.subject, one.summary, one.html or one.text, one.link, one.picture) for one in messages}
        if len(same) > 1 and len({(one.subject, one.link, body(one)) for one in messages}) > 1:
            raise DeliveryError(
                mark("公众号群发的内容必须人人相同，不能带姓名或各自的链接。"), permanent=True, everyone=True
            )
        if any(one.address.startswith("@") for one in messages):
            return [self._broadcast(one) for one in messages]
        return self._by_openid(key, messages)

    def publish(self, message: Message) -> str:
        """Publish an article without telling followers; the id to ask for it with. Accepted is not published yet."""
        media = self._articles.draft(self.api, message)
        return self.api.named(self.api.done("/cgi-bin/freepublish/submit", {"media_id": media}), "publish_id")

    def publication(self, number: str) -> Publication:
        """What became of a publication."""
        answer = self.api.done("/cgi-bin/freepublish/get", {"publish_id": number})
        items = (answer.get("article_detail") or {}).get("item") or [{}]
        return Publication(
            int(answer.get("publish_status", 1)),
            str(answer.get("article_id", "")),
            str(items[0].get("article_url", "")),
        )

    def ended(self, number: str) -> list[Receipt | Tally]:
        """How a mass message ended; the platform gives no heads here, only its event does."""
        state = str(self.api.done("/cgi-bin/message/mass/get", {"msg_id": number}).get("msg_status", ""))
        if state.replace("_", "").lower() == "sendsuccess":
            return [Tally(number)]
        return [Receipt(number, error=not_passed())] if state in ("SEND_FAIL", "DELETE") else []

    def _broadcast(self, message: Message) -> str | DeliveryError:
        if message.address == TO_ALL:
            scope: dict[str, Any] = {"is_to_all": True}
        elif message.address.startswith(TO_TAG) and message.address[len(TO_TAG) :].isdigit():
            scope = {"is_to_all": False, "tag_id": int(message.address[len(TO_TAG) :])}
        else:
            return DeliveryError(mark("群发对象只能是 @all 或 @tag:标签编号。"), permanent=True)
        return self._judged(self._send("sendall", {"filter": scope}, message.key, message))

    def _by_openid(self, key: str, messages: Sequence[Message]) -> list[str | DeliveryError]:
        if len(messages) < 2:
            return [_alone() for _one in messages]
        answer = self._to(key, messages)
        if code_of(answer) != BAD_OPENID:
            return [self._judged(answer)] * len(messages)
        gone = certain(lambda: self._gone([one.address for one in messages]))
        rest = [one for one in messages if one.address not in gone]
        result: str | DeliveryError = _alone()
        if len(rest) > 1:
            again = key if len(rest) == len(messages) else _derived(key, rest)
            result = self._judged(self._to(again, rest))
        lost = refusal(BAD_OPENID, self.api.clock())
        return [lost if one.address in gone else result for one in messages]

    def _to(self, key: str, messages: Sequence[Message]) -> dict[str, Any]:
        return self._send("send", {"touser": [one.address for one in messages]}, key, messages[0])

    def _send(self, how: str, scope: dict[str, Any], key: str, message: Message) -> dict[str, Any]:
        """One call of mass sending with a draft of its own: a draft is gone from the box once it was sent."""
        call = {
            **scope,
            "mpnews": {"media_id": self._articles.draft(self.api, message)},
            "msgtype": "mpnews",
            "send_ignore_reprint": 0,
            "clientmsgid": key if len(key.encode()) <= 64 else hashlib.sha256(key.encode()).hexdigest(),
        }
        answer = self.api.post(f"/cgi-bin/message/mass/{how}", call)
        if code_of(answer) == BAD_MEDIA:
            self._articles.forget(self.api)
        return answer

    def _judged(self, answer: dict[str, Any]) -> str:
        """What the platform calls the message; one that was sent before is named by its first number."""
        code = code_of(answer)
        if code in MEANINGS and MEANINGS[code].closes:  # it says so of somebody, and does not say of whom
            raise DeliveryError(f"WeChat {code}", permanent=True, everyone=True)
        if code != SENT_BEFORE:
            self.api.good(answer)
        return self.api.named(answer, "msg_id")

    def _gone(self, openids: Sequence[str]) -> set[str]:
        """Those who do not follow, or never were; a hundred are asked for in a call."""
        found: set[str] = set()
        for start in range(0, len(openids), 100):
            part = openids[start : start + 100]
            users = {"user_list": [{"openid": one, "lang": "zh_CN"} for one in part]}
            answer = self.api.post("/cgi-bin/user/info/batchget", users)
            if code_of(answer) == BAD_OPENID and len(part) > 1:
                found |= {one for one in part if self._gone([one])}
            elif code_of(answer) == BAD_OPENID:
                found |= set(part)
            else:
                infos = self.api.good(answer).get("user_info_list") or []
                found |= {str(one.get("openid")) for one in infos if not one.get("subscribe")}
        return found


def _alone() -> DeliveryError:
    return DeliveryError(mark("公众号群发一次至少要两位关注者；只剩一位时，请改用服务通知。"), permanent=True)


def _derived(key: str, rest: Sequence[Message]) -> str:
    """The key of a call to fewer people: the same whenever the same ones are left out."""
    text = "\n".join([key, *(one.address for one in rest)])
    return hashlib.sha256(text.encode()).hexdigest()
