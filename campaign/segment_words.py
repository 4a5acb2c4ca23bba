"""What a segment's filters say, in words: for who approves a plan to it."""

from datetime import datetime

from sqlmodel import Session, col, select

from campaign import segment_events
from campaign.addresses import KINDS
from campaign.audience_models import Segment
from campaign.contacts import PURPOSE_NAMES, ContactList
from campaign.groups import GROUPS, LANGUAGES
from campaign.segment_handed import handed
from campaign.segments import Filters, read
from core.i18n import gettext
from institution import places


def words(session: Session, row: Segment) -> list[str]:
    """One line a filter; a segment without any says that it is all contacts of its node."""
    filters = read(row)
    found = [
        _line(gettext("网点或机构"), places.name(session, filters.part) if filters.part else ""),
        _line(gettext("省份"), filters.province),
        _line(gettext("人群类别"), _any(GROUPS[one] for one in filters.groups if one in GROUPS)),
        _line(gettext("语言"), _any(LANGUAGES[one] for one in filters.languages if one in LANGUAGES)),
        _line(gettext("名单"), _lists(session, filters)),
        _reachable(filters),
        segment_events.words(session, filters.event_did, filters.event_of),
        _pushed(session, filters),
    ]
    return [one for one in found if one] or [gettext("这个机构自己名单里的所有人")]


def _line(label: str, value: str) -> str:
    return gettext("%(label)s：%(value)s") % {"label": label, "value": value} if value else ""


def _any(names: object) -> str:
    return gettext("或").join(gettext(one) for one in names)  # type: ignore[attr-defined]


def _lists(session: Session, filters: Filters) -> str:
    names = session.exec(select(ContactList.name).where(col(ContactList.id).in_(filters.lists)))
    return gettext("或").join(names)


def _reachable(filters: Filters) -> str:
    if not filters.channel and not filters.since:
        return ""
    said = [gettext(PURPOSE_NAMES[filters.purpose])]
    if filters.channel in KINDS:
        said.append(gettext(KINDS[filters.channel].label))
    if filters.since:
        day = datetime.fromisoformat(filters.since).date().isoformat()
        said.append(gettext("%(day)s 起同意的") % {"day": day})
    return _line(gettext("同意并可联系"), " · ".join(said))


def _pushed(session: Session, filters: Filters) -> str:
    asks = handed()
    return asks.words(session, filters.push_did, filters.push_id) if asks and filters.push_did else ""
