"""What a player may see now, and nothing else: no answer, no way ahead, no text that was not found."""

from typing import Any

from content.escape_room.format import Box, Fact
from content.escape_room.game import Bolt, Game, Line, Place
from content.escape_room.judging import Said
from content.escape_room.locks import CodeLock, SpotLock
from content.escape_room.rules import score, worth
from content.escape_room.state import State
from content.escape_room.texts import Picture, Text

Seen = dict[str, Any]


def view(game: Game, state: State, lang: str = "zh") -> Seen:
    """Plain data: scene, hotspots, doors, items, notes, learned (names of facts), points; and what stands before
    the scene: `talk`, `lock` (both None when nothing does), `ending`.

    Texts are Markdown. Names in it are those of the scene, its hotspots and doors, of items and clues that were
    found and of the lock in front; options, replies and lines are numbers, so that no name gives an answer away.
    """
    place, facts, front = game.places[state.scene], state.facts, game.fronts[state.front]
    items, clues = game.room.items, game.room.clues
    return {
        **_scene(game, place, facts, lang),
        "items": [
            {
                "name": at,
                "title": one.name.of(lang),
                "text": one.text.of(lang),
                **shown(one.picture, one.alt, lang),
            }
            for bit, (at, one) in enumerate(items.items())
            if facts >> bit & 1
        ],
        "notes": [
            {"name": at, "text": one.text.of(lang)}
            for bit, (at, one) in enumerate(clues.items(), start=len(items))
            if facts >> bit & 1
        ],
        "learned": learned(game, state),
        "points": score(game, state),
        "lock": _lock(state, front, lang) if isinstance(front, Bolt) else None,
        "talk": _line(game, front.lines[state.line], state, lang) if front and front.lines else None,
        "ending": _ending(game, state.ending, lang) if state.ending else None,
    }


def _scene(game: Game, place: Place, facts: int, lang: str) -> Seen:
    told = place.told
    more = [one.text.of(lang) for one, when in zip(told.more, place.more, strict=True) if when.holds(facts)]
    scene = {
        "name": place.name,
        "title": told.title.of(lang),
        "text": "\n\n".join((told.text.of(lang), *more)),
    }
    hotspots = [
        {
            "name": at,
            "label": one.told.label.of(lang),
            "box": _box(one.told.box),
            "looked": bool(facts & one.bit),
        }
        for at, one in place.spots.items()
        if one.when.holds(facts)
    ]
    doors = []
    for at, way in place.ways.items():
        if (passes := way.when.holds(facts)) or way.told.shut:
            bolt = game.fronts[way.lock]
            opened = passes and (not isinstance(bolt, Bolt) or bool(facts & bolt.opened))
            doors.append(
                {"name": at, "label": way.told.label.of(lang), "box": _box(way.told.box), "open": opened}
            )
    return {"scene": scene | shown(told.picture, told.alt, lang), "hotspots": hotspots, "doors": doors}


def learned(game: Game, state: State) -> list[str]:
    """Names of the facts taught by the locks that are open, each once."""
    taught = (name for bolt in game.bolts if state.facts & bolt.opened for name in bolt.told.teaches)
    return list(dict.fromkeys(taught))


def lesson(fact: Fact, lang: str = "zh") -> Seen:
    """A fact as it is shown to whoever learned it: with its right, and where it stands."""
    source = fact.source.model_dump(mode="json", exclude_none=True)
    right = {"right": fact.right, "right_text": fact.right_text.of(lang)}
    return {"text": fact.text.of(lang), **right, "source": source}


def person(game: Game, name: str, lang: str = "zh") -> Seen:
    """A character."""
    one = game.room.characters[name]
    return {"name": name, "title": one.name.of(lang), **shown(one.picture, one.alt, lang)}


def shown(picture: Picture | None, alt: Text | None, lang: str) -> Seen:
    """A picture and what it shows."""
    return {"picture": picture, "alt": alt.of(lang) if alt else ""}


def _lock(state: State, bolt: Bolt, lang: str) -> Seen:
    lock, taken = bolt.told, state.hints[bolt.number]
    spot = (
        {"medium": lock.medium, "sender": lock.sender and lock.sender.of(lang)}
        if isinstance(lock, SpotLock)
        else {}
    )
    return {
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
        "sort": lock.sort if isinstance(lock, CodeLock) else None,
        **spot,
        **shown(lock.picture, lock.alt, lang),
    }


def _line(game: Game, line: Line, state: State, lang: str) -> Seen:
    said = enumerate(line.choices, start=1)
    replies = [{"number": at, "text": one.text.of(lang)} for at, one in said if one.when.holds(state.facts)]
    return {
        "line": state.line,
        "by": person(game, line.by, lang),
        "says": line.says.of(lang),
        "replies": replies,
    }


def _ending(game: Game, number: int, lang: str) -> Seen:
    one = game.room.endings[game.endings[number - 1]]
    words = {"title": one.title.of(lang), "text": one.text.of(lang), "tone": one.tone}
    return {"name": game.endings[number - 1], **words, **shown(one.picture, one.alt, lang)}


def _numbered(texts: Said, lang: str) -> list[Seen]:
    return [{"number": number, "text": text.of(lang)} for number, text in enumerate(texts, start=1)]


def _box(box: Box | None) -> list[float] | None:
    return [box.x, box.y, box.w, box.h] if box else None
