"""The pictures `strip/1`, `strip/2` … that a front matter makes, drawn and cleaned like any SVG, and what they tell."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from content import media
from content.media import Prepared
from content.strip.scene import draw
from content.strip.schema import Panel
from content.strip.telling import Told, tell


def pictures(meta: Mapping[str, Any]) -> dict[str, Prepared]:
    """The drawn panels of a checked front matter (as JSON), by the names that the text uses."""
    return {f"strip/{at}": _prepared(_packed(panel)) for at, panel in enumerate(meta.get("strip") or (), 1)}


def told(meta: Mapping[str, Any]) -> dict[str, Told]:
    """What each panel tells, by the same names."""
    found = {}
    for at, given in enumerate(meta.get("strip") or (), 1):
        panel = Panel.model_validate(given)
        found[f"strip/{at}"] = Told(tell(panel), panel.caption or "")
    return found


def cover_alt(meta: Mapping[str, Any]) -> str:
    """What the cover shows: as written, or what its panel tells."""
    cover = str(meta.get("cover") or "")
    if meta.get("cover_alt") or not cover.startswith("strip/"):
        return str(meta.get("cover_alt") or "")
    return tell(Panel.model_validate(meta["strip"][int(cover.removeprefix("strip/")) - 1]))


def with_unplaced(body: str, meta: Mapping[str, Any]) -> str:
    """The body with those panels before it that it does not name, nor the cover."""
    named = {f"strip/{one}" for one in re.findall(r"strip/(\d+)", body)} | {str(meta.get("cover") or "")}
    missing = [name for name in told(meta) if name not in named]
    return "".join(f"/// picture | {name}\n///\n\n" for name in missing) + body


def _packed(panel: Mapping[str, Any]) -> str:
    return json.dumps(panel, ensure_ascii=False, sort_keys=True)


@lru_cache(256)
def _prepared(packed: str) -> Prepared:
    return media.prepare("media/strip.svg", draw(Panel.model_validate(json.loads(packed))).encode())
