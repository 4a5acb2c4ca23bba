"""Tells in words what a player does, step by step, in the locale in force."""

from collections.abc import Sequence

from content.escape_room.game import Bolt, Game, Talk
from content.escape_room.judging import Code, Numbers
from content.escape_room.rules import Action, start, step
from content.escape_room.state import State
from core.i18n import current_locale
from core.i18n import gettext as _


def steps(game: Game, actions: Sequence[Action]) -> tuple[str, ...]:
    """Each action as a sentence of a few words, as they follow each other from the start."""
    state, said = start(game), []
    for action in actions:
        said.append(_told(game, state, action))
        state, _outcome = step(game, state, action)
    return tuple(said)


def _told(game: Game, state: State, action: Action) -> str:
    lang, place, front = current_locale(), game.places[state.scene], game.fronts[state.front]
    scene = place.told.title.of(lang)
    if action.verb == "look":
        return _("在“%(scene)s”看“%(name)s”", scene=scene, name=place.spots[action.name].told.label.of(lang))
    if action.verb == "go":
        return _("从“%(scene)s”走“%(name)s”", scene=scene, name=place.ways[action.name].told.label.of(lang))
    if action.verb == "say" and front is not None:
        number = int(action.value[1])
        return _("说“%(name)s”", name=front.lines[state.line].choices[number - 1].text.of(lang))
    if action.verb == "answer" and isinstance(front, Bolt):
        title = front.told.title.of(lang)
        return _("答对“%(name)s”", name=title) if _right(front, action) else _("答错“%(name)s”", name=title)
    if action.verb == "hint":
        return _("看提示")
    return _("放下“%(name)s”", name=_name(game, front, lang))


def _right(bolt: Bolt, action: Action) -> bool:
    judge: Numbers | Code | None = bolt.judge
    verdict = judge.judge(action.value) if judge is not None else None
    return verdict is not None and verdict.right


def _name(game: Game, front: Talk | Bolt | None, lang: str) -> str:
    if isinstance(front, Bolt):
        return front.told.title.of(lang)
    return game.room.characters[front.told.by].name.of(lang) if front else ""
