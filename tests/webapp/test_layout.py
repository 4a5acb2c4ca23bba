"""The layouts: assets, numbers in words, navigation, contrast of every pair of tokens, weight, no inline code."""

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core import amounts
from core.i18n import using_locale
from core.settings import Settings
from institution.access import SignedIn
from institution.models import Staff, StaffSession
from institution.powers import Powers
from institution.sessions import Loaded
from webapp import layout
from webapp.assets import Assets
from webapp.create_app import create_app
from webapp.runtime import build

ROOT = Path(__file__).resolve().parent.parent.parent
THEMES = ("", "festive", "young", "warning", "growth", "ink")
PAIRS = [
    ("ink", "paper"), ("ink", "surface"), ("ink", "surface-2"), ("ink", "brand-soft"), ("ink", "signal-soft"),
    ("ink", "bad-soft"), ("ink", "warn-soft"), ("ink", "sun-soft"), ("ink-2", "paper"), ("ink-2", "surface"),
    ("ink-2", "surface-2"), ("ink-2", "brand-soft"), ("ink-3", "paper"), ("ink-3", "surface"), ("ink-3", "surface-2"),
    ("brand", "paper"), ("brand", "surface"), ("brand", "surface-2"), ("brand", "brand-soft"), ("brand-ink", "brand"),
    ("hero-ink", "hero"), ("hero-ink", "hero-2"), ("sun-ink", "sun"), ("sun", "hero"), ("signal", "signal-soft"),
    ("signal-ink", "signal"), ("good", "good-soft"), ("good", "surface"), ("bad", "bad-soft"), ("bad", "surface"),
    ("surface", "bad"), ("warn", "warn-soft"), ("info", "info-soft"),
    *((f"tile-ink-{level}", f"tile-{level}") for level in (0, 1, 2, 3, 4, 5, "down")),
]  # fmt: skip


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    runtime = build(settings)
    yield create_app(runtime)
    runtime.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    class Reading(FlaskClient):
        """Reads each answer to its end, so that the file behind it is closed."""

        def open(self, *args: Any, **kwargs: Any) -> TestResponse:
            return super().open(*args, **{**kwargs, "buffered": True})

    app.test_client_class = Reading
    return app.test_client()


# assets


def test_an_asset_is_kept_for_ever_under_its_hash_and_asked_for_again_without(client: FlaskClient) -> None:
    address = re.search(r'href="(/static/css/site.css\?v=\w{10})"', client.get("/nothing").text)
    assert address
    kept = client.get(address[1])
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for other in ("/static/css/site.css", "/static/css/site.css?v=0123456789"):
        assert client.get(other).headers["Cache-Control"] == "no-cache"


def test_an_asset_is_sent_packed_to_who_can_unpack(client: FlaskClient) -> None:
    plain, packed = (
        client.get("/static/css/site.css", headers={"Accept-Encoding": coding})
        for coding in ("identity", "gzip")
    )
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data == (ROOT / "static/css/site.css").read_bytes()
    assert len(packed.data) * 3 < len(plain.data)
    again = client.get("/static/css/site.css", headers={"If-None-Match": plain.headers["ETag"]})
    assert again.status_code == 304


def test_an_asset_depends_on_no_cookie(client: FlaskClient) -> None:
    answer = client.get("/static/img/favicon.svg", headers={"Cookie": "sp_v=0123456789abcdef"})
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert "Set-Cookie" not in answer.headers


def test_the_address_changes_with_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a{}")
    assets = Assets(tmp_path)
    first = assets.url("a.css")
    (tmp_path / "a.css").write_text("a{color:red}")
    assert assets.url("a.css") != first
    assert assets.url("none.css") == "/static/none.css"
    assert assets.exists("a.css")
    assert not assets.exists("../a.css/")


# numbers and days


@pytest.mark.parametrize(
    ("value", "chinese", "english"),
    [
        (288_000_000, "2.88 亿", "288 百万"),
        (174_545_455, "1.75 亿", "175 百万"),
        (61_400_000, "6,140 万", "61.4 百万"),
        (412_380, "41.2 万", "412,380"),
        (15_214, "15,214", "15,214"),
        (0, "0", "0"),
        (None, "—", "—"),
        (-288_000_000, "-2.88 亿", "-288 百万"),
    ],
)
def test_large_numbers_in_words(value: float | None, chinese: str, english: str) -> None:
    assert amounts.amount(value) == chinese
    with using_locale("en"):
        shown = amounts.amount(value)
    assert shown.split(" ", maxsplit=1)[0] == english.split(" ", maxsplit=1)[0]
    assert (" " in shown) == (" " in english)


def test_growth_never_speaks_by_colour_alone_and_without_a_base_not_at_all() -> None:
    assert [amounts.growth(one) for one in (0.65, -0.1, 0.0, None)] == ["▲ 65.0%", "▼ 10.0%", "＝ 0.0%", "—"]
    assert amounts.percent(1.234) == "123.4%"
    assert amounts.number(1234567) == "1,234,567"


def test_days_and_moments_read_in_the_institutions_zone() -> None:
    at = datetime(2026, 9, 15, 16, 30, tzinfo=UTC)
    assert layout.day(date(2026, 9, 15)) == "2026年9月15日"
    assert layout.moment(at, ZoneInfo("Asia/Shanghai")) == "2026年9月16日 00:30"
    with using_locale("en"):
        assert layout.day(date(2026, 9, 15)) == "September 15, 2026"
        assert layout.moment(at, ZoneInfo("Asia/Shanghai")) == "16 September 2026, 00:30"
    assert layout.day(None) == layout.moment(None, ZoneInfo("Asia/Shanghai")) == ""


def test_a_heading_breaks_and_does_nothing_else() -> None:
    assert layout.heading("先停一停，<br>再<wbr>转账<br/>") == "先停一停，<br>再<wbr>转账<br>"
    assert layout.heading("<script>x</script><br onclick=x>") == (
        "&lt;script&gt;x&lt;/script&gt;&lt;br onclick=x&gt;"
    )


def test_a_page_knows_its_address_without_how_it_was_reached(app: Flask) -> None:
    with app.test_request_context("/o?province=浙江省&a=token&utm_source=x&page=2&lang=en"):
        assert layout.here() == "/o?province=%E6%B5%99%E6%B1%9F%E7%9C%81&page=2"
    with app.test_request_context("/help?a=token"):
        assert layout.here() == "/help"


# the desk's navigation


def _navigation(app: Flask, *roles: str) -> list[str]:
    made = datetime(2026, 1, 1, tzinfo=UTC)
    row = StaffSession(staff_id=1, token_hash="", created_at=made, seen_at=made, expires_at=made)
    person = SignedIn(
        Loaded(
            row,
            Staff(id=1, login="x", name="x", created_at=made),
            Powers(tuple((role, "") for role in roles)),
        )
    )
    with app.test_request_context("/desk"):
        return [item.key for _title, items in layout._navigation(person) for item in items]


def test_navigation_holds_what_exists_and_the_person_may_open(app: Flask) -> None:
    assert _navigation(app) == []
    everything = _navigation(app, "administrator")
    assert {"home", "campaigns", "pieces", "outlets", "staff"} <= set(everything)
    assert len(everything) == len(set(everything))
    assert "campaigns" in _navigation(app, "editor")
    assert "staff" not in _navigation(app, "editor")
    assert "plans" not in _navigation(app, "outlet_staff")
    paths = {rule.rule for rule in app.url_map.iter_rules()}
    shown = {item.path for _title, items in layout.NAVIGATION for item in items if item.key in everything}
    assert shown <= paths | {path.rstrip("/") for path in paths}


# what every page is made of


def test_pages_have_no_inline_script_or_style_and_fetch_from_nobody(client: FlaskClient) -> None:
    for path in (
        "/",
        "/help",
        "/o",
        "/events",
        "/library",
        "/privacy",
        "/accessibility",
        "/nothing",
        "/desk/sign-in",
    ):
        text = client.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
        assert not re.search(r"<style|\sstyle=|\son\w+=", text), path
        for address in re.findall(r'(?:src|href)="([^"]+)"', text):
            local = address.startswith(("/", "#", "tel:", "?")) and not address.startswith("//")
            assert local or address.startswith("http://127.0.0.1:8000/"), (path, address)


def test_a_public_page_weighs_at_most_60_kilobytes(client: FlaskClient) -> None:
    for path in ("/", "/help"):
        text = client.get(path).text
        total = len(gzip.compress(text.encode()))
        for address in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', text)):
            total += len(client.get(address, headers={"Accept-Encoding": "gzip"}).data)
        assert total <= 60_000, path


def test_elder_mode_and_language_are_said_on_the_root(client: FlaskClient) -> None:
    assert '<html lang="zh-CN">' in client.get("/help").text
    client.set_cookie("sp_elder", "1")
    client.set_cookie("sp_lang", "en")
    assert '<html lang="en" data-elder>' in client.get("/help").text


# colours


def _tokens() -> dict[str, dict[str, str]]:
    """Theme → token → its declaration; "" is what holds without a theme."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "static/css/tokens.css").read_text(encoding="utf-8"), flags=re.S)
    found: dict[str, dict[str, str]] = {theme: {} for theme in THEMES}
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", text):
        theme = re.search(r'data-theme="(\w+)"', selector)
        if theme or selector.strip() == ":root":
            named = theme[1] if theme else ""
            found[named] |= dict(re.findall(r"--([\w-]+):\s*([^;]+);", body))
    return found


def _colour(tokens: dict[str, str], name: str, mode: str) -> tuple[float, ...]:
    value = tokens[name]
    chosen = re.search(rf"var\(--{mode}, ([^)]+)\)", value)
    value = chosen[1] if chosen else value
    alias = re.fullmatch(r"var\(--([\w-]+)\)", value.strip())
    if alias:
        return _colour(tokens, alias[1], mode)
    digits = value.strip().removeprefix("#")
    return tuple(int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))


def _light(colour: tuple[float, ...]) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    lighter, darker = sorted((_light(first), _light(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("theme", THEMES)
def test_every_text_colour_stands_out_from_its_ground(theme: str, mode: str) -> None:
    found = _tokens()
    tokens = found[""] | found[theme]
    weak = {
        f"{text} on {ground}": round(ratio, 2)
        for text, ground in PAIRS
        if (ratio := contrast(_colour(tokens, text, mode), _colour(tokens, ground, mode))) < 4.5
    }
    assert weak == {}


def test_contrast_is_measured_right() -> None:
    assert contrast((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)) == pytest.approx(21)
    assert contrast((119 / 255,) * 3, (1.0, 1.0, 1.0)) == pytest.approx(4.48, abs=0.01)


def test_only_tokens_name_colours() -> None:
    """One file for colour: the other sheets use it. White and black are allowed, for paper, glow and focus."""
    for name in ("site", "desk"):
        text = (ROOT / f"static/css/{name}.css").read_text(encoding="utf-8")
        named = set(re.findall(r"(?<=[\s:(,])#[0-9a-fA-F]{3,8}\b", text)) - {"#fff", "#000"}
        assert named == set(), name
