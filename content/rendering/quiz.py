"""A question with answers to press: each opens what is to be said of it, without a script, by keyboard too."""

import copy
import re
import xml.etree.ElementTree as etree

from content.rendering.base import Ours, paragraph

CHOICE = re.compile(r"\[([ xX])\]\s+")
# Words that are added here are part of the Chinese text, never translated.
_RIGHT, _WRONG = "对了。", "这样不行，再选一个看看。"


class Quiz(Ours):
    """One item: the question, `- [ ]` and `- [x]` answers, then why. On paper the answer stands under it."""

    NAME = "quiz"

    def on_create(self, parent: etree.Element) -> etree.Element:
        """A label, then the question."""
        element = etree.SubElement(parent, "div", {"class": "quiz"})
        paragraph(element, "考考您", "label")
        self.heading(element)
        return element

    def on_inline_end(self, block: etree.Element) -> None:
        """The list becomes answers to press; what stands under it is why."""
        listed = next((child for child in block if child.tag in ("ul", "ol")), None)
        if listed is None:
            self.notes.faults.append(self.NAME)
            return
        self.notes.quizzes += 1
        why = list(block)[list(block).index(listed) + 1 :]
        for one in why:
            block.remove(one)
        listed.tag = "ul"
        listed.set("class", "choices")
        right = [_pressed(item, why, f"quiz-{self.notes.quizzes}") for item in listed.findall("li")]
        answer = etree.SubElement(block, "div", {"class": "answer"})
        paragraph(answer, "答案：" + "；".join(words for words in right if words), "label")
        answer.extend(copy.deepcopy(one) for one in why)


def _pressed(item: etree.Element, why: list[etree.Element], group: str) -> str:
    """Put an answer into a `details` that says whether it is right; returns the words of a right one."""
    holder = item if (item.text or "").strip() or not len(item) else item[0]
    found = CHOICE.match((holder.text or "").lstrip())
    is_right = found is not None and found[1] != " "
    details = etree.Element("details", {"name": group})
    summary = etree.SubElement(details, "summary")
    summary.text = (holder.text or "").lstrip()[found.end() if found else 0 :]
    summary.extend(list(holder))
    for link in list(summary.iter("a")):  # what is pressed holds nothing else to press
        link.tag, link.attrib = "span", {}
    said = etree.SubElement(details, "div", {"class": "verdict"})
    paragraph(said, _RIGHT if is_right else _WRONG, "label")
    said.extend([child for child in item if child is not holder and holder is not item])
    if is_right:
        said.extend(copy.deepcopy(one) for one in why)
    item.clear()
    item.set("class", "right" if is_right else "wrong")
    item.append(details)
    return "".join(summary.itertext()).strip() if is_right else ""
