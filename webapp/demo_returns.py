"""Activity returns of the demo institution: some verified, some that wait, one sent back, one begun; photos we drew.

Filed through the verbs that staff use, in the name of two system accounts that can never sign in.
"""

import io
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from PIL import Image, ImageDraw, ImageFilter
from sqlalchemy import delete
from sqlmodel import Session, col, select

from campaign.programme import listing
from campaign.returns import deciding, filing, photos
from campaign.returns.models import ActivityReturn, ReturnPhoto, ReturnVersion
from core.database import Database
from core.i18n import mark
from core.settings import Settings
from institution import approvals, people
from institution.approval_models import Approval, ApprovalStep
from institution.deciders import Hand
from institution.models import Outlet
from webapp.demo_staff import PROVINCE

FILER = ("demo-outlet-desk", mark("示范网点"))
VERIFIER = ("demo-branch-desk", mark("示范分公司"))
_SIZE = (960, 720)
_WAITS, _MEND, _BEGUN, _DONE = "waits", "mend", "begun", "done"
# how it stands, days ago, form, place, heads, joined, groups, materials, partners, photos (by number)
_PLAN: tuple[tuple[str, int, str, str, int, int, dict[str, str], int, list[str], list[int]], ...] = (
    (_DONE, 38, "lecture", "community", 64, 41, {"elders": "50"}, 120, ["community"], [1, 2]),
    (_DONE, 33, "salon", "outlet", 26, 18, {"elders": "26"}, 40, [], [3]),
    (_DONE, 29, "booth", "market", 210, 96, {"new_citizens": ""}, 420, ["police"], [4, 5]),
    (_DONE, 24, "lecture", "campus", 180, 160, {"youth": "180"}, 200, ["school"], [6]),
    (_DONE, 20, "visit", "village", 48, 20, {"elders": "30", "workers": "12"}, 96, ["community"], [7]),
    (_DONE, 15, "talk", "company", 55, 30, {"workers": "55"}, 60, ["association"], [8]),
    (_DONE, 11, "livestream", "online", 1260, 340, {}, 0, ["media"], [9]),
    (_WAITS, 6, "lecture", "community", 72, 44, {"elders": "60"}, 130, ["police"], [10]),
    (_WAITS, 5, "booth", "market", 95, 120, {"new_citizens": ""}, 2400, [], [11]),
    (_WAITS, 4, "salon", "outlet", 31, 22, {"elders": "31"}, 45, [], [-2]),
    (_MEND, 3, "lecture", "campus", 150, 150, {"youth": "150"}, 150, ["school"], []),
    (_BEGUN, 1, "visit", "village", 40, 0, {"elders": ""}, 0, [], [12]),
)


def plant(database: Database, settings: Settings, now: datetime) -> int:
    """File the returns in the demo's province, unless there are some; returns how many."""
    with database.transaction() as session:
        if session.exec(select(ActivityReturn.id).where(col(ActivityReturn.demo)).limit(1)).first():
            return 0
        query = select(Outlet.code).where(
            col(Outlet.demo),
            Outlet.kind == "outlet",
            col(Outlet.closed_on).is_(None),
            col(Outlet.code).startswith(PROVINCE[:2]),
        )
        outlets = list(session.exec(query.order_by(Outlet.code).limit(len(_PLAN))))
        campaigns = [
            one.code for one in listing(session) if one.runs_on(now.astimezone(settings.zone).date())
        ]
        for number in range(len(_PLAN) if outlets else 0):
            outlet = outlets[number % max(1, min(len(outlets), 5))]
            _file(session, settings, number, outlet, campaigns=campaigns, now=now)
        return len(_PLAN) if outlets else 0


def _file(
    session: Session, settings: Settings, number: int, outlet: str, *, campaigns: Sequence[str], now: datetime
) -> None:
    state, ago, *_rest, pictures = _PLAN[number]
    by = people.system_account(session, *FILER, now).id or 0
    then = now - timedelta(days=max(0, ago - 1))
    today = then.astimezone(settings.zone).date()
    made = filing.start(session, outlet_code=outlet, key=f"demo-{number}", by=by, now=then)
    made.demo = True
    typed = _typed(number, (then - timedelta(days=1)).astimezone(settings.zone).date().isoformat(), campaigns)
    filing.save(session, made.id or 0, typed, by=by, now=then, today=today)
    current = filing.version(session, made)
    for picture in pictures:
        drawn = photos.draw(f"demo-{picture}.jpg", _jpeg(picture))
        photos.write(settings.files_dir, drawn)
        photos.add(session, current, drawn, by=by, now=then)
    if state != _BEGUN:
        filing.submit(session, made.id or 0, by=by, now=then, today=today)
    if state in (_DONE, _MEND):
        _decide(session, current, state, then + timedelta(hours=3))


def _typed(number: int, day: str, campaigns: Sequence[str]) -> dict[str, Any]:
    _state, _ago, form, place, heads, joined, groups, given, partners, _photos = _PLAN[number]
    typed: dict[str, Any] = {
        "held_on": day, "starts": "09:30", "ends": "11:00", "form": form, "place": place, "staff": str(2 + number % 4),
        "heads": str(heads), "joined": str(joined), "audiences": list(groups), "partners": partners,
        "material_leaflet": str(given), "work_wechat": str(1 + number % 3), "theme": "先停一停，问一问，再转账",
        "campaign_code": campaigns[0] if campaigns and not number % 2 else "",
    }  # fmt: skip
    return typed | {f"audience_{key}": told for key, told in groups.items()}


def _decide(session: Session, current: ReturnVersion, state: str, then: datetime) -> None:
    asked = filing.asked(session, current)
    assert asked is not None  # noqa: S101  (it was handed in just now)
    decider = people.system_account(session, *VERIFIER, then).id or 0
    decision = approvals.APPROVED if state == _DONE else approvals.CHANGES
    opinion = "" if state == _DONE else "请补上现场照片，并与签到表核对人数。"
    approvals.settle(
        session, asked, approvals.open_step(session, asked), Hand(decider), decision=decision, now=then, opinion=opinion
    )  # fmt: skip


def clear(session: Session) -> int:
    """Take the demo's returns away with their photos and requests; returns how many."""
    numbers = [one or 0 for one in session.exec(select(ActivityReturn.id).where(col(ActivityReturn.demo)))]
    versions = select(ReturnVersion.id).where(col(ReturnVersion.return_id).in_(numbers))
    subjects = [str(one) for one in session.exec(versions)]
    asked = select(Approval.id).where(
        Approval.kind == deciding.PERMISSION, col(Approval.subject).in_(subjects)
    )
    session.execute(delete(ApprovalStep).where(col(ApprovalStep.approval_id).in_(asked)))
    session.execute(
        delete(Approval).where(col(Approval.kind) == deciding.PERMISSION, col(Approval.subject).in_(subjects))
    )
    for number in numbers:
        photos.remove(session, number)
    session.execute(delete(ReturnPhoto).where(col(ReturnPhoto.return_id).in_(numbers)))
    session.execute(delete(ReturnVersion).where(col(ReturnVersion.return_id).in_(numbers)))
    session.execute(delete(ActivityReturn).where(col(ActivityReturn.id).in_(numbers)))
    return len(numbers)


def _jpeg(number: int) -> bytes:
    """Photo `number` of the plan; a negative one is the same as its positive, cropped and darker."""
    image = _scene(abs(number))
    if number < 0:
        width, height = image.size
        image = image.crop((int(width * 0.08), int(height * 0.1), width, height)).point(
            lambda value: int(value * 0.85)
        )
    out = io.BytesIO()
    image.save(out, "JPEG", quality=84)
    return out.getvalue()


def _scene(number: int) -> Image.Image:
    """People seen from behind before a speaker, a banner and a table: flat shapes, no face."""
    luck = random.Random(20_260 + number)  # noqa: S311  (invented pictures, always the same)
    width, height = _SIZE
    wall, floor = luck.choice(_WALLS), luck.choice(_FLOORS)
    image = Image.new("RGB", _SIZE, wall)
    pen = ImageDraw.Draw(image)
    horizon = int(height * luck.uniform(0.5, 0.62))
    pen.rectangle((0, horizon, width, height), fill=floor)
    left = luck.randint(60, 300)
    pen.rounded_rectangle(
        (left, 60, left + luck.randint(380, 560), luck.randint(150, 210)), 14, fill=luck.choice(_CLOTHES)
    )
    for line in range(luck.randint(2, 4)):
        pen.rectangle(
            (left + 40, 84 + line * 30, left + 40 + luck.randint(120, 300), 96 + line * 30), fill="#f6edd8"
        )
    for _ in range(luck.randint(2, 4)):  # windows, posters
        x, y = luck.randint(20, width - 160), luck.randint(190, horizon - 90)
        pen.rectangle(
            (x, y, x + luck.randint(50, 130), y + luck.randint(50, 100)), fill=luck.choice(_POSTERS)
        )
    table = luck.randint(120, width - 420)
    pen.rounded_rectangle(
        (table, horizon - 40, table + luck.randint(200, 320), horizon + 70), 10, fill="#8a6a45"
    )
    _person(pen, table + 90, horizon - 60, 1.0, luck)
    for row in range(luck.randint(2, 4)):
        size, y = 0.9 + row * 0.25, horizon + 70 + row * 75
        for x in range(luck.randint(20, 90), width, luck.randint(95, 150)):
            _person(pen, x + luck.randint(-12, 12), y, size, luck)
    grain = Image.effect_noise(_SIZE, 14).convert("RGB")
    return Image.blend(image.filter(ImageFilter.GaussianBlur(0.8)), grain, 0.06)


def _person(pen: ImageDraw.ImageDraw, x: int, y: int, size: float, luck: random.Random) -> None:
    shoulder, head = 34 * size, 19 * size
    pen.rounded_rectangle(
        (x - shoulder, y, x + shoulder, y + 110 * size), int(26 * size), fill=luck.choice(_CLOTHES)
    )
    pen.ellipse((x - head, y - head * 1.9, x + head, y + head * 0.2), fill=luck.choice(_HAIR))


_WALLS = ("#efe6d2", "#dfe7e2", "#e8dcc8", "#d9e2ea", "#f0e8e0")
_FLOORS = ("#b9a58a", "#9fa9a3", "#c4b49a", "#8f9aa3", "#a8927a")
_CLOTHES = ("#1f5f4a", "#b5482f", "#2f5d8a", "#d9a62e", "#6b4a7d", "#5a6b62", "#8c3b3b", "#3d4a57")
_POSTERS = ("#cfe3da", "#f2c94c", "#a9c7df", "#e6b8a2")
_HAIR = ("#2b2320", "#6d6a66", "#b9b6b0", "#3a2c22")
