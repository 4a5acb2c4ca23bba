"""What channels over HTTP share: a kept-alive line, and what a silence, a broken answer and a refusal mean."""

import json
import time
from collections.abc import Mapping
from typing import Any, TypeVar

import requests
from urllib3.exceptions import HTTPError

from core.i18n import mark
from scheduler.channels.base import DeliveryError, unreadable

TIMEOUT = (5.0, 20.0)  # seconds to connect, seconds to be answered
_Json = TypeVar("_Json", dict[str, Any], list[Any])
_BUSY = (429, 503)  # nothing was done; a gateway that says 502 or 504 may have passed the call on
_LARGEST = 4_000_000  # bytes of an answer


class Http:
    """A kept-alive connection that asks nobody else for the way and follows no other address.

    An answer has its time as a whole: one that comes in drops would hold the worker up for ever.
    """

    def __init__(self, timeout: tuple[float, float] = TIMEOUT) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._timeout = timeout

    def close(self) -> None:
        """Let the connection go."""
        self._session.close()

    def ask(self, method: str, address: str, **more: Any) -> requests.Response:
        """The answer of any status; DeliveryError without one, and then `unknown` if it may have been accepted."""
        until = time.monotonic() + sum(self._timeout)
        try:
            answer = self._session.request(
                method, address, timeout=self._timeout, allow_redirects=False, stream=True, **more
            )
            _read(answer, until)
            return answer
        except requests.exceptions.ConnectTimeout as error:
            raise DeliveryError(mark("连接不上平台接口。"), everyone=True) from error
        except requests.exceptions.Timeout as error:
            raise DeliveryError(
                mark("平台没有按时回答，不知道是否收到。"), unknown=True, everyone=True
            ) from error
        except requests.exceptions.ConnectionError as error:
            # refused before anything was sent, or cut while it was: only the first is without doubt
            unsent = "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error)
            raise DeliveryError(mark("连接不上平台接口。"), unknown=not unsent, everyone=True) from error
        except requests.exceptions.RequestException as error:
            raise DeliveryError(f"HTTP {type(error).__name__}", unknown=True, everyone=True) from error

    def post(self, address: str, body: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Post JSON, UTF-8 as it is, and read a JSON object; DeliveryError for whatever is none."""
        data = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", **more.pop("headers", {})}
        return said(self.ask("POST", address, data=data, headers=headers, **more))


def _read(answer: requests.Response, until: float) -> None:
    """Read the body as it comes, until its time is over."""
    parts, size = [], 0
    try:
        while part := answer.raw.read1(65536, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > _LARGEST or time.monotonic() > until:
                answer.close()
                raise requests.exceptions.ReadTimeout
    except (HTTPError, OSError) as error:
        if isinstance(error, requests.exceptions.RequestException):
            raise
        raise requests.exceptions.ChunkedEncodingError(error) from error
    answer._content = b"".join(parts)


def said(answer: requests.Response) -> dict[str, Any]:
    """The JSON object of an answer, whatever its status; a platform that is busy or answers nonsense is an error."""
    if answer.status_code in _BUSY:
        wait = _seconds(answer)
        if wait is None and answer.status_code == 429:  # a limit, whose end it does not name
            wait = 0.0
        raise DeliveryError(f"HTTP {answer.status_code}", retry_after=wait, everyone=True)
    return _judged(answer, dict)


def listed(answer: requests.Response) -> list[Any]:
    """The JSON list of a good answer; nonsense is an error."""
    return _judged(answer, list)


def _judged(answer: requests.Response, kind: type[_Json]) -> _Json:
    try:
        found = answer.json()
    except ValueError as error:
        # an accepted call whose answer was cut off looks the same
        raise _unreadable(answer) from error
    if not isinstance(found, kind):
        raise _unreadable(answer)
    return found


def _unreadable(answer: requests.Response) -> DeliveryError:
    if answer.ok or answer.status_code >= 500:
        return unreadable()
    return DeliveryError(f"HTTP {answer.status_code}", everyone=True)


def _seconds(answer: requests.Response) -> float | None:
    """Seconds to wait: Retry-After, or the header of Feishu's gateway."""
    headers = answer.headers
    text = (headers.get("Retry-After") or headers.get("x-ogw-ratelimit-reset") or "").strip()
    return float(text) if text.isdigit() and len(text) < 7 else None
