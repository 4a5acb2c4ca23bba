"""Getui: the contract, results per client id, and that no request_id is used twice."""

import uuid

import pytest

from scheduler.channels.base import Account, Closed, DeliveryError, Message
from scheduler.channels.getui import Getui
from scheduler.sandbox.core import Arrived, Fault
from scheduler.sandbox.getui import APP, KEY, NAME, SECRET
from scheduler.sandbox.getui import Getui as StandIn
from tests.scheduler.channels.suite import HASTY, Bench, Case, Contract, MemoryTokens, Said, opened

OPERATOR = Said(permanent=True, everyone=True)
TOO_MANY = Said(everyone=True, retry_after=60.0)


def message(device: str) -> Message:
    return Message(
        key="",
        address=device,
        name="",
        subject="退保前，先问一问",
        text="先停一停。",
        html="",
        link="https://edu.example.cn/p/x?a=t",
        unsubscribe="",
        summary="先停一停，再决定。",
    )


def account(url: str) -> Account:
    return Account(url, login=APP, secrets=(SECRET,), options={"app_key": KEY}, number=3)


def case() -> Case:
    tokens = MemoryTokens()
    gone = Said(permanent=True, closes=Closed.gone)
    return Case(
        channel=lambda clock, patience: Getui(clock, tokens, (patience, patience)),
        stand_in=StandIn,
        account=account,
        messages=lambda url: [message("5a27f0c1"), message("off2")],
        shown=lambda one: Arrived(NAME, one.address, one.subject, one.summary, one.link),
        codes={
            1: Said(everyone=True),
            2: Said(everyone=True),
            301: OPERATOR,
            10001: None,  # the token is renewed, once
            10002: OPERATOR,
            10003: TOO_MANY,
            10005: TOO_MANY,
            20001: OPERATOR,
            20002: gone,
            30001: OPERATOR,
        },
        endpoint="cid",
        refused=lambda url: [(message("gone1"), gone), (message("idle2"), Said(permanent=True))],
        expire=lambda stand_in: stand_in.tokens.clear(),  # type: ignore[attr-defined]
    )


class TestGetui(Contract):
    """Getui, held against its stand-in."""

    @pytest.fixture
    def case(self) -> Case:
        return case()

    def test_one_strange_device_among_many_is_found(self, bench: Bench) -> None:
        many = [message(f"d{number}") for number in range(200)]
        many[77] = message("gone77")
        results = bench.send(many)
        assert [place for place, one in enumerate(results) if isinstance(one, DeliveryError)] == [77]
        assert len(bench.arrived()) == len({one.to for one in bench.arrived()}) == 199

    def test_a_doubt_about_the_message_reaches_nobody_and_is_tried_under_a_new_number(
        self, bench: Bench
    ) -> None:
        one = bench.messages[:1]
        bench.sandbox.fail(NAME, Fault("after", endpoint="message"))
        [result] = bench.send(one, bench.channel(HASTY))
        assert isinstance(result, DeliveryError) and not result.unknown and result.everyone
        assert isinstance(bench.send(one)[0], str) and len(bench.arrived()) == 1

    def test_two_workers_fetch_one_token(self, bench: Bench) -> None:
        tokens = MemoryTokens()
        channels = [Getui(bench.clock, tokens) for _ in range(2)]
        for channel in channels * 2:
            assert isinstance(bench.send(bench.messages[:1], channel)[0], str)
        assert tokens.fetched == 1


def test_control_a_number_used_twice_loses_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    same = uuid.uuid4()
    monkeypatch.setattr("scheduler.channels.getui.uuid.uuid4", lambda: same)
    with opened(case()) as bench:
        bench.breaking = True
        for _time in range(2):
            assert isinstance(bench.send(bench.messages[:1])[0], str)
        assert len(bench.arrived()) == 1 and "lost" in bench.sandbox.breaches[0]
