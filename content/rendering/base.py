"""What all of our blocks share: an argument and options that the grammar knows, a title, paragraphs."""

import xml.etree.ElementTree as etree
from typing import Any

from pymdownx.blocks.block import Block

from content.rendering.grammar import SPECS
from content.rendering.notes import Notes


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def title(parent: etree.Element, text: str, level: int) -> None:
    """A heading whose level `tree` corrects, so that no level is skipped."""
    if text:
        heading = etree.SubElement(parent, f"h{level}", {"data-title": str(level)})
        heading.text = text


def paragraph(parent: etree.Element, text: str, class_: str) -> None:
    """A paragraph of a class, where there is anything to say."""
    if text:
        etree.SubElement(parent, "p", {"class": class_}).text = text


class Ours(Block):  # type: ignore[misc]
    """A block whose argument and options are those of the grammar."""

    TAG, CLASS, LEVEL = "div", "", 3

    def __init_subclass__(cls) -> None:
        spec = SPECS[cls.NAME]
        cls.ARGUMENT = spec.argument
        cls.OPTIONS = {name: ["", _text] for name in spec.options}

    @property
    def notes(self) -> Notes:
        """The notes of this run."""
        return self.md.notes  # type: ignore[no-any-return]

    def on_create(self, parent: etree.Element) -> etree.Element:
        """The element with its title."""
        element = etree.SubElement(parent, self.TAG, {"class": self.CLASS} if self.CLASS else {})
        self.heading(element)
        return element

    def heading(self, element: etree.Element) -> None:
        """The argument as the title of the block."""
        title(element, self.argument or "", self.LEVEL)

    def on_markdown(self) -> str:
        """The content is Markdown with blocks."""
        return "block"
