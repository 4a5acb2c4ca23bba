"""Photos of returns: drawn anew without what a camera writes beside the pixels, kept by hash, found again.

Files lie below `returns/` of the folder of files, which no public page serves: a face belongs to who was there.
"""

import hashlib
import io
import os
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete, func, or_
from sqlmodel import Session, col, select

from campaign.returns import likeness
from campaign.returns.likeness import Look, Spot
from campaign.returns.models import DRAFT, PhotoMatch, PhotoWord, ReturnPhoto, ReturnVersion
from content import raster
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark

MOST, LARGEST = 9, 12 * 1024 * 1024  # photos of a return; bytes of one
LONGEST, QUALITY = 1600, 82
AGREE, SAME = 4, 0.6  # words in one arrangement that make a candidate; correlation from which it is the same
_CANDIDATES = 24
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_SIGNS = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n\x1a\n", "png"))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A photo as it is kept: the bytes of a JPEG that we wrote, its size, what it looks like."""

    data: bytes
    width: int
    height: int
    look: Look

    @property
    def sha256(self) -> str:
        """The hash of the file."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def file(self) -> str:
        """Its place below the folder of files."""
        return f"returns/{self.sha256[:2]}/{self.sha256[:32]}.jpg"


@dataclass(frozen=True, slots=True)
class Double:
    """A photo of a return and the photo of another that looks the same; `score` of 1."""

    photo: int
    other: ReturnPhoto
    score: float


def draw(name: str, data: bytes) -> Drawn:
    """The photo as it will be kept; Invalid names the file and the rule. Writes nothing."""
    kind = next((kind for sign, kind in _SIGNS if data.startswith(sign)), "")
    if not kind and data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "webp"
    if not kind:
        raise Invalid(
            mark("“%(name)s”不是 JPG、PNG 或 WebP 照片，请换一张。"), field="photos", name=name[:80]
        )
    if len(data) > LARGEST:
        raise Invalid(
            mark("照片“%(name)s”超过 12 MB，请用手机的“压缩”或截图后再传。"), field="photos", name=name[:80]
        )
    image = raster.drawn(name[:80], data, kind, LONGEST)
    if min(image.size) < 48:
        raise Invalid(mark("照片“%(name)s”太小，看不清现场。"), field="photos", name=name[:80])
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY, optimize=True)
    return Drawn(out.getvalue(), *image.size, likeness.look(image))


def write(files_dir: Path, drawn: Drawn) -> None:
    """Store the file, whole or not at all, readable by this installation alone; again changes nothing."""
    target = files_dir / drawn.file
    if target.exists():
        os.utime(target)  # the sweep spares what was just asked for
        return
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    with temporary.open("wb") as stream:
        stream.write(drawn.data)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.chmod(0o600)
    temporary.replace(target)


def add(session: Session, version: ReturnVersion, drawn: Drawn, *, by: int, now: datetime) -> bool:
    """Note a stored photo and what looks the same in other returns; False when this very one is there already."""
    if not version.open:
        raise Conflict(mark("这份回执已经提交，不能再加照片。"))
    known = select(ReturnPhoto.sha256).where(col(ReturnPhoto.id).in_(version.photos))
    if drawn.sha256 in session.exec(known).all():
        return False
    if len(version.photos) >= MOST:
        raise Invalid(mark("一份回执最多 %(most)s 张照片。"), field="photos", most=MOST)
    alike = find(session, drawn.look, other_than=version.return_id)
    photo = ReturnPhoto(
        return_id=version.return_id, outlet_code=version.outlet_code, sha256=drawn.sha256, file=drawn.file,
        width=drawn.width, height=drawn.height, sketch=drawn.look.sketch, added_by=by, added_at=now,
    )  # fmt: skip
    session.add(photo)
    session.flush()
    number = photo.id or 0
    for word, spot in {(word, spot.packed) for word, spot in drawn.look.words}:
        session.add(PhotoWord(word=word, photo_id=number, spot=spot))
    for other, score in alike:
        session.add(PhotoMatch(photo_id=number, other_id=other, score=round(score * 1000)))
    version.photos = [*version.photos, number]
    session.add(version)
    session.flush()
    return True


def find(session: Session, look: Look, *, other_than: int = 0) -> list[tuple[int, float]]:
    """The photos of other returns that look the same, with how well they match, the best first.

    Words are asked for by their index: a photo that shares fewer than four of them is never read.
    """
    tried = sorted(frozenset().union(*look.tries)) if look.tries else []
    shared = (
        select(PhotoWord.photo_id)
        .where(col(PhotoWord.word).in_(tried))
        .group_by(col(PhotoWord.photo_id))
        .having(func.count() >= AGREE)
    )
    query = select(PhotoWord.photo_id, PhotoWord.word, PhotoWord.spot).where(
        col(PhotoWord.word).in_(tried), col(PhotoWord.photo_id).in_(shared)
    )
    there: dict[int, dict[int, list[Spot]]] = {}
    for photo, word, spot in session.exec(query) if tried else ():
        there.setdefault(photo, {}).setdefault(word, []).append(Spot.unpacked(spot))
    lies = {photo: likeness.laid(_pairs(look, words)) for photo, words in there.items()}
    agreed = Counter({photo: one.agreed for photo, one in lies.items() if one.agreed >= AGREE})
    likely = [photo for photo, _count in agreed.most_common(_CANDIDATES)]
    rows = session.exec(
        select(ReturnPhoto).where(col(ReturnPhoto.id).in_(likely), ReturnPhoto.return_id != other_than)
    )
    found = []
    for number, sketch in [(one.id or 0, one.sketch) for one in rows]:
        score = likeness.alike(look.sketch, sketch, lies[number])
        if score >= SAME:
            found.append((number, score))
    return sorted(found, key=lambda one: -one[1])


def _pairs(look: Look, words: dict[int, list[Spot]]) -> list[tuple[Spot, Spot]]:
    return [
        (spot, other)
        for (_word, spot), tries in zip(look.words, look.tries, strict=True)
        for word in tries & words.keys()
        for other in words[word]
    ]


def doubles(session: Session, numbers: Collection[int]) -> list[Double]:
    """What is known to look the same as these photos in other returns that are more than a draft."""
    some = list(numbers)
    query = select(PhotoMatch).where(
        or_(col(PhotoMatch.photo_id).in_(some), col(PhotoMatch.other_id).in_(some))
    )
    turned = [
        (one.photo_id, one.other_id, one.score)
        if one.photo_id in some
        else (one.other_id, one.photo_id, one.score)
        for one in session.exec(query)
    ]
    handed_in = select(ReturnVersion.return_id).where(ReturnVersion.state != DRAFT)
    others = session.exec(
        select(ReturnPhoto).where(
            col(ReturnPhoto.id).in_([other for _mine, other, _score in turned]),
            col(ReturnPhoto.dropped_at).is_(None),
            col(ReturnPhoto.return_id).in_(handed_in),
        )
    )
    known = {one.id or 0: one for one in others}
    found = [Double(mine, known[other], score / 1000) for mine, other, score in turned if other in known]
    return sorted(found, key=lambda one: (-one.score, one.photo))


def of(session: Session, version: ReturnVersion) -> list[ReturnPhoto]:
    """The photos of a version, in their order."""
    rows = {one.id: one for one in session.exec(_some(version.photos))}
    return [rows[number] for number in version.photos if number in rows]


def _some(numbers: Sequence[int]):  # type: ignore[no-untyped-def]  # SQLModel's own type of a query
    return select(ReturnPhoto).where(col(ReturnPhoto.id).in_(list(numbers)))


def get(session: Session, number: int) -> ReturnPhoto:
    """A photo that is still there, or NotFound."""
    found = session.get(ReturnPhoto, number)
    if found is None or found.dropped_at is not None:
        raise NotFound(mark("没有找到这张照片，可能已过保存期限。"))
    return found


def served(files_dir: Path, photo: ReturnPhoto) -> bytes:
    """The bytes of a JPEG; NotFound when the file is missing."""
    path = files_dir / photo.file
    if not photo.file or not path.is_file():
        raise NotFound(mark("没有找到这张照片，可能已过保存期限。"))
    return path.read_bytes()


def drop(session: Session, version: ReturnVersion, number: int, now: datetime) -> None:
    """Take a photo out of a draft; nothing is left of it unless another version of the return shows it."""
    if not version.open:
        raise Conflict(mark("这份回执已经提交，不能再改照片。"))
    if number not in version.photos:
        raise NotFound(mark("没有找到这张照片，可能已过保存期限。"))
    version.photos = [one for one in version.photos if one != number]
    session.add(version)
    session.flush()
    release(session, version.return_id, [number], now)


def release(session: Session, return_id: int, numbers: Iterable[int], now: datetime) -> None:
    """Let photos go that no version of the return shows any more; the sweep takes their files away."""
    shown = {
        one
        for photos in session.exec(select(ReturnVersion.photos).where(ReturnVersion.return_id == return_id))
        for one in photos
    }
    forget(session, [one for one in numbers if one not in shown], now)


def forget(session: Session, numbers: Sequence[int], now: datetime) -> None:
    """Nothing stays of these photos but that there were such: no words, no sketch, no matches, soon no file."""
    some = list(numbers)
    session.execute(delete(PhotoWord).where(col(PhotoWord.photo_id).in_(some)))
    session.execute(
        delete(PhotoMatch).where(or_(col(PhotoMatch.photo_id).in_(some), col(PhotoMatch.other_id).in_(some)))
    )
    for photo in session.exec(_some(some)):
        photo.sketch, photo.dropped_at = b"", now
        session.add(photo)
    session.flush()


def remove(session: Session, return_id: int) -> None:
    """Nothing at all stays of the photos of a return that is thrown away."""
    numbers = [
        one or 0 for one in session.exec(select(ReturnPhoto.id).where(ReturnPhoto.return_id == return_id))
    ]
    forget(session, numbers, _NEVER)
    session.execute(delete(ReturnPhoto).where(col(ReturnPhoto.id).in_(numbers)))
    session.flush()
