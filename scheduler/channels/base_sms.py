"""What the channels of SMS share: an official SDK with one way out, many messages in several calls, doubts, receipts."""

import hashlib
import hmac
import importlib
import json
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from core.i18n import mark
from core.privacy import is_phone, normal_phone
from scheduler.channels.base import Account, Closed, DeliveryError, Message, unreadable
from scheduler.channels.base_http import Http, said

Result = str | DeliveryError


def library(name: str) -> Any:
    """A module of an official SDK: they are large and an extra, so they are loaded by who sends."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DeliveryError(
            mark("还没有安装短信厂商的软件包。请在服务器上安装：pip install 'signpost[sms]'。"),
            permanent=True,
            everyone=True,
        ) from error


class OneWay:
    """The session an SDK sends by, in place of its own: to one address alone, without proxies, redirects, password
    files or the environment, and with an end to waiting. `fault` is what the last call came to grief on: SDKs turn
    what is raised here into exceptions of their own, in whose text are the numbers."""

    def __init__(self, address: str, timeout: tuple[float, float]) -> None:
        self._address = urlsplit(address)
        if self._address.scheme not in ("http", "https") or not self._address.hostname:
            raise DeliveryError(mark("短信接口地址不对，请检查渠道账号。"), permanent=True, everyone=True)
        self._http = Http(timeout)
        self._fault: DeliveryError | None = None

    @property
    def scheme(self) -> str:
        """http or https."""
        return self._address.scheme

    @property
    def host(self) -> str:
        """Name and port, as SDKs want their endpoint."""
        return self._address.netloc

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()

    def send(self, request: requests.PreparedRequest, **_more: Any) -> requests.Response:
        """Where an SDK prepares its request itself."""
        return self.request(request.method or "", request.url or "", request.body, dict(request.headers))

    def request(
        self, method: str, url: str, data: Any = None, headers: Any = None, **_more: Any
    ) -> requests.Response:
        """Ask below the path of our address: SDKs know hosts only."""
        asked, own = urlsplit(url), self._address
        try:
            if (asked.scheme, asked.netloc) != (own.scheme, own.netloc):
                raise DeliveryError(mark("短信软件包想连接别的地址，已拦下。"), permanent=True, everyone=True)
            target = own._replace(path=own.path.rstrip("/") + (asked.path or "/"), query=asked.query)
            answer = self._http.ask(method, target.geturl(), data=data, headers=headers)
            said(answer)
        except DeliveryError as error:
            self._fault = error
            raise
        return answer

    def asked(self, call: Callable[[], Any], refusal: Callable[[str, str], DeliveryError]) -> Any:
        """What a call of the SDK returns; its exceptions as DeliveryErrors that carry nobody's number along.

        `refusal` knows the platform's codes and what was said with them.
        """
        self._fault = None
        try:
            return call()
        except Exception as error:
            code, text = str(getattr(error, "code", None) or ""), str(getattr(error, "message", "") or "")
            if self._fault is None and code in ("", "None"):
                raise doubt() from None  # an answer the SDK could not read
            raise (self._fault or refusal(code, text)) from None


def doubt() -> DeliveryError:
    """An answer that says neither yes nor no."""
    return unreadable()


@dataclass(frozen=True, slots=True)
class Doubt:
    """A message of which nobody knows whether it was accepted: its key, its call's key if it went with others, the
    number, and when it was handed over."""

    key: str
    address: str
    at: datetime
    call: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """What the platform was told to call it."""
        return tuple(one for one in (self.key, self.call) if one)


class Round:
    """What came of each of many messages that need several calls: after a fault for everyone no more are made."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = messages
        self._results: dict[int, Result] = {}
        self._fault: DeliveryError | None = None
        for place, one in enumerate(messages):
            if not is_phone(normal_phone(one.address)):
                self._results[place] = DeliveryError(
                    mark("手机号不对，短信发不出去。"), permanent=True, closes=Closed.gone
                )
            elif not one.template:
                self._results[place] = DeliveryError(
                    mark("这次推送没有短信模板，请先填写平台已审核的模板。"), permanent=True, everyone=True
                )

    def groups(self, key: Callable[[Message], Hashable]) -> list[list[int]]:
        """Places of the messages that can be sent, those of one key together."""
        found: dict[Hashable, list[int]] = {}
        for place, one in enumerate(self._messages):
            if place not in self._results:
                found.setdefault(key(one), []).append(place)
        return list(found.values())

    def call(
        self, places: Sequence[int], send: Callable[[list[Message]], Sequence[Result]], *, halve: bool = False
    ) -> None:
        """Make one call for these. `halve`: where one number has the platform refuse them all, find which it is;
        a refusal is an answer, so nobody gets it twice."""
        if self._fault is not None:
            self._note(places, [_untried(self._fault)] * len(places))
            return
        try:
            found = send([self._messages[place] for place in places])
        except DeliveryError as error:
            if halve and len(places) > 1 and not (error.everyone or error.unknown):
                middle = len(places) // 2
                self.call(places[:middle], send, halve=True)
                self.call(places[middle:], send, halve=True)
                return
            found = [error] * len(places)
        self._note(places, found)

    def results(self) -> list[Result]:
        """One for each message, in their order; raises what is the same for all."""
        found = [self._results[place] for place in range(len(self._messages))]
        first = found[0]
        if isinstance(first, DeliveryError) and all(one is first for one in found):
            raise first from None
        return found

    def _note(self, places: Sequence[int], found: Sequence[Result]) -> None:
        for place, one in zip(places, found, strict=True):
            self._results[place] = one
            if isinstance(one, DeliveryError) and one.everyone:
                self._fault = self._fault or one


def _untried(fault: DeliveryError) -> DeliveryError:
    return DeliveryError(
        fault.message, permanent=fault.permanent, retry_after=fault.retry_after, everyone=True
    )


def foreign(message: Message) -> bool:
    """Whether a number is outside the mainland: platforms take no mixture."""
    return normal_phone(message.address).startswith("+")


def raised(result: Result) -> str:
    """The reference, or the DeliveryError raised."""
    if isinstance(result, DeliveryError):
        raise result
    return result


def callback_token(secret: str) -> str:
    """What the address of receipts carries as `?token=`: these platforms do not sign their callbacks."""
    return hmac.new(secret.encode(), b"signpost sms receipts", hashlib.sha256).hexdigest()[:32]


def reports(account: Account, body: bytes, query: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """The reports of a callback whose token is ours (the account's own, or that of any secret that holds);
    DeliveryError for another or for what is no list."""
    given, own = query.get("token", "").encode(), account.options.get("report_token", "")
    good = [callback_token(one) for one in account.secrets] + ([own] if own else [])
    if not any(hmac.compare_digest(one.encode(), given) for one in good):
        raise DeliveryError(mark("回执地址里的校验码不对。"), permanent=True)
    try:
        found = json.loads(body)
    except ValueError as error:
        raise DeliveryError(mark("回执的内容读不懂。"), permanent=True) from error
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise DeliveryError(mark("回执的内容读不懂。"), permanent=True)
    return found


_NO_SUCH_NUMBER = re.compile(r"空号|号码不存在|号码错误|MK:0001|CB:0001|CB:0053|DB:0101")


def undelivered(code: str, description: str) -> DeliveryError:
    """What a report of failure means, by the carriers' codes and the platform's words for them."""
    text = f"{code} {description}"
    if "退订" in text or "UNSUBSCRIBE" in text.upper():
        return DeliveryError(mark("对方已退订短信。"), permanent=True, closes=Closed.withdrawn)
    if "黑名单" in text or "BLACK" in text.upper():
        return DeliveryError(mark("号码在运营商或平台的黑名单里。"), permanent=True, closes=Closed.blocked)
    if _NO_SUCH_NUMBER.search(text):
        return DeliveryError(mark("号码是空号。"), permanent=True, closes=Closed.gone)
    return DeliveryError(mark("短信没有送达手机（停机、关机、拦截或内容被拒）。"), permanent=True)
