"""What the tests of returns share: people of a branch, a typed form, pictures made of numbers, the way to the books."""

import io
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter
from sqlmodel import Session, select

from campaign.returns import deciding, filing, photos
from campaign.returns.booking import Bookkeeper
from campaign.returns.models import ActivityReturn, ReturnVersion
from core import clock
from core.database import Database
from core.settings import Settings
from core.signing import Keys
from institution import approvals
from institution.models import Staff
from tests import factories
from tracking.attribution import Attributions
from tracking.recorder import Recorder
from tracking.spool import Spool

ZONE = ZoneInfo("Asia/Shanghai")
assert deciding.PERMISSION
TYPED = {
    "held_on": "2026-09-14", "starts": "09:30", "ends": "11:00", "form": "lecture", "place": "community",
    "staff": "3", "heads": "60", "joined": "42", "audiences": ["elders"], "partners": ["police"],
    "material_leaflet": "80", "work_wechat": "2", "theme": "先停一停，再转账",
}  # fmt: skip


@dataclass(frozen=True)
class People:
    """Who files, who verifies, who is of another province; `other` files for the same outlet too."""

    clerk: int
    other: int
    branch: int
    outsider: int


def people(session: Session, now: datetime) -> People:
    """The tree, and the people of it."""
    factories.tree(session, now)
    clerk = factories.staff(session, factories.OUTLET_STAFF, now)
    branch = factories.staff(session, factories.BRANCH_MANAGER, now)
    outsider = factories.staff(session, factories.OUTSIDER, now)
    other = factories.person(session, "he.outlet", "何柜员", "outlet_staff", now, at=factories.OUTLET_A)
    return People(_id(clerk), _id(other), _id(branch), _id(outsider))


def _id(person: Staff) -> int:
    return person.id or 0


def draft(session: Session, by: int, now: datetime, *, outlet: str = factories.OUTLET_A, **typed: Any) -> int:
    """A saved draft; its number."""
    made = filing.start(
        session, outlet_code=outlet, key=f"k-{outlet}-{now.timestamp()}-{count(session)}", by=by, now=now
    )
    filing.save(session, made.id or 0, {**TYPED, **typed}, by=by, now=now, today=now.astimezone(ZONE).date())
    return made.id or 0


def count(session: Session) -> int:
    return len(session.exec(select(ActivityReturn.id)).all())


def hand_in(session: Session, number: int, by: int, now: datetime) -> ReturnVersion:
    """Submit the latest version."""
    return filing.submit(session, number, by=by, now=now, today=now.astimezone(ZONE).date())


def filed(session: Session, by: int, now: datetime, *, outlet: str = factories.OUTLET_A, **typed: Any) -> int:
    """A return that waits to be verified."""
    number = draft(session, by, now, outlet=outlet, **typed)
    hand_in(session, number, by, now)
    return number


def decide(
    session: Session, number: int, by: int, now: datetime, *, decision: str = "approved", opinion: str = ""
) -> None:
    """Decide on the latest version of a return."""
    request = filing.asked(session, latest(session, number))
    assert request is not None
    approvals.decide(session, request.id or 0, decision=decision, by=by, now=now, opinion=opinion)


def latest(session: Session, number: int) -> ReturnVersion:
    return filing.version(session, filing.get(session, number))


def verified(session: Session, who: People, now: datetime, **typed: Any) -> int:
    """A return that was verified."""
    number = filed(session, who.clerk, now, **typed)
    decide(session, number, who.branch, now)
    return number


class Books:
    """The way of verified returns into the spool of an installation."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.spool = Spool.of(settings)
        self.recorder = Recorder(self.spool, Attributions(Keys(b"of-no-value")), settings)
        self.keeper = Bookkeeper(database, self.recorder, ZONE, clock.now)

    def lines(self) -> list[list[str]]:
        """Everything that lies in the spool, as columns."""
        texts = [path.read_text("utf-8") for path in self.spool.sealed()]
        return [line.split("\t") for text in texts for line in text.splitlines()]


def total(lines: list[list[str]], kind: str = "attended") -> int:
    """The sum of a kind in lines of the spool."""
    return sum(int(line[4]) for line in lines if line[3] == kind)


def picture(seed: int, size: tuple[int, int] = (256, 192)) -> Image.Image:
    """A scene of its own for each seed: light from one side, a floor, things and people, the grain of a phone."""
    luck = np.random.default_rng(seed)
    if luck.random() < 0.3:
        size = size[::-1]
    width, height = size
    y, x = np.mgrid[0:height, 0:width] / max(size)
    one, other, turn = luck.integers(40, 230, 3), luck.integers(40, 230, 3), luck.uniform(0, 6.28)
    light = x * np.cos(turn) + y * np.sin(turn)
    light = (light - light.min()) / (np.ptp(light) + 1e-9)
    image = Image.fromarray((one + (other - one) * light[..., None]).astype(np.uint8), "RGB")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, int(height * luck.uniform(0.45, 0.8)), width, height), fill=_colour(luck))
    for _ in range(int(luck.integers(6, 16))):
        _thing(pen, luck, width, height)
    image = image.filter(ImageFilter.GaussianBlur(float(luck.uniform(0.4, 1.2))))
    coarse = luck.normal(0, 1, (height // 12, width // 12)).astype(np.float32)
    texture = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))[..., None]
    grain = luck.normal(0, luck.uniform(2, 6), (height, width, 1))
    pixels = np.asarray(image, float) + texture * luck.uniform(4, 12) + grain
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB")


def _colour(luck: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in luck.integers(10, 250, 3))
    return red, green, blue


def _thing(pen: ImageDraw.ImageDraw, luck: np.random.Generator, width: int, height: int) -> None:
    x, y = luck.uniform(0, width), luck.uniform(0, height)
    size, kind, fill = luck.uniform(0.05, 0.25) * min(width, height), luck.integers(0, 4), _colour(luck)
    if kind == 0:
        pen.ellipse((x - size, y - size, x + size, y + size * luck.uniform(0.6, 1.5)), fill=fill)
    elif kind == 1:
        pen.rectangle((x - size, y - size * luck.uniform(0.3, 1), x + size, y + size * 0.6), fill=fill)
    elif kind == 2:
        turns = np.sort(luck.uniform(0, 6.28, 4))
        pen.polygon([(x + size * np.cos(turn), y + size * np.sin(turn)) for turn in turns], fill=fill)
    else:
        pen.rounded_rectangle((x - size * 0.4, y - size * 0.2, x + size * 0.4, y + size * 1.4), 8, fill=fill)
        pen.ellipse((x - size * 0.3, y - size * 0.8, x + size * 0.3, y - size * 0.2), fill=(220, 180, 150))


def altered(image: Image.Image, seed: int) -> Image.Image:
    """The same photo after a messenger and a clumsy hand: cropped up to 15 % a side, resized, other light and
    contrast, a date and a badge written on it, recompressed hard."""
    luck = np.random.default_rng(10_000 + seed)
    left, top, right, bottom = luck.uniform(0, 0.15, 4)
    width, height = image.size
    image = image.crop(
        (int(width * left), int(height * top), int(width * (1 - right)), int(height * (1 - bottom)))
    )
    by = luck.uniform(0.5, 1.4)
    image = image.resize((int(image.width * by), int(image.height * by)), Image.Resampling.BICUBIC)
    image = ImageEnhance.Brightness(image).enhance(float(luck.uniform(0.75, 1.3)))
    image = ImageEnhance.Contrast(image).enhance(float(luck.uniform(0.8, 1.2)))
    pen = ImageDraw.Draw(image)
    pen.text((image.width * 0.7, image.height * 0.92), "2026-09-15", fill=(255, 255, 255))
    pen.rectangle((4, 4, 4 + image.width // 8, 4 + image.height // 14), fill=(200, 30, 30))
    return Image.open(io.BytesIO(jpeg(image, int(luck.integers(35, 80))))).convert("RGB")


def jpeg(image: Image.Image, quality: int = 88, **more: Any) -> bytes:
    """The bytes of a picture as a phone would send it."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, **more)
    return out.getvalue()


def add_photo(
    session: Session, number: int, image: Image.Image, by: int, *, now: datetime, settings: Settings
) -> int:
    """Put a photo into the draft of a return; its number."""
    made = photos.draw("现场.jpg", jpeg(image))
    photos.write(settings.files_dir, made)
    current = latest(session, number)
    assert photos.add(session, current, made, by=by, now=now)
    return current.photos[-1]
