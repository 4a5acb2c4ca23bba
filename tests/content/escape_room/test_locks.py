"""Every kind of lock: the right answer opens it, every mistake is told why, nonsense is refused and costs nothing."""

import pytest

from content.escape_room.compiling import shuffled
from content.escape_room.game import Game
from content.escape_room.judging import Value
from content.escape_room.moves import moves
from content.escape_room.rules import Action, Outcome, start, step
from content.escape_room.state import State
from content.escape_room.view import view
from tests.content.escape_room import making
from tests.content.escape_room.making import Data

OPTIONS: Data = {
    "a": {"text": "甲", "right": True},
    "b": {"text": "乙", "right": True},
    "c": {"text": "丙", "because": "丙不对"},
    "d": {"text": "丁", "because": "丁不对"},
}
BASE: Data = {"title": "锁", "ask": "问", "teaches": "stop", "otherwise": "再想想", "well": "对了"}


def before(lock: Data, **parts: object) -> tuple[Game, State]:
    """A room with this lock, and the state in which it is in front."""
    spots = {"spot": {"label": "看", "then": {"lock": "lock"}}}
    people = {"he": {"name": "他"}}
    data = making.room(
        scenes={"hall": making.scene(hotspots=spots)}, locks={"lock": lock}, characters=people, **parts
    )
    game = making.game(data)
    return game, step(game, start(game), Action("look", "spot"))[0]


def numbers(game: Game, state: State, *texts: str, field: str = "options") -> tuple[int, ...]:
    """The numbers under which these texts are shown."""
    by_text = {one["text"]: one["number"] for one in view(game, state)["lock"][field]}
    return tuple(by_text[text] for text in texts)


def answered(lock: Data, *texts: str) -> Outcome:
    """What comes of choosing these texts."""
    game, state = before(lock)
    return step(game, state, Action("answer", "lock", numbers(game, state, *texts)))[1]


def said(outcome: Outcome) -> tuple[str, ...]:
    return tuple(text.zh for text in outcome.texts)


def test_a_choice() -> None:
    lock = {**BASE, "kind": "choice", "options": {"a": OPTIONS["a"], "c": OPTIONS["c"], "e": {"text": "戊"}}}
    right = answered(lock, "甲")
    assert (right.did, said(right), right.taught, right.points) == ("opened", ("对了",), ("stop",), 10)
    wrong = answered(lock, "丙")
    assert (wrong.did, said(wrong), wrong.wrong, wrong.points) == ("wrong", ("丙不对",), "c", -2)
    assert said(answered(lock, "戊")) == ("再想想",)
    assert answered(lock, "甲", "丙").did == "refused"


def test_several_choices_must_be_all_and_only_the_right_ones() -> None:
    lock = {**BASE, "kind": "choices", "options": OPTIONS}
    assert answered(lock, "甲", "乙").did == answered(lock, "乙", "甲").did == "opened"
    both = answered(lock, "甲", "丙", "乙", "丁")
    assert set(said(both)) == {"丙不对", "丁不对"} and set(both.wrong.split("+")) == {"c", "d"}
    lacking = answered(lock, "乙")
    assert (said(lacking), lacking.wrong) == (("再想想",), "lacking")


def test_an_order_is_explained_at_its_first_wrong_place_and_never_shown_as_written() -> None:
    pieces = [{"text": "停", "because": "先停"}, {"text": "问", "because": "再问"}, {"text": "办"}]
    lock = {**BASE, "kind": "order", "pieces": pieces}
    assert answered(lock, "停", "问", "办").did == "opened"
    assert said(answered(lock, "问", "停", "办")) == ("先停",)
    late = answered(lock, "停", "办", "问")
    assert (said(late), late.wrong) == (("再问",), "place-2")
    assert answered(lock, "停", "停", "办").did == "refused"
    for count in (2, 3, 5):
        game, state = before({**BASE, "kind": "order", "pieces": [{"text": f"第{n}"} for n in range(count)]})
        shown = [one["text"] for one in view(game, state)["lock"]["options"]]
        assert shown != [f"第{n}" for n in range(count)]


def test_pairs_are_matched() -> None:
    pairs = [{"left": str(n), "right": f"右{n}", "because": f"因{n}"} for n in range(4)]
    game, state = before({**BASE, "kind": "match", "pairs": pairs})
    right = numbers(game, state, "右0", "右1", "右2", "右3", field="partners")
    assert right != (1, 2, 3, 4)
    assert step(game, state, Action("answer", "lock", right))[1].did == "opened"
    wrong = step(game, state, Action("answer", "lock", (right[0], right[2], right[1], right[3])))[1]
    assert (said(wrong), wrong.wrong) == (("因1",), "place-2")
    twice = step(game, state, Action("answer", "lock", (right[0],) * 4))[1]
    assert said(twice) == ("因1",)


def test_a_fraud_is_spotted_in_a_message_that_keeps_its_order() -> None:
    passages = [
        {"text": "您好", "because": "问候没有错"},
        {"text": "马上转账", "fraud": True, "because": "催人"},
        {"text": "告诉我验证码", "fraud": True},
    ]
    lock = {**BASE, "kind": "spot", "passages": passages}
    game, state = before(lock)
    assert [one["text"] for one in view(game, state)["lock"]["options"]] == [
        "您好",
        "马上转账",
        "告诉我验证码",
    ]
    assert answered(lock, "马上转账", "告诉我验证码").did == "opened"
    assert said(answered(lock, "您好", "马上转账")) == ("问候没有错",)
    assert said(answered(lock, "马上转账")) == ("再想想",)


@pytest.mark.parametrize(
    ("given", "did", "told"),
    [
        ("1958", "opened", "对了"),
        ("一九五八", "opened", "对了"),
        (" １９５８", "opened", "对了"),
        ("五八年", "opened", "对了"),
        ("1949", "wrong", "那是别的年份"),
        ("1908", "wrong", "差一点"),
        ("3000", "wrong", "再想想"),
        ("", "refused", None),
        ("  ", "refused", None),
        ("1" * 65, "refused", None),
        ((1,), "refused", None),
    ],
)
def test_a_code(given: Value, did: str, told: str | None) -> None:
    wrong = [{"like": ["1949", "建国"], "because": "那是别的年份"}, {"like": "19?8", "because": "差一点"}]
    game, state = before({**BASE, "kind": "code", "answers": ["1958", "五八年"], "needs": {}, "wrong": wrong})
    outcome = step(game, state, Action("answer", "lock", given))[1]
    assert (outcome.did, said(outcome)) == (did, (told,) if told else ())


CONVERSATION: Data = {
    **BASE,
    "kind": "conversation",
    "by": "he",
    "start": "first",
    "lines": {
        "second": {
            "says": "快",
            "replies": {"no": {"text": "我挂了", "out": "做得对"}, "yes": {"text": "好", "fall": "别急"}},
        },
        "first": {
            "says": "转账",
            "replies": {"why": {"text": "为何", "next": "second"}, "yes": {"text": "好的", "fall": "别转"}},
        },
    },
}


def says(game: Game, state: State, text: str) -> tuple[State, Outcome]:
    """Say what is offered under this text."""
    lock = view(game, state)["lock"]
    talk = view(game, state)["talk"]
    assert lock
    number = next(one["number"] for one in talk["replies"] if one["text"] == text)
    return step(game, state, Action("say", value=(talk["line"], number)))


def test_a_conversation_leads_on_to_a_fall_or_out() -> None:
    game, first = before(CONVERSATION)
    assert view(game, first)["talk"]["says"] == "转账"
    fallen, fall = says(game, first, "好的")
    assert (fall.did, said(fall), fall.wrong, fall.points) == ("wrong", ("别转",), "first/yes", -2)
    second, on = says(game, fallen, "为何")
    assert (on.did, view(game, second)["talk"]["says"]) == ("said", "快")
    again, fall = says(game, second, "好")
    assert view(game, again)["talk"]["says"] == "转账" and fall.wrong == "second/yes"
    out, opened = says(game, second, "我挂了")
    assert (opened.did, said(opened), opened.taught, opened.points) == (
        "opened",
        ("做得对", "对了"),
        ("stop",),
        8,
    )
    assert view(game, out)["lock"] is None
    assert step(game, second, Action("answer", "lock", (1,)))[1].did == "refused"


@pytest.mark.parametrize("kind", ["choice", "choices", "code", "order", "match", "spot", "conversation"])
def test_one_wrong_answer_of_each_class_is_offered_to_the_solver_and_told_why(kind: str) -> None:
    locks: dict[str, Data] = {
        "choice": {"options": {"a": OPTIONS["a"], "c": OPTIONS["c"]}},
        "choices": {"options": OPTIONS},
        "code": {"answers": "1958", "needs": {}, "wrong": [{"like": "19*", "because": "差一点"}]},
        "order": {"pieces": [{"text": "停"}, {"text": "问"}]},
        "match": {"pairs": [{"left": "1", "right": "一"}, {"left": "2", "right": "二"}]},
        "spot": {"passages": [{"text": "您好"}, {"text": "转账", "fraud": True}]},
        "conversation": CONVERSATION,
    }
    game, state = before({**BASE, **locks[kind], "kind": kind})
    offered = list(moves(game, state))
    wrong = [step(game, state, action)[1] for action, manner in offered if manner == "wrong"]
    assert wrong and all(one.did == "wrong" and one.texts for one in wrong)
    right = [step(game, state, action)[1].did for action, manner in offered if manner == "right"]
    assert right == ["opened"] if kind != "conversation" else right == []


def test_an_order_of_its_own_is_never_the_written_one_and_always_the_same() -> None:
    for count in range(3, 9):
        names = [f"n-{number}" for number in range(count)]
        for salt in ("a", "b", "c", "d"):
            mixed = shuffled(names, salt)
            assert mixed != names and sorted(mixed) == names and mixed == shuffled(names, salt)
    firsts = {shuffled(["right", "wrong", "other"], f"room/{number}")[0] for number in range(30)}
    assert firsts == {"right", "wrong", "other"}
