"""Messages of WeCom applications against their stand-in: the contract, results per member, silence at the limits."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

import pytest

from scheduler.channels.base import Account, Closed, DeliveryError, Message
from scheduler.channels.wecom_app import WecomApp
from scheduler.sandbox.core import Arrived
from scheduler.sandbox.wecom_app import AGENT, CORP, SECRET
from scheduler.sandbox.wecom_app import WecomApp as StandIn
from tests.scheduler.channels.suite import Bench, Case, Contract, MemoryTokens, Said, opened

OPERATOR = Said(permanent=True, everyone=True)
NOBODY = Said(permanent=True, closes=Closed.gone)
_turns = count()


def account(url: str) -> Account:
    return Account(url, login=CORP, secrets=(SECRET,), options={"agentid": str(AGENT)}, number=3)


def message(member: str = "member1", **more: str) -> Message:
    plain = Message(
        "k", member, "", "守住钱袋子", "正文", "", "https://edu.example/c/1", "", summary="三分钟"
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def messages(_url: str) -> Sequence[Message]:
    """Another text each time: the same call within four hours reaches nobody twice."""
    subject = f"第 {next(_turns)} 期"
    return [message(subject=subject), message("ZhangSan", subject=subject)]


def shown(one: Message) -> Arrived:
    return Arrived("wecom_app", one.address, one.subject, one.summary, one.link)


def a_case() -> Case:
    return Case(
        channel=lambda clock, patience: WecomApp(clock, MemoryTokens(), (patience, patience)),
        stand_in=StandIn,
        account=account,
        messages=messages,
        shown=shown,
        codes={
            -1: None,
            40014: None,
            42001: None,
            40056: OPERATOR,
            40058: OPERATOR,
            60020: OPERATOR,
            48002: OPERATOR,
            45009: Said(everyone=True, retry_after=60.0),
            45033: Said(everyone=True, retry_after=10.0),
            81013: NOBODY,
            99999: Said(permanent=True),
        },
        endpoint="send",
        expire=lambda stand_in: stand_in.expire(),  # type: ignore[attr-defined]
    )


class TestWecomApp(Contract):
    """The contract."""

    @pytest.fixture
    def case(self) -> Case:
        return a_case()


@pytest.fixture
def bench() -> Iterator[Bench]:
    with opened(a_case()) as bench:
        yield bench


def _stand_in(bench: Bench) -> StandIn:
    assert isinstance(bench.stand_in, StandIn)
    return bench.stand_in


def _said(result: object) -> Said | str:
    if isinstance(result, DeliveryError):
        return Said(result.permanent, result.everyone, result.unknown, result.retry_after, result.closes)
    return "sent" if isinstance(result, str) else "?"


def test_success_may_leave_some_out(bench: Bench) -> None:
    everybody = ["ZHANGSAN", "nobody", "member2", "Gone", "member30", "member1|member2", "@all"]
    results = bench.send([message(one) for one in everybody])
    assert [_said(one) for one in results] == [
        "sent", NOBODY, "sent", NOBODY, Said(permanent=True), NOBODY, NOBODY,
    ]  # fmt: skip
    assert [one.to for one in bench.arrived()] == ["ZhangSan", "member2"]


def test_all_invalid_is_said_of_each(bench: Bench) -> None:
    assert [_said(one) for one in bench.send([message("a"), message("b")])] == [NOBODY, NOBODY]
    assert bench.send([message("@all")]) and not bench.arrived()


def test_busy_three_times_is_left_for_later(bench: Bench) -> None:
    bench.fail("code", -1, 2)
    assert _said(bench.send([message(subject="一")])[0]) == "sent"
    bench.fail("code", -1, 3)
    before = bench.sandbox.calls["wecom_app"]
    assert _said(bench.send([message(subject="二")])[0]) == Said(everyone=True)
    assert bench.sandbox.calls["wecom_app"] - before == 4, "a token, and three tries"
    assert len(bench.arrived()) == 1


def test_the_same_call_reaches_nobody_twice_for_four_hours(bench: Bench) -> None:
    two = [message(), message("member2")]
    for wait in (0, 14_399, 2):
        bench.clock.forward(wait)
        assert all(isinstance(one, str) for one in bench.send(two))
        assert len(bench.arrived()) == (4 if wait == 2 else 2)


def test_more_than_a_member_takes_disappears_and_the_rates_forbid_it(bench: Bench) -> None:
    bench.breaking = True
    for turn in range(31):
        assert _said(bench.send([message(subject=str(turn))])[0]) == "sent", "the platform says nothing"
    assert len(bench.arrived()) == 30 and _stand_in(bench).dropped == 1
    rates = {(one.times, one.seconds, one.per) for one in bench.channel().rates}
    assert {(30, 60, "address"), (1000, 3600, "address"), (10_000, 60, "call")} == rates


def test_a_thousand_go_in_a_call(bench: Bench) -> None:
    assert bench.channel().call_size == 1000
    _stand_in(bench).visible |= {f"m{number}" for number in range(1000)}
    assert all(isinstance(one, str) for one in bench.send([message(f"m{number}") for number in range(1000)]))
    assert len(bench.arrived()) == 1000 and bench.sandbox.calls["wecom_app"] == 2


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"picture": "https://edu.example/p.png"}, ("守住钱袋子", "三分钟", "https://edu.example/p.png")),
        ({"summary": "", "subject": "题"}, ("", "题\n\n正文\nhttps://edu.example/c/1", "")),
        ({"summary": "字" * 600}, ("守住钱袋子", "字" * 169 + "…", "")),
    ],
    ids=["news", "text", "long"],
)
def test_cards_where_there_is_something_to_show(
    bench: Bench, more: dict[str, str], expected: tuple[str, str, str]
) -> None:
    bench.send([message(**more)])
    [one] = bench.arrived()
    assert (one.title, one.text, one.picture) == expected


def test_contents_that_differ_and_a_wrong_agent_are_refused(bench: Bench) -> None:
    one, two = message(), message("member2", subject="另一个")
    assert [_said(each) for each in bench.send([one, two])] == [OPERATOR, OPERATOR]
    wrong = replace(bench.case, account=lambda url: replace(account(url), options={"agentid": "x"}))
    assert _said(replace(bench, case=wrong).send([one])[0]) == OPERATOR
    wrong = replace(bench.case, account=lambda url: replace(account(url), secrets=("another",)))
    assert _said(replace(bench, case=wrong).send([one])[0]) == OPERATOR
    _stand_in(bench).trusted = False
    assert _said(bench.send([one])[0]) == OPERATOR
    assert not bench.arrived()
