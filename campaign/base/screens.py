"""Screens of waiting halls that may count: made on the desk, paired once with a code, ended there.

Anybody may open a screen page; only a paired one counts. An attacker who reads the address, the wall or the log
finds nothing: the code works once, for half an hour; the key it buys is 256 random bits under our signature (a
forged one costs no question of the database), never stands in an address, and is kept here as a hash. Somebody who
takes the key out of the device can count at most what one screen could have shown (`showings`), for that outlet,
until the desk ends it.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from campaign.base.models import HallScreen
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.i18n import mark
from core.signing import Keys, Signer
from institution import audit, outlets
from institution.models import OutletKind
from tracking.links import ALPHABET, LENGTH

audit.declare(
    {
        "screen.make": mark("新增大堂屏幕"),
        "screen.pair": mark("配对大堂屏幕"),
        "screen.end": mark("停用大堂屏幕"),
    }
)
PAIRING = timedelta(minutes=30)
MOST = 20  # of one outlet that are not ended
_NAME = 60


class ScreenKeys:
    """Makes and reads the keys of screens."""

    def __init__(self, keys: Keys) -> None:
        self._signer = Signer(keys.derive("campaign/screen"), size=16)

    def new(self) -> str:
        """A new key: random, and signed."""
        return self._signer.sign(secrets.token_urlsafe(32))

    def hash(self, key: str) -> str | None:
        """What is kept of a key; None for one that is not ours."""
        return _hash(key) if len(key) < 200 and self._signer.open(key) is not None else None


@dataclass(frozen=True, slots=True)
class Made:
    """A new screen and its pairing code, which is told once."""

    screen: HallScreen
    code: str

    @property
    def spelled(self) -> str:
        """The code as people read it from one screen and type it on another."""
        return f"{self.code[:4]}-{self.code[4:]}".upper()


def make(session: Session, code: str, name: str, *, by: int | None, now: datetime) -> Made:
    """A screen of an outlet, to be paired within half an hour. Invalid names the field."""
    outlet = outlets.get(session, code)
    if outlet.kind != OutletKind.outlet:
        raise Invalid(mark("只有柜面网点有大堂屏幕。"), field="name")
    name = name.strip()
    if not name or len(name) > _NAME or not name.isprintable():
        raise Invalid(mark("请给屏幕起个名字，如“叫号区左侧”，60 字以内。"), field="name")
    if len(of_outlet(session, code)) >= MOST:
        raise Conflict(mark("这个网点已有 %(most)s 块屏幕，请先停用不用的。"), field="name", most=MOST)
    paired = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    one = HallScreen(
        outlet_code=code,
        name=name,
        pairing_hash=_hash(paired),
        pairing_until=now + PAIRING,
        made_by=by,
        made_at=now,
    )
    session.add(one)
    session.flush()
    audit.record(session, "screen.make", "screen", one.id, after={"name": name}, outlet_code=code)
    return Made(one, paired)


def pair(session: Session, code: str, typed: str, keys: ScreenKeys, *, now: datetime) -> str:
    """The key of the screen whose pairing code was typed at this outlet. One sentence for all that is wrong."""
    wanted = "".join(letter for letter in typed.lower() if letter.isalnum())[:40]
    key = keys.new()
    mine = update(HallScreen).where(
        col(HallScreen.outlet_code) == code,
        col(HallScreen.pairing_hash) == _hash(wanted),
        col(HallScreen.pairing_until) >= now,
        col(HallScreen.ended_at).is_(None),
    )
    values = {"pairing_hash": None, "key_hash": _hash(key), "paired_at": now, "seen_at": now}
    if session.connection().execute(mine.values(**values)).rowcount != 1:
        raise NotAllowed(mark("配对码不对、用过了，或已超过 30 分钟。请在工作台新增一块屏幕，再试一次。"))
    one = session.exec(select(HallScreen).where(HallScreen.key_hash == _hash(key))).one()
    audit.record(session, "screen.pair", "screen", one.id, after={"name": one.name}, outlet_code=code)
    return key


def known(session: Session, code: str, key: str, keys: ScreenKeys) -> HallScreen:
    """The screen of a key at this outlet, or NotAllowed: forged, of another outlet, ended."""
    hashed = keys.hash(key)
    one = session.exec(select(HallScreen).where(HallScreen.key_hash == hashed)).first() if hashed else None
    if one is None or one.outlet_code != code or one.ended_at is not None:
        raise NotAllowed(mark("这块屏幕没有配对，或已被停用。"))
    return one


def of_outlet(session: Session, code: str) -> Sequence[HallScreen]:
    """The screens of an outlet that were not ended, by name."""
    query = select(HallScreen).where(HallScreen.outlet_code == code, col(HallScreen.ended_at).is_(None))
    return list(session.exec(query.order_by(HallScreen.name, col(HallScreen.id))))


def get(session: Session, number: int) -> HallScreen:
    """A screen, or NotFound."""
    one = session.get(HallScreen, number)
    if one is None:
        raise NotFound(mark("没有找到这块屏幕。"))
    return one


def end(session: Session, one: HallScreen, *, now: datetime) -> None:
    """Have a screen count no more, at once; again: changes nothing."""
    if one.ended_at is not None:
        return
    one.ended_at, one.pairing_hash, one.key_hash = now, None, None
    session.add(one)
    audit.record(
        session, "screen.end", "screen", one.id, after={"name": one.name, "ended_at": now}, outlet_code=one.outlet_code
    )  # fmt: skip


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
