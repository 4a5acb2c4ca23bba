"""Pieces for tests: texts, pictures, folders, and the way of a piece to the site."""

from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from content import history, library, lifecycle, media
from content.drafting import check
from content.lifecycle import Draft
from content.media import Picture
from content.models import Revision
from content.reviewing import checklist
from institution.models import Staff
from tests import factories

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 30"><rect width="40" height="30" fill="#abc"/></svg>'
ALL_RIGHT = {
    f"item-{item.id}": "ok" for item in checklist.ours().items
}  # what a reviewer who finds no fault posts
BODY = "## 先停一停\n\n问一问，再转账。\n"


def text(key: str = "stop-first", *, kind: str = "article", body: str = BODY, more: str = "") -> str:
    """A good file."""
    return f"---\nkey: {key}\nkind: {kind}\ntitle: 先停一停\nsummary: 三句话记住\n{more}---\n{body}"


def draft(given: str, pictures: dict[str, Picture] | None = None) -> Draft:
    """The draft of a text that must be good."""
    made, faults = check("", given, pictures or {})
    assert made is not None, [str(fault) for fault in faults]
    return made


def folder(path: Path, *texts: str, pictures: dict[str, bytes] | None = None) -> Path:
    """A folder with these pieces and pictures."""
    (path / "media").mkdir(parents=True, exist_ok=True)
    for given in texts:
        key = given.split("key: ", 1)[1].split("\n", 1)[0]
        (path / f"{key}.md").write_bytes(given.encode())
    for name, data in (pictures or {}).items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def people(session: Session, now: datetime) -> tuple[Staff, Staff]:
    """An editor and a reviewer."""
    return (
        factories.staff(session, factories.EDITOR, now),
        factories.staff(session, factories.REVIEWER, now),
    )


def saved(session: Session, given: str, by: int, now: datetime) -> Revision:
    """A new revision with this text."""
    revision = lifecycle.save(session, draft(given), by=by, now=now)
    assert revision is not None
    return revision


def to_the_site(session: Session, given: str, editor: Staff, reviewer: Staff, now: datetime) -> Revision:
    """Written, submitted, approved by another person, published."""
    revision = saved(session, given, editor.id or 0, now)
    return onward(session, revision, editor, reviewer, now)


def onward(session: Session, revision: Revision, editor: Staff, reviewer: Staff, now: datetime) -> Revision:
    """From draft to the site."""
    number = revision.id or 0
    lifecycle.submit(session, number, by=editor.id or 0, now=now)
    lifecycle.approve(session, number, by=reviewer.id or 0, now=now)
    return lifecycle.publish(session, number, by=editor.id or 0, now=now)


def publish_folder(
    session: Session, files_dir: Path, folder: Path, people: tuple[Staff, Staff], now: datetime
) -> None:
    """Every piece of a folder on the site; `people`: who writes, who reviews."""
    library.load_folder(session, files_dir, folder, by=people[0].id or 0, now=now)
    for revision in history.newest_of_all(session):
        onward(session, revision, *people, now)


def picture(files_dir: Path, name: str = "media/x.svg", data: bytes = SVG) -> Picture:
    """A stored picture."""
    return media.store(files_dir, name, data)
