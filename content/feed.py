"""The Atom feed (RFC 4287) of what was published last."""

import xml.etree.ElementTree as etree
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape

from content import drawn
from content.listing import PublishedPiece

_ATOM = "http://www.w3.org/2005/Atom"
_XML = "http://www.w3.org/XML/1998/namespace"
_MOST = 50
etree.register_namespace("", _ATOM)


@dataclass(frozen=True)
class Channel:
    """What the feed is: where it stands, whose it is, and what its links add (`?a=…`)."""

    public_url: str
    title: str
    author: str
    attribution: str = ""
    path: str = "/feed.xml"
    home: str = "/"


def atom(channel: Channel, pieces: Iterable[PublishedPiece], now: datetime) -> bytes:
    """The feed as UTF-8 XML, newest first."""
    newest = sorted(pieces, key=lambda piece: piece.published_at, reverse=True)[:_MOST]
    feed = etree.Element(f"{{{_ATOM}}}feed", {f"{{{_XML}}}lang": "zh-CN"})
    _add(feed, "id", f"{channel.public_url}{channel.path}")
    _add(feed, "title", channel.title)
    _add(feed, "updated", (newest[0].published_at if newest else now).isoformat(timespec="seconds"))
    _add(_add(feed, "author"), "name", channel.author)
    _add(feed, "link", rel="self", type="application/atom+xml", href=f"{channel.public_url}{channel.path}")
    _add(feed, "link", rel="alternate", type="text/html", href=f"{channel.public_url}{channel.home}")
    for piece in newest:
        _entry(feed, channel, piece)
    return bytes(etree.tostring(feed, encoding="utf-8", xml_declaration=True))


def _entry(feed: etree.Element, channel: Channel, piece: PublishedPiece) -> None:
    entry = _add(feed, "entry")
    address = f"{channel.public_url}{piece.url}"
    _add(entry, "id", address)
    _add(entry, "title", piece.title)
    _add(entry, "updated", piece.published_at.isoformat(timespec="seconds"))
    _add(entry, "published", piece.first_published_at.isoformat(timespec="seconds"))
    href = f"{address}?a={channel.attribution}" if channel.attribution else address
    _add(entry, "link", rel="alternate", type="text/html", href=href)
    _add(entry, "summary", piece.summary)
    if piece.cover_url:
        _add(entry, "content", _with_picture(channel, piece), type="html")
    for topic in piece.topics:
        _add(entry, "category", term=topic)


def _with_picture(channel: Channel, piece: PublishedPiece) -> str:
    picture = channel.public_url + drawn.address(piece.cover_url)
    return (
        f'<p><img src="{escape(picture)}" alt="{escape(piece.cover_alt)}"></p><p>{escape(piece.summary)}</p>'
    )


def _add(parent: etree.Element, name: str, text: str | None = None, **attributes: str) -> etree.Element:
    element = etree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    element.text = text
    return element
