"""The starter library: our own texts and drawings, published once on an empty site.

Written and checked by us; two system accounts stand in the record for author and reviewer, because a revision
is published only when a second person has approved it. They can never sign in.
"""

from pathlib import Path

import yaml
from sqlmodel import Session, select

from campaign import programme
from content import history, library, lifecycle, media
from content.models import Piece
from core import clock
from core.database import Database
from core.i18n import mark
from core.settings import Settings
from institution import people
from webapp.runtime import Runtime

FOLDER = Path(__file__).parent / "starter"
AUTHOR = ("starter-author", mark("路标内容组"))
REVIEWER = ("starter-reviewer", mark("路标审校组"))


def is_wanted(runtime: Runtime) -> bool:
    """Whether the site holds no piece yet."""
    with runtime.service(Database).reading() as session:
        return session.exec(select(Piece.key)).first() is None


def load(runtime: Runtime) -> bool:
    """Publish the library when the site holds no piece yet; True when it did."""
    settings = runtime.service(Settings)
    with runtime.service(Database).transaction() as session:
        if session.exec(select(Piece.key)).first() is not None:
            return False
        _publish_pieces(session, settings)
        _import_campaigns(session, settings)
    return True


def _publish_pieces(session: Session, settings: Settings) -> None:
    now = clock.now()
    author = people.system_account(session, *AUTHOR, now).id or 0
    reviewer = people.system_account(session, *REVIEWER, now).id or 0
    loaded = library.load_folder(session, settings.files_dir, FOLDER / "pieces", by=author, now=now)
    for key in loaded.created:
        revision = _id_of_newest(session, key)
        lifecycle.submit(session, revision, by=author, now=now)
        lifecycle.approve(session, revision, by=reviewer, now=now)
        lifecycle.publish(session, revision, by=author, now=now)


def _id_of_newest(session: Session, key: str) -> int:
    revision = history.newest(session, key)
    assert revision is not None and revision.id is not None  # noqa: S101  (it was created just now)
    return revision.id


def _import_campaigns(session: Session, settings: Settings) -> None:
    for path in sorted((FOLDER / "campaigns").glob("*.yaml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        programme.import_file(session, data, clock.now(), hero=lambda name: _picture(settings, name))


def _picture(settings: Settings, name: str) -> str:
    """Store a campaign's picture; the address under which visitors get it."""
    return media.store(settings.files_dir, name, (FOLDER / "campaigns" / name).read_bytes()).url
