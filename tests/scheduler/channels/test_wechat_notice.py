"""Notices of a 服务号 against the stand-in: the contract, both ways, what closes an address."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from scheduler.channels.base import Account, Closed, DeliveryError, Message
from scheduler.channels.wechat import receipts
from scheduler.channels.wechat_notice import WechatNotice
from scheduler.sandbox import wechat_box as box
from scheduler.sandbox.core import Arrived
from scheduler.sandbox.wechat import Wechat as StandIn
from tests.scheduler.channels.suite import Bench, Case, Contract, MemoryTokens, Said, opened

ONE, TWO, GONE = (
    "oSandbox00000000000000000001",
    "oSandbox00000000000000000002",
    "oSandboxGone0000000000000000",
)
OPERATOR = Said(permanent=True, everyone=True)
NO_FAN = Said(permanent=True, closes=Closed.gone)
REFUSED = Said(permanent=True, closes=Closed.withdrawn)


def account(url: str) -> Account:
    return Account(url, login=box.APP, secrets=(box.SECRET, box.TOKEN), number=2)


def by_subscription(url: str) -> Account:
    return replace(account(url), options={"way": "subscribe"})


def message(openid: str = ONE) -> Message:
    words = (("thing1", "相约星期二"), ("time2", "9月22日 15:00"))
    link = "https://edu.example/e/1"
    return Message("k", openid, "", "提醒", "", "", link, "", template="sandbox-template", parameters=words)


def shown(one: Message) -> Arrived:
    return Arrived("wechat", one.address, "活动提醒", "相约星期二\n9月22日 15:00", one.link)


def a_case() -> Case:
    return Case(
        channel=lambda clock, patience: WechatNotice(clock, MemoryTokens(), (patience, patience)),
        stand_in=StandIn,
        account=account,
        messages=lambda url: [message(), message(TWO)],
        shown=shown,
        codes={
            -1: Said(everyone=True, retry_after=10.0),
            40001: None,
            42001: None,
            40003: NO_FAN,
            43004: NO_FAN,
            43101: REFUSED,
            40037: OPERATOR,
            47003: OPERATOR,
            48001: OPERATOR,
            45009: Said(everyone=True, retry_after=(13 * 60 + 58) * 60.0),
        },
        endpoint="template",
        refused=lambda url: [(message("oNobody"), NO_FAN), (message(GONE), NO_FAN)],
        expire=lambda stand_in: stand_in.expire(),  # type: ignore[attr-defined]
    )


class TestByTemplate(Contract):
    """The contract by template messages."""

    @pytest.fixture
    def case(self) -> Case:
        return a_case()


class TestBySubscription(Contract):
    """The contract by subscription notices."""

    @pytest.fixture
    def case(self) -> Case:
        return replace(a_case(), account=by_subscription, endpoint="subscribe")


@pytest.fixture
def bench() -> Iterator[Bench]:
    with opened(a_case()) as bench:
        yield bench


def _stand_in(bench: Bench) -> StandIn:
    assert isinstance(bench.stand_in, StandIn)
    return bench.stand_in


def test_one_consent_is_one_message(bench: Bench) -> None:
    _stand_in(bench).followers[ONE].subscribed = 1
    subscribed = replace(bench, case=replace(bench.case, account=by_subscription))
    assert subscribed.send([message()]) == [""]
    [result] = subscribed.send([message()])
    assert isinstance(result, DeliveryError) and result.closes == Closed.withdrawn
    assert len(bench.arrived()) == 1


def test_who_blocks_notices_is_known_by_the_receipt(bench: Bench) -> None:
    _stand_in(bench).followers[TWO].blocks_notices = True
    references = bench.send([replace(message(), key="1"), replace(message(TWO), key="2")])
    found = [receipts(account(bench.url), *_told(each)) for each in _stand_in(bench).callbacks(bench.sandbox)]
    assert [one.reference for [one] in found] == references
    assert [one.address for [one] in found] == [ONE, TWO]
    [first], [second] = found
    assert first.error is None and second.error is not None and second.error.closes == Closed.withdrawn
    assert [one.to for one in bench.arrived()] == [ONE]


def _told(each: tuple[bytes, dict[str, str]]) -> tuple[bytes, dict[str, str], dict[str, str]]:
    return each[0], {}, each[1]


def test_a_notice_without_template_is_not_sent(bench: Bench) -> None:
    [result] = bench.send([replace(message(), template="")])
    assert isinstance(result, DeliveryError) and result.permanent and result.everyone
    assert bench.sandbox.calls["wechat"] == 0
