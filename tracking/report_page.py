"""The mail of a report as a page of a site that allows no inline style: sheets linked, pictures within."""

import base64
import re
from collections.abc import Sequence

from markupsafe import escape

from institution.letters import Content

_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)


def as_page(content: Content, sheets: Sequence[str]) -> str:
    """The letter's HTML for a frame."""
    shown = _STYLE.sub(lambda _found: _links(sheets), content.html, count=1)
    for one in content.files:
        if one.cid:
            data = base64.b64encode(one.data).decode()
            shown = shown.replace(f'"cid:{one.cid}"', f'"data:{one.media_type};base64,{data}"')
    return shown


def sentence(text: str, sheets: Sequence[str]) -> str:
    """A page that only says why there is nothing to see."""
    return f'<!doctype html><html><head>{_links(sheets)}</head><body><p class="help">{escape(text)}</p></body></html>'


def _links(sheets: Sequence[str]) -> str:
    return "".join(f'<link rel="stylesheet" href="{sheet}">' for sheet in sheets)
