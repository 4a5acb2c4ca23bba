"""A real screen: it goes on without network, also after a restart, and counts each showing once.

The slides stand in a fixed order, so the showings that were kept tell by themselves whether one was lost or doubled:
one after the other, round and round, without a gap. What the wire loses or changes is played by a layer in front of
the site.
"""

import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from campaign.base import keeping, screens, showings, slides
from core import clock
from core.database import Database
from core.settings import Settings
from tests import browser, copies, factories, servers
from tracking.attribution import Attributions
from tracking.spool import Spool
from webapp.runtime import Runtime, build
from webapp.wsgi import compose

pytestmark = pytest.mark.browser
OUTLET, TV, UPRIGHT = factories.OUTLET_A, (1920, 1080), (1080, 1920)


@dataclass
class Wire:
    """What lies between a screen and the site: it may lose answers, and in the control give keys anew."""

    app: Any
    lose: int = 0
    rekey: bool = False
    posts: list[str] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not environ["PATH_INFO"].endswith("/shown"):
            return self.app(environ, start_response)  # type: ignore[no-any-return]
        self.posts.append(environ.get("HTTP_IDEMPOTENCY_KEY", ""))
        if self.rekey:
            environ["HTTP_IDEMPOTENCY_KEY"] = uuid.uuid4().hex
        if self.lose <= 0:
            return self.app(environ, start_response)  # type: ignore[no-any-return]
        self.lose -= 1
        list(self.app(environ, lambda *_given: None))  # the site keeps it, and the answer never arrives
        start_response("504 Gateway Timeout", [("Content-Type", "text/html"), ("Content-Length", "0")])
        return [b""]


@dataclass
class Place:
    """A running site with a wire in front."""

    address: str
    runtime: Runtime
    wire: Wire
    seen: int = 0

    def code(self) -> str:
        """A new screen's pairing code."""
        with self.runtime.service(Database).transaction() as session:
            return screens.make(session, OUTLET, "大厅", by=None, now=clock.now()).code

    def kept(self) -> list[str]:
        """What the showings in the spool were of, by time, since the last call of `forget`."""
        files = self.runtime.service(Spool).sealed()
        rows = [line.split("\t") for file in files for line in file.read_text("utf-8").splitlines()]
        shown = sorted((row for row in rows if row[3] == "shown"), key=lambda row: row[1])
        return [row[7] for row in shown][self.seen :]

    def forget(self) -> None:
        self.seen += len(self.kept())

    def until(self, least: int, seconds: float = 30) -> list[str]:
        """Wait for so many showings."""
        end = time.monotonic() + seconds
        while len(self.kept()) < least:
            assert time.monotonic() < end, f"only {self.kept()} arrived"
            time.sleep(0.1)
        return self.kept()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Place]:
    """A site whose slides stand for less than a second."""
    home = tmp_path_factory.mktemp("screen")
    patch = pytest.MonkeyPatch()
    for module, name, value in (
        (slides, "SECONDS", 0.7), (slides, "SEND_EVERY", 0.5), (slides, "LOOK_EVERY", 1), (showings, "LEAST", 0.5),
    ):  # fmt: skip
        patch.setattr(module, name, value)
    port = servers.free_port()
    address = f"http://127.0.0.1:{port}"
    with database_template.copy(home) as url:
        values: dict[str, Any] = {
            "home": home,
            "database_url": url,
            "secret_key": "of-no-value",
            "public_url": address,
        }
        settings = Settings(_env_file=None, **values)
        copies.filled(settings, clock.now(), browser.site)
        runtime = build(settings)
        wire = Wire(compose(runtime))
        with servers.listening(wire, port):
            yield Place(address, runtime, wire)
        runtime.close()
    patch.undo()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


@pytest.fixture(autouse=True)
def anew(place: Place) -> None:
    place.wire.lose, place.wire.rekey = 0, False
    place.wire.posts.clear()
    place.forget()


@contextmanager
def screen(
    chromium: Browser, place: Place, size: tuple[int, int] = TV, *, paired: bool = True
) -> Iterator[Page]:
    """A screen that was opened, paired, and has kept what it needs."""
    context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, locale="zh-CN")
    context.set_default_timeout(15_000)
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        page.goto(f"{place.address}/screen/{OUTLET}" + (f"#pair={place.code()}" if paired else ""))
        page.wait_for_selector("body[data-kept='1']", state="attached")
        if paired:
            page.wait_for_selector("body[data-paired='1']", state="attached")
            assert "#" not in page.url, "the code does not stay in the address"
        yield page
        assert said == []
    finally:
        context.close()


def rounds(place: Place) -> list[str]:
    """The pieces of the slides in their order; the base and the Tuesday are of none."""
    with place.runtime.service(Database).reading() as session:
        page = slides.screen_page(
            session,
            OUTLET,
            clock.now().date(),
            attributions=place.runtime.service(Attributions),
            public_url="",
        )
    return [one.piece.key if one.piece else "" for one in page.slides]


def broken(kept: list[str], order: list[str]) -> list[str]:
    """Where the showings leave the order: a gap, or one twice."""
    twice = "".join(f"[{one}]" for one in order * (len(kept) // len(order) + 2))
    return [] if "".join(f"[{one}]" for one in kept) in twice else kept


def waits(page: Page) -> int:
    """How many showings and batches lie in the browser."""
    return int(
        page.evaluate(
            """(name) => new Promise((done) => {
              const asked = indexedDB.open(name);
              asked.onsuccess = async () => {
                const counts = ["showings", "batches"].map((store) => new Promise((told) => {
                  const count = asked.result.transaction(store).objectStore(store).count();
                  count.onsuccess = () => told(count.result);
                }));
                const found = await Promise.all(counts);
                asked.result.close();
                done(found[0] + found[1]);
              };
            })""",
            f"signpost-screen-{OUTLET}",
        )
    )


def turns(page: Page, count: int) -> set[str]:
    """The slides that stand over so many changes; the page itself looks, a slow machine would miss one from here."""
    seen: list[str] = page.evaluate(
        """(count) => new Promise((done) => {
            const titles = [];
            const look = () => {
                titles.push(document.querySelector(".slide.on h2").innerText);
                if (titles.length >= count) { watch.disconnect(); done(titles); }
            };
            const watch = new MutationObserver(look);
            watch.observe(document.body, { attributes: true, attributeFilter: ["data-place"] });
        })""",
        count,
    )
    return set(seen)


def test_without_network_it_goes_on_and_sends_what_it_showed_afterwards_once(
    chromium: Browser, place: Place
) -> None:
    order = rounds(place)
    with screen(chromium, place) as page:
        place.until(3)
        page.context.set_offline(True)
        time.sleep(1.5)  # what was on its way has come to an end
        before = len(place.kept())
        assert len(turns(page, len(order) + 2)) == len(order), "all slides come round without network"
        pictures = page.evaluate("[...document.images].map((one) => one.complete && one.naturalWidth > 0)")
        assert pictures and all(pictures)
        assert len(place.kept()) == before and waits(page) >= len(order)
        page.context.set_offline(False)
        kept = place.until(before + len(order) + 2)
        assert broken(kept, order) == []


def test_it_starts_without_network_and_loses_nothing(chromium: Browser, place: Place) -> None:
    order = rounds(place)
    with screen(chromium, place) as page:
        place.until(2)
        page.context.set_offline(True)
        time.sleep(1.5)
        before = len(place.kept())
        turns(page, 3)
        left = waits(page)
        assert left >= 2
        page.reload()
        page.wait_for_selector(".running .slide.on")
        assert len(turns(page, len(order))) == len(order)
        page.context.set_offline(False)
        place.until(before + left + len(order) - 1)


@pytest.mark.parametrize("lost", [1, 3])
def test_an_answer_that_is_lost_doubles_nothing(chromium: Browser, place: Place, lost: int) -> None:
    order = rounds(place)
    place.wire.lose = lost
    with screen(chromium, place):
        kept = place.until(2 * len(order))
    assert place.wire.lose == 0 and len(place.wire.posts) > len(set(place.wire.posts)), "it was sent again"
    assert broken(kept, order) == []


def test_a_new_key_for_what_was_sent_would_be_seen(
    chromium: Browser, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: keys that change and no look at the order, and the same loss doubles."""
    monkeypatch.setattr(showings, "in_order", lambda *_given: None)
    order = rounds(place)
    place.wire.lose, place.wire.rekey = 2, True
    with screen(chromium, place):
        kept = place.until(2 * len(order))
    assert broken(kept, order) != []


def test_what_is_not_paired_shows_and_does_not_count(chromium: Browser, place: Place) -> None:
    with screen(chromium, place, paired=False) as page:
        assert len(turns(page, 6)) == len(rounds(place))
        assert waits(page) == 0 and place.wire.posts == []
        page.keyboard.press("ArrowRight")
        page.fill("#pair", "wrong-one")
        page.press("#pair", "Enter")
        page.wait_for_function(
            "() => document.querySelector('[data-said]').textContent.startsWith('配对码不对')"
        )
        page.wait_for_timeout(2 * 1000 * slides.SEND_EVERY)
        assert (page.text_content("[data-said]") or "").startswith("配对码不对"), (
            "it stands until another is typed"
        )
        page.fill("#pair", place.code().upper())
        page.wait_for_function(
            "() => !document.querySelector('[data-said]').textContent.startsWith('配对码不对')"
        )
        page.press("#pair", "Enter")
        page.wait_for_selector("body[data-paired='1']", state="attached")
        place.until(2)


def test_ended_on_the_desk_it_stops_counting_and_goes_on_showing(chromium: Browser, place: Place) -> None:
    with screen(chromium, place) as page:
        place.until(2)
        with place.runtime.service(Database).transaction() as session:
            for one in screens.of_outlet(session, OUTLET):
                screens.end(session, one, now=clock.now())
        page.wait_for_selector("body[data-paired='0']", state="attached")
        place.forget()
        turns(page, 4)
        assert place.kept() == [] and waits(page) == 0


def test_of_two_windows_of_one_screen_one_counts(chromium: Browser, place: Place) -> None:
    order = rounds(place)
    with screen(chromium, place) as page:
        other = page.context.new_page()
        other.goto(page.url)
        turns(other, 3)
        kept = place.until(8)
        assert broken(kept, order) == []
        assert "" not in {page.locator(".slide.on h2").inner_text()}


def test_new_slides_come_quietly(chromium: Browser, place: Place) -> None:
    with screen(chromium, place) as page:
        page.evaluate("window.stood = true")
        with place.runtime.service(Database).transaction() as session:
            keeping.arrange(session, OUTLET, ["credit-repair"], now=clock.now())
        page.wait_for_function("() => document.querySelectorAll('.slide').length === 3")
        assert page.evaluate("window.stood"), "it was not loaded anew"
        with place.runtime.service(Database).transaction() as session:
            keeping.arrange(session, OUTLET, [], now=clock.now())


@pytest.mark.parametrize(
    "size", [TV, UPRIGHT, (1366, 768), (390, 844)], ids=["tv", "upright", "small", "phone"]
)
def test_nothing_is_cut_or_small_and_axe_finds_nothing(
    chromium: Browser, place: Place, size: tuple[int, int]
) -> None:
    least = min(size) * 0.037  # 40 of 1080: what reads from three metres
    with screen(chromium, place, size, paired=False) as page:
        page.keyboard.press(" ")
        page.keyboard.press("ArrowRight")
        for _ in range(len(rounds(place))):
            page.keyboard.press("ArrowRight")
            page.wait_for_timeout(700)
            assert page.evaluate(CUT, least) == []
        assert browser.faults(page, browser.ALL) == []


def test_with_reduced_motion_slides_change_without_moving(chromium: Browser, place: Place) -> None:
    context: BrowserContext = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{place.address}/screen/{OUTLET}")
    assert page.evaluate("getComputedStyle(document.querySelector('.slide.on')).transitionDuration") in (
        "0s",
        "",
    )
    turns(page, 2)
    context.close()


def test_without_a_script_the_slides_stand_below_one_another(chromium: Browser, place: Place) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{place.address}/screen/{OUTLET}")
    assert all(one.is_visible() for one in page.locator(".slide").all())
    context.close()


CUT = """(least) => {
  const out = [], slide = document.querySelector(".slide.on");
  const words = slide.querySelector(".words");
  if (words.scrollHeight > words.clientHeight + 1) out.push(`words ${words.scrollHeight} in ${words.clientHeight}`);
  if (document.documentElement.scrollWidth > innerWidth) out.push("too wide");
  if (document.documentElement.scrollHeight > innerHeight + 1) out.push("too high");
  const text = [...document.querySelectorAll(".bar *, .slide.on .words *")].filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) && !one.closest("svg"));
  for (const one of text) {
    const box = one.getBoundingClientRect();
    if (parseFloat(getComputedStyle(one).fontSize) < least) out.push(`small: ${one.textContent.trim()}`);
    if (box.right > innerWidth + 1 || box.bottom > innerHeight + 1) out.push(`outside: ${one.textContent.trim()}`);
  }
  return out;
}"""
