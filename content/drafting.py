"""From the text of a piece and its pictures to a checked draft, the same for files and for the form."""

import hashlib
import json
import re
from collections.abc import Mapping

from content import frontmatter
from content.faults import Fault
from content.lifecycle import Draft
from content.media import Picture
from content.rendering import render
from core.i18n import gettext as _

_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LONGEST = 200_000


def check(file: str, text: str, pictures: Mapping[str, Picture]) -> tuple[Draft | None, list[Fault]]:
    """The draft that a text makes with these pictures, or everything that is wrong with it."""
    if _NOT_TEXT.search(text) or len(text) > _LONGEST:
        return None, [Fault(file, "", _("这不是文字，或者太长（最多 20 万字）。"))]
    parts = frontmatter.split(text)
    if parts is None:
        return None, [Fault(file, "", _("文件要以 --- 开头，写好文件头，再以 --- 结束文件头。"))]
    header, body, first_line = parts
    front, faults = frontmatter.read(file, header)
    rendered = render(body, pictures, front.kind if front else "", first_line)
    faults += [Fault(file, place, rule) for place, rule in rendered.faults]
    if not body.strip():
        faults.append(Fault(file, "", _("正文是空的。")))
    if front is None:
        return None, faults
    if front.cover and front.cover not in pictures:
        faults.append(Fault(file, "cover", _("找不到图片“%(name)s”。", name=front.cover)))
    if faults:
        return None, faults
    used = sorted(rendered.used | ({front.cover} if front.cover else set()))
    media = {name: pictures[name].as_json() for name in used}
    meta = front.model_dump(mode="json", exclude_none=True)
    return Draft(front.key, front.kind.value, text, meta, media, content_hash(text, pictures, used)), []


def content_hash(text: str, pictures: Mapping[str, Picture], used: list[str]) -> str:
    """One hash of the words and of every picture: a changed picture is another revision."""
    parts = [text, *([name, pictures[name].sha256] for name in used)]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()
