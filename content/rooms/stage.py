"""Draws the scenes: the HTML of a step, made once for all players who are in the same state."""

from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from content.rooms import scene
from content.rooms.playing import Step
from core.i18n import gettext

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
_MOST = 2_048  # drawn scenes kept, of some kilobytes each
# What differs between players in the same state; texts of a room hold no such signs.
_STATE, _TIME, _SECONDS = "\x01", "\x02", "\x03"


class Stage:
    """One of a process. It knows no request, so that scenes are drawn before Flask and in it alike."""

    def __init__(self) -> None:
        options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
        made = Environment(loader=FileSystemLoader(TEMPLATES), **options)  # type: ignore[arg-type]  # noqa: S701
        made.globals["_"] = gettext
        self._template = made.get_template("content/room_scene.html")
        self._drawn: OrderedDict[tuple[Any, ...], str] = OrderedDict()
        self._lock = Lock()

    def html(self, step: Step, lang: str, *, elder: bool, error: str = "", nickname: str = "") -> Markup:
        """The scene of a step, for elders or not; with what is wrong with a nickname, when something is."""
        play, points = step.play, scene.points(step)
        key = (play.revision, step.state._replace(last=0), step.outcome, points, play.clock, lang, elder)
        drawn = None if error else self._drawn.get(key)
        if drawn is None:
            page = scene.page_of(step, lang, _STATE, (_TIME, _SECONDS), error=error, nickname=nickname)
            drawn = self._template.render(page=page, elder=elder)
            if not error:
                self._keep(key, drawn)
        time = f"{play.active // 60}:{play.active % 60:02}"
        filled = drawn.replace(_STATE, step.sealed).replace(_TIME, time).replace(_SECONDS, str(play.active))
        return Markup(filled)  # noqa: S704  (a template escaped it, and what is filled in is ours)

    def _keep(self, key: tuple[Any, ...], drawn: str) -> None:
        with self._lock:
            self._drawn[key] = drawn
            if len(self._drawn) > _MOST:
                self._drawn.popitem(last=False)
