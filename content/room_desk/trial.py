"""Trying a room out at the desk: from the start or from any place, with what is hidden; nothing is counted or kept."""

from dataclasses import dataclass

from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from content.escape_room import rules, state
from content.escape_room.rules import Outcome
from content.escape_room.state import State
from content.making import trial
from content.making.parts import TABLES
from content.making.trial import Hidden
from content.models import Revision
from content.room_desk.routes import blueprint, newest, place
from content.rooms import games, wanted
from content.rooms.envelope import Play
from content.rooms.games import Ready
from content.rooms.playing import Step
from content.rooms.stage import Stage
from core.errors import Invalid
from core.http import render, service
from core.i18n import current_locale
from institution import access


@dataclass(frozen=True)
class TrialPage:
    """A scene as players see it, and what they do not see."""

    title: str
    theme: str
    scene: Markup
    hidden: Hidden
    number: int
    address: str
    home: str


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
    """A step: the state stands in the form, and nothing is changed anywhere."""
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
    home, address = url_for("rooms_desk.room", key=key), url_for("rooms_desk.play", key=key)
    elder = bool(g.get("elder"))
    drawn = service(Stage).trial(taken, lang, elder=elder, address=address, home=home, token=generate_csrf())
    room, unseen = ready.game.room, trial.hidden(ready, now, lang)
    page = TrialPage(room.title.of(lang), room.theme, drawn, unseen, revision.number, address, home)
    part = request.headers.get("X-Scene") == "1"
    return render("content/room_trial_scene.html" if part else "content/room_trial.html", page)
