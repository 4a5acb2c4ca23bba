"""Our blocks: what each becomes. Words that are added here are part of the Chinese text, never translated."""

import re
import xml.etree.ElementTree as etree

from markdown import Markdown
from pymdownx.blocks import BlocksExtension, BlocksProcessor

from content.rendering import tasks
from content.rendering.base import Ours, paragraph, title
from content.rendering.finder import Finder
from content.rendering.quiz import Quiz

# The side of the reader in a conversation; anybody else is the other side.
_OURSELVES = frozenset({"我", "您", "你", "我们", "小宝"})
_SPEAKER = re.compile(r"^\s*([^\s：:]{1,8})[：:]\s*")


class Cover(Ours):
    """The first panel, where a long graphic wants another than the one made from its front matter."""

    NAME = "cover"

    def on_create(self, parent: etree.Element) -> etree.Element:
        """Kicker and heading."""
        self.notes.has_cover = True
        element = etree.SubElement(parent, "section", {"class": "pane cover"})
        paragraph(element, self.options["kicker"], "kicker")
        if self.argument:
            etree.SubElement(element, "h1").text = self.argument
        return element


class Panel(Ours):
    """A stretch of full-width colour."""

    NAME = "panel"

    def on_create(self, parent: etree.Element) -> etree.Element:
        """The section in its tone."""
        tone = self.options["tone"] or "plain"
        element = etree.SubElement(parent, "section", {"class": f"pane {tone}"})
        title(element, self.argument or "", 2)
        return element


class Figure(Ours):
    """A big number, explained."""

    NAME = "figure"

    def on_create(self, parent: etree.Element) -> etree.Element:
        """Number and unit."""
        element = etree.SubElement(parent, "div", {"class": "fact"})
        number = etree.SubElement(element, "p", {"class": "num"})
        number.text = self.argument
        if self.options["unit"]:
            etree.SubElement(number, "small").text = self.options["unit"]
        return element

    def on_end(self, block: etree.Element) -> None:
        """The source last."""
        paragraph(block, self.options["source"] and f"来源：{self.options['source']}", "src")


class PictureBlock(Ours):
    """A picture with its description, and a caption if wanted."""

    NAME = "picture"

    def on_create(self, parent: etree.Element) -> etree.Element:
        """The image, resolved later by `tree`."""
        element = etree.SubElement(parent, "figure", {"class": "pic"})
        told = self.notes.told.get(self.argument)
        alt = self.options["alt"] or (told.alt if told else "")
        etree.SubElement(element, "img", {"src": self.argument, "alt": alt})
        if told and told.caption and not self.options["caption"]:
            self.options["caption"] = told.caption
        return element

    def on_end(self, block: etree.Element) -> None:
        """Caption and body under the picture."""
        below = [child for child in block if child.tag != "img"]
        if not below and not self.options["caption"]:
            return
        caption = etree.SubElement(block, "figcaption")
        caption.text = self.options["caption"] or None
        for child in below:
            block.remove(child)
            caption.append(child)


class Compare(Ours):
    """Two ways side by side."""

    NAME = "compare"
    CLASS = "versus"


class No(Ours):
    """The way not to go."""

    NAME = "no"
    CLASS = "no"


class Yes(Ours):
    """The way to go."""

    NAME = "yes"
    CLASS = "yes"


class _Listing(Ours):
    """A block that is about one list."""

    NAME = "timeline"
    LISTS: tuple[str, ...] = ("ul", "ol")

    def on_inline_end(self, block: etree.Element) -> None:
        """The list in it takes the class; without a list the block says nothing."""
        found = [child for child in block if child.tag in self.LISTS]
        if not found:
            self.notes.faults.append(self.NAME)
        for child in found:
            child.set("class", self.NAME)


class Timeline(_Listing):
    """What happened when."""

    NAME = "timeline"


class Steps(_Listing):
    """What to do, one after the other."""

    NAME = "steps"
    LISTS = ("ol",)


class Talk(_Listing):
    """Who says what; the reader's own words stand on the right."""

    NAME = "talk"

    def on_inline_end(self, block: etree.Element) -> None:
        """Each item becomes a bubble with its speaker."""
        super().on_inline_end(block)
        for item in block.iter("li"):
            holder = item if (item.text or "").strip() else next(iter(item), item)
            found = _SPEAKER.match(holder.text or "")
            speaker = found[1] if found else ""
            item.set("class", "b me" if speaker in _OURSELVES else "b")
            if found:
                name = etree.Element("span", {"class": "who"})
                name.text, name.tail = speaker, (holder.text or "")[found.end() :]
                holder.text = None
                holder.insert(0, name)


class Question(Ours):
    """A question, and its answer as the body."""

    NAME = "qa"
    CLASS = "qa"


class Card(Ours):
    """Something to remember or to cut out."""

    NAME = "card"
    CLASS = "slip"


class Task(Ours):
    """A little task for child and grandparent."""

    NAME = "task"

    def on_create(self, parent: etree.Element) -> etree.Element:
        """A label, then the title."""
        element = etree.SubElement(parent, "div", {"class": "task"})
        paragraph(element, "小任务", "label")
        title(element, self.argument or "", 3)
        paragraph(element, tasks.needs(self.options["minutes"], self.options["needs"]), "needs")
        return element

    def on_inline_end(self, block: etree.Element) -> None:
        """A sheet with boxes ends with a line to sign, on paper."""
        if tasks.with_boxes(block):
            paragraph(block, tasks.SIGNED, "signed")


class Source(Ours):
    """Where it comes from."""

    NAME = "source"

    def on_create(self, parent: etree.Element) -> etree.Element:
        """One small line, more in the body."""
        element = etree.SubElement(parent, "div", {"class": "src"})
        if self.argument:
            etree.SubElement(element, "p").text = f"来源：{self.argument}"
        return element


class Call(Ours):
    """The end: what to do and whom to call."""

    NAME = "call"

    def on_create(self, parent: etree.Element) -> etree.Element:
        """The end panel with its title."""
        self.notes.has_call = True
        element = etree.SubElement(parent, "section", {"class": "pane call"})
        title(element, self.argument or "", 2)
        return element

    def on_end(self, block: etree.Element) -> None:
        """The number to press, then whose it is."""
        phone = self.options["phone"]
        if phone:
            link = etree.SubElement(
                etree.SubElement(block, "p", {"class": "tel"}), "a", {"href": f"tel:{_digits(phone)}"}
            )
            link.text = phone
        paragraph(block, self.options["label"], "whose")


def _digits(phone: str) -> str:
    return re.sub(r"[^0-9+]", "", phone)


_BLOCKS = (
    Cover, Panel, Figure, PictureBlock, Compare, No, Yes, Timeline, Steps, Talk, Question, Card, Task, Source, Call,
    Quiz, Finder,
)  # fmt: skip


class Blocks(BlocksExtension):  # type: ignore[misc]
    """All of our blocks."""

    def extendMarkdownBlocks(self, md: Markdown, block_mgr: BlocksProcessor) -> None:
        """Register them."""
        for block in _BLOCKS:
            block_mgr.register(block, {})
