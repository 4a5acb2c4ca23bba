"""The pages that become pictures: the sheet of a long graphic, its cover cards, the poster; whole, with nothing to fetch."""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from content import logo, media, reading
from content.models import Revision
from content.reading import ReadingPage
from core import brand
from core.i18n import gettext, using_locale
from core.settings import Settings

WIDTH, SCALE = 360, 3  # CSS pixels of a phone, and what makes 1080 of them
WIDE, SQUARE = (900, 383), (1080, 1080)  # the covers that WeChat's editor asks for
A3 = (1123, 1587)  # CSS pixels of 297 × 420 millimetres
_TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
_STYLES = Path(__file__).resolve().parents[2] / "static" / "css"
_PICTURE = re.compile(r'src="/media/([0-9a-f]{16}\.(?:svg|png|jpg|webp))"')


@dataclass(frozen=True, slots=True)
class House:
    """Whose pictures they are."""

    institution: str
    hotline: str
    logo: str
    tokens: Markup


@dataclass(frozen=True, slots=True)
class Look:
    """What a document shows beside the piece: whose it is, for elders or not, and on a poster its stamp."""

    house: House
    elder: bool = False
    qr: str = ""
    name: str = ""
    under: str = ""


def house(settings: Settings) -> House:
    """The institution as its settings describe it."""
    found = logo.of(settings)
    return House(
        settings.institution_name,
        settings.hotline,
        found.embedded if found else "",
        Markup(brand.stylesheet(settings)),  # noqa: S704  (made of checked colours alone)
    )


def page_of(revision: Revision, hotline: str) -> ReadingPage:
    """The page of a revision, in the language of its pictures."""
    with using_locale("zh"):
        return reading.page_of(revision.text, revision.meta, revision.media, hotline=hotline)


def digest(words: str, settings: Settings, *, elder: bool) -> str:
    """A name for the pictures of a revision with this hash: whatever changes a pixel changes it."""
    mine = house(settings)
    parts = (words, str(elder), mine.institution, mine.hotline, mine.logo, mine.tokens, _drawn_with())
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


@lru_cache(1)
def _drawn_with() -> str:
    """All templates and styles of the pictures, as they were when the process started."""
    templates = (
        f"{name}.html" for name in ("sheet", "poster_parts", "poster_sheet", "poster_covers", "poster_a3")
    )
    texts = [(_TEMPLATES / "content" / name).read_text("utf-8") for name in templates]
    return hashlib.sha256("\x1f".join([*texts, _styles()]).encode()).hexdigest()


def sheet(page: ReadingPage, look: Look, files_dir: Path) -> str:
    """The tall sheet with its strip at the end and the label of slices under it."""
    return _rendered("poster_sheet", page, look, files_dir)


def covers(page: ReadingPage, look: Look, files_dir: Path) -> str:
    """The wide cover card, and the square one under it."""
    return _rendered("poster_covers", page, look, files_dir)


def a3(page: ReadingPage, look: Look, files_dir: Path) -> str:
    """The poster for the wall."""
    return _rendered("poster_a3", page, look, files_dir)


def _rendered(name: str, page: ReadingPage, look: Look, files_dir: Path) -> str:
    with using_locale("zh"):
        html = (
            _templates().get_template(f"content/{name}.html").render(page=page, look=look, styles=_styles())
        )
    whole = html.replace(' loading="lazy"', "")
    return _PICTURE.sub(lambda found: f'src="{_embedded(files_dir, found[1])}"', whole)


def _embedded(files_dir: Path, file: str) -> str:
    data, media_type = media.served(files_dir, file)
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _styles() -> Markup:
    sheets = ("tokens", "content", "poster")
    return Markup("\n".join((_STYLES / f"{name}.css").read_text("utf-8") for name in sheets))  # noqa: S704


@lru_cache(1)
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.globals.update(_=gettext, html_lang="zh-CN")
    return made
