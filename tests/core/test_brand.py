"""An institution's own colours: refused with the figure where they could not be read, readable in light and dark else."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core import brand
from core.brand import BrandSettings
from core.settings import Settings

TOKENS = (Path(__file__).resolve().parents[2] / "static" / "css" / "tokens.css").read_text("utf-8")


def made(**given: str) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[arg-type]


def test_contrast_is_that_of_wcag() -> None:
    assert brand.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert brand.contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"brand_color": "#ff9900"}, "contrast of 1.9:1 on paper.*choose a darker one"),
        ({"brand_color": "red"}, "must read like #0e5e50"),
        ({"accent_color": "#444444"}, "under dark text.*choose a lighter one"),
        ({"logo": "/nowhere/logo.svg"}, "there is no file"),
        ({"logo": "/etc/passwd"}, "must be an .svg or a .png file"),
    ],
)
def test_what_could_not_be_read_is_refused_as_the_process_starts(given: dict[str, str], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        made(**given)


channel = st.integers(0, 255)


@settings(max_examples=60, deadline=None)
@given(st.tuples(channel, channel, channel))
def test_every_colour_that_is_taken_can_be_read_wherever_it_is_used(parts: tuple[int, int, int]) -> None:
    colour = "#" + "".join(f"{part:02x}" for part in parts)
    try:
        text = brand.stylesheet(BrandSettings(_env_file=None, brand_color=colour))
    except ValidationError:
        return
    found = dict(re.findall(r"--([a-z0-9-]+):(var\([^;}]+)", text))
    light = {name: re.search(r"--light,(#\w{6})", value)[1] for name, value in found.items()}  # type: ignore[index]
    dark = {name: re.search(r"--dark,(#\w{6})", value)[1] for name, value in found.items()}  # type: ignore[index]
    for one, other in (
        (light["brand"], light["brand-ink"]), (light["brand"], "#fbf8f2"), (light["brand"], light["brand-soft"]),
        (light["hero"], "#ffffff"), (light["hero"], "#f6b73c"), (light["hero-2"], "#f6b73c"),
        (dark["brand"], dark["brand-ink"]), (dark["brand"], "#1b2425"), (dark["brand"], "#232e2f"),
        (dark["brand"], dark["brand-soft"]), (dark["hero"], "#ffffff"),
    ):  # fmt: skip
        assert brand.contrast(one, other) >= 4.5, (colour, one, other)


def test_it_names_only_tokens_that_there_are() -> None:
    text = brand.stylesheet(made(brand_color="#0e5e50", accent_color="#f6b73c"))
    assert {f"--{name}:" for name in re.findall(r"--([a-z0-9-]+):", text)} <= set(
        re.findall(r"--[a-z0-9-]+:", TOKENS)
    )
    assert brand.stylesheet(made()) == ""
