"""App push by Getui (个推): REST v2, a message made once and then pushed to up to a thousand client ids in a call.

Source: docs.getui.com, “RestAPI V2” (push, token, code).
"""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from core.i18n import mark
from scheduler.channels.base import (
    Account,
    Closed,
    DeliveryError,
    Field,
    Message,
    Rate,
    Tally,
    Tokens,
    unreadable,
)
from scheduler.channels.base_http import Http, said
from scheduler.channels.base_token import TokenChannel

NAME = "getui"
LABEL = mark("个推")
ADDRESS = "https://restapi.getui.com"
FORM: tuple[Field, ...] = (
    Field("address", mark("接口地址"), value=ADDRESS),
    Field("login", "AppID", mark("个推开发者中心 › 应用配置")),
    Field("app_key", "AppKey", mark("个推开发者中心 › 应用配置")),
    Field("secret", "MasterSecret", mark("个推开发者中心 › 应用配置"), secret=True),
    Field("ttl", mark("离线保留（秒）"), mark("最长 259200，设备不在线时保留多久"), "86400", required=False),
)
_STALE = 10001
_REPORTS = 200  # tasks in a call for figures
_TOO_MANY = (10003, 10005)
_REACHED = ("successed_online", "successed_offline")


class Getui(TokenChannel["GetuiLine"]):
    """Getui. The platform loses a message whose request_id it has seen, and says nothing of it.

    So a request_id is never used twice: each try makes its message under a new one. To have made a message reaches
    nobody, so no doubt remains of that step. Pushing it has no key at all: a doubt of that step stays a doubt, and
    `idempotent` is False.
    """

    name = NAME
    batch_size = 10_000
    group = 1000
    idempotent = False
    call_size = 1000
    rates: tuple[Rate, ...] = ()

    def line(self, http: Http, account: Account) -> "GetuiLine":
        """A line to the platform."""
        return GetuiLine(http, account, self._tokens, self._clock)

    def ask(self, account: Account, references: Sequence[str]) -> list[Tally]:
        """How often messages were received, shown and clicked so far; nothing of one that the platform forgot."""
        with self.connect(account) as line:
            return line.reported(references)


class GetuiLine:
    """A line to one application of the platform."""

    def __init__(self, http: Http, account: Account, tokens: Tokens, clock: Callable[[], datetime]) -> None:
        self._http = http
        self._account = account
        self._tokens = tokens
        self._clock = clock

    def send_many(self, key: str, messages: Sequence[Message]) -> Sequence[str | DeliveryError]:
        """Push to all of them; the platform's task id, which stands for the whole call."""
        task = self._make(messages[0])
        return self._push(task, messages)

    def reported(self, tasks: Sequence[str]) -> list[Tally]:
        """The figures of these tasks, two hundred in a call at most."""
        found: dict[str, Any] = {}
        for start in range(0, len(tasks), _REPORTS):
            found |= self._ask(f"/report/push/task/{','.join(tasks[start : start + _REPORTS])}", None)
        known = {
            task: one["total"] for task, one in found.items() if isinstance(one, dict) and "total" in one
        }
        return [_tally(task, known[task]) for task in tasks if isinstance(known.get(task), dict)]

    def _make(self, message: Message) -> str:
        try:
            data = self._ask("/push/list/message", _written(self._account, message))
        except DeliveryError as error:
            error.unknown = False
            raise
        task = data.get("taskid")
        if not isinstance(task, str) or not task:
            raise DeliveryError(mark("个推没有给出任务编号（taskid）。"), everyone=True)
        return task

    def _push(self, task: str, messages: Sequence[Message]) -> list[str | DeliveryError]:
        """One strange client id has the whole call refused: then the halves are tried, until it stands alone."""
        body = {"audience": {"cid": [one.address for one in messages]}, "taskid": task, "is_async": False}
        try:
            found = self._ask("/push/list/cid", body).get(task)
        except _Strange as error:
            if len(messages) == 1:
                return [error]
            half = len(messages) // 2
            return self._push(task, messages[:half]) + self._push(task, messages[half:])
        states = found if isinstance(found, dict) else {}
        return [_became(task, states.get(one.address)) for one in messages]

    def _ask(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """The data of an answer; without a body something is fetched."""
        token = self._tokens.get(self._account.number, self._fetch)
        found = self._post(path, body, token)
        if found.get("code") == _STALE:
            token = self._tokens.renew(self._account.number, token, self._fetch)
            found = self._post(path, body, token)
        return _judged(found)

    def _fetch(self) -> tuple[str, float]:
        """A token, and the seconds it holds."""
        now = self._clock().timestamp()
        stamp = str(int(now * 1000))
        app_key, secret = self._account.options.get("app_key", ""), "".join(self._account.secrets[:1])
        sign = hashlib.sha256(f"{app_key}{stamp}{secret}".encode()).hexdigest()
        try:
            data = _judged(self._post("/auth", {"sign": sign, "timestamp": stamp, "appkey": app_key}))
        except DeliveryError as error:
            error.unknown = False
            raise
        until = str(data.get("expire_time", ""))
        return str(data.get("token", "")), (int(until) / 1000 - now if until.isdigit() else 3600.0)

    def _post(self, path: str, body: dict[str, Any] | None, token: str = "") -> dict[str, Any]:
        address = f"{self._account.address.rstrip('/')}/v2/{self._account.login}{path}"
        if body is None:
            return said(self._http.ask("GET", address, headers={"token": token}))
        return self._http.post(address, body, headers={"token": token} if token else {})


class _Strange(DeliveryError):
    """A client id that is none, or of another application."""


def _became(task: str, state: Any) -> str | DeliveryError:
    if state in _REACHED:
        return task
    if state == "successed_ignore":  # not closed: who opens the app again is reached again
        return DeliveryError(mark("设备 90 天没有打开过应用，个推没有下发。"), permanent=True)
    return DeliveryError(mark("个推没有说明这台设备的结果。"), unknown=True)


def _tally(task: str, total: dict[str, Any]) -> Tally:
    """The platform writes numbers as texts."""
    names = ("target_num", "receive_num", "display_num", "click_num")
    counts = [int(text) if (text := str(total.get(name, ""))).isdecimal() else None for name in names]
    return Tally(task, total=counts[0], reached=counts[1], shown=counts[2], clicked=counts[3])


def _judged(found: dict[str, Any]) -> dict[str, Any]:
    """The data of an answer; what its code means otherwise."""
    code, said = found.get("code"), str(found.get("msg", ""))
    if code == 0:
        data = found.get("data")
        return data if isinstance(data, dict) else {}
    if code in _TOO_MANY:
        raise DeliveryError(mark("超过个推的调用频率。"), retry_after=60.0, everyone=True)
    if code == 20001 and "target user is invalid" in said:
        raise _Strange(mark("设备标识无效，或不属于这个应用。"), permanent=True, closes=Closed.gone)
    if not isinstance(code, int):
        raise unreadable()
    if code in (404, 405, 301) or 10000 <= code < 20000 or 30000 <= code < 40000:
        raise DeliveryError(
            mark("个推拒绝了这个应用：请管理员核对 AppID、AppKey、MasterSecret、接口地址、IP 白名单和套餐。"),
            permanent=True,
            everyone=True,
        )
    if 20000 <= code < 30000:
        raise DeliveryError(
            mark("个推不接受这条推送的内容，请改短或修改后重新提交。"), permanent=True, everyone=True
        )
    raise DeliveryError(f"Getui {code}", everyone=True)


def _written(account: Account, message: Message) -> dict[str, Any]:
    """The message: by Getui's own line to those who are online, by the makers' and Apple's to the others."""
    title = message.subject[:50]
    text = (message.summary or message.text.strip() or message.subject)[:256]
    click = {"click_type": "url", "url": message.link} if message.link else {"click_type": "startapp"}
    notice = {"title": title, "body": text, **click}
    own = {**notice, "big_image": message.picture} if message.picture else notice
    ttl = account.options.get("ttl", "")
    seconds = min(259200, int(ttl)) if ttl.isdigit() else 86400
    return {
        "request_id": uuid.uuid4().hex,
        "settings": {"ttl": seconds * 1000},
        "push_message": {"notification": own},
        "push_channel": {
            "android": {"ups": {"notification": notice}},
            "ios": {
                "type": "notify",
                "payload": message.link,
                "aps": {"alert": {"title": title, "body": text}, "sound": "default"},
            },
        },
    }
