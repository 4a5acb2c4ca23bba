"""Draws the scenes: each part of one is made once for all players before whom it is the same."""

from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from content.rooms import scene
from content.rooms.playing import Step
from content.rooms.scene import ScenePage
from core.i18n import gettext

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
_MOST = 8_192  # drawn parts kept, of about a kilobyte each
# What differs between players before whom the rest is the same; texts of a room hold no such signs.
_STATE, _TIME, _SECONDS = "\x01", "\x02", "\x03"
_Key = tuple[Any, ...]


class Stage:
    """One of a process. It knows no request, so that scenes are drawn before Flask and in it alike."""

    def __init__(self) -> None:
        made = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        made.globals["_"] = gettext
        self._parts = made.get_template("content/room_parts.html").module
        self._drawn: OrderedDict[_Key, Markup] = OrderedDict()
        self._lock = Lock()

    def html(self, step: Step, lang: str, *, elder: bool, error: str = "", nickname: str = "") -> Markup:
        """The scene of a step, for elders or not; with what is wrong with a nickname, when something is."""
        page = scene.page_of(step, lang, _STATE, (_TIME, _SECONDS), error=error, nickname=nickname)
        common = (step.play.revision, lang, elder)
        parts = (self._part((name, *common, *key), page, elder) for name, key in _keys(step, page).items())
        drawn, play = "".join(parts) + "</section>\n", step.play
        filled = drawn.replace(_STATE, step.sealed).replace(_TIME, scene.minutes(play.active))
        filled = filled.replace(_SECONDS, str(play.active))
        return Markup(filled)  # noqa: S704  (a template escaped it, and what is filled in is ours)

    def trial(self, step: Step, lang: str, *, elder: bool, address: str, home: str, token: str) -> Markup:
        """The scene of a trial of staff: its forms go to `address` with the desk's `token`, it ends at `home`; nothing
        of it is kept."""
        play = step.play
        page = scene.page_of(step, lang, step.sealed, ("", str(play.active)))
        page = replace(page, trial=address, home=home, token=token)
        drawn = "".join(getattr(self._parts, name)(page, elder) for name in _keys(step, page))
        return Markup(drawn + "</section>\n")  # noqa: S704  (a template escaped it)

    def _part(self, key: _Key, page: ScenePage, elder: bool) -> Markup:
        drawn = self._drawn.get(key)
        if drawn is None:
            drawn = getattr(self._parts, key[0])(page, elder)
            with self._lock:
                self._drawn[key] = drawn
                if len(self._drawn) > _MOST:
                    self._drawn.popitem(last=False)
        return drawn


def _keys(step: Step, page: ScenePage) -> dict[str, _Key]:
    """The parts in their order, and what each depends on, besides room and language."""
    seen, state = page.seen, step.state
    spots = tuple((one["name"], one["looked"]) for one in seen["hotspots"])
    ways = tuple((one["name"], one["open"]) for one in seen["doors"])
    carried = (*(one["name"] for one in seen["items"]), "", *(one["name"] for one in seen["notes"]))
    learned = tuple(seen["learned"])
    return {
        "opening": (state.scene, page.panel),
        "top": (page.points, page.clock, page.panel == "ending"),
        "said": (step.outcome, page.panel == "ending"),
        "front": (page.panel, *_front(state.ending, page, learned), state.front, state.line),
        "scene": (state.scene, page.panel, seen["scene"]["text"], spots, ways),
        "bag": (carried, learned, page.panel in ("lock", "ending"), page.panel == "ending"),
    }


def _front(ending: int, page: ScenePage, learned: tuple[str, ...]) -> _Key:
    """What the panel depends on: a lock on tries and hints, a talk on what may be said, an ending on all of it."""
    lock, talk = page.seen["lock"], page.seen["talk"]
    replies = tuple(one["number"] for one in talk["replies"]) if talk else ()
    tried = (lock["worth"], lock["tries"], len(lock["hints"])) if lock else ()
    ended = (
        (ending, page.points, page.clock, learned, page.error, page.nickname, page.board) if ending else ()
    )
    return (replies, tried, ended)
