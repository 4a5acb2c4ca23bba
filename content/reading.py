"""A revision as a page to read: the same for visitors and for the preview."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date as Day
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from content import frontmatter, media
from content.check.due import Due
from content.finding.subjects import SLUGS
from content.guiding import NEEDS, SUITS, WAYS
from content.listing import PublishedPiece
from content.media import Picture
from content.models import KIND_NAMES, Kind
from content.rendering import render
from content.rooms.cover import RoomCover, cover_of
from content.strip import drawing
from core.i18n import current_locale
from core.i18n import gettext as _

_DESIGNS = {
    Kind.long_graphic: "content/long_graphic.html",
    Kind.article: "content/article.html",
    Kind.diary: "content/diary_episode.html",
    Kind.guide: "content/guide.html",
    Kind.escape_room: "content/room_cover.html",
}


@dataclass(frozen=True)
class HelpLine:
    """Whom to call: what for, the number, and a word beside it."""

    label: str
    phone: str
    note: str = ""

    @property
    def href(self) -> str:
        """The address that dials."""
        return "tel:" + "".join(ch for ch in self.phone if ch.isdigit() or ch == "+")


@dataclass(frozen=True)
class SourceLine:
    """Where a fact comes from."""

    title: str
    publisher: str = ""
    date: Day | None = None
    url: str = ""


@dataclass(frozen=True)
class AiLabel:
    """The explicit label of what a machine made (人工智能生成合成内容标识办法), with who answers for it."""

    what: tuple[str, ...]
    tool: str
    editor: str

    @property
    def sentence(self) -> str:
        """The label in the language in force."""
        made = _("、").join(_(frontmatter.MADE[one]) for one in self.what)
        return _(
            "本页的%(made)s由人工智能生成（工具：%(tool)s），责任编辑：%(editor)s",
            made=made, tool=self.tool, editor=self.editor,
        )  # fmt: skip

    @property
    def short(self) -> str:
        """The same where there is room for one line: a slice, a cover card."""
        return _("%(made)s由人工智能生成", made=_("、").join(_(frontmatter.MADE[one]) for one in self.what))


@dataclass(frozen=True)
class GuideFacts:
    """What a service guide says at a glance: its way, and what it takes, in the language in force."""

    way: str = ""
    needs: tuple[str, ...] = ()
    bring: tuple[str, ...] = ()
    suits: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadingPage:
    """Everything that a page of a piece shows."""

    key: str
    kind: str
    title: str
    heading: Markup
    title_en: str
    summary: str
    summary_en: str
    kicker: str
    theme: str
    cover: Picture | None
    cover_alt: str
    minutes: int | None
    topics: tuple[str, ...]
    rights: tuple[str, ...]
    audience: tuple[str, ...]
    hours: str
    guide: GuideFacts
    number: int | None
    season: int | None
    help: tuple[HelpLine, ...]
    sources: tuple[SourceLine, ...]
    body: Markup
    has_call: bool
    has_cover: bool
    published_at: datetime | None = None
    sealed_keys: str = ""
    previous: PublishedPiece | None = None
    next: PublishedPiece | None = None
    more: tuple[PublishedPiece, ...] = ()
    preview: bool = False
    room: RoomCover | None = None
    first_picture: Picture | None = None
    ai: AiLabel | None = None
    number_of_revision: int = 0
    stale: tuple[Due, ...] = ()

    @property
    def right_links(self) -> list[tuple[str, str]]:
        """The rights with the addresses of their pages."""
        return [(f"/rights/{SLUGS[right]}", _(right)) for right in self.rights if right in SLUGS]

    @property
    def template(self) -> str:
        """The design in which this kind is shown."""
        return _DESIGNS[Kind(self.kind)]

    @property
    def kind_name(self) -> str:
        """What this kind is called, in the language in force."""
        return _(KIND_NAMES[Kind(self.kind)])

    @property
    def shown_title(self) -> str:
        """The title for the window and for links."""
        return self.title_en if current_locale() == "en" and self.title_en else self.title

    @property
    def shown_summary(self) -> str:
        """The summary for the description of the page."""
        return self.summary_en if current_locale() == "en" and self.summary_en else self.summary


def page_of(text: str, meta: Mapping[str, Any], known: Mapping[str, Any], *, hotline: str) -> ReadingPage:
    """The page of a checked text; `known` are the pictures of the revision, `hotline` the institution's."""
    pictures = media.from_json(known)
    parts = frontmatter.split(text)
    body = drawing.with_unplaced(parts[1], meta) if parts else ""
    rendered = render(body, pictures, str(meta["kind"]), told=drawing.told(meta))
    room = cover_of(text) if meta["kind"] == Kind.escape_room else None
    return ReadingPage(
        key=str(meta["key"]),
        kind=str(meta["kind"]),
        title=str(meta["title"]),
        heading=heading_of(str(meta.get("heading") or meta["title"])),
        title_en=str(meta.get("title_en") or ""),
        summary=str(meta["summary"]),
        summary_en=str(meta.get("summary_en") or ""),
        kicker=str(meta.get("kicker") or ""),
        theme=str(meta.get("theme") or "plain"),
        cover=pictures.get(str(meta.get("cover") or "")),
        cover_alt=drawing.cover_alt(meta),
        minutes=meta.get("minutes"),
        topics=_texts(meta, "topics"),
        rights=_texts(meta, "rights"),
        audience=_texts(meta, "audience"),
        hours=str(meta.get("hours") or ""),
        guide=_guide(meta),
        number=meta.get("number"),
        season=meta.get("season"),
        help=_help(meta, hotline),
        sources=_sources(meta),
        body=Markup(rendered.html),  # noqa: S704  (it passed rendering's allow-list)
        has_call=rendered.has_call,
        has_cover=rendered.has_cover,
        room=room,
        first_picture=pictures.get(room.first_picture) if room else None,
        ai=_ai(meta),
    )


def _guide(meta: Mapping[str, Any]) -> GuideFacts:
    way = str(meta.get("way") or "")
    return GuideFacts(
        way=_(WAYS[way]) if way in WAYS else "",
        needs=tuple(_(NEEDS[one]) for one in _texts(meta, "needs") if one in NEEDS),
        bring=_texts(meta, "bring"),
        suits=tuple(_(SUITS[one]) for one in _texts(meta, "suits") if one in SUITS),
    )


def _ai(meta: Mapping[str, Any]) -> AiLabel | None:
    given = meta.get("ai_generated")
    return AiLabel(tuple(given["what"]), str(given["tool"]), str(given["editor"])) if given else None


def heading_of(text: str) -> Markup:
    """A heading with the breaks that its author set, and nothing else."""
    safe = str(escape(text))
    for tag in ("br", "wbr"):
        safe = safe.replace(f"&lt;{tag}&gt;", f"<{tag}>")
    return Markup(safe)  # noqa: S704  (escaped, but for two empty tags)


def _texts(meta: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(str(item) for item in meta.get(name) or ())


def _help(meta: Mapping[str, Any], hotline: str) -> tuple[HelpLine, ...]:
    """The numbers of the front matter, and always the institution's own; none twice."""
    given = [
        HelpLine(str(line["label"]), str(line["phone"]), str(line.get("note") or ""))
        for line in meta.get("help") or ()
    ]
    if hotline not in [line.phone for line in given]:
        given.append(HelpLine(_("人工服务"), hotline))
    return tuple(given)


def _sources(meta: Mapping[str, Any]) -> tuple[SourceLine, ...]:
    return tuple(
        SourceLine(
            title=str(source["title"]),
            publisher=str(source.get("publisher") or ""),
            date=Day.fromisoformat(source["date"]) if source.get("date") else None,
            url=str(source.get("url") or ""),
        )
        for source in meta.get("sources") or ()
    )
