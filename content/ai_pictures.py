"""Which stored pictures a machine made: asked of the revisions, once for each generation of pages."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from content import media
from content.machine_made import label as labels
from content.machine_made import pictures
from content.machine_made.label import Label
from content.models import Revision
from core.database import Database

PICTURES = "pictures"


class Served:
    """One of a process. Pictures of drafts count from the next publication on, whoever shows them."""

    def __init__(self, database: Database, generation: Callable[[], int], institution: str) -> None:
        self._database, self._generation, self._institution = database, generation, institution
        self._known: tuple[int | None, dict[str, Label]] = None, {}

    def label(self, file: str) -> Label | None:
        """The label of a stored picture; while the database cannot be asked the last answer stands."""
        generation = self._generation()
        if generation != self._known[0]:
            try:
                with self._database.reading() as session:
                    self._known = generation, of_files(session, self._institution)
            except SQLAlchemyError:
                return self._known[1].get(file)
        return self._known[1].get(file)


def of_files(session: Session, institution: str) -> dict[str, Label]:
    """Stored file → label, for all pictures of pieces that say so."""
    made = col(Revision.meta)["ai_generated"].as_string()
    found: dict[str, Label] = {}
    for meta, known in session.exec(select(Revision.meta, Revision.media).where(made.is_not(None))):
        label = labels.of(meta, institution, only=PICTURES)
        if label is not None:
            found |= dict.fromkeys((picture["file"] for picture in known.values()), label)
    return found


def exported(files_dir: Path, revision: Revision, name: str, institution: str) -> bytes:
    """A picture of a revision as it leaves in a folder: as it was given, with its label where a machine made it."""
    picture = revision.media[name]
    data = media.original(files_dir, picture)
    label = labels.of(revision.meta, institution, only=PICTURES)
    return pictures.labelled(data, str(picture["file"]).rpartition(".")[2], label) if label else data
