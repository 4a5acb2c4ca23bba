"""The contract of every channel: a message goes in, a reference comes out, or a DeliveryError says why not."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one recipient. `key` is its idempotency key and never changes between tries."""

    key: str
    address: str
    name: str
    subject: str
    text: str
    html: str
    link: str
    unsubscribe: str
    locale: str = "zh"


@dataclass(frozen=True, slots=True)
class Account:
    """Where a channel hands over, with its secrets in clear: only in memory, only while sending.

    A mail server: address (host), port, tls (starttls, tls, none), login, sender and one password. A
    webhook: address and the secrets to sign with, the newest first.
    """

    address: str
    port: int = 0
    tls: str = ""
    login: str = ""
    sender: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)


class DeliveryError(Exception):
    """A message was not handed over.

    permanent: trying again is useless. retry_after: seconds the receiver asked for. unknown: it may have
    been accepted all the same, only the receiver knows. everyone: the fault lies with the connection or
    the account and not with this recipient, so the rest of the batch need not be tried now.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        unknown: bool = False,
        everyone: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.retry_after = retry_after
        self.unknown = unknown
        self.everyone = everyone


class Connection(Protocol):
    """An open line to the receiver, used by one thread for one batch."""

    def send(self, message: Message) -> str:
        """Hand one message over; the receiver's reference (may be empty), or DeliveryError."""
        ...


class Channel(Protocol):
    """A way to reach people. `group` messages at most are in flight between two commits; `idempotent`:
    the receiver recognises a key it has seen, so sending again after a doubt changes nothing."""

    name: str
    batch_size: int
    group: int
    idempotent: bool

    def connect(self, account: Account) -> AbstractContextManager[Connection]:
        """Open a line to the receiver; may raise DeliveryError."""
        ...
