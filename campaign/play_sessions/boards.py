"""Boards: how all of a session, of an outlet, of a campaign got on. Equal points share a place."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, or_, select

from campaign.play_sessions import hosting
from campaign.play_sessions.models import PlayMember, PlaySession
from content.rooms.games import Ready
from institution import places

LONGEST = 10  # lines of a board


class Line(NamedTuple):
    """One line of a board. `nickname` "" where its time is over, or nobody gave one."""

    place: int
    nickname: str
    outlet: str
    points: int
    opened: int
    locks: int
    seconds: int
    ending: str


class Standing(NamedTuple):
    """How far one of a session is: `share` of the locks in percent; `ending` the title of how it ended."""

    nickname: str
    opened: int
    locks: int
    share: int
    ending: str


@dataclass(frozen=True, slots=True)
class SessionBoard:
    """A session as its screen shows it. `joined`, `ended`: everybody, also who does not want to appear."""

    one: PlaySession
    outlet: str
    title: str
    open: bool
    joined: int
    ended: int
    opened: int
    all_locks: int
    bars: Sequence[Standing]
    lines: Sequence[Line]
    best: Sequence[Line]
    campaign: Sequence[Line]
    minutes_left: int

    @property
    def share(self) -> int:
        """Percent of all locks of all that are open."""
        return 100 * self.opened // self.all_locks if self.all_locks else 0


def session_board(
    session: Session, number: int, ready: Callable[[str], Ready | None], lang: str, now: datetime
) -> SessionBoard:
    """One session with its boards, as it stands; NotFound when there is none. `ready` finds a room by its key."""
    one = hosting.get(session, number)
    found, room = hosting.members(session, number), ready(one.piece_key)
    endings = {name: told.title.of(lang) for name, told in room.game.room.endings.items()} if room else {}
    seen = [member for member in found if not member.hidden]
    outlet = places.name(session, one.outlet_code)
    return SessionBoard(
        one=one,
        outlet=outlet,
        title=room.game.room.title.of(lang) if room else one.piece_key,
        open=one.is_open(now),
        joined=len(found),
        ended=sum(bool(member.ending) for member in found),
        opened=sum(member.opened for member in found),
        all_locks=sum(member.locks for member in found),
        bars=[_standing(member, endings) for member in _by_progress(seen)],
        lines=ranked([(member, outlet) for member in seen if member.opened]),
        best=of_outlet(session, one.outlet_code, one.piece_key, now),
        campaign=of_campaign(session, one.campaign_code, one.piece_key, now) if one.campaign_code else [],
        minutes_left=max(0, int((one.over_at() - now).total_seconds() // 60)),
    )


def of_outlet(session: Session, code: str, piece_key: str, now: datetime) -> list[Line]:
    """The best of an outlet's sessions of a room that are over."""
    return _best(session, now, PlaySession.piece_key == piece_key, PlaySession.outlet_code == code)


def of_campaign(session: Session, code: str, piece_key: str, now: datetime) -> list[Line]:
    """The best of a campaign's sessions of a room that are over, at whatever outlet."""
    return _best(session, now, PlaySession.piece_key == piece_key, PlaySession.campaign_code == code)


def _best(session: Session, now: datetime, *where: object) -> list[Line]:
    over = or_(col(PlaySession.ended_at).is_not(None), col(PlaySession.closes_at) <= now)
    query = (
        select(PlayMember, PlaySession.outlet_code)
        .join(PlaySession, col(PlaySession.id) == col(PlayMember.session_id))
        .where(over, col(PlayMember.hidden).is_(False), col(PlayMember.opened) > 0, *where)  # type: ignore[arg-type]
        .order_by(col(PlayMember.points).desc(), col(PlayMember.seconds), col(PlayMember.id))
        .limit(LONGEST)
    )
    rows = list(session.exec(query))
    names = places.names(session, {code for _member, code in rows})
    return ranked([(member, names[code]) for member, code in rows])


def ranked(rows: Iterable[tuple[PlayMember, str]], most: int = LONGEST) -> list[Line]:
    """Lines by points: equal points share a place, and the next one counts all before it. Within a place who was
    quicker stands first; being slow costs nobody a place."""
    order = sorted(rows, key=lambda row: (-row[0].points, row[0].seconds, row[0].id or 0))
    lines: list[Line] = []
    for number, (one, outlet) in enumerate(order[:most], start=1):
        place = lines[-1].place if lines and lines[-1].points == one.points else number
        lines.append(
            Line(place, one.nickname, outlet, one.points, one.opened, one.locks, one.seconds, one.ending)
        )
    return lines


def _by_progress(members: Sequence[PlayMember]) -> list[PlayMember]:
    """Those who are on their way first, who is farthest before the others; who came to an end after them."""
    return sorted(members, key=lambda one: (bool(one.ending), -one.opened, one.id or 0))


def _standing(one: PlayMember, endings: dict[str, str]) -> Standing:
    share = 100 * one.opened // one.locks if one.locks else 0
    return Standing(one.nickname, one.opened, one.locks, share, endings.get(one.ending, one.ending))
