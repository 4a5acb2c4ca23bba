"""What is put right in the whole: pictures, headings, tables, panels."""

import xml.etree.ElementTree as etree
from collections.abc import Iterator

from markdown.treeprocessors import Treeprocessor

from content.models import Kind
from content.rendering import long_graphic
from content.rendering.notes import Notes
from core.i18n import gettext as _


class Whole(Treeprocessor):
    """Runs after the inline text, on the finished tree."""

    def __init__(self, notes: Notes) -> None:
        super().__init__()
        self._notes = notes

    def run(self, root: etree.Element) -> None:
        """Put it right in place."""
        for name in self._notes.faults[:]:
            self._notes.faults.remove(name)
            self._notes.faults.append(_("块“%(name)s”里面要有一个列表。", name=name))
        self._pictures(root)
        _headings(root)
        _tables(root)
        if self._notes.kind == Kind.long_graphic:
            long_graphic.lay_out(root)

    def _pictures(self, root: etree.Element) -> None:
        for image in root.iter("img"):
            name = image.get("src", "")
            picture = self._notes.pictures.get(name)
            if picture is None:
                self._notes.faults.append(_("找不到图片“%(name)s”。", name=name))
                continue
            if not (image.get("alt") or "").strip():
                self._notes.faults.append(_("图片“%(name)s”要写说明文字。", name=name))
            self._notes.used.add(name)
            image.attrib.update(
                src=picture.url,
                width=str(picture.width),
                height=str(picture.height),
                loading="lazy",
                decoding="async",
            )


def _headings(root: etree.Element) -> None:
    """A block's title is an h3, but an h2 where no h2 stands above it: no level is skipped."""
    above = False
    for element in root.iter():
        if element.get("data-title") and not above and element.tag == "h3":
            element.tag = "h2"
            element.set("class", "small")
        elif element.tag == "h2":
            above = True
        element.attrib.pop("data-title", None)


def _tables(root: etree.Element) -> None:
    """A wide table scrolls in a frame of its own, by keyboard too."""
    for parent, at, table in [*_places(root, "table")]:
        frame = etree.Element(
            "div", {"class": "wide", "role": "group", "tabindex": "0", "aria-label": "表格，可左右滑动"}
        )
        frame.tail, table.tail = table.tail, None
        parent.remove(table)
        frame.append(table)
        parent.insert(at, frame)


def _places(root: etree.Element, tag: str) -> Iterator[tuple[etree.Element, int, etree.Element]]:
    for parent in root.iter():
        for at, child in enumerate(parent):
            if child.tag == tag:
                yield parent, at, child
