"""The interface of WeChat official accounts: calls with the token of all workers, and what its error codes mean.

Facts: developers.weixin.qq.com/doc/service/api (stable_token, drafts, mass sending, global return codes).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.i18n import mark
from scheduler.channels.base import Account, Closed, DeliveryError, Tokens, unreadable
from scheduler.channels.base_http import Http, said
from scheduler.channels.base_token import Bearer, token_of

ADDRESS = "https://api.weixin.qq.com"
SENT_BEFORE, BAD_OPENID, BAD_MEDIA = 45065, 40003, 40007
_ENDED = (40001, 40014, 42001)  # the token ended, or another one was fetched
_BEIJING = ZoneInfo("Asia/Shanghai")  # the platform's day


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a code means: for the operator (`everyone` and permanent), for later, or for one follower."""

    message: str
    permanent: bool = True
    everyone: bool = True
    after: float | None = None  # seconds
    tomorrow: bool = False
    closes: Closed | None = None


_BUSY = _Meaning(mark("微信平台繁忙，稍后再试。"), permanent=False, after=10.0)
_MINUTE = _Meaning(mark("微信接口每分钟的次数用完了，一分钟后再试。"), permanent=False, after=60.0)
_DAY = _Meaning(mark("公众号今天的群发或接口次数用完了，明天再发。"), permanent=False, tomorrow=True)
_SECRET = _Meaning(mark("微信不认这个 AppID 或 AppSecret，请检查渠道账号。"))
_LIST = _Meaning(mark("本服务器的 IP 不在公众号的白名单里，请管理员在微信公众平台加入并确认。"))
_POWER = _Meaning(mark("公众号没有这个接口的权限（个人号和未认证的号没有），请在微信公众平台查看接口权限。"))
_DRAFT = _Meaning(mark("微信不接受这篇图文：标题、摘要、正文或封面不合要求，请修改后再发。"))
_TEMPLATE = _Meaning(mark("公众号没有这个模板，或参数与模板不符，请检查模板编号和参数。"))
_NO_FAN = _Meaning(mark("对方没有关注公众号。"), everyone=False, closes=Closed.gone)
_NO_OPENID = _Meaning(mark("公众号没有这个用户。"), everyone=False, closes=Closed.gone)
_REFUSED = _Meaning(mark("对方拒收公众号的通知，或订阅次数已用完。"), everyone=False, closes=Closed.withdrawn)

MEANINGS: dict[int, _Meaning] = {
    -1: _BUSY,
    **dict.fromkeys((40001, 40013, 40014, 40125, 42001, 41002, 41004), _SECRET),
    **dict.fromkeys((40164, 61004, 89503, 89506, 89507), _LIST),
    **dict.fromkeys((48001, 48004, 48008, 50001, 50002), _POWER),
    **dict.fromkeys((45009, 45028), _DAY),
    **dict.fromkeys((45011, 45066), _MINUTE),
    45067: _Meaning(mark("群发的防重编号太长。")),
    BAD_OPENID: _NO_OPENID,
    43004: _NO_FAN,
    43101: _REFUSED,
    BAD_MEDIA: _Meaning(mark("公众号里的封面或草稿不见了，重新上传后再发。"), permanent=False, after=5.0),
    **dict.fromkeys(
        (45001, 45002, 45003, 45004, 45005, 45008, 45110, 53500, 53501, 53502, 53503, 53504, 53505), _DRAFT
    ),
    **dict.fromkeys((40037, 47003), _TEMPLATE),
}


def code_of(answer: dict[str, Any]) -> int:
    """The error code of an answer; 0 where none is named, as successful answers of some calls do."""
    code = answer.get("errcode", 0)
    return code if isinstance(code, int) else -2


def refusal(code: int, now: datetime) -> DeliveryError:
    """What an error code means for the messages of the call; an unknown one is for the operator to look at."""
    known = MEANINGS.get(code)
    if known is None:
        return DeliveryError(f"WeChat {code}", permanent=True, everyone=True)
    return DeliveryError(
        known.message,
        permanent=known.permanent,
        everyone=known.everyone,
        retry_after=_until_tomorrow(now) if known.tomorrow else known.after,
        closes=known.closes,
    )


def _until_tomorrow(now: datetime) -> float:
    """Seconds until five past midnight in Beijing: then the platform counts anew."""
    local = now.astimezone(_BEIJING)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=5, second=0, microsecond=0)
    return (midnight - local).total_seconds()


class Api:
    """Calls of one official account over one line."""

    def __init__(self, http: Http, account: Account, tokens: Tokens, clock: Callable[[], datetime]) -> None:
        self.account = account
        self.http = http
        self.clock = clock
        self._base = (account.address or ADDRESS).rstrip("/")
        self._bearer = Bearer(tokens, account, self._fetch)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a call, whatever its code; only a token that ended is renewed, once."""
        return self._bearer.call(lambda token: self.http.post(self._url(path, token), body), _ENDED)

    def upload(self, path: str, name: str, data: bytes, kind: str) -> dict[str, Any]:
        """The answer to a file sent as the form field `media`; DeliveryError when the platform refuses it."""
        files = {"media": (name, data, kind)}
        answer = self._bearer.call(
            lambda token: said(self.http.ask("POST", self._url(path, token), files=files)), _ENDED
        )
        return self.good(answer)

    def done(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a call that succeeded; DeliveryError else."""
        return self.good(self.post(path, body))

    def good(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The answer, if its code says success; DeliveryError else."""
        code = code_of(answer)
        if code:
            raise refusal(code, self.clock())
        return answer

    def named(self, answer: dict[str, Any], name: str) -> str:
        """What the platform calls what it accepted; an answer without it says nothing, whatever else is in it."""
        number = answer.get(name)
        if not isinstance(number, int | str) or number == "":
            raise unreadable()
        return str(number)

    def _url(self, path: str, token: str) -> str:
        return f"{self._base}{path}{'&' if '?' in path else '?'}access_token={token}"

    def _fetch(self, anew: bool) -> tuple[str, float]:
        """The token of the whole account: asked for without force it is the same for everybody until it ends."""
        body = {
            "grant_type": "client_credential",
            "appid": self.account.login,
            "secret": "".join(self.account.secrets[:1]),
            "force_refresh": anew,
        }
        answer = self.good(self.http.post(f"{self._base}/cgi-bin/stable_token", body))
        return token_of(answer)
