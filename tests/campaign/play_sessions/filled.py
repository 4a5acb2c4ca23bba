"""A site with a room that is played together: one session that runs, with people at every stage."""

from datetime import datetime, timedelta

from sqlmodel import Session

from campaign.play_sessions import hosting
from campaign.play_sessions.hosting import Wanted
from campaign.play_sessions.models import PlayMember
from content import history, library, lifecycle
from core.settings import Settings
from institution import people
from tests import factories
from tests.content.rooms.conftest import KEY, SAMPLES

CODE = "123456"
# Nickname, locks open of seven, points, seconds, ending.
MEMBERS = (
    ("阿明", 7, 80, 412, "safe"), ("文三路李阿姨", 7, 80, 655, "late"), ("Ning", 6, 58, 0, ""), ("小红", 5, 44, 0, ""),
    ("古荡老王", 4, 40, 0, ""), ("向日葵", 3, 30, 0, ""), ("Tea", 2, 20, 0, ""), ("月亮", 1, 10, 0, ""),
    ("陈奶奶的孙女儿来了", 1, 8, 0, ""), ("早班车", 0, 0, 0, ""),
)  # fmt: skip


def fill(session: Session, settings: Settings, now: datetime) -> None:
    """The sample room on the site, and a session of it at the first outlet."""
    author, reviewer = (people.by_login(session, login) for login in (factories.EDITOR, factories.REVIEWER))
    assert author is not None
    assert reviewer is not None
    library.load_folder(session, settings.files_dir, SAMPLES, by=author.id or 0, now=now)
    for revision in history.newest_of_all(session):
        if revision.piece_key == KEY:
            lifecycle.submit(session, revision.id or 0, by=author.id or 0, now=now)
            lifecycle.approve(session, revision.id or 0, by=reviewer.id or 0, now=now)
            lifecycle.publish(session, revision.id or 0, by=author.id or 0, now=now)
    begun = now - timedelta(minutes=20)
    one = hosting.open_session(session, factories.OUTLET_A, Wanted(KEY, 8), by=author.id, now=begun)
    one.code = CODE
    for nickname, opened, points, seconds, ending in MEMBERS:
        session.add(
            PlayMember(
                session_id=one.id or 0, nickname=nickname, name_key=nickname, opened=opened, locks=7, points=points,
                seconds=seconds, ending=ending, joined_at=begun,
            )
        )  # fmt: skip
    session.flush()
