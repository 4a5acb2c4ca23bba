"""What an archive of plaques holds: each outlet's drawing, and pages of fifty."""

import csv
import io
import zipfile
from collections.abc import Sequence

from sqlmodel import Session, col, select

from campaign.base import plaque, standing
from campaign.base.models import PlaqueArchive
from content import logo
from core import clock
from core.database import Database
from core.settings import Settings
from institution.models import Outlet
from tracking.attribution import Attributions
from tracking.printing import Printer


class Plaques:
    """Draws plaques with the standing link of each outlet."""

    headings: Sequence[str] = ("code", "name", "plaque_number", "svg", "pdf", "page")

    def __init__(self, settings: Settings, database: Database, attributions: Attributions) -> None:
        self._settings, self._database, self._attributions = settings, database, attributions

    def part(self, one: PlaqueArchive, codes: Sequence[str], printer: Printer | None) -> bytes:
        """The drawings of some outlets, their pages, and their lines of the index."""
        with self._database.reading() as session:
            drawn = self.drawings(session, codes, one.size)
        written = io.BytesIO()
        pdf_name = f"pdf/{codes[0]}-{codes[-1]}.pdf"
        index = io.StringIO(newline="")
        lines = csv.writer(index)
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as part:
            for page, (outlet, svg) in enumerate(drawn, 1):
                name = f"svg/{plaque.file_name(outlet, 'svg')}"
                part.writestr(name, svg)
                where = (pdf_name, page) if printer else ("", "")
                lines.writerow((outlet.code, outlet.name, outlet.plaque_number, name, *where))
            if printer and drawn:
                pages = plaque.page("".join(svg for _outlet, svg in drawn), one.size)
                part.writestr(pdf_name, printer.pdf(pages, *plaque.SIZES[one.size]), zipfile.ZIP_STORED)
            part.writestr("index", index.getvalue())
        return written.getvalue()

    def readme(self, one: PlaqueArchive, count: int) -> str:
        """What lies in the archive."""
        return plaque.readme(one.size, count, pdf=one.pdf)

    def drawings(self, session: Session, codes: Sequence[str], size: str) -> list[tuple[Outlet, str]]:
        """The plaques of these outlets, in their order."""
        settings = self._settings
        found = {one.code: one for one in session.exec(select(Outlet).where(col(Outlet.code).in_(codes)))}
        links = standing.addresses(
            session, codes, clock.today(settings.zone), attributions=self._attributions, public_url=settings.public_url
        )  # fmt: skip
        own = logo.of(settings)
        names = {
            "institution": settings.institution_name,
            "institution_en": settings.institution_name_en,
            "hotline": settings.hotline,
            "logo": own.embedded if own else "",
        }
        return [
            (found[code], plaque.svg(plaque.of(found[code], links[code], **names), size))
            for code in codes
            if code in found
        ]
