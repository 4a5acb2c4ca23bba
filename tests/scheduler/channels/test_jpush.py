"""JPush: the contract, and that a cid makes a second ask harmless for a day."""

import pytest

from scheduler.channels.base import Account, Closed, DeliveryError, Message, Tally
from scheduler.channels.jpush import JPush, report_address
from scheduler.sandbox.core import Arrived, Fault
from scheduler.sandbox.jpush import APP, NAME, SECRET
from scheduler.sandbox.jpush import JPush as StandIn
from tests.scheduler.channels.suite import HASTY, Bench, Case, Clock, Contract, Said

RETRY = Said(everyone=True)
OPERATOR = Said(permanent=True, everyone=True)


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
        picture="https://edu.example.cn/media/x.jpg",
    )


def shown(one: Message) -> Arrived:
    return Arrived(NAME, one.address, one.subject, one.summary, one.link, one.picture)


def at(bench: Bench) -> Account:
    return Account(bench.url, login=APP, secrets=(SECRET,))


class TestJPush(Contract):
    """JPush, held against its stand-in."""

    @pytest.fixture
    def case(self) -> Case:
        return Case(
            channel=lambda clock, patience: JPush(clock, (patience, patience), again=0),
            stand_in=StandIn,
            account=lambda url: Account(url, login=APP, secrets=(SECRET,)),
            messages=lambda url: [message("171976fa8a8a1"), message("171976fa8a8a2")],
            shown=shown,
            codes={
                1000: RETRY,
                1002: OPERATOR,
                1003: OPERATOR,
                1004: OPERATOR,
                1005: OPERATOR,
                1008: OPERATOR,
                1011: Said(permanent=True, closes=Closed.gone),
                1030: RETRY,
                2002: Said(everyone=True, retry_after=60.0),
                2003: OPERATOR,
            },
            endpoint="push",
        )

    def test_a_doubt_is_asked_again_under_the_same_cid(self, bench: Bench) -> None:
        channel = JPush(bench.clock, (HASTY, HASTY))
        one = bench.messages[:1]
        bench.fail("after")
        [result] = bench.send(one, channel)
        assert isinstance(result, str) and len(bench.arrived()) == 1
        assert bench.send(one, channel) == [result], (
            "the key keeps its cid: the platform says what it said first"
        )
        assert len(bench.arrived()) == 1
        assert bench.send(bench.messages[:1], channel) != [result] and len(bench.arrived()) == 2

    def test_another_process_has_another_cid_and_so_sends_twice(self, bench: Bench) -> None:
        """The control, and why the channel does not call itself idempotent."""
        one = bench.messages[:1]
        for _process in range(2):
            assert isinstance(bench.send(one, JPush(bench.clock))[0], str)
        assert len(bench.arrived()) == 2 and not JPush.idempotent

    def test_a_cid_is_not_used_after_its_day(self, bench: Bench) -> None:
        channel = JPush(bench.clock)
        for _day in range(2):
            assert isinstance(bench.send(bench.messages[:1], channel)[0], str)
            bench.clock.forward(86400 + 60)
        assert len(bench.arrived()) == 2

    def test_six_hundred_calls_a_minute(self, bench: Bench) -> None:
        bench.breaking = True
        channel = JPush(bench.clock)
        assert isinstance(bench.send(bench.messages[:1], channel)[0], str)
        for _number in range(598):
            assert bench.sandbox.allows(NAME, "all", 600, 60)
        [result] = bench.send(bench.messages[:1], channel)
        assert isinstance(result, DeliveryError) and (result.retry_after, result.everyone) == (60.0, True)
        bench.clock.forward(60)
        assert isinstance(bench.send(bench.messages[:1], channel)[0], str)

    def test_a_thousand_in_a_call(self, bench: Bench) -> None:
        many = [message(f"device{number}") for number in range(999)] + [message("gone1")]
        assert len(set(map(str, bench.send(many)))) == 1
        assert len(bench.arrived()) == 999 and bench.sandbox.calls[NAME] == 2

    def test_a_doubt_about_cids_is_none_about_the_message(self, bench: Bench) -> None:
        bench.sandbox.fail(NAME, Fault("after", endpoint="cid"))
        [result] = bench.send(bench.messages[:1], bench.channel(HASTY))
        assert isinstance(result, DeliveryError) and not result.unknown and result.everyone

    def test_figures_are_devices_by_whatever_way_they_had_it(self, bench: Bench) -> None:
        devices = ["d1", "d2", "ios1", "hmos1", "off1", "gone1"]
        first = bench.send([message(one) for one in devices])[0]
        nobody = bench.send([message("off2")])[0]
        many = [str(number) for number in range(150)]  # more than go in a question
        told = JPush(bench.clock).ask(at(bench), [str(first), *many, str(nobody)])
        assert told == [Tally(str(first), reached=4), Tally(str(nobody))]
        assert bench.sandbox.calls[NAME] == 6  # two pushes with their cids, two questions

    @pytest.mark.parametrize("fault", ["broken", "garbled", "before"])
    def test_figures_that_cannot_be_read_are_said_to_be(self, bench: Bench, fault: str) -> None:
        [told] = bench.send(bench.messages[:1])
        bench.sandbox.fail(NAME, Fault(fault, endpoint="figures"))
        with pytest.raises(DeliveryError):
            JPush(bench.clock, (HASTY, HASTY)).ask(at(bench), [str(told)])

    @pytest.mark.parametrize(
        ("pushed", "asked"),
        [
            ("https://api.jpush.cn/", "https://report.jpush.cn/v3"),
            ("https://bjapi.push.jiguang.cn", "https://bjapi.push.jiguang.cn/v3/report"),
        ],
    )
    def test_figures_are_asked_where_the_application_lies(self, pushed: str, asked: str) -> None:
        assert report_address(pushed) == asked

    def test_a_wrong_secret_needs_an_operator(self, bench: Bench) -> None:
        wrong = Account(bench.url, login=APP, secrets=("wrong",))
        with JPush(Clock()).connect(wrong) as line, pytest.raises(DeliveryError) as caught:
            line.send_many("k", bench.messages)
        assert caught.value.permanent and caught.value.everyone and "Master Secret" in caught.value.message
