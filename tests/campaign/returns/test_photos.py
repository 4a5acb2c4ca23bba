"""Photos of returns: nothing but pixels is kept, and the same photo is found again, altered too, and no other."""

import io
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from PIL import Image
from sqlalchemy import func, text
from sqlmodel import Session, select

from campaign.returns import filing, keeping, likeness, photos
from campaign.returns.likeness import Laid, Look
from campaign.returns.models import ActivityReturn, PhotoMatch, PhotoWord, ReturnPhoto
from core.database import Database
from core.errors import Conflict, Invalid, NotFound
from core.settings import Settings
from institution import retention
from tests import factories
from tests.campaign.returns import cast
from tests.campaign.returns.cast import People

PICTURES, COPIES = 500, 200


@pytest.fixture
def who(database: Database, now: datetime) -> People:
    with database.transaction() as session:
        return cast.people(session, now)


def keep(session: Session, looks: Sequence[Look], by: int, now: datetime) -> None:
    """Photos as a database knows them, each of a return of its own, without the pictures."""
    returns = [
        ActivityReturn(outlet_code=factories.OUTLET_A, key=f"p{number}", created_by=by, created_at=now)
        for number in range(1, len(looks) + 1)
    ]
    session.add_all(returns)
    session.flush()
    kept = [
        ReturnPhoto(
            return_id=one.id or 0, outlet_code=one.outlet_code, sha256=f"{number:064}", file="", width=1, height=1,
            sketch=look.sketch, added_by=by, added_at=now,
        )
        for number, (one, look) in enumerate(zip(returns, looks, strict=True))
    ]  # fmt: skip
    session.add_all(kept)
    session.flush()
    words = [
        {"word": word, "photo_id": photo.id, "spot": spot}
        for photo, look in zip(kept, looks, strict=True)
        for word, spot in {(word, spot.packed) for word, spot in look.words}
    ]
    session.connection().execute(PhotoWord.__table__.insert(), words)  # type: ignore[attr-defined]


def test_altered_copies_are_found_and_no_other_picture(
    database: Database, who: People, now: datetime
) -> None:
    """200 copies, cropped, resized, in other light, written on and recompressed; 500 pictures that are none."""
    pictures = [cast.picture(seed) for seed in range(PICTURES)]
    looks = [likeness.look(one) for one in pictures]
    with database.transaction() as session:
        keep(session, looks, who.clerk, now)
    found = wrong = false = 0
    with database.reading() as session:
        for seed in range(COPIES):
            hits = photos.find(session, likeness.look(cast.altered(pictures[seed], seed)))
            found += seed + 1 in [number for number, _score in hits]
            wrong += sum(number != seed + 1 for number, _score in hits)
        for number, look in enumerate(looks, 1):
            false += len(photos.find(session, look, other_than=number))
    assert found >= 0.95 * COPIES, f"{found} of {COPIES}"
    assert (wrong, false) == (0, 0)


def test_what_makes_copies_found_is_the_crop_resistance(
    database: Database, who: People, now: datetime
) -> None:
    """The control: laid over each other as they are, without their arrangement, most crops match nothing."""
    pictures = [cast.picture(seed) for seed in range(20)]
    plain = [
        likeness.alike(
            likeness.look(one).sketch,
            likeness.look(cast.altered(one, seed)).sketch,
            Laid(photos.AGREE, 1.0, 0.0, 0.0),
        )
        for seed, one in enumerate(pictures)
    ]
    assert sum(score >= photos.SAME for score in plain) < 10


def test_two_crops_of_one_photo_are_found(database: Database, who: People, now: datetime) -> None:
    """Neither holds the other whole."""
    whole = [cast.picture(seed, (640, 480)) for seed in range(900, 912)]
    left = [likeness.look(one.crop((0, 0, int(one.width * 0.85), int(one.height * 0.9)))) for one in whole]
    right = [
        likeness.look(one.crop((int(one.width * 0.12), int(one.height * 0.1), one.width, one.height)))
        for one in whole
    ]
    with database.transaction() as session:
        keep(session, left, who.clerk, now)
    with database.reading() as session:
        found = sum(
            number in [hit for hit, _score in photos.find(session, one)]
            for number, one in enumerate(right, 1)
        )
    assert found >= 11


def test_words_are_found_by_their_index(database: Database) -> None:
    """A photo is looked up, never all of them: the plan reads no table from end to end."""
    if not database.is_sqlite:
        pytest.skip("the plan is SQLite's")
    with database.reading() as session:
        rows = session.connection().execute(
            text(
                "EXPLAIN QUERY PLAN SELECT photo_id FROM activity_return_word WHERE word IN (1, 2, 3) "
                "GROUP BY photo_id HAVING count(*) >= 3"
            )
        )
        plan = " ".join(str(row[3]) for row in rows)
    assert "SEARCH" in plan and "SCAN" not in plan


def test_only_pixels_are_kept() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "SecretPhone", 6
    data = cast.jpeg(cast.picture(1), exif=exif.tobytes(), comment=b"who was there") + b"a second file behind"
    assert b"SecretPhone" in data
    drawn = photos.draw("现场.jpg", data)
    with Image.open(io.BytesIO(drawn.data)) as image:
        assert dict(image.getexif()) == {}
        assert image.size == (192, 256), "turned as the camera said"
    for secret in (b"SecretPhone", b"who was there", b"second file", b"Exif"):
        assert secret not in drawn.data


def test_a_large_photo_is_made_small_and_a_bad_one_refused() -> None:
    drawn = photos.draw("大.jpg", cast.jpeg(cast.picture(2).resize((4000, 3000))))
    assert (drawn.width, drawn.height) == (1600, 1200)
    for name, data in (
        ("表.pdf", b"%PDF-1.7"),
        ("坏.jpg", b"\xff\xd8\xff" + b"0" * 100),
        ("小.jpg", cast.jpeg(cast.picture(2).resize((40, 30)))),
        ("重.jpg", b"\xff\xd8\xff" + bytes(photos.LARGEST)),
    ):
        with pytest.raises(Invalid) as refused:
            photos.draw(name, data)
        assert name in str(refused.value)


def test_the_same_photo_in_two_returns_is_marked_in_both(
    settings: Settings, database: Database, who: People, now: datetime
) -> None:
    image = cast.picture(7, (640, 480))
    with database.transaction() as session:
        first = cast.draft(session, who.clerk, now)
        one = cast.add_photo(session, first, image, who.clerk, now=now, settings=settings)
        second = cast.draft(session, who.clerk, now, outlet=factories.OUTLET_B, held_on="2026-09-10")
        two = cast.add_photo(session, second, cast.altered(image, 3), who.clerk, now=now, settings=settings)
        other = cast.draft(session, who.clerk, now, held_on="2026-09-01")
        cast.add_photo(session, other, cast.picture(8), who.clerk, now=now, settings=settings)
        assert photos.doubles(session, [two]) == [], "a draft of somebody else's is nobody's business"
        cast.hand_in(session, first, who.clerk, now)
        marked = cast.hand_in(session, second, who.clerk, now).marks
        assert [each["key"] for each in marked] == ["photos"]
        assert [double.other.id for double in photos.doubles(session, [one])] == [two]
        assert [double.other.id for double in photos.doubles(session, [two])] == [one]
        assert [each["key"] for each in cast.hand_in(session, other, who.clerk, now).marks] == []


def test_the_very_same_file_twice_in_a_return_is_kept_once(
    settings: Settings, database: Database, who: People, now: datetime
) -> None:
    with database.transaction() as session:
        number = cast.draft(session, who.clerk, now)
        cast.add_photo(session, number, cast.picture(5), who.clerk, now=now, settings=settings)
        again = photos.draw("再.jpg", cast.jpeg(cast.picture(5)))
        assert not photos.add(session, cast.latest(session, number), again, by=who.clerk, now=now)


def test_photos_are_few_and_only_in_drafts(
    settings: Settings, database: Database, who: People, now: datetime
) -> None:
    with database.transaction() as session:
        number = cast.draft(session, who.clerk, now)
        for seed in range(photos.MOST):
            cast.add_photo(session, number, cast.picture(seed), who.clerk, now=now, settings=settings)
        with pytest.raises(Invalid, match="最多 9 张"):
            cast.add_photo(session, number, cast.picture(99), who.clerk, now=now, settings=settings)
        cast.hand_in(session, number, who.clerk, now)
        with pytest.raises(Conflict):
            photos.drop(session, cast.latest(session, number), cast.latest(session, number).photos[0], now)


def test_what_is_dropped_leaves_nothing_behind(
    settings: Settings, database: Database, who: People, now: datetime
) -> None:
    with database.transaction() as session:
        number = cast.draft(session, who.clerk, now)
        photo = cast.add_photo(session, number, cast.picture(5), who.clerk, now=now, settings=settings)
        path = settings.files_dir / photos.get(session, photo).file
        photos.drop(session, cast.latest(session, number), photo, now)
    assert path.is_file(), "a file goes after the commit, not before"
    with database.reading() as session:
        assert session.exec(select(func.count()).select_from(PhotoWord)).one() == 0
        with pytest.raises(NotFound):
            photos.get(session, photo)
    assert all_sweeps(database, settings, now) == 0, "what is young is spared"
    assert all_sweeps(database, settings, now + timedelta(days=2)) == 1
    assert not path.exists()


def all_sweeps(database: Database, settings: Settings, now: datetime) -> int:
    """One round of sweeps through all parts of the folder, for files as old as the clock of this machine says."""
    later = max(now, datetime.now(now.tzinfo)) + (timedelta(days=2) if now.day == 17 else timedelta())
    step = timedelta(seconds=keeping.EVERY_SECONDS)
    return sum(keeping.sweep(database, settings.files_dir, later + part * step) for part in range(16))


def test_after_their_time_photos_go_and_figures_stay(
    settings: Settings, database: Database, who: People, now: datetime
) -> None:
    with database.transaction() as session:
        number = cast.draft(session, who.clerk, now)
        photo = cast.add_photo(session, number, cast.picture(5), who.clerk, now=now, settings=settings)
        cast.hand_in(session, number, who.clerk, now)
        waiting = cast.draft(session, who.clerk, now, held_on="2026-09-02")
        cast.add_photo(
            session, waiting, cast.altered(cast.picture(5), 1), who.clerk, now=now, settings=settings
        )
        cast.decide(session, number, who.branch, now)
    later = now + timedelta(days=1096)
    assert retention.run(database, {}, now + timedelta(days=1094)).get("return.photo") is None
    assert retention.run(database, {}, later)["return.photo"] == 1
    with database.reading() as session:
        assert cast.latest(session, number).heads == 60
        assert filing.asked(session, cast.latest(session, number)) is not None
        with pytest.raises(NotFound):
            photos.get(session, photo)
        assert session.exec(select(func.count()).select_from(PhotoMatch)).one() == 0
