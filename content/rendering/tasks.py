"""The sheet of a task: how long it takes, what one needs, boxes to tick by finger or pen."""

import xml.etree.ElementTree as etree

SIGNED = "小朋友：＿＿＿＿＿　大人：＿＿＿＿＿　日期：＿＿＿＿＿"


def needs(minutes: str, things: str) -> str:
    """Minutes and things in one line; empty for neither."""
    told = (minutes and f"约 {minutes} 分钟", things and f"要用：{things}")
    return " · ".join(part for part in told if part)


def with_boxes(block: etree.Element) -> bool:
    """Give items that begin with `[ ]` a box with their words as its label; whether there were any."""
    boxes = [item for item in block.iter("li") if _ticked(item)]
    for each in block.iter("ul"):
        if any(item in boxes for item in each):
            each.set("class", "ticks")
    return bool(boxes)


def _ticked(item: etree.Element) -> bool:
    holder = item if (item.text or "").strip() else next(iter(item), item)
    text = (holder.text or "").lstrip()
    if not text.startswith("[ ]"):
        return False
    label = etree.Element("label")
    etree.SubElement(label, "input", {"type": "checkbox"}).tail = text.removeprefix("[ ]")
    for child in list(holder):
        holder.remove(child)
        label.append(child)
    holder.text = None
    holder.append(label)
    return True
