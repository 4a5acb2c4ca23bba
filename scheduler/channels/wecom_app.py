"""Messages of a WeCom (企业微信) application to members: up to a thousand in a call, and it says who did not get one.

Facts: developer.work.weixin.qq.com/document/path/90236 (sending), 90454 (how often), 91039 (token). One member takes
30 a minute and 1,000 an hour: more is dropped without a word, so the rates must forbid it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from core.i18n import mark
from scheduler.channels.base import (
    About,
    Account,
    Closed,
    DeliveryError,
    Field,
    Message,
    Rate,
    Receipt,
    Tokens,
)
from scheduler.channels.base_http import Http, said
from scheduler.channels.base_robot import No, cut, fitted, is_card, judge
from scheduler.channels.base_token import Bearer, TokenChannel, token_of
from scheduler.channels.base_wechat_events import opened, sealed_greeting

NAME = "wecom_app"
LABEL = mark("企业微信应用")
ADDRESS = "https://qyapi.weixin.qq.com"
FORM: tuple[Field, ...] = (
    Field("address", mark("接口地址"), mark("平台的地址，一般不改。"), value=ADDRESS),
    Field("login", mark("企业 ID"), mark("管理后台 → 我的企业 → 企业信息")),
    Field("agentid", "AgentId", mark("管理后台 → 应用管理 → 这个应用")),
    Field("secret", "Secret", mark("与 AgentId 同一页"), secret=True),
    Field("token", mark("回调令牌"), mark("接收消息服务器配置里的 Token"), secret=True, required=False),
    Field("aes_key", mark("回调密钥"), mark("同一页的 EncodingAESKey"), secret=True, required=False),
)
greeting, RECEIVED = sealed_greeting, b""
WHERE = mark(
    "企业微信管理后台 › 应用管理 › 这个应用 › 接收消息 › 设置 API 接收：填入网址，Token 与 EncodingAESKey 要和上面填的一致。"
)
_ENDED = (40001, 40014, 42001)
_BUSY, _TRIES = -1, 3  # "system busy" may be tried again so often at once
_SAME = 14_400  # seconds (the most there is) for which the same call reaches nobody twice
_TEXT, _TITLE, _SUMMARY = 2048, 128, 512  # bytes, as the oldest clients count
_LIST = No(mark("本服务器的 IP 不在企业微信应用的可信 IP 里，请管理员在应用详情页加入。"))
_SECRET = No(mark("企业微信不认这个企业 ID 或 Secret，请检查渠道账号。"))
_POWER = No(mark("应用没有权限或已停用，请管理员检查 AgentId 和应用的可见范围。"))
_NO: dict[int, No] = {
    _BUSY: No(mark("企业微信系统繁忙（-1）。"), permanent=False),
    **dict.fromkeys((40001, 40013, 40014, 42001), _SECRET),
    **dict.fromkeys((40056, 48002, 60011, 301002), _POWER),
    **dict.fromkeys((60020, 60010), _LIST),
    45009: No(mark("企业微信的接口次数用完了，一分钟后再试（45009）。"), wait=60),
    45033: No(mark("同时调用企业微信接口太多（45033）。"), wait=10),
    40058: No(mark("企业微信不收这条消息：内容太长或格式不对（40058）。")),
    44004: No(mark("企业微信不收没有内容的消息（44004）。")),
}
_ALL_INVALID = 81013


def receipts(
    account: Account, body: bytes, _headers: Mapping[str, str], query: Mapping[str, str]
) -> list[Receipt]:
    """Members who left the application's sight or the corporation, or came back; DeliveryError when WeCom did not sign.

    Of messages it says nothing later (developer.work.weixin.qq.com/document/path/90240).
    """
    event = opened(account, body, query)
    kind, member = event.get("Event", ""), event.get("FromUserName", "")
    if kind == "change_contact" and event.get("ChangeType") == "delete_user":
        return [Receipt("", event.get("UserID", ""), _nobody(), About.person)]
    if kind == "unsubscribe":
        return [Receipt("", member, _nobody(), About.person)]
    return [Receipt("", member, about=About.person)] if kind == "subscribe" else []


class WecomApp(TokenChannel["AppLine"]):
    """An application of a corporation. The platform recognises the same call within four hours, so what is in doubt is
    simply sent again."""

    name = NAME
    batch_size = 10_000
    group = 1000
    idempotent = True
    call_size = 1000
    rates: tuple[Rate, ...] = (Rate(10_000, 60), Rate(30, 60, "address"), Rate(1000, 3600, "address"))

    def line(self, http: Http, account: Account) -> "AppLine":
        """A line to the platform."""
        if not account.options.get("agentid", "").isdigit():
            raise DeliveryError(mark("渠道账号里的 AgentId 须是数字。"), permanent=True, everyone=True)
        return AppLine(http, account, self._tokens)


class AppLine:
    """A line to one application."""

    def __init__(self, http: Http, account: Account, tokens: Tokens) -> None:
        self._http = http
        self._account = account
        self._base = (account.address or ADDRESS).rstrip("/")
        self._bearer = Bearer(tokens, account, self._fetch)

    def send_many(self, key: str, messages: Sequence[Message]) -> list[str | DeliveryError]:
        """Send the same to all of them; each member outside the application's sight gets an error of their own."""
        content = _content(messages[0])
        if any(_content(one) != content for one in messages[1:]):
            raise DeliveryError(
                mark("企业微信一次群发的内容必须人人相同，不能带姓名或各自的链接。"),
                permanent=True,
                everyone=True,
            )
        fit = [one.address for one in messages if _is_member(one.address)]
        answer = self._sent(fit, content) if fit else {"errcode": _ALL_INVALID}
        if answer.get("errcode") == _ALL_INVALID:
            return [_nobody() for _one in messages]
        judge("WeCom", answer.get("errcode"), _NO)
        invalid, unlicensed = (_names(answer, name) for name in ("invaliduser", "unlicenseduser"))
        reference = str(answer.get("msgid", ""))
        return [
            _nobody()
            if one.address.casefold() in invalid or not _is_member(one.address)
            else _unlicensed()
            if one.address.casefold() in unlicensed
            else reference
            for one in messages
        ]

    def _sent(self, members: Sequence[str], content: dict[str, Any]) -> dict[str, Any]:
        call = {
            "touser": "|".join(members),
            "agentid": int(self._account.options["agentid"]),
            **content,
            "enable_duplicate_check": 1,
            "duplicate_check_interval": _SAME,
        }
        answer: dict[str, Any] = {}
        for _try in range(_TRIES):
            answer = self._bearer.call(lambda token: self._post(token, call), _ENDED)
            if answer.get("errcode") != _BUSY:
                break
        return answer

    def _post(self, token: str, call: dict[str, Any]) -> dict[str, Any]:
        return self._http.post(f"{self._base}/cgi-bin/message/send?access_token={token}", call)

    def _fetch(self, _anew: bool) -> tuple[str, float]:
        """The application's token; while one holds, the platform gives the same again."""
        who = {"corpid": self._account.login, "corpsecret": "".join(self._account.secrets[:1])}
        answer = said(self._http.ask("GET", f"{self._base}/cgi-bin/gettoken", params=who))
        judge("WeCom", answer.get("errcode"), _NO)
        return token_of(answer)


def _content(message: Message) -> dict[str, Any]:
    """A news card with a picture, a text card with a link, otherwise text."""
    if not is_card(message):
        return {"msgtype": "text", "text": {"content": fitted(message, _TEXT)}}
    card = {
        "title": cut(message.subject, _TITLE),
        "description": cut(message.summary, _SUMMARY),
        "url": message.link,
    }
    if message.picture:
        return {"msgtype": "news", "news": {"articles": [{**card, "picurl": message.picture}]}}
    return {"msgtype": "textcard", "textcard": card}


def _is_member(address: str) -> bool:
    """Whether this can be one member: never several in one, never `@all`."""
    return bool(address) and "|" not in address and not address.startswith("@")


def _names(answer: dict[str, Any], name: str) -> set[str]:
    """Members the platform names, in small letters as it does."""
    return {one.casefold() for one in str(answer.get(name) or "").split("|") if one}


def _nobody() -> DeliveryError:
    return DeliveryError(
        mark("企业里没有这位成员，或不在应用的可见范围内。"), permanent=True, closes=Closed.gone
    )


def _unlicensed() -> DeliveryError:
    return DeliveryError(mark("这位成员没有企业微信的接口许可，请管理员开通后重试。"), permanent=True)
