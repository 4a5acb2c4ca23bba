"""App push by JPush (极光): REST v3, up to a thousand registration ids in a call of the same content.

Source: docs.jiguang.cn, “推送 API v3”, “高级功能 API” (cid) and “统计 API” (how many devices had a message).
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
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
    addresses_of,
    unreadable,
)
from scheduler.channels.base_http import TIMEOUT, Http, listed, said

NAME = "jpush"
LABEL = mark("极光推送")
ADDRESS = "https://api.jpush.cn"
FORM: tuple[Field, ...] = (
    Field("address", mark("接口地址"), value=ADDRESS),
    Field("login", "AppKey", mark("极光控制台 › 应用设置 › 应用信息")),
    Field("secret", "Master Secret", mark("极光控制台 › 应用设置 › 应用信息"), secret=True),
    Field("ttl", mark("离线保留（秒）"), mark("0 到 864000，设备不在线时保留多久"), "86400", required=False),
)
_REPORT = "https://report.jpush.cn/v3"
_REPORTS = 100  # messages that are asked about in a call
# Devices that had a notification, by the way it took; each takes one way. What only left for a way says nothing.
_HAD = (
    "jpush_received",
    "android_pns_received",
    "ios_apns_received",
    "hmos_hmpns_received",
    "quickapp_jpush_received",
)
_POOL = 10  # cids in a call: what an ordinary application gets at most
_HOLDS = timedelta(hours=20)  # the platform knows a cid for a day
_KEPT = 20_000
_OPERATOR = {
    1004: mark("极光不认 AppKey 或 Master Secret，请管理员核对渠道账号。"),
    1008: mark("极光不认这个 AppKey，请管理员核对渠道账号。"),
    2003: mark("极光限制了这个应用，请管理员联系极光。"),
}
_CONTENT = (1002, 1003, 1005)


class Cids:
    """The cid that belongs to the key of a call. The platform answers a cid it knows with what came of it first."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[tuple[datetime, str]]] = {}
        self._bound: OrderedDict[str, tuple[datetime, str]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, app: str, key: str, now: datetime, fetch: Callable[[], list[str]]) -> str:
        """The cid of a call, the same for a day; `fetch` gets more of them."""
        with self._lock:
            at, cid = self._bound.get(f"{app} {key}", (now - _HOLDS, ""))
            if at <= now - _HOLDS:
                at, cid = self._next(app, now, fetch)
                self._bound[f"{app} {key}"] = (at, cid)
                while len(self._bound) > _KEPT:
                    self._bound.popitem(last=False)
            return cid

    def _next(self, app: str, now: datetime, fetch: Callable[[], list[str]]) -> tuple[datetime, str]:
        fresh = [one for one in self._waiting.get(app, []) if one[0] > now - _HOLDS / 2]
        fresh = fresh or [(now, cid) for cid in fetch()]
        self._waiting[app] = fresh[1:]
        return fresh[0]


class JPush:
    """JPush. A doubt is asked again at once under the same cid, which changes nothing on the platform's side.

    `idempotent` is False all the same: cids are given out by the platform and bound to the key of a call in the memory
    of this process. A process that dies takes them along, and what it was handing over stays in doubt rather than
    being sent twice.
    """

    name = NAME
    batch_size = 10_000
    group = 1000
    idempotent = False
    call_size = 1000
    rates: tuple[Rate, ...] = (Rate(540, 60),)  # the platform allows 600; one in ten fetches cids

    def __init__(
        self, clock: Callable[[], datetime], timeout: tuple[float, float] = TIMEOUT, again: int = 1
    ) -> None:
        self._clock = clock
        self._timeout = timeout
        self._again = again
        self._cids = Cids()

    @contextmanager
    def connect(self, account: Account) -> Iterator["JPushLine"]:
        """A kept-alive line to the interface."""
        http = Http(self._timeout)
        try:
            yield JPushLine(http, account, self._cids, self._clock, self._again)
        finally:
            http.close()

    def ask(self, account: Account, references: Sequence[str]) -> list[Tally]:
        """How many devices had these messages so far; the platform knows them for four weeks."""
        with self.connect(account) as line:
            return line.reported(references)


class JPushLine:
    """A line to one application of the platform."""

    def __init__(
        self, http: Http, account: Account, cids: Cids, clock: Callable[[], datetime], again: int
    ) -> None:
        self._http = http
        self._account = account
        self._cids = cids
        self._clock = clock
        self._again = again

    def send_many(self, key: str, messages: Sequence[Message]) -> Sequence[str | DeliveryError]:
        """Push to all of them; the platform's msg_id, which stands for the whole call."""
        cid = self._cids.of(self._account.login, key, self._clock(), self._more)
        for _try in range(self._again):
            try:
                return self._push(cid, messages)
            except DeliveryError as error:
                if not error.unknown:
                    raise
        return self._push(cid, messages)

    def _push(self, cid: str, messages: Sequence[Message]) -> Sequence[str | DeliveryError]:
        found = self._ask("POST", "/v3/push", json=_payload(self._account, cid, messages))
        reference = str(found.get("msg_id") or "")
        if not reference:
            raise unreadable()
        if found.get("error"):  # 1011: not one of these devices is known, or was seen for 255 days
            gone = DeliveryError(
                mark("设备已卸载应用，或很久没有打开过。"), permanent=True, closes=Closed.gone
            )
            return [gone] * len(messages)
        return [reference] * len(messages)

    def reported(self, messages: Sequence[str]) -> list[Tally]:
        """The figures of these messages."""
        report, found = report_address(self._account.address), list[Tally]()
        for start in range(0, len(messages), _REPORTS):
            asked = ",".join(messages[start : start + _REPORTS])
            rows = self._answer("GET", f"{report}/received/detail?msg_ids={asked}", several=True)
            found += [_tally(one) for one in rows if isinstance(one, dict) and one.get("msg_id")]
        return [one for one in found if one.reference in messages]

    def _more(self) -> list[str]:
        """Cids; a doubt about them is none about a message."""
        try:
            found = self._ask("GET", f"/v3/push/cid?count={_POOL}").get("cidlist")
        except DeliveryError as error:
            error.unknown = False
            raise
        if not isinstance(found, list) or not found:
            raise DeliveryError(mark("极光没有给出推送标识（cid）。"), everyone=True)
        return [str(one) for one in found]

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._answer(method, self._account.address.rstrip("/") + path, **more)
        return found

    def _answer(self, method: str, address: str, *, several: bool = False, **more: Any) -> Any:
        """The object (`several`: the list) that the platform answers."""
        secret = "".join(self._account.secrets[:1])
        answer = self._http.ask(method, address, auth=(self._account.login, secret), **more)
        if answer.status_code == 429:
            wait = answer.headers.get("X-Rate-Limit-Reset", "")
            raise DeliveryError(
                mark("超过极光的调用频率。"),
                retry_after=float(wait) if wait.isdigit() and len(wait) < 6 else 60.0,
                everyone=True,
            )
        if several and answer.ok:
            return listed(answer)
        found = said(answer)
        error = found.get("error")
        if isinstance(error, dict):
            _judge(error.get("code"))
            found.setdefault("msg_id", "none")
        elif not answer.ok:
            raise DeliveryError(f"HTTP {answer.status_code}", everyone=True)
        return found


def report_address(address: str) -> str:
    """Where an application is asked about, by where it is pushed: the one in Beijing has both in one place."""
    address = address.rstrip("/")
    return _REPORT if address == ADDRESS else f"{address}/v3/report"


def _tally(one: dict[str, Any]) -> Tally:
    """Null for a way that none took; nothing is counted where no way is."""
    had = [number for name in _HAD if isinstance(number := one.get(name), int)]
    return Tally(str(one["msg_id"]), reached=sum(had) if had else None)


def _judge(code: Any) -> None:
    """What an error code of a whole call means; 1011 is left to the recipients."""
    if code == 1011:
        return
    if code in _OPERATOR:
        raise DeliveryError(_OPERATOR[code], permanent=True, everyone=True)
    if code in _CONTENT:
        raise DeliveryError(
            mark("极光不接受这条推送的内容，请改短或修改后重新提交。"), permanent=True, everyone=True
        )
    if code == 2002:
        raise DeliveryError(mark("超过极光的调用频率。"), retry_after=60.0, everyone=True)
    # 1030: something behind the interface did not answer in time, and may yet do it
    raise DeliveryError(f"JPush {code}", unknown=code == 1030, everyone=True)


def _payload(account: Account, cid: str, messages: Sequence[Message]) -> dict[str, Any]:
    one = messages[0]
    text = one.summary or one.text.strip()[:200] or one.subject
    extras = {"link": one.link} if one.link else {}
    android: dict[str, Any] = {"alert": text, "title": one.subject, "extras": extras}
    if one.picture:
        android |= {"style": 3, "big_pic_path": one.picture}
    hmos = {"alert": text, "title": one.subject, "intent": {"url": "action.system.home"}, "extras": extras}
    ios = {"alert": {"title": one.subject, "body": text}, "extras": extras, "mutable-content": True}
    ttl = account.options.get("ttl", "")
    return {
        "cid": cid,
        "platform": "all",
        "audience": {"registration_id": addresses_of(messages)},
        "notification": {"alert": text, "android": android, "ios": ios, "hmos": hmos},
        "options": {"time_to_live": int(ttl) if ttl.isdigit() else 86400, "apns_production": True},
    }
