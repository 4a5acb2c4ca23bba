"""Whatever else Apprise knows (ntfy, Gotify, Pushover, Matrix …), for what no channel of our own exists.

Apprise says yes or no and nothing more: yes is often any HTTP 200. So what it took is marked as unconfirmed, and no
is a failure that may be tried again. Its own pauses of seconds between messages are switched off: our rates are.
The library is an extra (`signpost[apprise]`).
"""

import importlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import ModuleType
from typing import Any
from urllib.parse import quote

from core.i18n import mark
from scheduler.channels.base import Account, DeliveryError, Field, Message, Rate

NAME = "apprise"
LABEL = mark("其他（Apprise）")
ADDRESS = ""
UNCONFIRMED = "unconfirmed"  # the reference of all that it took
FORM: tuple[Field, ...] = (
    Field(
        "secret",
        mark("Apprise 地址"),
        mark("如 ntfys://…、matrixs://…；有 {address} 的地方换成每个收件人的地址，没有就是发到一个群"),
        secret=True,
    ),
)
_PLACE = "{address}"
_LOCAL = (
    "dbus",
    "glib",
    "gnome",
    "kde",
    "macosx",
    "qt",
    "syslog",
    "windows",
)  # this machine is nobody to reach


class Apprise:
    """A relay. It recognises no keys."""

    name = NAME
    to_group = True  # whom a message reaches stands in the address of the account
    batch_size = 50
    group = 10
    idempotent = False
    call_size = 1
    rates: tuple[Rate, ...] = (Rate(20, 60),)  # what the groups of most services bear

    def __init__(
        self,
        clock: Callable[[], datetime],
        timeout: tuple[float, float] = (5.0, 20.0),
        library: str = "apprise",
    ) -> None:
        self._clock = clock
        self._timeout = timeout
        self._library = library

    @contextmanager
    def connect(self, account: Account) -> Iterator["AppriseLine"]:
        """Nothing is opened yet; DeliveryError when the library is missing."""
        yield AppriseLine(_loaded(self._library), "".join(account.secrets[:1]), self._timeout)


class AppriseLine:
    """Messages by one address of Apprise."""

    def __init__(self, library: ModuleType, template: str, timeout: tuple[float, float]) -> None:
        self._library = library
        self._template = template
        self._timeout = timeout

    def send(self, message: Message) -> str:
        """Hand one message over; that it was taken is all that is known then."""
        body = "\n\n".join(part for part in (message.summary or message.text, message.link) if part)
        try:
            taken = self._target(message).notify(title=message.subject, body=body)
        except TypeError as error:
            raise DeliveryError(mark("Apprise 不接受这条消息的内容。"), permanent=True) from error
        if not taken:
            raise DeliveryError(mark("Apprise 没有发出去，它不说原因。"))
        return UNCONFIRMED

    def _target(self, message: Message) -> Any:
        wanted = _PLACE in self._template
        if wanted and not message.address:
            raise DeliveryError(mark("这个渠道账号要有收件人的地址。"), permanent=True)
        address = (
            self._template.replace(_PLACE, quote(message.address, safe="")) if wanted else self._template
        )
        asset = self._library.AppriseAsset(async_mode=False, storage_mode="memory")
        found = None
        if address.partition("://")[0].lower() not in _LOCAL:
            found = self._library.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
        if found is None:
            raise DeliveryError(
                mark("Apprise 读不懂这个地址，请管理员核对渠道账号。"), permanent=True, everyone=not wanted
            )
        found.request_rate_per_sec = 0
        found.socket_connect_timeout, found.socket_read_timeout = self._timeout
        return found


def _loaded(name: str) -> ModuleType:
    """The library, when somebody wants it: it is large and optional. It keeps quiet: it would log addresses."""
    try:
        library = importlib.import_module(name)
    except ImportError as error:
        raise DeliveryError(
            mark("没有安装 Apprise：请管理员安装 signpost[apprise]。"), permanent=True, everyone=True
        ) from error
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    return library
