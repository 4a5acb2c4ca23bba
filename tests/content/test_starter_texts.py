"""The starter library keeps its form: help, sources, cover and call; plain words, true numbers, small drawings."""

import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from content import frontmatter, media
from content.frontmatter import FrontMatter
from content.models import Kind
from content.rendering import Rendered, render
from content.strip import drawing

STARTER = Path(__file__).parents[2] / "webapp" / "starter"
PIECES = sorted(path.stem for path in (STARTER / "pieces").glob("*.md"))
CAMPAIGNS = sorted((STARTER / "campaigns").glob("*.yaml"))
DRAWINGS = sorted(STARTER.glob("*/media/*.svg"))
# Whom an elder may be told to call; any other short number in a text is a slip of the pen.
PHONES = {"96110", "110", "120", "122", "12378", "12363", "12386", "12315", "12321", "12333", "12367"}
FORBIDDEN = ("！", "!", "最佳", "最优", "首选", "限时", "限量", "停售", "国家级", "http", "点击", "亲们")
COMPANIES = ("国寿", "中国人寿", "平安保险", "太平洋", "新华保险", "泰康", "中国人保", "阳光保险", "友邦")
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,;:?()]|[,;:?()][\u4e00-\u9fff]")
SVG = "{http://www.w3.org/2000/svg}"


@cache
def _read(key: str) -> tuple[FrontMatter, str, int]:
    parts = frontmatter.split((STARTER / "pieces" / f"{key}.md").read_text(encoding="utf-8"))
    assert parts is not None
    meta, faults = frontmatter.read(key, parts[0])
    assert meta is not None, faults
    return meta, parts[1], parts[2]


@cache
def _pictures() -> dict[str, media.Picture]:
    files = (STARTER / "pieces" / "media").glob("*.svg")
    return {
        f"media/{path.name}": media.prepare(f"media/{path.name}", path.read_bytes()).picture for path in files
    }


def _rendered(key: str) -> Rendered:
    meta, body, line = _read(key)
    given = meta.model_dump(mode="json", exclude_none=True)
    known = _pictures() | {name: one.picture for name, one in drawing.pictures(given).items()}
    return render(body, known, meta.kind.value, line, told=drawing.told(given))


def _cover(key: str) -> str:
    """The file of its cover, drawn by hand or put together from parts."""
    meta = _read(key)[0]
    drawn = drawing.pictures(meta.model_dump(mode="json", exclude_none=True))
    if meta.cover in drawn:
        return drawn[str(meta.cover)].picture.file
    return _pictures()[str(meta.cover)].file


def _of(kind: Kind) -> list[FrontMatter]:
    return [meta for meta in (_read(key)[0] for key in PIECES) if meta.kind is kind]


def test_there_is_enough_of_every_kind() -> None:
    """A new institution can open its doors with what is here."""
    enough = {Kind.long_graphic: 12, Kind.diary: 12, Kind.article: 12, Kind.guide: 11}
    assert {kind: len(_of(kind)) >= least for kind, least in enough.items()} == dict.fromkeys(enough, True)


@pytest.mark.parametrize("key", PIECES)
def test_a_piece_renders_without_a_fault(key: str) -> None:
    """Blocks are written as the grammar wants them, and the file is named by its key."""
    assert _read(key)[0].key == key
    assert _rendered(key).faults == ()


@pytest.mark.parametrize("key", PIECES)
def test_a_piece_says_where_it_comes_from_and_where_to_get_help(key: str) -> None:
    """Help, sources with publisher and day, rights, readers, English, a day of review."""
    meta = _read(key)[0]
    assert meta.help and meta.rights and meta.topics and meta.audience and meta.minutes
    assert meta.title_en and meta.summary_en and meta.review_by
    assert meta.sources
    assert all(source.publisher and source.date for source in meta.sources)
    assert {line.phone for line in meta.help} <= PHONES


@pytest.mark.parametrize("key", PIECES)
def test_a_piece_has_a_cover_of_its_own(key: str) -> None:
    """The cover exists, is described, and no other piece wears it."""
    meta = _read(key)[0]
    alt = drawing.cover_alt(meta.model_dump(mode="json", exclude_none=True))
    assert len(alt) >= 12
    assert [other for other in PIECES if _cover(other) == _cover(key)] == [key]


@pytest.mark.parametrize("key", PIECES)
def test_a_piece_ends_with_what_to_do_and_whom_to_call(key: str) -> None:
    """The last block is the call, and it carries a number."""
    body = _read(key)[1]
    opened = re.findall(r"^/{3,} (\w+).*\n((?: {4}.*\n)*)", body, flags=re.MULTILINE)
    name, options = opened[-1]
    assert name == "call"
    assert re.search(r'phone: "(\d+)"', options)
    assert body.rstrip().endswith("///")


@pytest.mark.parametrize("key", PIECES)
def test_words_are_plain_and_numbers_are_known(key: str) -> None:
    """No shouting, no sales talk, no company, no unknown telephone number, full-width punctuation."""
    meta, body, _line = _read(key)
    chinese = "\n".join([meta.title, meta.summary, meta.cover_alt or "", body])
    assert [word for word in (*FORBIDDEN, *COMPANIES) if word in chinese.replace("<br>", "")] == []
    assert HALF_WIDTH.findall(chinese) == []
    assert set(re.findall(r"(?<![\d.])(?:9\d{4}|12[13]\d\d)(?!\d)", chinese)) <= PHONES


@pytest.mark.parametrize("key", PIECES)
def test_a_number_shown_large_names_its_source(key: str) -> None:
    """Every figure block says whose number it is."""
    figures = re.findall(r"^/{3,} figure .*\n((?: {4}.*\n)*)", _read(key)[1], flags=re.MULTILINE)
    assert all("source:" in options for options in figures)


@pytest.mark.parametrize("meta", _of(Kind.long_graphic), ids=lambda meta: str(meta.key))
def test_a_long_graphic_has_its_panels_and_drawings(meta: FrontMatter) -> None:
    """Seven to twelve panels with the call, and at least one drawing beside the cover."""
    html = _rendered(meta.key).html
    assert 7 <= html.count('<section class="pane') <= 12
    assert _rendered(meta.key).used - {meta.cover}


def test_the_diary_tells_twelve_episodes_in_two_seasons_with_a_task_each() -> None:
    """Numbered from 1, a strip of at least three scenes, ending in a sheet to do together."""
    episodes = sorted(_of(Kind.diary), key=lambda meta: meta.number or 0)
    assert [meta.number for meta in episodes] == list(range(1, len(episodes) + 1))
    for meta in episodes:
        assert 'type="checkbox"' in _rendered(meta.key).html
        assert len([name for name in _rendered(meta.key).used if name.startswith("strip/")]) >= 3
    assert [meta.season for meta in episodes] == [1] * 6 + [2] * 6


def test_every_theme_and_every_key_group_has_something_to_read() -> None:
    """The six themes, and the six groups that the regulators name (重点人群)."""
    read = [*_of(Kind.long_graphic), *_of(Kind.article)]
    assert {str(meta.theme) for meta in read} == set(frontmatter.THEMES)
    groups = {"老年人", "青少年", "新市民", "务工务农人员", "残障人士", "外籍来华人士"}
    assert {name for name in groups if sum(name in meta.audience for meta in read) < 2} == set()
    assert {right for meta in read for right in meta.rights} == set(frontmatter.RIGHTS)


def test_articles_are_numbered_without_a_gap() -> None:
    """以案说险: the number stands in the kicker too."""
    numbered = sorted(_of(Kind.article), key=lambda meta: meta.number or 0)
    assert [meta.number for meta in numbered] == list(range(1, len(numbered) + 1))
    assert all(meta.kicker == f"以案说险 · 第 {meta.number} 期" for meta in numbered)


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: str(path.stem))
def test_a_drawing_is_small_titled_and_stands_alone(path: Path) -> None:
    """At most 8 kB, scales by its viewBox, has a title, refers to nothing."""
    text = path.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert len(text.encode()) <= 8_000
    assert root.get("viewBox") and root.get("width") is None and root.get("height") is None
    assert root.get("role") == "img"
    assert (root.findtext(f"{SVG}title") or "").strip()
    assert not re.search(r"<style|<script|href|url\(|<image|@", text)


def test_no_drawing_lies_about_unused() -> None:
    """What nobody shows is not kept."""
    shown = {name for key in PIECES for name in (*_rendered(key).used, _read(key)[0].cover)}
    assert set(_pictures()) == {name for name in shown if not str(name).startswith("strip/")}


@pytest.mark.parametrize("path", CAMPAIGNS, ids=lambda path: str(path.stem))
def test_a_campaign_uses_pieces_that_exist(path: Path) -> None:
    """Named by its code, with a period, a drawing, help, and each piece once."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert data["code"] == path.stem
    assert data["starts_on"] <= data["ends_on"]
    assert (path.parent / data["hero"]).is_file()
    assert data["help"] and data["slogan"] and data["summary"]
    assert set(data["pieces"]) <= set(PIECES)
    assert len(data["pieces"]) == len(set(data["pieces"]))
