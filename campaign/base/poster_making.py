"""What an archive of posters holds: one long graphic, stamped for each outlet; drawn once, so only the stamp costs."""

import csv
import io
import shutil
import zipfile
from collections.abc import Sequence

from sqlmodel import Session, col, select

from campaign.base.models import PlaqueArchive
from campaign.base.plaque import plain_name
from campaign.models import Campaign
from content import history
from content.poster import sharing
from content.poster.folder import Kept, Stamper
from content.poster.making import Posters
from content.poster.sharing import Sharing, Signed
from content.poster.stamping import Stamp
from core import clock
from core.database import Database
from core.errors import Conflict
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution.models import Outlet
from tracking.attribution import Attributions
from tracking.printing import Printer

_SPARE = 256 * 1024 * 1024


class ForOutlets:
    """Stamps the pictures that `Posters` draws; one that is not drawn yet is drawn first."""

    headings: Sequence[str] = ("code", "name", "link", "file")

    def __init__(
        self, settings: Settings, database: Database, attributions: Attributions, posters: Posters
    ) -> None:
        self._settings, self._database, self._posters = settings, database, posters
        self._signed = Signed(attributions, settings.public_url, settings.institution_name)
        self._last: tuple[str, Stamper] | None = None

    def part(self, one: PlaqueArchive, codes: Sequence[str], printer: Printer | None) -> bytes:
        """The pictures of some outlets, and their lines of the index."""
        with self._database.reading() as session:
            revision = history.by_number(session, one.piece_key, one.revision)
            names = self._names(session, codes)
            given = sharing_of(session, one)
            today = clock.today(self._settings.zone)
            stamps = sharing.stamps(
                session, given, [code for code in codes if code in names], today, signed=self._signed
            )
        kept = self._posters.kept(revision) or self._posters.make(revision)
        return self._packed(self._stamper(kept, one), stamps, names)

    def readme(self, one: PlaqueArchive, count: int) -> str:
        """What lies in the archive."""
        lines = (
            _("宣传长图，共 %(count)s 份，每个网点一份，宽 1080 像素。", count=count),
            _("二维码是网点分享这篇内容的短链接，扫进来的访问计到这个网点。"),
        )
        return "\n".join(lines) + "\n"

    def _packed(self, stamper: Stamper, stamps: dict[str, Stamp], names: dict[str, str]) -> bytes:
        written, index = io.BytesIO(), io.StringIO(newline="")
        lines = csv.writer(index)
        with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as part:
            for code, stamp in stamps.items():
                name = f"png/{plain_name(code, names[code], 'png')}"
                part.writestr(name, stamper.tall(stamp))
                lines.writerow((code, names[code], stamp.link, name))
            part.writestr("index", index.getvalue())
        return written.getvalue()

    def _stamper(self, kept: Kept, one: PlaqueArchive) -> Stamper:
        """The open picture, read once for all parts; Conflict before the disk is full."""
        if self._last is None or self._last[0] != kept.folder.name:
            self._last = kept.folder.name, kept.stamper()
        stamper = self._last[1]
        # parts and the file that they are joined to lie there together
        needed = 2 * len(stamper.upper.idat) * (one.total - one.made) + _SPARE
        if shutil.disk_usage(self._settings.home).free < needed:
            raise Conflict(mark("磁盘空间不够放下这些长图，请清理后再试一次，或选小一点的范围。"))
        return stamper

    @staticmethod
    def _names(session: Session, codes: Sequence[str]) -> dict[str, str]:
        found = session.exec(select(Outlet.code, Outlet.name).where(col(Outlet.code).in_(codes)))
        return dict(found.all())


def sharing_of(session: Session, one: PlaqueArchive) -> Sharing:
    """The piece of an order and the campaign it is shared in."""
    campaign = session.get(Campaign, one.campaign) if one.campaign else None
    return Sharing(one.piece_key, one.campaign, campaign.name if campaign else "")
