"""Sessions of an outlet: opened with a code, ended by a button or by themselves."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, update
from sqlmodel import Session, col, func, select

from campaign import programme
from campaign.events import occurrences
from campaign.play_sessions.models import PlayMember, PlaySession
from content import lifecycle
from content.models import Kind
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from core.signing import Keys, Signer
from institution import audit, outlets
from institution.models import OutletKind

audit.declare(
    {
        "play.open": mark("开一场密室探索"),
        "play.end": mark("结束一场密室探索"),
        "play.hide": mark("不展示一个昵称"),
    }
)
HOURS = (1, 2, 4, 8)  # after which a session closes by itself
MOST_OPEN = 5  # of one outlet
LARGEST = 500  # people in a session
_DIGITS = 6
GONE = mark("没有找到这一场。")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a session is to be: of which room, how many hours at most; perhaps of an event, of a campaign."""

    piece_key: str
    hours: int
    occurrence_id: int | None = None
    campaign_code: str = ""


class ScreenLinks:
    """Signs the address of a session's screen, which is shown to staff alone."""

    def __init__(self, keys: Keys) -> None:
        self._screen = Signer(keys.derive("campaign/play-screen"))
        self._board = Signer(keys.derive("campaign/play-board"))

    def screen(self, number: int) -> str:
        """The path of the hall's screen."""
        return f"/screen/play/{self._screen.sign_address(str(number))}"

    def board(self, number: int) -> str:
        """The path of the board for the phones of a session; it holds no code to join with."""
        return f"/play/board/{self._board.sign_address(str(number))}"

    def screen_of(self, token: str) -> int:
        """The session of a screen's address; NotFound when it is not ours."""
        return _number(self._screen, token)

    def board_of(self, token: str) -> int:
        """The session of a board's address; NotFound when it is not ours."""
        return _number(self._board, token)


def _number(signer: Signer, token: str) -> int:
    text = signer.open_address(token, 59)
    if text is None or not text.isdecimal():
        raise NotFound(GONE)
    return int(text)


def open_session(
    session: Session, outlet_code: str, wanted: Wanted, *, by: int | None, now: datetime
) -> PlaySession:
    """A session of an outlet with a fresh code. Invalid names the field; Conflict: too many are open."""
    _check(session, outlet_code, wanted, now)
    free_codes(session, now)
    mine = col(PlaySession.outlet_code) == outlet_code
    if len(listing(session, mine, col(PlaySession.code).is_not(None), most=MOST_OPEN)) >= MOST_OPEN:
        raise Conflict(
            mark("这个网点已经开着 %(most)s 场，请先结束一场。"), field="outlet_code", most=MOST_OPEN
        )
    one = PlaySession(
        outlet_code=outlet_code,
        piece_key=wanted.piece_key,
        occurrence_id=wanted.occurrence_id,
        campaign_code=wanted.campaign_code,
        code=_new_code(session),
        made_by=by,
        opened_at=now,
        closes_at=now + timedelta(hours=wanted.hours),
    )
    session.add(one)
    session.flush()
    told = {"piece": one.piece_key, "occurrence": one.occurrence_id, "campaign": one.campaign_code}
    audit.record(session, "play.open", "play", one.id, after=told, outlet_code=outlet_code)
    return one


def _check(session: Session, outlet_code: str, wanted: Wanted, now: datetime) -> None:
    outlet = outlets.find(session, outlet_code)
    if outlet is None or outlet.kind != OutletKind.outlet:
        raise Invalid(mark("请选择一个柜面网点。"), field="outlet_code")
    piece = lifecycle.published(session, wanted.piece_key)
    if piece is None or piece.kind != Kind.escape_room:
        raise Invalid(mark("请选择一个已经发布的密室探索。"), field="piece_key")
    if wanted.hours not in HOURS:
        raise Invalid(mark("请选择几小时后自动结束。"), field="hours")
    _check_ties(session, outlet_code, wanted, now)


def _check_ties(session: Session, outlet_code: str, wanted: Wanted, now: datetime) -> None:
    if wanted.occurrence_id is not None:
        held = occurrences.get(session, wanted.occurrence_id)
        if held.outlet_code != outlet_code:
            raise Invalid(mark("这一场活动不在这个网点。"), field="occurrence_id")
    if wanted.campaign_code:
        campaign = programme.find(session, wanted.campaign_code)
        if campaign is None or campaign.ends_on < (now - timedelta(days=1)).date():
            raise Invalid(mark("这个活动期已经结束，或者不存在。"), field="campaign_code")
        if campaign.outlet_code not in programme.over(session, outlet_code):
            raise Invalid(mark("这个活动期不是给这个网点的。"), field="campaign_code")


def _new_code(session: Session) -> str:
    for _turn in range(20):
        code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
        if session.exec(select(PlaySession.id).where(PlaySession.code == code)).first() is None:
            return code
    raise Conflict(mark("现在开着的场次太多，请过一会儿再试。"))


def free_codes(session: Session, now: datetime) -> None:
    """Give back the codes of sessions that closed by themselves."""
    closed = update(PlaySession).where(col(PlaySession.code).is_not(None), col(PlaySession.closes_at) <= now)
    session.connection().execute(closed.values(code=None))


def get(session: Session, number: int) -> PlaySession:
    """A session, or NotFound."""
    one = session.get(PlaySession, number)
    if one is None:
        raise NotFound(GONE)
    return one


def by_code(session: Session, typed: str, now: datetime) -> PlaySession:
    """The open session of a code, however it was spaced; NotFound says what to do."""
    code = "".join(sign for sign in typed[:40] if sign.isdecimal() and sign.isascii())
    one = session.exec(select(PlaySession).where(PlaySession.code == code)).first()
    if one is None or not one.is_open(now):
        raise NotFound(mark("没有这个号码，或者这一场已经结束。请看大屏上的六位数字，再试一次。"))
    return one


def end(session: Session, number: int, *, now: datetime) -> PlaySession:
    """End a session: nobody joins or gains any more, the board stays as it is. Again: changes nothing."""
    one = get(session, number)
    if not one.is_open(now):
        return one
    one.ended_at, one.code = now, None
    session.add(one)
    audit.record(session, "play.end", "play", one.id, after={"ended_at": now}, outlet_code=one.outlet_code)
    return one


def hide(session: Session, number: int, member: int) -> None:
    """Take a nickname off screen and boards, for good; NotFound when it is of another session."""
    one, found = get(session, number), session.get(PlayMember, member)
    if found is None or found.session_id != number:
        raise NotFound(mark("没有找到这个人。"))
    if found.hidden:
        return
    found.hidden = True
    session.add(found)
    audit.record(session, "play.hide", "play", number, after={"member": member}, outlet_code=one.outlet_code)


def listing(session: Session, *where: ColumnElement[bool], most: int = 200) -> Sequence[PlaySession]:
    """Sessions for which the conditions hold, the newest first."""
    query = (
        select(PlaySession)
        .where(*where)
        .order_by(col(PlaySession.opened_at).desc(), col(PlaySession.id).desc())
    )
    return list(session.exec(query.limit(most)))


def members(session: Session, number: int) -> Sequence[PlayMember]:
    """Who is in a session, in the order in which they came."""
    query = select(PlayMember).where(PlayMember.session_id == number)
    return list(session.exec(query.order_by(col(PlayMember.id))))


def sizes(session: Session, numbers: Sequence[int]) -> dict[int, tuple[int, int]]:
    """How many joined each session, and how many came to an end."""
    done = func.sum(case((col(PlayMember.ending) != "", 1), else_=0))
    query = (
        select(PlayMember.session_id, func.count(), done)
        .where(col(PlayMember.session_id).in_(numbers))
        .group_by(col(PlayMember.session_id))
    )
    return {number: (count, int(ended or 0)) for number, count, ended in session.exec(query)}
