"""What the robots of groups share: one message a push goes into a group, as a card with a link or as text that fits."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from core.i18n import mark
from scheduler.channels.base import Account, DeliveryError, Message, Rate, unreadable
from scheduler.channels.base_http import TIMEOUT, Http

BODY_BYTES = 20_000  # of a whole call, where a platform says "20 KB"
_ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Post:
    """A call to be made: where, and what it says."""

    address: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class No:
    """What a platform's error code means; `wait`: seconds after which it may be tried again."""

    text: str
    permanent: bool = True
    everyone: bool = True
    wait: float | None = None


class Robot:
    """A robot of a group. None of the platforms knows keys: what is in doubt stays in doubt."""

    batch_size = 1
    group = 1
    idempotent = False
    call_size = 1
    to_group = True
    name = ""
    rates: tuple[Rate, ...] = ()

    def __init__(self, clock: Callable[[], datetime], timeout: tuple[float, float] = TIMEOUT) -> None:
        self._clock = clock
        self._timeout = timeout

    @contextmanager
    def connect(self, account: Account) -> Iterator["RobotLine"]:
        """A kept-alive line to the platform."""
        if not "".join(account.secrets[:1]):
            raise DeliveryError(
                mark("渠道账号里还没有填机器人的 Webhook 地址或密钥。"), permanent=True, everyone=True
            )
        line = Http(self._timeout)
        try:
            yield RobotLine(line, lambda message: self.post(account, message, self._clock()), self.judge)
        finally:
            line.close()

    def post(self, account: Account, message: Message, now: datetime) -> Post:
        """The call that posts a message."""
        raise NotImplementedError

    def judge(self, answer: Mapping[str, Any]) -> None:
        """DeliveryError when the platform said no in its answer."""
        raise NotImplementedError


class RobotLine:
    """An open line to a platform."""

    def __init__(
        self, line: Http, post: Callable[[Message], Post], judge: Callable[[Mapping[str, Any]], None]
    ) -> None:
        self._line = line
        self._post = post
        self._judge = judge

    def send(self, message: Message) -> str:
        """Post into the group; robots give no reference."""
        call = self._post(message)
        self._judge(self._line.post(call.address, call.body))
        return ""


def key_of(pasted: str, parameter: str) -> str:
    """The key of a robot, also when its whole webhook address was pasted: a parameter of it, or (empty) its last
    part."""
    text = pasted.strip()
    if "://" not in text:
        return text
    parts = urlsplit(text)
    if parameter:
        return parse_qs(parts.query).get(parameter, [""])[0]
    return parts.path.rstrip("/").rsplit("/", 1)[-1]


def size(text: str) -> int:
    """Bytes of a text as the platforms count them."""
    return len(text.encode())


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` bytes, with an ellipsis where it was cut, never within a character."""
    if size(text) <= limit:
        return text
    room = max(0, limit - size(_ELLIPSIS))
    return text.encode()[:room].decode(errors="ignore").rstrip() + _ELLIPSIS


def fitted(message: Message, limit: int, extra: str = "") -> str:
    """Title, text and link of a message in at most `limit` bytes: the text gives way, the link stays whole.

    `extra` (a word that the group asks for) stays as well, unless the message has it anyway.
    """
    told = f"{message.subject}\n\n{message.text.strip()}".strip()
    extra = "" if extra in told else extra
    link = "" if message.link in told and size(told) + size(extra) + 1 <= limit else message.link
    tail = "".join(f"\n{part}" for part in (link, extra) if part)
    return cut(told, limit - size(tail)) + tail


def within(make: Callable[[int], dict[str, Any]], limit: int) -> dict[str, Any]:
    """The body that `make` makes of a text of so many bytes, with the text cut so far that the whole has at most
    `limit`: quotes and line breaks take more room in JSON than in a text."""
    least, most = 0, limit
    while least < most:
        middle = (least + most + 1) // 2
        fits = size(json.dumps(make(middle), ensure_ascii=False)) <= limit
        least, most = (middle, most) if fits else (least, middle - 1)
    return make(least)


def is_card(message: Message) -> bool:
    """Whether a message is shown as a card: it has somewhere to lead, and little to say."""
    return bool(message.link and message.subject and (message.summary or message.picture))


def judge(platform: str, code: Any, table: Mapping[int, No]) -> None:
    """DeliveryError unless the code is 0; a code that is in no table fails the message and is shown as it is."""
    if not isinstance(code, int) or isinstance(code, bool):
        raise unreadable()
    if code == 0:
        return
    no = table.get(code, No(f"{platform} {code}", everyone=False))
    raise DeliveryError(
        no.text, permanent=no.permanent and no.wait is None, retry_after=no.wait, everyone=no.everyone
    )
