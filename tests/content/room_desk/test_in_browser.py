"""The desk of rooms in a real browser: hotspots drawn by mouse, by touch and by keys, rows by script, the map."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlmodel import Session

from content import history, library
from core import clock
from core.database import Database
from core.settings import Settings
from institution.models import Staff
from tests import browser, factories, servers
from tests.browser import Site
from tests.content.rooms.conftest import KEY, SAMPLES
from tests.content.rooms.hands import serving

ROOM = f"/desk/pieces/{KEY}/room"


def _load(session: Session, settings: Settings, editor: Staff, _reviewer: Staff) -> None:
    library.load_folder(session, settings.files_dir, SAMPLES, by=editor.id or 0, now=clock.now())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Site]:
    """The site with the sample room as a draft."""
    home = tmp_path_factory.mktemp("home")
    with serving(home, database_template, _load, second_factor="off") as found:
        yield found


@pytest.fixture
def page(chromium: Browser, site: Site) -> Iterator[Page]:
    """The editor at the scene with the hotspots."""
    with browser.visitor(chromium, site, browser.DESKTOP) as found:
        browser.sign_in(found, site, factories.EDITOR)
        found.goto(f"{site.address}{ROOM}/scenes/living")
        yield found


def numbers(page: Page, row: str) -> list[str]:
    """The four fields of a row, which are what is sent."""
    return [page.locator(f'[name="{row}.box.{part}"]').input_value() for part in "xywh"]


def spot(page: Page, row: str) -> Locator:
    return page.locator(f'.stage-box[data-of="{row}"]')


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From and to in percent of the picture."""
    page.locator(".stage-pic").scroll_into_view_if_needed()
    box = page.locator(".stage-pic").bounding_box()
    assert box is not None
    places = [
        (box["x"] + x / 100 * box["width"], box["y"] + y / 100 * box["height"]) for x, y in (start, end)
    ]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=4)
    page.mouse.up()


def near(found: list[str], wanted: list[float]) -> bool:
    return all(abs(float(one) - other) <= 0.6 for one, other in zip(found, wanted, strict=True))


def test_a_hotspot_is_moved_and_resized_by_mouse_and_saved(page: Page, site: Site) -> None:
    assert numbers(page, "hotspots.1") == ["10", "10", "15", "20"]
    drag(page, (17, 24), (27, 34))
    assert near(numbers(page, "hotspots.1"), [20, 20, 15, 20])
    drag(page, (35, 40), (45, 50))
    assert near(numbers(page, "hotspots.1"), [20, 20, 25, 30])
    drag(page, (30, 30), (230, 30))
    assert near(numbers(page, "hotspots.1"), [75, 20, 25, 30]), "it stays on the picture"
    page.get_by_role("button", name="保存为新版本").last.click()
    page.wait_for_selector(".flash.good")
    assert near(numbers(page, "hotspots.1"), [75, 20, 25, 30])
    with site.runtime.service(Database).reading() as session:
        assert "box: [75" in history.revisions(session, KEY)[0].text


def test_the_arrow_keys_do_the_same(page: Page) -> None:
    before = [float(one) for one in numbers(page, "hotspots.3")]
    spot(page, "hotspots.3").focus()
    for key in (
        "ArrowRight",
        "ArrowRight",
        "ArrowUp",
        "Shift+ArrowRight",
        "Shift+ArrowDown",
        "Shift+ArrowDown",
    ):
        page.keyboard.press(key)
    x, y, w, h = before
    assert near(numbers(page, "hotspots.3"), [x + 2, y - 1, w + 1, h + 2])
    expect(page.locator("[data-stage-live]")).to_contain_text("响着的电话")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert near(numbers(page, "hotspots.3"), [x + 2, y - 1, w + 1, h + 2]), (
        "the control: without focus nothing moves"
    )


def test_the_number_fields_and_the_picture_are_one_thing(page: Page) -> None:
    page.locator('[data-row="hotspots.0"] > summary').click()
    page.locator('[name="hotspots.0.box.x"]').fill("5")
    outer, inner = page.locator(".stage-pic").bounding_box(), spot(page, "hotspots.0").bounding_box()
    assert outer and inner and abs((inner["x"] - outer["x"]) / outer["width"] * 100 - 5) < 1


def test_what_has_no_place_gets_one_by_drawing_and_a_new_one_is_made(page: Page) -> None:
    """The first drawing is of the hotspot without a place; there is none left for the second, so a row is added."""
    assert numbers(page, "hotspots.4") == [""] * 4
    drag(page, (30, 2), (42, 9))
    assert near(numbers(page, "hotspots.4"), [30, 2, 12, 7])
    drag(page, (2, 80), (12, 95))
    expect(page.locator('[data-row="hotspots.5"]')).to_be_visible()
    expect(spot(page, "hotspots.5")).to_be_visible()
    assert near(numbers(page, "hotspots.5"), [2, 80, 10, 15])
    drag(page, (50, 2), (50.5, 2.4))
    assert page.locator('[data-row^="hotspots."]').count() == 6, (
        "the control: a slip of the hand draws nothing"
    )


def test_rows_move_without_leaving_the_page_and_a_field_is_checked_when_it_is_left(page: Page) -> None:
    page.locator('[name="title.en"]').fill("Parlour")
    page.locator('[data-row="hotspots.0"]').evaluate("row => { row.open = true }")
    page.locator('button[value="down:hotspots.0"]').click()
    expect(page.locator('[data-rows="hotspots"] > [data-row]').first).to_have_attribute(
        "data-row", "hotspots.1"
    )
    assert page.locator('[name="title.en"]').input_value() == "Parlour"
    assert page.locator('[data-row="hotspots.0"]').evaluate("row => row.open")
    field = page.locator('[name="hotspots.0.then"]')
    field.fill("{lock: nothing}")
    field.blur()
    expect(page.locator('[data-field="hotspots.0.then"] .error')).to_contain_text("nothing")
    field.fill("{talk: granny}")
    field.blur()
    expect(page.locator('[data-field="hotspots.0.then"] .error')).to_have_count(0)
    page.evaluate("window.onbeforeunload = null")


def test_the_map_is_walked_by_keyboard_and_leads_to_the_parts(chromium: Browser, site: Site) -> None:
    for size in (browser.PHONE, browser.DESKTOP):
        with browser.visitor(chromium, site, size) as page:
            browser.sign_in(page, site, factories.EDITOR)
            page.goto(f"{site.address}{ROOM}")
            assert browser.overflow(page) == []
            assert browser.faults(page, browser.ALL) == []
            node = page.locator(".room-map a").first
            node.focus()
            assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("场景 客厅")
            page.keyboard.press("Enter")
            page.wait_for_url(f"**{ROOM}/scenes/living")
            assert browser.overflow(page) == []
            assert browser.faults(page, browser.ALL) == []


def test_a_name_that_is_markup_runs_nothing(page: Page, site: Site) -> None:
    evil = "<img src=x onerror='window.harmed=1'>"
    page.locator('[name="hotspots.1.label.zh"]').evaluate("(field, text) => { field.value = text }", evil)
    page.locator('[name="title.zh"]').fill(evil)
    page.get_by_role("button", name="保存为新版本").last.click()
    page.wait_for_selector(".flash.good")
    expect(spot(page, "hotspots.1").locator("span")).to_have_text(evil)
    for path in ("", "/play", "/scenes/stairs"):
        page.goto(f"{site.address}{ROOM}{path}")
        assert page.evaluate("window.harmed") is None


def test_a_finger_draws_as_a_mouse_does(chromium: Browser, site: Site) -> None:
    with browser.visitor(chromium, site, browser.PHONE, has_touch=True) as page:
        browser.sign_in(page, site, factories.EDITOR)
        page.goto(f"{site.address}{ROOM}/scenes/outlet")
        page.locator(".stage-pic").scroll_into_view_if_needed()
        box, before = page.locator(".stage-pic").bounding_box(), page.evaluate("scrollY")
        assert box is not None
        touch = page.context.new_cdp_session(page)
        for kind, part in (("touchStart", 0.2), ("touchMove", 0.4), ("touchMove", 0.6), ("touchEnd", None)):
            points = (
                [{"x": box["x"] + part * box["width"], "y": box["y"] + part * box["height"]}] if part else []
            )
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        assert near(numbers(page, "hotspots.0"), [20, 20, 40, 40])
        assert page.evaluate("scrollY") == before, "the page stays where it is while somebody draws"


def test_enter_in_a_field_saves_and_moves_no_row(page: Page) -> None:
    page.locator('[name="title.en"]').fill("Front room")
    page.locator('[name="title.en"]').press("Enter")
    page.wait_for_selector(".flash.good")
    assert page.locator('[name="title.en"]').input_value() == "Front room"
