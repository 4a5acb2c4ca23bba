"""What lists, the home page and campaigns show of a published piece."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from content.models import Piece, Revision
from content.strip import drawing
from core.i18n import current_locale


@dataclass(frozen=True)
class PublishedPiece:
    """A piece that is on the site, without its body."""

    key: str
    kind: str
    title: str
    title_en: str
    summary: str
    summary_en: str
    kicker: str
    minutes: int | None
    theme: str
    cover_url: str
    cover_alt: str
    cover_width: int | None
    cover_height: int | None
    published_at: datetime
    first_published_at: datetime
    number: int | None = None
    season: int | None = None
    topics: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    review_by: date | None = None
    revision_id: int = 0
    hours: str = ""
    way: str = ""
    tasks: tuple[str, ...] = ()
    suits: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The path of its page."""
        return f"/p/{self.key}"

    @property
    def shown_title(self) -> str:
        """The title in the language in force, the Chinese one where no other is given."""
        return self.title_en if current_locale() == "en" and self.title_en else self.title

    @property
    def shown_summary(self) -> str:
        """The summary in the language in force, the Chinese one where no other is given."""
        return self.summary_en if current_locale() == "en" and self.summary_en else self.summary


def shown(revision: Revision, piece: Piece) -> PublishedPiece:
    """A published revision as it is listed."""
    meta = revision.meta
    cover = revision.media.get(str(meta.get("cover") or ""), {})
    published_at = revision.published_at or revision.created_at
    return PublishedPiece(
        key=piece.key,
        kind=piece.kind,
        title=str(meta["title"]),
        title_en=str(meta.get("title_en") or ""),
        summary=str(meta["summary"]),
        summary_en=str(meta.get("summary_en") or ""),
        kicker=str(meta.get("kicker") or ""),
        minutes=meta.get("minutes"),
        theme=str(meta.get("theme") or "plain"),
        cover_url=f"/media/{cover['file']}" if cover else "",
        cover_alt=drawing.cover_alt(meta),
        cover_width=cover.get("width"),
        cover_height=cover.get("height"),
        published_at=published_at,
        first_published_at=piece.first_published_at or published_at,
        number=meta.get("number"),
        season=meta.get("season"),
        topics=_texts(meta, "topics"),
        rights=_texts(meta, "rights"),
        audience=_texts(meta, "audience"),
        review_by=date.fromisoformat(meta["review_by"]) if meta.get("review_by") else None,
        revision_id=revision.id or 0,
        hours=str(meta.get("hours") or ""),
        way=str(meta.get("way") or ""),
        tasks=_texts(meta, "tasks"),
        suits=_texts(meta, "suits"),
    )


def _texts(meta: dict[str, Any], name: str) -> tuple[str, ...]:
    return tuple(str(item) for item in meta.get(name) or ())
