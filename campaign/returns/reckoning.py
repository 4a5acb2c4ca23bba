"""What a return counts: head counts by audience group and materials handed out, under the keys of the reach store."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from campaign.returns.models import ReturnPhoto, ReturnVersion
from campaign.returns.words import ONLINE_FORMS
from tracking.dimensions import PLACES
from tracking.events import ReachEvent, new_event
from tracking.imports.lines import Keys, Line, as_sums

SOURCE = "return"
OFFLINE, LIVESTREAM = "offline", "livestream"  # channels


def counted(version: ReturnVersion) -> dict[Keys, int]:
    """The quantities of a version; nothing for one that takes the return back.

    `attended`: each group under its own number; what is left over, or all of it where no number was told, stands
    under the group if it was the only one and under none otherwise, so that the sum is always the head count.
    `handed_out`: all materials together.
    """
    if version.void or version.held_on is None:
        return {}
    groups = version.audiences
    alone = next(iter(groups), "") if len(groups) == 1 else ""
    heads = {group: number for group, number in groups.items() if number}
    heads[alone] = heads.get(alone, 0) + version.heads - sum(heads.values())
    found = {_keys(version, "attended", group): number for group, number in heads.items()}
    found[_keys(version, "handed_out", alone)] = sum(version.materials.values())
    return {keys: number for keys, number in found.items() if number}


def _keys(version: ReturnVersion, kind: str, audience: str) -> Keys:
    assert version.held_on is not None  # noqa: S101  (asked before)
    return Keys(
        version.held_on,
        kind,
        version.outlet_code,
        LIVESTREAM if version.form in ONLINE_FORMS else OFFLINE,
        version.campaign_code,
        version.piece_key,
        audience,
        version.place if version.place in PLACES else "",
    )


def difference(session: Session, version: ReturnVersion) -> list[Line]:
    """What has to be added to the books so that they say what this version says: all of it for the first one.

    Of what earlier versions added, not of what they would count today: rules of counting may change between.
    """
    sums = dict(counted(version))
    earlier = select(ReturnVersion.lines).where(
        ReturnVersion.return_id == version.return_id, ReturnVersion.id != version.id
    )
    for stored in session.exec(earlier):
        for one in unpacked(stored):
            sums[one.keys] = sums.get(one.keys, 0) - one.quantity
    return as_sums(sums)


def packed(lines: Iterable[Line]) -> list[list[Any]]:
    """Lines as they are kept."""
    return [[one.keys.day.isoformat(), *one.keys[1:], one.quantity] for one in lines]


def unpacked(stored: Iterable[list[Any]]) -> Iterator[Line]:
    """Lines from what was kept."""
    for day, *keys, quantity in stored:
        yield Line(Keys(date.fromisoformat(day), *keys), quantity)


def events(version: ReturnVersion, zone: ZoneInfo) -> Iterator[ReachEvent]:
    """The lines of a version as events, at noon of their day; always the same for the same version."""
    for number, one in enumerate(unpacked(version.lines), 1):
        keys = one.keys
        at = datetime.combine(keys.day, time(12), zone).astimezone(UTC)
        yield new_event(
            keys.kind, at=at, zone=zone, quantity=one.quantity, campaign=keys.campaign, piece=keys.piece,
            outlet=keys.outlet, channel=keys.channel, source=SOURCE, batch=version.batch, audience=keys.audience,
            place=keys.place, id=f"{version.batch}-{number}",
        )  # fmt: skip


_SAID = (
    "return_id", "number", "outlet_code", "void", "starts", "ends", "form", "place", "campaign_code", "piece_key",
    "occurrence_id", "theme", "partners", "partner_names", "audiences", "staff", "heads", "joined", "materials",
    "works", "note", "photos",
)  # fmt: skip


def digest(session: Session, version: ReturnVersion) -> str:
    """SHA-256 (hex) over exactly what is verified: everything that the version says, and its photos."""
    said = {name: getattr(version, name) for name in _SAID}
    said["held_on"] = version.held_on.isoformat() if version.held_on else ""
    photos = select(ReturnPhoto.sha256).where(col(ReturnPhoto.id).in_(version.photos))
    said["pictures"] = sorted(session.exec(photos))
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
