"""Rooms at random, small enough to be looked at whole: conditions, branches, doors, locks, dialogues, clauses."""

from typing import Any

from hypothesis import strategies as st

from tests.content.escape_room import making
from tests.content.escape_room.making import Data

SCENES, ITEMS, CLUES, MARKS = ("s-a", "s-b", "s-c"), ("i-a", "i-b", "i-c"), ("c-a", "c-b"), ("m-a", "m-b")
LOCKS, TALKS, ENDINGS = ("l-a", "l-b", "l-c"), ("t-a",), ("e-a", "e-b")
CHOSEN = ("t-a/one/x", "t-a/one/y", "t-a/two/x")


@st.composite
def atoms(draw: st.DrawFn) -> Data:
    """A condition about one fact."""
    fact, names = draw(
        st.sampled_from(
            [
                ("has", ITEMS), ("has", ITEMS), ("knows", CLUES), ("opened", LOCKS), ("failed", LOCKS),
                ("visited", SCENES), ("marked", MARKS), ("chose", CHOSEN),
            ]
        )
    )  # fmt: skip
    return {fact: draw(st.sampled_from(names))}


def conditions() -> st.SearchStrategy[Data]:
    """Conditions of all shapes, mostly small."""
    return st.one_of(
        atoms(),
        atoms(),
        st.builds(lambda one: {"not": one}, atoms()),
        st.builds(lambda one, two: {"all": [one, {"not": two}]}, atoms(), atoms()),
        st.builds(lambda one, two: {"any": [one, two]}, atoms(), atoms()),
        st.builds(lambda one, two: {"not": {"any": [one, two]}}, atoms(), atoms()),
    )


@st.composite
def clauses(draw: st.DrawFn, *, moving: bool = True, going: bool = True) -> Data:
    """What happens: something found, perhaps somewhere to go."""
    made: Data = {}
    field, names = draw(st.sampled_from([("give", ITEMS), ("note", CLUES), ("mark", MARKS), ("", ())]))
    if field:
        made[field] = draw(st.sampled_from(names))
    if moving and draw(st.integers(0, 3)) == 0:
        ways = [("talk", TALKS), ("lock", LOCKS), ("end", ENDINGS)] + [("go", SCENES)] * going
        field, names = draw(st.sampled_from(ways))
        made[field] = draw(st.sampled_from(names))
    if draw(st.integers(0, 3)) == 0:
        made["when"] = draw(conditions())
    return made


def thens(**kind: bool) -> st.SearchStrategy[list[Data]]:
    """None, one or two clauses."""
    return st.lists(clauses(**kind), max_size=2)


def _perhaps(draw: st.DrawFn, made: Data, field: str, strategy: st.SearchStrategy[Any], one_in: int) -> None:
    if draw(st.integers(1, one_in)) == 1:
        made[field] = draw(strategy)


@st.composite
def locks(draw: st.DrawFn) -> Data:
    """A lock of one of four kinds: choice, code with needs, order, conversation; some close after few tries."""
    kind = draw(st.sampled_from(["choice", "code", "order", "conversation"]))
    made: Data = {"kind": kind, "title": "锁", "ask": "问", "teaches": "stop", "otherwise": "再想想"}
    if kind == "choice":
        made |= making.choice()
        made["options"] = {**made["options"], "no": {"text": "错", "because": "不", "then": draw(thens())}}
        made["options"]["nor"] = {"text": "也错", "because": "不"}
    elif kind == "code":
        needs: Data = {}
        _perhaps(draw, needs, "knows", st.sampled_from(CLUES), 2)
        _perhaps(draw, needs, "has", st.sampled_from(ITEMS), 2)
        made |= making.code(needs=needs)
    elif kind == "order":
        made["pieces"] = [{"text": "一"}, {"text": "二"}]
    else:
        made |= {"by": "clerk", "lines": _pressing()}
    made["then"] = draw(thens())
    _perhaps(
        draw,
        made,
        "limit",
        st.builds(
            lambda tries, then: {"tries": tries, "text": "完", "then": then}, st.integers(1, 2), thens()
        ),
        4,
    )
    return made


def _pressing() -> Data:
    return {
        "one": {
            "says": "转账",
            "replies": {"a": {"text": "为何", "next": "two"}, "b": {"text": "好", "fall": "别转"}},
        },
        "two": {
            "says": "快",
            "replies": {"a": {"text": "不", "out": "对"}, "b": {"text": "好", "fall": "别"}},
        },
    }


@st.composite
def hotspots(draw: st.DrawFn) -> Data:
    """Something to look at; often a thing that is gone once it was taken."""
    if draw(st.integers(0, 3)) == 0:
        item = draw(st.sampled_from(ITEMS))
        return {"label": "拿", "when": {"not": {"has": item}}, "then": {"give": item}}
    made: Data = {"label": "看", "then": draw(thens())}
    _perhaps(draw, made, "when", conditions(), 2)
    return made


@st.composite
def doors(draw: st.DrawFn) -> Data:
    """A way, perhaps hidden, shut or locked."""
    made: Data = {"label": "门", "to": draw(st.sampled_from(SCENES))}
    _perhaps(draw, made, "when", conditions(), 3)
    _perhaps(draw, made, "shut", st.just("关着"), 2)
    _perhaps(draw, made, "lock", st.sampled_from(LOCKS), 3)
    return made


@st.composite
def talks(draw: st.DrawFn) -> Data:
    """A dialogue of two lines."""

    def reply(following: str | None) -> Data:
        made: Data = {"text": "说", "then": draw(thens())}
        _perhaps(draw, made, "when", conditions(), 3)
        return {**made, "next": following} if following else made

    one = {"says": "您好", "replies": {"x": reply("two"), "y": reply(None)}}
    return {"by": "clerk", "lines": {"one": one, "two": {"says": "还有", "replies": {"x": reply(None)}}}}


@st.composite
def rooms(draw: st.DrawFn) -> Data:
    """A whole room; most have something wrong."""
    scenes: Data = {}
    for name in SCENES:
        spots = draw(st.lists(hotspots(), max_size=3))
        ways = draw(st.lists(doors(), min_size=1, max_size=2))
        scenes[name] = making.scene(
            hotspots={f"h-{at}": one for at, one in enumerate(spots)},
            doors={f"d-{at}": one for at, one in enumerate(ways)},
        )
    _perhaps(draw, scenes["s-b"], "enter", thens(going=False), 2)
    finish: Data = {"label": "走", "then": {"end": "e-a"}}
    _perhaps(draw, finish, "when", conditions(), 2)
    scenes["s-c"]["hotspots"]["finish"] = finish
    return making.room(
        start="s-a",
        scenes=scenes,
        items={name: {"name": name, "text": name} for name in ITEMS},
        clues={name: {"text": name} for name in CLUES},
        characters={"clerk": {"name": "小林"}},
        dialogues={name: draw(talks()) for name in TALKS},
        locks={name: draw(locks()) for name in LOCKS},
        endings={name: {"title": name, "text": name, "tone": "good"} for name in ENDINGS},
    ) | {"scenes": _with_marks(scenes)}


def _with_marks(scenes: Data) -> Data:
    """A corner where nobody comes sets every mark, so that no condition names one that does not exist."""
    scenes["s-c"]["hotspots"]["marks"] = {
        "label": "记",
        "when": {"all": [{"has": ITEMS[0]}, {"not": {"has": ITEMS[0]}}]},
        "then": {"mark": list(MARKS)},
    }
    return scenes
