"""How long what readers say is kept, and where its ciphertext stands."""

from datetime import datetime

from sqlmodel import Session, col, delete, func, select

from content.voices.models import PieceVoice
from core.i18n import mark
from institution import retention, sealed
from institution.retention import Rule
from institution.sealed import Sealed


def _over(session: Session, before: datetime) -> int:
    query = select(func.count()).select_from(PieceVoice).where(col(PieceVoice.day) < before.date())
    return session.exec(query).one()


def _clear(session: Session, before: datetime) -> int:
    return (
        session.connection().execute(delete(PieceVoice).where(col(PieceVoice.day) < before.date())).rowcount
    )


retention.declare(
    Rule(
        "content.voices",
        mark("读者对内容的评价和留言（不知道是谁）"),
        365,
        mark("《个人信息保护法》第十九条：为实现目的所必要的最短时间；一年里可以改进内容"),
        count=_over,
        clear=_clear,
    )
)
sealed.declare(Sealed(PieceVoice, ("words_sealed",), mark("读者留言")))
