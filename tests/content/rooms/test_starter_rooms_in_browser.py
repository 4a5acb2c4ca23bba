"""Every starter room is played to each of its endings in a real browser, along the ways that its proof found.

By mouse on a phone, by keyboard alone on a desktop, and in elder mode. What reaches beyond the window and what is too
small is looked for on every page that comes; by axe every scene and ending is looked at once by mouse, and in the other
modes, whose text is the same, every kind of page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session

from content import history, library
from content.escape_room import reading
from content.escape_room.format import Room
from content.escape_room.proof import prove
from content.escape_room.rules import Action
from content.models import Kind
from core import clock
from core.settings import Settings
from institution.models import Staff
from tests import browser, servers
from tests.browser import Site
from tests.content import pieces
from tests.content.rooms.hands import Press, click, key, serving
from webapp import starter_library

FOLDER = starter_library.FOLDER / "pieces"
ROOMS = sorted(path.parent.name for path in FOLDER.glob("*/room.yaml"))
Kinds = tuple[str | None, str | None]  # a scene and a panel
Ways = dict[str, tuple[Action, ...]]
_LOCATED = {"look": "look:{}", "go": "go:{}", "leave": "leave"}


@dataclass(frozen=True)
class Mode:
    """How a visitor plays: with which hands, in elder mode, on a screen of which size."""

    press: Press
    elder: bool
    size: tuple[int, int]
    by_axe: bool = False  # axe looks at every scene, not only at every kind of page

    @property
    def target(self) -> int:
        """Pixels that a target is at least high and wide."""
        return 60 if self.elder else 44


MODES = {
    "mouse": Mode(click, False, browser.PHONE, by_axe=True),
    "keyboard": Mode(key, False, browser.DESKTOP),
    "elder": Mode(click, True, browser.PHONE),
}


@lru_cache
def proved(name: str) -> tuple[Room, Ways]:
    """A room and the shortest way to each of its endings."""
    room = reading.read_folder(FOLDER / name).room
    report = prove(room)
    assert report.good and report.complete
    return room, {ending: walk.actions for ending, walk in report.shortest.items()}


def _publish(session: Session, settings: Settings, editor: Staff, reviewer: Staff) -> None:
    library.load_folder(session, settings.files_dir, FOLDER, by=editor.id or 0, now=clock.now())
    for revision in history.newest_of_all(session):
        if revision.meta["kind"] == Kind.escape_room:
            pieces.onward(session, revision, editor, reviewer, clock.now())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("home"), database_template, _publish) as found:
        yield found


def _act(page: Page, action: Action, press: Press) -> None:
    """What a visitor does to carry an action out."""
    if action.verb == "answer":
        _answer(page, action.value, press)
        press(page, f"answer:{action.name}")
    elif action.verb == "say":
        press(page, "say:{}:{}".format(*action.value))
    else:
        press(page, _LOCATED[action.verb].format(action.name))


def _answer(page: Page, value: str | Sequence[int], press: Press) -> None:
    if isinstance(value, str):
        page.locator("#code").fill(value)
    elif page.locator("ol.order").count():
        _sort(page, value, press)
    elif page.locator("ul.match").count():
        for at, number in enumerate(value):
            page.locator("ul.match select").nth(at).select_option(str(number))
    else:
        for number in value:
            option = page.locator(f'input[name="pick"][value="{number}"]')
            if press is click:
                option.check()
            else:
                option.focus()
                page.keyboard.press("Space")


def _sort(page: Page, wanted: Sequence[int], press: Press) -> None:
    """Move each thing up until it stands where it belongs."""
    things = page.locator("ol.order li.piece")
    for at, number in enumerate(wanted):
        for _turn in range(len(wanted)):
            here = things.locator("input").evaluate_all("all => all.map((one) => Number(one.value))")
            if here[at] == number:
                break
            up = things.nth(here.index(number)).locator('button[data-way="-1"]')
            if press is click:
                up.click()
            else:
                up.focus()
                page.keyboard.press("Enter")


def _look_at(page: Page, mode: Mode, kind: Kinds, seen: set[Kinds]) -> None:
    if kind not in seen:
        seen.add(kind)
        assert browser.faults(page) == []
    assert browser.overflow(page) == []
    assert browser.small_targets(page, mode.target) == []


@pytest.mark.parametrize("name", ROOMS)
@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_every_ending_is_reached(site: Site, chromium: Browser, name: str, mode: Mode) -> None:
    room, ways = proved(name)
    assert set(ways) == set(room.endings) and len(ways) >= 3
    problems: list[str] = []
    seen: set[Kinds] = set()
    scenes: set[Kinds] = set()
    for ending, actions in ways.items():
        with browser.visitor(chromium, site, mode.size, elder=mode.elder) as page:
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
            page.goto(f"{site.address}/p/{name}")
            page.get_by_role("button", name="开始探索").click()
            page.wait_for_selector("#room-title")
            for action in actions:
                shown = page.locator("section.room")
                scene, panel = shown.get_attribute("data-scene"), shown.get_attribute("data-panel")
                if (scene, panel) not in scenes:
                    scenes.add((scene, panel))
                    _look_at(page, mode, (scene if mode.by_axe else "", panel), seen)
                _act(page, action, mode.press)
            expect(page.locator("#panel-title")).to_have_text(room.endings[ending].title.of("zh"))
            _look_at(page, mode, ("ending", ending if mode.by_axe else ""), seen)
    assert problems == []
