"""What a player may see now, and nothing else: no answer, no way ahead, no text that was not found."""

from typing import Any

from content.escape_room.format import Box, Character
from content.escape_room.game import Bolt, Game, Line, Talk
from content.escape_room.judging import Said
from content.escape_room.locks import CodeLock, SpotLock
from content.escape_room.rules import Outcome, score, worth
from content.escape_room.state import State
from content.escape_room.texts import Picture, Text

Seen = dict[str, Any]


def view(game: Game, state: State, lang: str = "zh") -> Seen:
    """Plain data: scene, hotspots, doors, items, notes, learned; `talk`, `lock` or `ending` when there is one.

    Texts are Markdown. Names in it are those of scenes, hotspots, doors, items, clues and of the lock in front,
    which an editor may choose so that they say nothing; options, replies and lines are numbers.
    """
    place, facts, front = game.places[state.scene], state.facts, game.fronts[state.front]
    more = (one.text for one, when in zip(place.told.more, place.more, strict=True) if when.holds(facts))
    seen: Seen = {
        "scene": {
            "name": place.name,
            "title": place.told.title.of(lang),
            "text": "\n\n".join(text.of(lang) for text in (place.told.text, *more)),
            **_picture(place.told.picture, place.told.alt, lang),
        },
        "hotspots": [
            {
                "name": at,
                "label": one.told.label.of(lang),
                "box": _box(one.told.box),
                "looked": bool(facts & one.bit),
            }
            for at, one in place.spots.items()
            if one.when.holds(facts)
        ],
        "doors": [
            {
                "name": at,
                "label": one.told.label.of(lang),
                "box": _box(one.told.box),
                "open": opens and _open(game, facts, one.lock),
            }
            for at, one in place.ways.items()
            if (opens := one.when.holds(facts)) or one.told.shut
        ],
        "items": [
            {
                "name": at,
                "title": one.name.of(lang),
                "text": one.text.of(lang),
                **_picture(one.picture, one.alt, lang),
            }
            for at, one in game.room.items.items()
            if facts >> game.bits["has", at] & 1
        ],
        "notes": [
            {"name": at, "text": one.text.of(lang)}
            for at, one in game.room.clues.items()
            if facts >> game.bits["knows", at] & 1
        ],
        "learned": learned(game, state, lang),
        "points": score(game, state),
    }
    if isinstance(front, Talk):
        seen["talk"] = {"line": state.line, **_line(game, front.lines[state.line], facts, lang)}
    elif front is not None:
        seen["lock"] = _lock(game, state, front, lang)
    if state.ending:
        ending = game.room.endings[game.endings[state.ending - 1]]
        seen["ending"] = {"title": ending.title.of(lang), "text": ending.text.of(lang), "tone": ending.tone}
        seen["ending"] |= _picture(ending.picture, ending.alt, lang)
    return seen


def learned(game: Game, state: State, lang: str = "zh") -> list[Seen]:
    """The facts taught by the locks that were opened, each with its right and where it stands."""
    names = dict.fromkeys(
        one for bolt in game.bolts if state.facts & bolt.opened for one in bolt.told.teaches
    )
    facts = {name: game.room.facts[name] for name in names}
    return [
        {
            "name": name,
            "text": fact.text.of(lang),
            "right": fact.right,
            "right_text": fact.right_text.of(lang),
            "source": fact.source.model_dump(mode="json", exclude_none=True),
        }
        for name, fact in facts.items()
    ]


def told(outcome: Outcome, lang: str = "zh") -> list[str]:
    """What an outcome says, in a language."""
    return [text.of(lang) for text in outcome.texts]


def person(game: Game, name: str, lang: str = "zh") -> Seen:
    """A character as it is shown."""
    one: Character = game.room.characters[name]
    return {"name": name, "title": one.name.of(lang), **_picture(one.picture, one.alt, lang)}


def _lock(game: Game, state: State, bolt: Bolt, lang: str) -> Seen:
    lock, taken = bolt.told, state.hints[bolt.number]
    seen: Seen = {
        "name": bolt.name,
        "kind": lock.kind,
        "title": lock.title.of(lang),
        "ask": lock.ask.of(lang),
        "worth": worth(state, bolt),
        "tries": state.tries[bolt.number],
        "limit": lock.limit.tries if lock.limit else None,
        "hints": [hint.text.of(lang) for hint in lock.hints[:taken]],
        "next_hint": lock.hints[taken].cost if taken < len(lock.hints) else None,
        "options": _numbered(bolt.shown, lang),
        "partners": _numbered(bolt.partners, lang),
        **_picture(lock.picture, lock.alt, lang),
    }
    if isinstance(lock, CodeLock):
        seen["sort"] = lock.sort
    if isinstance(lock, SpotLock):
        seen |= {"medium": lock.medium, "sender": lock.sender.of(lang) if lock.sender else None}
    if bolt.lines:
        seen |= {"line": state.line, **_line(game, bolt.lines[state.line], state.facts, lang)}
    return seen


def _line(game: Game, line: Line, facts: int, lang: str) -> Seen:
    replies = enumerate(line.choices, start=1)
    said = [{"number": at, "text": one.text.of(lang)} for at, one in replies if one.when.holds(facts)]
    return {"by": person(game, line.by, lang), "says": line.says.of(lang), "replies": said}


def _numbered(texts: Said, lang: str) -> list[Seen]:
    return [{"number": number, "text": text.of(lang)} for number, text in enumerate(texts, start=1)]


def _open(game: Game, facts: int, lock: int) -> bool:
    bolt = game.fronts[lock]
    return not isinstance(bolt, Bolt) or bool(facts & bolt.opened)


def _box(box: Box | None) -> list[float] | None:
    return [box.x, box.y, box.w, box.h] if box else None


def _picture(picture: Picture | None, alt: Text | None, lang: str) -> Seen:
    return {"picture": picture, "alt": alt.of(lang) if alt else ""}
