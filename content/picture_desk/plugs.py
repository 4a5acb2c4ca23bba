"""What stands above plugs itself in here: campaigns to choose from, and where posters for all outlets are ordered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from institution.powers import Scope

Campaigns = Callable[[Session, Scope], Sequence[tuple[str, str]]]


@dataclass(slots=True)
class Plugs:
    """One of a process; `orders` gives the address of the order form of a piece, empty where there is none."""

    campaigns: Campaigns = lambda _session, _scope: ()
    orders: Callable[[str], str] = lambda _key: ""
