"""宣传长图: a tall sheet where everything stands in a panel, and a line that was written stays a line."""

import re
import xml.etree.ElementTree as etree

_SENTENCE = re.compile(r"(?<=[。！？”…：])\n")


def lay_out(root: etree.Element) -> None:
    """Put the finished tree of a long graphic in order, in place."""
    _panels(root)
    _lines(root)


def _panels(root: etree.Element) -> None:
    """In a long graphic everything stands in a panel."""
    children = list(root)
    for child in children:
        root.remove(child)
    panel: etree.Element | None = None
    for child in children:
        if child.tag == "section":
            root.append(child)
            panel = None
            continue
        if panel is None:
            panel = etree.SubElement(root, "section", {"class": "pane plain"})
        panel.append(child)


def _lines(root: etree.Element) -> None:
    """In a long graphic a line that ends a sentence stays a line, as it was written."""
    for paragraph in root.iter("p"):
        for place in [paragraph, *paragraph]:
            _break_lines(paragraph, place)


def _break_lines(paragraph: etree.Element, place: etree.Element) -> None:
    text = (place.text if place is paragraph else place.tail) or ""
    first, *rest = _SENTENCE.split(text)
    if not rest:
        return
    at = 0 if place is paragraph else list(paragraph).index(place) + 1
    if place is paragraph:
        place.text = first
    else:
        place.tail = first
    for line in rest:
        line_break = etree.Element("br")
        line_break.tail = line
        paragraph.insert(at, line_break)
        at += 1
