"""From the text of a piece and its pictures to a checked draft, the same for files and for the form."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from content import frontmatter
from content.faults import Fault
from content.frontmatter import FrontMatter
from content.lifecycle import Draft
from content.media import Picture
from content.models import Kind
from content.rendering import render
from content.rooms import file
from content.strip import drawing
from core.i18n import gettext as _

_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LONGEST = 200_000


def check(name: str, text: str, pictures: Mapping[str, Picture]) -> tuple[Draft | None, list[Fault]]:
    """The draft that a text makes with these pictures, or everything that is wrong with it."""
    if _NOT_TEXT.search(text) or len(text) > _LONGEST:
        return None, [Fault(name, "", _("这不是文字，或者太长（最多 20 万字）。"))]
    if file.is_room(text):
        return _room(name, text, pictures)
    parts = frontmatter.split(text)
    if parts is None:
        return None, [Fault(name, "", _("文件要以 --- 开头，写好文件头，再以 --- 结束文件头。"))]
    header, body, first_line = parts
    front, faults = frontmatter.read(name, header)
    meta = front.model_dump(mode="json", exclude_none=True) if front else {}
    drawn = drawing.pictures(meta)
    pictures = {**pictures, **{name: one.picture for name, one in drawn.items()}}
    rendered = render(body, pictures, front.kind if front else "", first_line, told=drawing.told(meta))
    faults += [
        Fault(name, _("第 %(line)s 行", line=line) if line else "", rule, line)
        for line, rule in rendered.faults
    ]
    if not body.strip():
        faults.append(Fault(name, "", _("正文是空的。")))
    if front is None:
        return None, faults
    faults += _unfit(name, front, pictures)
    if faults:
        return None, faults
    used = sorted(rendered.used | drawn.keys() | ({front.cover} if front.cover else set()))
    return replace(_draft(text, meta, pictures, used), drawn=tuple(drawn.values())), []


def _unfit(name: str, front: FrontMatter, pictures: Mapping[str, Picture]) -> list[Fault]:
    """What a good front matter says that is not so."""
    faults = []
    if front.cover and front.cover not in pictures:
        faults.append(Fault(name, "cover", _("找不到图片“%(name)s”。", name=front.cover)))
    if front.kind is Kind.escape_room:
        rule = _("密室写在它自己的文件夹里，文件名是 room.yaml，不写 --- 文件头。")
        faults.append(Fault(name, "kind", rule))
    return faults


def _room(name: str, text: str, pictures: Mapping[str, Picture]) -> tuple[Draft | None, list[Fault]]:
    room, faults = file.read(name, text)
    if room is not None:
        faults += file.lacking(name, room, pictures)
    if room is None or faults:
        return None, faults
    return _draft(text, file.front_matter(room), pictures, file.pictures_of(room)), []


def _draft(text: str, meta: dict[str, Any], pictures: Mapping[str, Picture], used: list[str]) -> Draft:
    media = {name: pictures[name].as_json() for name in used}
    return Draft(meta["key"], meta["kind"], text, meta, media, content_hash(text, pictures, used))


def content_hash(text: str, pictures: Mapping[str, Picture], used: list[str]) -> str:
    """One hash of the words and of every picture: a changed picture is another revision."""
    parts = [text, *([name, pictures[name].sha256] for name in used)]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()
