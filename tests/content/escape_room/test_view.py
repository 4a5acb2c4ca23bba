"""A view holds what a player may see and nothing else: every other text of a room carries a mark and is looked for."""

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content.escape_room import reading
from content.escape_room.compiling import compile_room
from content.escape_room.format import Room
from content.escape_room.game import Bolt, Game
from content.escape_room.locks import CodeLock
from content.escape_room.moves import moves
from content.escape_room.outline import parts
from content.escape_room.rules import Action, start, step
from content.escape_room.state import State
from content.escape_room.texts import Text
from content.escape_room.view import view
from tests.content.escape_room import making
from tests.content.escape_room.making import Data
from tests.content.escape_room.random_rooms import rooms

SAMPLE = Path(__file__).parent / "rooms" / "a-call"


def marked(thing: Any, at: tuple[str, ...] = ()) -> Any:
    """The data of a room in which every text says where it stands."""
    if isinstance(thing, dict):
        if set(thing) == {"zh", "en"}:
            return {lang: f"§{lang}/{'/'.join(at)}§" for lang in thing}
        return {name: marked(inner, (*at, str(name))) for name, inner in thing.items()}
    if isinstance(thing, list):
        return [marked(inner, (*at, str(number))) for number, inner in enumerate(thing)]
    return thing


def sealed(room: Room) -> Game:
    """The game of a room whose texts are marks."""
    data = json.loads(room.model_dump_json(by_alias=True, exclude_defaults=True))
    texts = {at for at, part in parts(room) if isinstance(part, Text)}
    for at in texts:
        inner = data
        for field in at[:-1]:
            inner = inner[field]
        inner[at[-1]] = {lang: f"§{lang}/{'/'.join(map(str, at))}§" for lang in ("zh", "en")}
    return compile_room(making.read(data))


def allowed(game: Game, state: State) -> set[str]:
    """The places of the texts that may be shown in a state."""
    place, facts, room = game.places[state.scene], state.facts, game.room
    here = f"scenes/{place.name}"
    places = {f"{here}/{field}" for field in ("title", "text", "alt")}
    places |= {f"{here}/more/{n}/text" for n, when in enumerate(place.more) if when.holds(facts)}
    places |= {f"{here}/hotspots/{at}/label" for at, one in place.spots.items() if one.when.holds(facts)}
    doors = {at for at, one in place.ways.items() if one.when.holds(facts) or one.told.shut}
    places |= {f"{here}/doors/{at}/label" for at in doors}
    for fact, field, words in (("has", "items", ("name", "text", "alt")), ("knows", "clues", ("text",))):
        found = [at for at in getattr(room, field) if facts >> game.bits[fact, at] & 1]
        places |= {f"{field}/{at}/{word}" for at in found for word in words}
    if state.ending:
        places |= {f"endings/{game.endings[state.ending - 1]}/{field}" for field in ("title", "text", "alt")}
    return places | _in_front(game, state)


def _in_front(game: Game, state: State) -> set[str]:
    front, places = game.fronts[state.front], set()
    if front is None:
        return set()
    here = f"locks/{front.name}" if isinstance(front, Bolt) else f"dialogues/{front.name}"
    if isinstance(front, Bolt):
        places = {f"{here}/{field}" for field in ("title", "ask", "alt", "sender")}
        places |= {f"{here}/hints/{n}/text" for n in range(state.hints[front.number])}
        for field in ("options", "pieces", "passages"):
            shown = getattr(front.told, field, ())
            names = shown if isinstance(shown, dict) else range(len(shown))
            places |= {f"{here}/{field}/{name}/text" for name in names}
        pairs = range(len(getattr(front.told, "pairs", ())))
        places |= {f"{here}/pairs/{n}/{side}" for n in pairs for side in ("left", "right")}
    if front.lines:
        line = front.lines[state.line]
        at = f"{here}/lines/{line.name}"
        places |= {f"{at}/says", f"characters/{line.by}/name", f"characters/{line.by}/alt"}
        places |= {f"{at}/replies/{one.name}/text" for one in line.choices if one.when.holds(state.facts)}
    return places


def shown(game: Game, state: State, lang: str) -> set[str]:
    """The places of the texts that the view holds."""
    text = json.dumps(view(game, state, lang), ensure_ascii=False)
    found = {part for part in text.split("§")[1::2]}
    assert all(part.startswith(f"{lang}/") for part in found)
    return {part.removeprefix(f"{lang}/") for part in found}


def check(game: Game, picks: list[int]) -> set[str]:
    """Play at random and look at every view; all that was ever shown."""
    state, ever = start(game), set()
    for pick in [*picks, 0]:
        seen = shown(game, state, "zh")
        assert seen <= allowed(game, state)
        assert shown(game, state, "en") == seen
        ever |= seen
        offered = list(moves(game, state))
        if not offered:
            break
        state, _outcome = step(game, state, offered[pick % len(offered)].action)
    return ever


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(rooms(), st.lists(st.integers(0, 99), max_size=40))
def test_a_view_holds_no_answer_and_nothing_undiscovered(data: Data, picks: list[int]) -> None:
    check(sealed(making.read(data)), picks)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 99), min_size=30, max_size=90))
def test_neither_does_one_of_the_sample(picks: list[int]) -> None:
    check(sealed(reading.read_folder(SAMPLE).room), picks)


def test_the_marks_would_be_found() -> None:
    """A control: what is shown is found by its mark, so what is not shown would be."""
    game = sealed(reading.read_folder(SAMPLE).room)
    state = start(game)
    ever = check(game, [])
    assert {"scenes/living/text", "scenes/living/hotspots/photo/label"} <= ever
    leaky = {**view(game, state), "oops": game.room.locks["first"].options["pay"].because.of("zh")}  # type: ignore[union-attr]
    assert "locks/first/options/pay/because" in json.dumps(leaky, ensure_ascii=False)
    assert "locks/first/options/pay/because" not in allowed(game, state)


def test_names_that_would_give_an_answer_away_and_codes_are_not_in_a_view() -> None:
    game = compile_room(reading.read_folder(SAMPLE).room)
    secret = {
        answer for lock in game.room.locks.values() if isinstance(lock, CodeLock) for answer in lock.answers
    }
    for name, front in zip([bolt.name for bolt in game.bolts], game.bolts, strict=True):
        state = start(game)._replace(front=game.fronts.index(front), line=front.start)
        text = json.dumps(view(game, state)["lock"], ensure_ascii=False) + json.dumps(
            view(game, state)["talk"]
        )
        names = list(getattr(game.room.locks[name], "options", {}))
        names += [choice.name for line in front.lines for choice in line.choices]
        assert not [one for one in (*names, *secret) if f'"{one}"' in text]
        assert '"right"' not in text and "because" not in text


def test_a_text_without_english_is_shown_in_chinese() -> None:
    game = making.game(making.room(scenes={"hall": making.scene(text={"zh": "这里", "en": "Here"})}))
    seen = view(game, start(game), "en")["scene"]
    assert (seen["text"], seen["title"]) == ("Here", "场景")


def test_a_reply_that_cannot_be_given_yet_is_not_shown_and_keeps_its_number() -> None:
    replies = {"secret": {"text": "暗号", "when": {"marked": "told"}}, "hello": {"text": "您好"}}
    spots = {
        "ask": {"label": "问", "then": {"talk": "clerk"}},
        "note": {"label": "纸", "then": {"mark": "told"}},
    }
    data = making.room(
        scenes={"hall": making.scene(hotspots=spots)},
        characters={"lin": {"name": "小林"}},
        dialogues={"clerk": {"by": "lin", "lines": {"hello": {"says": "您好", "replies": replies}}}},
    )
    game = making.game(data)
    asked, _outcome = step(game, start(game), Action("look", "ask"))
    assert view(game, asked)["talk"]["replies"] == [{"number": 2, "text": "您好"}]
    assert step(game, asked, Action("say", value=(0, 1)))[1].did == "refused"
    told, _outcome = step(game, step(game, asked, Action("look", "note"))[0], Action("look", "ask"))
    assert [one["number"] for one in view(game, told)["talk"]["replies"]] == [1, 2]


def test_what_an_action_says_is_not_kept_in_the_view() -> None:
    scenes = {"hall": making.scene(hotspots={"note": {"label": "纸", "text": "只说一次"}})}
    game = making.game(making.room(scenes=scenes))
    state, outcome = step(game, start(game), Action("look", "note"))
    assert [text.zh for text in outcome.texts] == ["只说一次"]
    seen = view(game, state)
    assert "只说一次" not in json.dumps(seen, ensure_ascii=False)
    assert seen["hotspots"][0]["looked"] is True and view(game, start(game))["hotspots"][0]["looked"] is False
