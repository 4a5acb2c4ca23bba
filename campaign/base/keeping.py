"""What a node offers as an education base, kept: services, facilities, the shelf that its outlets show.

An outlet without a shelf of its own shows that of the nearest node above that has one, and without any the
pieces of the campaign that runs there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session, col, select

from campaign.base import offers
from campaign.base.models import EducationBase
from content import lifecycle, pages
from content.listing import PublishedPiece
from content.models import Piece
from core.errors import Invalid, NotFound
from core.i18n import mark
from institution import audit, outlets
from institution.models import Outlet, OutletKind

audit.declare(
    {
        "base.save": mark("修改基地服务与设施"),
        "base.shelf": mark("调整基地书架"),
        "base.import": mark("导入基地资料"),
    }
)
LENGTHS = {"services_text": 300, "services_text_en": 600, "facilities_text": 300, "facilities_text_en": 600}
MOST_ON_SHELF = 24


@dataclass(frozen=True, slots=True)
class Offer:
    """What a form or a row says of an outlet; a field that is None stays as it is."""

    services: Sequence[str] | None = None
    facilities: Sequence[str] | None = None
    shelf: Sequence[str] | None = None
    texts: Mapping[str, str] = field(default_factory=dict)


def find(session: Session, code: str) -> EducationBase | None:
    """What is kept of a node, None when nothing is."""
    return session.get(EducationBase, code)


def hold(session: Session, code: str) -> EducationBase | None:
    """The same, while whoever else wants to change it waits until this transaction ends.

    The node is what is held: a base that was never kept has no row yet.
    """
    query = select(Outlet.code).where(Outlet.code == code).with_for_update()
    if session.exec(query).first() is None:
        raise NotFound(mark("没有找到编号为“%(code)s”的网点，请核对后再试。"), code=code)
    query_own = select(EducationBase).where(EducationBase.outlet_code == code)
    return session.exec(query_own.execution_options(populate_existing=True)).first()


def shown(one: EducationBase | None) -> dict[str, object]:
    """A base as its form shows it; the shelf has a form of its own."""
    return {
        "services": list(one.services) if one else [],
        "facilities": list(one.facilities) if one else [],
        **{name: getattr(one, name) if one else "" for name in LENGTHS},
    }


def save(session: Session, code: str, offer: Offer, *, now: datetime) -> EducationBase:
    """Keep what an outlet offers; Invalid names the field. Only what the offer speaks of changes."""
    outlet = outlets.get(session, code)
    if outlet.kind != OutletKind.outlet and (offer.services or offer.facilities or any(offer.texts.values())):
        raise Invalid(mark("只有柜面网点有服务与设施；分支机构只设书架。"), field="services")
    one, before, after = put(session, code, offer, now=now)
    if before != after:
        audit.record(session, "base.save", "base", code, before=before, after=after, outlet_code=code)
        pages.bump(session)
    return one


def put(
    session: Session, code: str, offer: Offer, *, now: datetime
) -> tuple[EducationBase, dict[str, object], dict[str, object]]:
    """`save` without a record, for what leaves one for many: the base, and how it looked before and after."""
    check(offer)
    found = find(session, code)
    before = shown(found) | {"shelf": list(found.shelf) if found else []}
    one = found or EducationBase(outlet_code=code, updated_at=now)
    if offer.services is not None:
        one.services = offers.ordered(offers.SERVICES, offer.services)
    if offer.facilities is not None:
        one.facilities = offers.ordered(offers.FACILITIES, offer.facilities)
    if offer.shelf is not None:
        one.shelf = list(dict.fromkeys(offer.shelf))
    for name, text in offer.texts.items():
        setattr(one, name, _clean(text))
    after = shown(one) | {"shelf": list(one.shelf)}
    if before != after:
        one.updated_at = now
        session.add(one)
        session.flush()
    return one, before, after


def check(offer: Offer) -> None:
    """Invalid for a text that is too long, or a shelf that nobody would walk along."""
    for name, text in offer.texts.items():
        if len(_clean(text)) > LENGTHS[name]:
            raise Invalid(
                mark("最多 %(most)s 个字，这里有 %(count)s 个。"),
                field=name, most=LENGTHS[name], count=len(_clean(text)),
            )  # fmt: skip
    if offer.shelf is not None and len(set(offer.shelf)) > MOST_ON_SHELF:
        raise Invalid(mark("书架最多放 %(most)s 篇。"), field="shelf", most=MOST_ON_SHELF)


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def arrange(session: Session, code: str, keys: Sequence[str], *, now: datetime) -> None:
    """The shelf of a node in its order; empty: what stands above it counts again. Invalid for an unknown piece."""
    outlets.get(session, code)
    unknown = next((key for key in keys if session.get(Piece, key) is None), None)
    if unknown is not None:
        raise Invalid(mark("没有找到内容“%(key)s”。"), field="piece", key=unknown)
    _one, before, after = put(session, code, Offer(shelf=keys), now=now)
    if before == after:
        return
    audit.record(
        session, "base.shelf", "base", code,
        before={"pieces": before["shelf"]}, after={"pieces": after["shelf"]}, outlet_code=code,
    )  # fmt: skip
    pages.bump(session)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The shelf that an outlet shows: the node whose it is ("" for none), its pieces that are published."""

    owner: str
    pieces: Sequence[PublishedPiece]


def shelf(session: Session, code: str) -> Shelf:
    """The shelf of the nearest node, this one first."""
    way = [one.code for one in reversed(outlets.path(session, code))]
    rows = session.exec(select(EducationBase).where(col(EducationBase.outlet_code).in_(way)))
    kept = {one.outlet_code: one.shelf for one in rows}
    owner = next((node for node in way if kept.get(node)), "")
    return Shelf(owner, published(session, kept[owner]) if owner else [])


def published(session: Session, keys: Iterable[str]) -> list[PublishedPiece]:
    """Of these pieces, those on the site, in their order."""
    found = (lifecycle.published(session, key) for key in keys)
    return [one for one in found if one is not None]
