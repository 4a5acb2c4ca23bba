"""What channels over HTTP share: a kept-alive line, and what a silence, a broken answer and a refusal mean."""

import json
from collections.abc import Mapping
from typing import Any

import requests

from core.i18n import mark
from scheduler.channels.base import DeliveryError

TIMEOUT = (5.0, 20.0)  # seconds to connect, seconds to be answered
_BUSY = (429, 502, 503, 504)


class Http:
    """A kept-alive connection that asks nobody else for the way and follows no other address."""

    def __init__(self, timeout: tuple[float, float] = TIMEOUT) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._timeout = timeout

    def close(self) -> None:
        """Let the connection go."""
        self._session.close()

    def ask(self, method: str, address: str, **more: Any) -> requests.Response:
        """The answer of any status; DeliveryError without one, and then `unknown` if it may have been accepted."""
        try:
            return self._session.request(
                method, address, timeout=self._timeout, allow_redirects=False, **more
            )
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


def said(answer: requests.Response) -> dict[str, Any]:
    """The JSON object of an answer, whatever its status; a platform that is busy or answers nonsense is an error."""
    if answer.status_code in _BUSY:
        raise DeliveryError(f"HTTP {answer.status_code}", retry_after=_seconds(answer), everyone=True)
    try:
        found = answer.json()
    except ValueError as error:
        # an accepted call whose answer was cut off looks the same
        raise DeliveryError(
            mark("平台的回答读不懂，不知道是否收到。"), unknown=answer.ok, everyone=True
        ) from error
    if not isinstance(found, dict):
        raise DeliveryError(mark("平台的回答读不懂，不知道是否收到。"), unknown=answer.ok, everyone=True)
    return found


def _seconds(answer: requests.Response) -> float | None:
    text = answer.headers.get("Retry-After", "").strip()
    return float(text) if text.isdigit() and len(text) < 7 else None
