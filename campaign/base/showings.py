"""What a paired screen says it showed, kept once: checked whole, claimed, deposited through the door of batches.

A showing is an event of the kind `shown` on the channel `screen`, without visitor. It is no `delivered` (there a
channel accepted a message for a person, and reach counts it) and no `visited` (somebody asked for a page): 2,500
screens show some fourteen million slides a day, whoever looks, and would drown every figure. So it is recorded, and
becomes reach only when a definition names it; who scans the code on the screen is a visit like any other.

A key is worth no more than a screen: showings come in their order, each LEAST seconds after the one before and after
the last that was kept, never ahead of the clock. The claim of a batch and the time of its last showing are written
in one transaction, so a repeat is answered and changes nothing, and two that race cannot both be first.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from campaign.base.models import HallScreen
from core.database import Database
from core.errors import Conflict, Invalid, NotAllowed
from core.i18n import mark
from institution.api_token_models import ApiToken
from tracking.attribution import Attributions, PageKeys
from tracking.batch_models import ReachBatch
from tracking.batches import Batches, name_of

LEAST = 5.0  # seconds: no slide stands shorter
MOST = 400  # showings in one batch: more than an hour of a screen
OLDEST, NEWEST = timedelta(days=14), timedelta(minutes=5)  # a hall may be without network over a long holiday
SLACK = timedelta(seconds=0.5)
MOST_BYTES = 128 * 1024
CHANNEL, KIND, SOURCE = "screen", "shown", "screen"


@dataclass(frozen=True, slots=True)
class Showing:
    """One slide that stood its time: when it ended, and what it was about."""

    at: datetime
    keys: PageKeys


def read(body: bytes, outlet: str, attributions: Attributions, now: datetime) -> list[Showing]:
    """The showings of a body `{"shown": [[milliseconds, sealed keys], …]}`; Invalid for anything else."""
    try:
        said = json.loads(body)["shown"] if len(body) <= MOST_BYTES else None
    except (ValueError, KeyError, TypeError, RecursionError):
        said = None
    if not isinstance(said, list) or not 1 <= len(said) <= MOST:
        raise Invalid(mark("播放记录的格式不对。"))
    return [_read(one, outlet, attributions, now) for one in said]


def _read(one: Any, outlet: str, attributions: Attributions, now: datetime) -> Showing:
    if not (isinstance(one, list) and len(one) == 2 and type(one[0]) is int and isinstance(one[1], str)):
        raise Invalid(mark("播放记录的格式不对。"))
    if not (now - OLDEST).timestamp() * 1000 <= one[0] <= (now + NEWEST).timestamp() * 1000:
        raise Invalid(mark("播放时间早于 14 天前，或晚于服务器时间。"))
    keys = attributions.unseal(one[1])
    if keys is None or keys.outlet != outlet:
        raise Invalid(mark("播放的内容不是这个网点的。"))
    return Showing(datetime.fromtimestamp(one[0] / 1000, now.tzinfo), keys)


def in_order(last: datetime | None, showings: Sequence[Showing]) -> None:
    """Invalid unless each showing stands its time behind the one before: a screen shows one thing at a time."""
    step = timedelta(seconds=LEAST) - SLACK
    for one in showings:
        if last is not None and one.at - last < step:
            raise Invalid(mark("播放记录比一块屏幕能播的还密，没有保存。"))
        last = one.at


def take(
    database: Database, batches: Batches, screen: HallScreen, key: str, showings: Sequence[Showing], *, now: datetime
) -> int:  # fmt: skip
    """Keep a batch once; how many it holds. Invalid, NotAllowed, Conflict (another body): nothing was kept.

    SpoolError: try again with the same key. A claim that a kill left open is finished by the repeat.
    """
    token, body = _token(screen), _body(showings)
    name = name_of(token, key)
    with database.transaction() as session:
        if session.get(ReachBatch, name) is None:
            _claim(session, screen, name, body, showings, now=now)
    return batches.take(token, key, body, oldest=OLDEST + NEWEST, source=SOURCE).events


def _claim(
    session: Session, screen: HallScreen, name: str, body: bytes, showings: Sequence[Showing], *, now: datetime
) -> None:  # fmt: skip
    held = session.get(HallScreen, screen.id, with_for_update=True, populate_existing=True)
    if held is None or held.ended_at is not None:
        raise NotAllowed(mark("这块屏幕没有配对，或已被停用。"))
    if session.get(ReachBatch, name) is not None:
        raise Conflict(mark("这一批正在保存，请稍后再试。"))
    in_order(held.last_at, showings)
    held.last_at, held.seen_at = showings[-1].at, now
    held.showings += len(showings)
    session.add(held)
    hashed = hashlib.sha256(body).hexdigest()
    session.add(ReachBatch(name=name, body_hash=hashed, token_id=_number(screen), claimed_at=now))


def _number(screen: HallScreen) -> int:
    """Screens stand below zero beside the numbers of tokens."""
    return -(screen.id or 0)


def _token(screen: HallScreen) -> ApiToken:
    """The screen as what batches are kept for; it opens no door of its own."""
    return ApiToken(
        id=_number(screen),
        name=f"screen {screen.id}",
        token_hash=screen.key_hash or "",
        hint="",
        purposes="",
        made_at=screen.made_at,
        expires_at=screen.made_at,
        outlet_code=screen.outlet_code,
    )


def _body(showings: Sequence[Showing]) -> bytes:
    """The lines of a batch: the same showings always give the same bytes."""
    lines = [
        {"kind": KIND, "at": one.at.isoformat(), "outlet": one.keys.outlet, "channel": CHANNEL}
        | ({"piece": one.keys.piece} if one.keys.piece else {})
        | ({"campaign": one.keys.campaign} if one.keys.campaign else {})
        for one in showings
    ]
    return b"\n".join(json.dumps(line, sort_keys=True).encode() for line in lines)
