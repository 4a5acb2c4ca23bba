"""Trying a room out at the desk: from the start or from any place, with what is hidden; nothing is counted or kept."""

from dataclasses import dataclass, replace

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from content.escape_room import rules, state
from content.escape_room.rules import Outcome
from content.escape_room.state import State
from content.making import trial
from content.making.parts import TABLES
from content.making.trial import Hidden
from content.models import Revision
from content.room_desk.routes import blueprint, newest, place
from content.rooms import games, scene, wanted
from content.rooms.envelope import Play
from content.rooms.games import Ready
from content.rooms.playing import Step
from content.rooms.scene import ScenePage
from core.errors import Invalid
from core.http import render
from core.i18n import current_locale
from institution import access


@dataclass(frozen=True)
class TrialPage:
    """A scene as players see it, and what they do not see."""

    scene: ScenePage
    hidden: Hidden
    number: int


@blueprint.get("/play")
@access.requires("content.view", at=place, above=True)
def play(key: str) -> ResponseReturnValue:
    """Begin (`?at=scenes/hall` walks the shortest way there first)."""
    revision = newest(key)
    ready = games.ready_of(revision)
    table, _slash, name = request.args.get("at", "").partition("/")
    actions = trial.way_to(revision.text, table, name) if table in TABLES else ()
    return _shown(revision, ready, trial.walked(ready.game, actions), None)


@blueprint.post("/play")
@access.requires("content.view", at=place, above=True)
def step(key: str) -> ResponseReturnValue:
    """A step: the state stands in the form. It asks for no token, because it changes nothing anywhere."""
    revision = newest(key)
    ready = games.ready_of(revision)
    if not request.form.get("state"):
        return _shown(revision, ready, ready.begin, None)
    try:
        before = state.decode(ready.game, request.form["state"])
    except Invalid:  # saved anew meanwhile: what was tried is no longer
        return redirect(url_for("rooms_desk.play", key=key), code=303)
    after, outcome = rules.step(ready.game, before, wanted.action(ready, request.form))
    return _shown(revision, ready, after, outcome)


def _shown(revision: Revision, ready: Ready, now: State, outcome: Outcome | None) -> str:
    sealed, lang, key = state.encode(ready.game, now), current_locale(), revision.piece_key
    taken = Step(ready, Play("", 0, 0, 0, 0, False, sealed), now, sealed, outcome)
    back, address = url_for("rooms_desk.room", key=key), url_for("rooms_desk.play", key=key)
    shown = replace(scene.page_of(taken, lang), trial=address, home=back)
    page = TrialPage(shown, trial.hidden(ready, now, lang), revision.number)
    part = request.headers.get("X-Scene") == "1"
    return render("content/room_trial_scene.html" if part else "content/room_trial.html", page)
