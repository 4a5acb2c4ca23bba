"""An institution's own colours and logo: settings that are checked as the process starts, and the tokens made of them.

Contrast is that of WCAG 2.2 §1.4.3: 4.5 to 1 for text. A colour that would make a page hard to read is refused with the
figure and what to do, rather than quietly mended. What the dark page needs is mixed from the same colour.
"""

import re
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

LEAST = 4.5
LOGOS = {".svg": "image/svg+xml", ".png": "image/png"}
LARGEST_LOGO = 512 * 1024
_HEX = re.compile(r"#[0-9a-f]{6}")
# What the brand stands on or carries (static/css/tokens.css): --brand-ink, --paper, --surface-2, --sun-ink, dark --surface-2
_WHITE, _PAPER, _SHADE, _SUN_INK, _DARK, _BLACK = (
    "#ffffff",
    "#fbf8f2",
    "#f3eee4",
    "#2b2008",
    "#232e2f",
    "#000000",
)
_SUN = "#f6b73c"


class BrandSettings(BaseSettings):
    """The part of the settings that is about the institution's looks."""

    brand_color: str = Field(
        "",
        description="The institution's colour for buttons, links and the first panel, such as #0e5e50; white text on it and it on paper must be readable (4.5:1). Empty: pine green",
    )
    accent_color: str = Field(
        "",
        description="Its second colour, light, for what should be noticed, such as #f6b73c; dark text on it must be readable. Empty: sun yellow",
    )
    logo: Path | None = Field(
        None,
        description="Path of the institution's logo, SVG or PNG up to 512 KB, for pages, posters and plaques; unset: the signpost",
    )

    @field_validator("brand_color", "accent_color", mode="after")
    @classmethod
    def _is_colour(cls, value: str) -> str:
        value = value.strip().lower()
        if value and not _HEX.fullmatch(value):
            raise ValueError("must read like #0e5e50: a number sign and six hexadecimal digits")
        return value

    @field_validator("brand_color", mode="after")
    @classmethod
    def _carries_white(cls, value: str) -> str:
        if value:
            _readable(value, _SHADE, "on paper", "choose a darker one")
            _readable(value, _WHITE, "under white text", "choose a darker one")
        return value

    @field_validator("accent_color", mode="after")
    @classmethod
    def _carries_ink(cls, value: str) -> str:
        if value:
            _readable(value, _SUN_INK, "under dark text", "choose a lighter one")
        return value

    @field_validator("logo", mode="after")
    @classmethod
    def _is_picture(cls, value: Path | None) -> Path | None:
        if value is None or value == Path():
            return None
        if value.suffix.lower() not in LOGOS:
            raise ValueError("must be an .svg or a .png file")
        if not value.is_file():
            raise ValueError(f"there is no file {value}")
        if value.stat().st_size > LARGEST_LOGO:
            raise ValueError("is larger than 512 KB; make it smaller")
        return value

    @property
    def has_colours(self) -> bool:
        """Whether colours of its own were given."""
        return bool(self.brand_color or self.accent_color)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (`#rrggbb`), 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def stylesheet(settings: BrandSettings) -> str:
    """The tokens that the colours replace, in the light and in the dark; empty where none are set.

    The five other themes of pieces keep their own colours: they mean something.
    """
    if not settings.has_colours:
        return ""
    lines = []
    if settings.accent_color:
        lines += [f"--sun:{settings.accent_color}", _both("sun-soft", _mixed(settings.accent_color, _WHITE, 0.72), _mixed(settings.accent_color, _DARK, 0.8))]  # fmt: skip
    if settings.brand_color:
        lines += _brand(settings.brand_color, settings.accent_color or _SUN)
    return ":root{" + ";".join(lines) + "}\n"


def _brand(colour: str, sun: str) -> list[str]:
    bright = lightened(colour)
    # the first panel is as dark as its yellow line needs
    hero = next(
        (made for part in range(20) if contrast(made := _mixed(colour, _BLACK, part / 20), sun) >= LEAST),
        _BLACK,
    )
    return [
        _both("brand", colour, bright),
        _both("brand-ink", _WHITE, _mixed(colour, _BLACK, 0.72)),
        _both("brand-soft", _soft(colour), _mixed(colour, "#1b2425", 0.74)),
        _both("hero", hero, _mixed(hero, _BLACK, 0.22)),
        _both("hero-2", _mixed(hero, _BLACK, 0.18), _mixed(hero, _BLACK, 0.38)),
        _both("chart-now", colour, bright),
        _both("chart-before", _mixed(colour, _WHITE, 0.68), _mixed(colour, "#1b2425", 0.5)),
    ]


def lightened(colour: str) -> str:
    """The colour mixed with white until it can be read on the dark page."""
    parts = (part / 20 for part in range(20))
    return next(
        (made for part in parts if contrast(made := _mixed(colour, _WHITE, part), _DARK) >= 5.5), _WHITE
    )


def _soft(colour: str) -> str:
    """A tint of the colour on which it can itself be read."""
    tints = (_mixed(colour, _WHITE, part / 100) for part in range(87, 100))
    return next((tint for tint in tints if contrast(colour, tint) >= LEAST), _WHITE)


def _both(name: str, light: str, dark: str) -> str:
    return f"--{name}:var(--light,{light}) var(--dark,{dark})"


def _readable(colour: str, other: str, where: str, way_out: str) -> None:
    found = contrast(colour, other)
    if found < LEAST:
        raise ValueError(f"{colour} has a contrast of {found:.1f}:1 {where}, {LEAST}:1 is needed; {way_out}")


def _mixed(one: str, other: str, share: float) -> str:
    """So much of the second colour in the first."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(mine + (theirs - mine) * share):02x}" for mine, theirs in pairs)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def _luminance(colour: str) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
