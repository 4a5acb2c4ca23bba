"""Makes pictures of long graphics in the background: what somebody asked for first, then what is on the site.

One process of the installation at a time: a browser takes a core and some hundred megabytes.
"""

import threading
from pathlib import Path

import structlog
from markupsafe import Markup
from sqlmodel import Session, col, select

from content import history
from content.machine_made import label, pdf
from content.models import Kind, Piece, Revision, State
from content.poster import document, drawing, folder, wanted
from content.poster.document import Look
from content.poster.drawing import Setting
from content.poster.folder import Kept, Writer
from content.poster.stamping import Stamp
from content.poster.wanted import Want
from core.alone import alone
from core.database import Database
from core.errors import Conflict, DomainError
from core.i18n import mark
from core.settings import Settings
from tracking import links, printing
from tracking.press import MISSING, Press

EVERY_SECONDS = 3.0
log = structlog.get_logger()


class Posters:
    """One of a process. `root` holds what is kept, on the disk of the installation."""

    def __init__(self, settings: Settings, database: Database, press: Press) -> None:
        self._settings, self._database, self._press = settings, database, press
        self._stopping = threading.Event()
        self._failed: set[str] = set()

    @property
    def root(self) -> Path:
        """The folder of all pictures."""
        return self._settings.files_dir / "posters"

    def digest(self, revision: Revision, *, elder: bool = False) -> str:
        """The name of a revision's pictures: all that their pixels depend on."""
        return document.digest(revision.hash, self._settings, elder=elder)

    def kept(self, revision: Revision, *, elder: bool = False) -> Kept | None:
        """The pictures of a revision, None while they are not made."""
        found = folder.load(self.root, self.digest(revision, elder=elder))
        if found is not None:
            folder.touch(self.root, found.folder.name)
        return found

    def want(self, revision: Revision, *, elder: bool = False) -> None:
        """Have them made soon. Conflict where the machine cannot."""
        if not printing.installed():
            raise Conflict(MISSING)
        digest = self.digest(revision, elder=elder)
        self._failed.discard(digest)
        wanted.put(self.root, Want(digest, revision.piece_key, revision.number, elder))

    def give_up(self, revision: Revision, *, elder: bool = False) -> None:
        """Have them not made."""
        wanted.drop(self.root, self.digest(revision, elder=elder))

    def standing(self, revision: Revision, *, elder: bool = False) -> Want | None:
        """How far what was asked for is."""
        return wanted.find(self.root, self.digest(revision, elder=elder))

    def run_once(self) -> int:
        """Make all that waits; returns how many were made. Clears what nobody wanted for long."""
        folder.tidy(self.root, self._settings.poster_days)
        wanted.clear(self.root)
        if not printing.installed() or self._next() is None:
            return 0
        made = 0
        with alone(self._database, "posters") as mine:
            while mine and not self._stopping.is_set() and (want := self._next()):
                made += self._carry(want)
        return made

    def stop(self) -> None:
        """Have a run end behind the pictures in hand."""
        self._stopping.set()

    def make(self, revision: Revision, *, elder: bool = False) -> Kept:
        """Draw a revision now. Conflict when the browser cannot."""
        digest = self.digest(revision, elder=elder)
        want = Want(digest, revision.piece_key, revision.number, elder)
        wanted.put(self.root, want)
        self._draw(revision, want)
        found = folder.load(self.root, digest)
        if found is None:
            raise Conflict(mark("图片没有做成，请再试一次。"))
        return found

    def a3(self, revision: Revision, stamp: Stamp, setting: Setting, *, elder: bool = False) -> bytes:
        """The poster as PDF, A3 upright, stamped. Conflict when the browser cannot."""
        page = document.page_of(revision, self._settings.hotline)
        # our own drawing, of a link that we made
        code = Markup(links.qr_svg(stamp.link))  # noqa: S704
        look = Look(document.house(self._settings), elder, code, stamp.name, stamp.under)
        html = document.a3(page, look, self._settings.files_dir)
        style = f"font-size:{setting.size:.2f}px;--columns:{setting.columns}"
        html = html.replace("<html ", f'<html style="{style}" ', 1)
        with self._press.printer() as printer:
            printed = printer.pdf(html, 297, 420)
        found = label.of(revision.meta, self._settings.institution_name)
        return pdf.labelled(printed, found) if found else printed

    def _next(self) -> Want | None:
        found = next(wanted.waiting(self.root), None)
        if found is not None:
            return found
        with self._database.reading() as session:
            here = _on_the_site(session)
        for key, number, words in here:
            digest = document.digest(words, self._settings, elder=False)
            if digest not in self._failed and not folder.touch(self.root, digest):
                return Want(digest, key, number)
        return None

    def _carry(self, want: Want) -> bool:
        try:
            with self._database.reading() as session:
                revision = history.by_number(session, want.key, want.number)
            wanted.put(self.root, want)
            self._draw(revision, want)
        except (DomainError, OSError, ValueError) as error:
            log.warning("pictures_failed", key=want.key, number=want.number, error=type(error).__name__)
            self._failed.add(want.digest)
            fault = error.message if isinstance(error, DomainError) else mark("图片没有做成，请再试一次。")
            wanted.failed(self.root, want, fault)
            return False
        return True

    def _draw(self, revision: Revision, want: Want) -> None:
        settings = self._settings
        page = document.page_of(revision, settings.hotline)
        look = Look(document.house(settings), want.elder)
        writer = Writer(self.root, want.digest, label.of(revision.meta, settings.institution_name))
        try:
            with self._press.printer() as printer:
                drawn = drawing.sheet(printer, document.sheet(page, look, settings.files_dir))
                writer.sheet(drawn)
                if not wanted.moved(self.root, want, 1):
                    return writer.gone()
                covers = drawing.covers(printer, document.covers(page, look, settings.files_dir))
                setting = drawing.fit(printer, document.a3(page, look, settings.files_dir))
            if not wanted.moved(self.root, want, 2):
                return writer.gone()
            writer.slices(drawn)
            wanted.moved(self.root, want, 3)
            writer.covers(covers)
            writer.done(setting)
        except BaseException:
            writer.gone()
            raise
        wanted.drop(self.root, want.digest)
        return None


def _on_the_site(session: Session) -> list[tuple[str, int, str]]:
    """Key, number and hash of the long graphics that are published, the newest first."""
    query = select(Revision.piece_key, Revision.number, Revision.hash).join(
        Piece, col(Piece.key) == col(Revision.piece_key)
    )
    here = query.where(Revision.state == State.published.value, Piece.kind == Kind.long_graphic.value)
    return [
        (key, number, words)
        for key, number, words in session.exec(here.order_by(col(Revision.published_at).desc()))
    ]
