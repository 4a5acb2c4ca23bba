"""What waits on the desk's first page of what left the site, or is about to."""

from datetime import date, datetime, timedelta

from sqlmodel import Session, select

from content.models import Piece, Revision, State
from content.off_site import withdrawing
from core import clock
from core.http import service
from core.i18n import gettext as _
from core.settings import Settings
from institution.access import SignedIn
from institution.desk_home import Entry, Panel

_FIRST = 5
_AHEAD = timedelta(days=30)


def withdrawn(session: Session, person: SignedIn, now: datetime) -> Panel | None:
    """What somebody else took down and no second person has looked at."""
    if not person.may("content.withdraw"):
        return None
    where = person.scope("content.withdraw").condition(Piece.outlet_code)
    found = withdrawing.unseen(session, person.id, now, where)
    entries = [
        Entry(title(session, one.revision_id), f"/desk/pieces/{one.piece_key}", _("已撤下，请知悉"), "bad")
        for one in found[:_FIRST]
    ]
    return Panel(_("撤下的内容"), "/desk/pieces?state=withdrawn", len(found), entries)


def due(session: Session, person: SignedIn, now: datetime) -> Panel | None:
    """What I wrote whose day of review comes within a month, or is over."""
    if not person.may("content.edit"):
        return None
    today = clock.day_of(now, service(Settings).zone)
    query = select(Revision).where(Revision.state == State.published.value, Revision.author_id == person.id)
    dated = [
        (date.fromisoformat(str(one.meta["review_by"])), one)
        for one in session.exec(query)
        if one.meta.get("review_by")
    ]
    found = sorted(((day, one) for day, one in dated if day <= today + _AHEAD), key=lambda pair: pair[0])
    entries = [
        Entry(one.title, "/desk/due", _("%(day)s 到期", day=day), "bad" if day < today else "warn")
        for day, one in found[:_FIRST]
    ]
    return Panel(_("我的内容快到复核日"), "/desk/due", len(found), entries, urgent=False)


def title(session: Session, revision_id: int) -> str:
    """The title of a revision."""
    found = session.get(Revision, revision_id)
    return found.title if found else ""
