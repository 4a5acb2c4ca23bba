"""What the demo institution's outlets offer: invented, always the same, and only pieces that there are on its shelves."""

import random
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, insert
from sqlmodel import Session, col, select

from campaign.base.models import EducationBase, HallScreen, PlaqueArchive
from campaign.base.offers import FACILITIES, SERVICES
from institution.models import Outlet, OutletKind
from webapp.demo_tree import Planned

_SEED = 20_210_315
_TEXTS = (
    (
        "每周二上午有人当面讲，带上手机一起看。",
        "Somebody explains in person every Tuesday morning; bring your phone.",
    ),
    (
        "读物可以带回家，看完还回来就行。",
        "Take the booklets home and bring them back when you have read them.",
    ),
    ("", ""),
)
_WAYS = (
    ("坡道在东门，按铃有人来接。", "The ramp is at the east door; ring and somebody comes."),
    ("老花镜在一号窗口。", "Reading glasses are at window 1."),
    ("", ""),
)
_SHELVES = (
    ("full-surrender", "ai-voice", "credit-repair", "screen-share"),
    ("health-lecture", "fake-service", "full-surrender", "elder-services"),
    ("rebate-tasks", "ten-frauds", "ai-voice"),
)


def plant(session: Session, planned: Iterable[Planned], pieces: Sequence[str], now: datetime) -> None:
    """Services and facilities of every outlet, shelves of the provinces; in bulk, a second for all."""
    luck, rows = random.Random(_SEED), []  # noqa: S311  (invented data, always the same)
    for each in planned:
        kind = each.values["kind"]
        if kind == OutletKind.outlet:
            rows.append(_outlet(each.values["code"], luck, now))
        elif kind == OutletKind.province:
            kept = [key for key in luck.choice(_SHELVES) if key in pieces]
            rows.append(_row(each.values["code"], now, shelf=kept))
    if rows:
        session.execute(insert(EducationBase), rows)


def clear(session: Session) -> None:
    """Take away what belongs to the demo's outlets."""
    codes = select(Outlet.code).where(col(Outlet.demo))
    for table in (EducationBase, HallScreen, PlaqueArchive):
        session.execute(delete(table).where(col(table.outlet_code).in_(codes)))


def _outlet(code: str, luck: random.Random, now: datetime) -> dict[str, object]:
    services = ["lecture", *luck.sample([key for key in SERVICES if key != "lecture"], luck.randint(2, 5))]
    facilities = [
        "glasses",
        *luck.sample([key for key in FACILITIES if key != "glasses"], luck.randint(2, 5)),
    ]
    (text, text_en), (way, way_en) = luck.choice(_TEXTS), luck.choice(_WAYS)
    return _row(
        code, now, services=[key for key in SERVICES if key in services], services_text=text, services_text_en=text_en,
        facilities=[key for key in FACILITIES if key in facilities], facilities_text=way, facilities_text_en=way_en,
    )  # fmt: skip


def _row(code: str, now: datetime, **more: object) -> dict[str, object]:
    texts = dict.fromkeys(("services_text", "services_text_en", "facilities_text", "facilities_text_en"), "")
    return {
        "outlet_code": code,
        "services": [],
        "facilities": [],
        "shelf": [],
        "updated_at": now,
        **texts,
        **more,
    }
