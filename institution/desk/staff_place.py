"""Where an account belongs."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from institution import granting


def at_account(session: Session, arguments: Mapping[str, Any]) -> Sequence[str]:
    """Locator: the nodes of an account's grants, all of which its administrator must hold."""
    return granting.nodes_of(session, int(arguments["number"]))
