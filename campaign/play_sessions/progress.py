"""What the server keeps of a member while they play: told by the room's table, never an answer."""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import select, update
from sqlmodel import Session, SQLModel

from campaign.play_sessions.hosting import ScreenLinks
from campaign.play_sessions.joining import hashed
from campaign.play_sessions.models import PlayMember, PlaySession
from content.rooms.hosting import Told
from core.database import Database
from core.together import Together
from tracking.attribution import Attribution

CHANNEL = "outlet"
_MEMBER = SQLModel.metadata.tables[str(PlayMember.__tablename__)]
_SESSION = SQLModel.metadata.tables[str(PlaySession.__tablename__)]


def group_of(session_id: int, member_id: int) -> str:
    """How the signed state of a play names session and member."""
    return f"{session_id}.{member_id}"


class Hall:
    """Hosts the plays of sessions (`content.rooms.hosting.Host`); writes of the same moment share a transaction."""

    def __init__(self, database: Database, links: ScreenLinks) -> None:
        self._database, self._links = database, links
        self._together = Together(database, keep)
        self._owed = lru_cache(1024)(self._owed_of)

    def told(self, told: Told) -> None:
        """Keep how far somebody came; after the end of the session, or of their play, nothing changes any more."""
        self._together.do(told)

    def owed(self, group: str) -> Attribution | None:
        """The outlet that hosts, and its campaign."""
        return self._owed(_parts(group)[0])

    def board(self, group: str) -> str:
        """The board for the phones of the session."""
        return self._links.board(_parts(group)[0])

    def _owed_of(self, number: int) -> Attribution | None:
        with self._database.reading() as session:
            found = session.get(PlaySession, number)
            return Attribution(found.campaign_code, found.outlet_code, CHANNEL) if found else None


def keep(session: Session, tellings: Sequence[Told]) -> list[bool]:
    """Write each down; False for what came too late, or is not ahead of what is known.

    A state sent again from the past says less than what is known, or comes after the play's one end.
    """
    return [_keep(session, told) for told in tellings]


def _keep(session: Session, told: Told) -> bool:
    number, member = _parts(told.group)
    running = select(_SESSION.c.id).where(
        _SESSION.c.id == number,
        _SESSION.c.closes_at > told.at,
        _SESSION.c.ended_at.is_(None),
    )
    known = session.connection().execute(
        select(_MEMBER.c.joined_at).where(_MEMBER.c.id == member, _MEMBER.c.session_id == number)
    ).scalar()  # fmt: skip
    if known is None:
        return False
    seconds = max(0, int((told.at - known).total_seconds()))
    ahead = _MEMBER.c.opened < told.opened
    mine = update(_MEMBER).where(
        _MEMBER.c.id == member,
        _MEMBER.c.session_id.in_(running),
        _MEMBER.c.play_hash == hashed(told.play),
        _MEMBER.c.ending == "",
        (ahead | (_MEMBER.c.opened == told.opened)) if told.ending else ahead,
    )
    values = {
        "opened": told.opened,
        "locks": told.locks,
        "points": told.points,
        "seconds": seconds,
        "ending": told.ending,
    }
    return session.connection().execute(mine.values(**values)).rowcount == 1


def _parts(group: str) -> tuple[int, int]:
    number, _, member = group.partition(".")
    return int(number), int(member)
