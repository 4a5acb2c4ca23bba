"""The contract of every channel: messages go in, a reference for each comes out, or a DeliveryError says why not."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol, TypeVar, overload, runtime_checkable

from core.i18n import mark


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one recipient. `key` is its idempotency key and never changes between tries.

    `text` and `html` are the whole letter; a channel that shows little takes `subject`, `summary`, `link` and
    `picture` (addresses). `parameters` fill the `template` that a platform has approved, in their order. A
    channel that posts into a group has an empty `address`.
    """

    key: str
    address: str
    name: str
    subject: str
    text: str
    html: str
    link: str
    unsubscribe: str
    locale: str = "zh"
    summary: str = ""
    picture: str = ""
    template: str = ""
    parameters: tuple[tuple[str, str], ...] = ()


class Copies(Sequence[Message]):
    """The same content to many: a message is made when somebody asks for it, and whoever needs only the addresses of a
    call (`addresses_of`) makes none. `content` has neither key nor address nor name."""

    __slots__ = ("addresses", "content", "keys")

    def __init__(self, content: Message, keys: Sequence[str], addresses: Sequence[str]) -> None:
        self.content = content
        self.keys = keys
        self.addresses = addresses

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, place: int) -> Message: ...

    @overload
    def __getitem__(self, place: slice) -> "Copies": ...

    def __getitem__(self, place: int | slice) -> "Message | Copies":
        """One message, or the part of them."""
        if isinstance(place, slice):
            return Copies(self.content, self.keys[place], self.addresses[place])
        return replace(self.content, key=self.keys[place], address=self.addresses[place])


def addresses_of(messages: Sequence[Message]) -> list[str]:
    """The addresses of a call, in their order."""
    return list(messages.addresses) if isinstance(messages, Copies) else [one.address for one in messages]


@dataclass(frozen=True, slots=True)
class Account:
    """Where a channel hands over, with its secrets in clear: only in memory, only while sending.

    A mail server: address (host), port, tls (starttls, tls, none), login, sender and one password. A
    webhook: address and the secrets to sign with, the newest first. A platform: `address` is where its interface
    answers, `login` the application (app id, access key, corporation), `secrets` its secrets, `options` what
    else it wants by the platform's own names (sign name, agent id, region). `number` tells accounts apart where tokens
    and limits are shared; 0 is the account of the settings.
    """

    address: str
    port: int = 0
    tls: str = ""
    login: str = ""
    sender: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    number: int = 0


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the account form of a channel. `name`: address, login, sender, secret, or one of the platform's own
    names, which is kept in `Account.options`; `hint` says where an administrator finds it; `value` is the usual one."""

    name: str
    label: str
    hint: str = ""
    value: str = ""
    secret: bool = False
    required: bool = True


class Look(StrEnum):
    """How a message looks to who gets it: what a preview and the sandbox draw."""

    mail = "mail"
    sms = "sms"
    card = "card"
    chat = "chat"
    notice = "notice"
    data = "data"


class Closed(StrEnum):
    """Why an address takes nothing more on a channel."""

    withdrawn = "withdrawn"  # the person said no: unsubscribed, refused, blocked the sender
    gone = "gone"  # there is no such address, device, member or follower (any more)
    blocked = "blocked"  # the platform refuses this address (a blacklist)
    complaint = "complaint"  # the person called a message spam
    not_following = "not_following"  # the person left; following again opens it


class DeliveryError(Exception):
    """A message was not handed over.

    permanent: trying again is useless. retry_after: seconds the receiver asked for. unknown: it may have
    been accepted all the same, only the receiver knows. everyone: the fault lies with the connection or
    the account and not with this recipient, so the rest of the batch need not be tried now; with `permanent` an
    operator must act. closes: nothing more goes to this address on this channel, for this reason.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        unknown: bool = False,
        everyone: bool = False,
        closes: Closed | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.retry_after = retry_after
        self.unknown = unknown
        self.everyone = everyone
        self.closes = closes


def unreadable() -> DeliveryError:
    """An answer that says nothing: one to an accepted message that was cut off looks the same."""
    return DeliveryError(mark("平台的回答读不懂，不知道是否收到。"), unknown=True, everyone=True)


class Connection(Protocol):
    """An open line to the receiver, used by one thread for one batch."""

    def send(self, message: Message) -> str:
        """Hand one message over; the receiver's reference (may be empty), or DeliveryError."""
        ...


@runtime_checkable
class Calls(Protocol):
    """An open line to a receiver that takes many recipients of the same content in a call."""

    def send_many(self, key: str, messages: Sequence[Message]) -> Sequence[str | DeliveryError]:
        """Hand over in one call what came of each, in their order; `key` is the call's idempotency key, and stands
        for the same messages whenever it is sent again. A DeliveryError that is raised holds for all of them."""
        ...


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls (or messages, or messages to one address) in so many seconds, for one account."""

    times: int
    seconds: int
    per: str = "call"  # or "message", "address"


class About(StrEnum):
    """What a receipt speaks of."""

    outcome = "outcome"  # the message arrived, or never will
    opened = "opened"  # who got it opened it
    person = "person"  # who got it said no afterwards, left, or came back (no error)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a platform says later of a message: `reference` is what it was called when it was accepted.

    `address` where one reference stands for many recipients. `error` None: it arrived. `key`: what we called the
    message or its call, where platforms say it back; None where this one never does.
    """

    reference: str
    address: str = ""
    error: DeliveryError | None = None
    about: About = About.outcome
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How a call ended in heads, where a platform does not say whose; None for what it does not count.

    `total` were meant, `filtered` of them left out by the platform, `reached` had it, `failed` had not; it was `shown`
    and `clicked` so often.
    """

    reference: str
    total: int | None = None
    filtered: int | None = None
    reached: int | None = None
    failed: int | None = None
    shown: int | None = None
    clicked: int | None = None


Reads = Callable[[Account, bytes, Mapping[str, str], Mapping[str, str]], Sequence[Receipt]]
Confirms = Callable[[bytes], str]
Greets = Callable[[Account, Mapping[str, str]], str]
Counts = Callable[[Account, bytes, Mapping[str, str], Mapping[str, str]], Sequence[Tally]]


class Tokens(Protocol):
    """Access tokens, one of an account for all workers: fetching another one ends the one before."""

    def get(self, account: int, fetch: Callable[[], tuple[str, float]]) -> str:
        """The token that holds; `fetch` gives a new one and the seconds it holds, and is called by one worker."""
        ...

    def renew(self, account: int, stale: str, fetch: Callable[[], tuple[str, float]]) -> str:
        """Another one, since the platform refused `stale`; when somebody else renewed it already, theirs."""
        ...


Line_co = TypeVar("Line_co", covariant=True)


class Channel(Protocol[Line_co]):
    """A way to reach people. `group` messages at most are in flight between two commits; `call_size` of them go
    in a call (1: by `send`, more: by `send_many`, which may be given `Copies`); a channel that says `in_flight` (else
    1) has so many messages of a batch on their way at once, each by a line of its own; `idempotent`: the receiver recognises a key it has seen, so
    sending again after a doubt changes nothing; `rates`: what the platform allows an account."""

    name: str
    batch_size: int
    group: int
    idempotent: bool

    @property
    def call_size(self) -> int:
        """Messages in a call at most."""
        ...

    @property
    def rates(self) -> tuple[Rate, ...]:
        """What the platform allows."""
        ...

    def connect(self, account: Account) -> AbstractContextManager[Line_co]:
        """Open a line to the receiver; may raise DeliveryError."""
        ...


AnyChannel = Channel[Any]
