"""How long the nicknames of a session are kept: thirty days after its end; the figures stay."""

from datetime import datetime

from sqlalchemy import ColumnElement, String, cast, func, literal, or_, update
from sqlmodel import Session, col, select

from campaign.play_sessions.models import PlayMember, PlaySession
from core.i18n import mark
from institution import retention
from institution.retention import Rule

DAYS = 30


def _over(before: datetime) -> list[ColumnElement[bool]]:
    ended = func.coalesce(col(PlaySession.ended_at), col(PlaySession.closes_at))
    done = select(PlaySession.id).where(ended < before)
    return [
        or_(col(PlayMember.nickname) != "", col(PlayMember.play_hash) != ""),
        col(PlayMember.session_id).in_(done),
    ]


def _count(session: Session, before: datetime) -> int:
    return session.exec(select(func.count()).select_from(PlayMember).where(*_over(before))).one()


def _clear(session: Session, before: datetime) -> int:
    alone = literal("#").concat(cast(col(PlayMember.id), String))  # no two alike in a session
    gone = update(PlayMember).where(*_over(before)).values(nickname="", play_hash="", name_key=alone)
    return session.connection().execute(gone).rowcount


retention.declare(
    Rule(
        "play.nickname",
        mark("一起玩密室时写的昵称"),
        DAYS,
        mark("《个人信息保护法》第十九条：为实现目的所必要的最短时间；成绩留着，昵称不留"),
        count=_count,
        clear=_clear,
    )
)
