"""The contract suite: what every channel must do against the stand-in of its platform.

A test file of a channel says what is particular in a `Case` and inherits the rest::

    class TestWecomRobot(Contract):
        @pytest.fixture
        def case(self) -> Case:
            return Case(channel=lambda clock, patience: WecomRobot(clock, (patience, patience)), …)

Two controls come along: a channel that takes HTTP 200 for success, and one that sends again what is in doubt, must fail.
Faults for one endpoint need `scheduler/sandbox/core.py` of the same commit.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

import pytest

from scheduler.channels.base import Account, AnyChannel, Closed, DeliveryError, Message, Rate
from scheduler.sandbox.core import Arrived, Fault, Sandbox, StandIn
from tests.servers import free_port, listening

PATIENT, HASTY = 5.0, 0.25  # seconds a channel waits for an answer: as a rule, and where it is to run out
_HELD = 0.6  # seconds a stand-in holds a line that nobody waits for
Result = str | DeliveryError


class Clock:
    """The clock of a channel and of the sandbox; it stands until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 9, 15, 2, 7, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def seconds(self) -> float:
        """The time as a sandbox wants it."""
        return self.at.timestamp()

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)


class MemoryTokens:
    """Tokens of a process, as `scheduler.channels.base.Tokens` wants them; counts what was fetched."""

    def __init__(self) -> None:
        self._held: dict[int, str] = {}
        self._lock = RLock()
        self.fetched = 0

    def get(self, account: int, fetch: Callable[[], tuple[str, float]]) -> str:
        """The one that is held, or a new one."""
        with self._lock:
            return self._held.get(account) or self._new(account, fetch)

    def renew(self, account: int, stale: str, fetch: Callable[[], tuple[str, float]]) -> str:
        """Another than the stale one."""
        with self._lock:
            held = self._held.get(account, stale)
            return held if held != stale else self._new(account, fetch)

    def _new(self, account: int, fetch: Callable[[], tuple[str, float]]) -> str:
        self._held[account], _seconds = fetch()
        self.fetched += 1
        return self._held[account]


@dataclass(frozen=True)
class Said:
    """What a DeliveryError must say."""

    permanent: bool = False
    everyone: bool = False
    unknown: bool = False
    retry_after: float | None = None
    closes: Closed | None = None


@dataclass(frozen=True)
class Limit:
    """`times` calls (or messages to one address) go through, sent every `step` seconds; the next is answered with
    `over`. `again`: seconds after which it is well again."""

    times: int
    over: Said
    step: float = 0.0
    again: float = 60.0


@dataclass(frozen=True)
class Case:
    """A channel and its stand-in. Addresses of sandbox calls are below `url`, such as http://127.0.0.1:1234/NAME."""

    channel: Callable[[Clock, float], AnyChannel]  # clock, seconds of patience; may be called more than once
    stand_in: Callable[[], StandIn]
    account: Callable[[str], Account]  # of the url
    messages: Callable[
        [str], Sequence[Message]
    ]  # of the url: one or more that are accepted, to different addresses
    shown: Callable[[Message], Arrived]  # what the app shows of it (`at` and `key` are not compared)
    codes: Mapping[Any, Said | None]  # documented error codes; None: the message arrives all the same
    endpoint: str = ""  # of the stand-in: the call that sends (faults are for it alone; empty: for any)
    refused: Callable[[str], Sequence[tuple[Message, Said]]] = lambda url: ()  # recipients refused one by one
    limits: Sequence[Limit] = ()
    expire: Callable[[StandIn], None] | None = None  # let the tokens that were given out end now
    deadline: bool = True  # the channel bounds the whole answer, not only each silence in it


@dataclass
class Bench:
    """A case set up: the sandbox listens."""

    case: Case
    sandbox: Sandbox
    stand_in: StandIn
    clock: Clock
    url: str
    wrap: Callable[[AnyChannel], AnyChannel] = lambda channel: channel
    breaking: bool = False  # the test oversteps a limit on purpose
    sent: int = 0
    errors: list[DeliveryError] = field(default_factory=list)

    @property
    def messages(self) -> list[Message]:
        """Good messages, with keys never used before."""
        self.sent += 1
        return [
            replace(one, key=f"{self.sent:016x}{place:016x}")
            for place, one in enumerate(self.case.messages(self.url))
        ]

    def channel(self, patience: float = PATIENT) -> AnyChannel:
        """The channel under test."""
        return self.wrap(self.case.channel(self.clock, patience))

    def fail(self, kind: str, value: Any = None, times: int = 1) -> None:
        """Have the next call that sends go wrong; nothing that was planned before remains."""
        self.sandbox.fail(self.stand_in.name, Fault(kind, value, times, self.case.endpoint))

    def send(
        self, messages: Sequence[Message], channel: AnyChannel | None = None, url: str = ""
    ) -> list[Result]:
        """What came of each, by `send` or `send_many`."""
        channel = channel or self.channel()
        results: list[Result] = []
        try:
            with channel.connect(self.case.account(url or self.url)) as line:
                if channel.call_size > 1:
                    results = list(line.send_many(messages[0].key, messages))
                else:
                    for one in messages:
                        results.append(_single(line, one))
        except DeliveryError as error:
            results = [error] * len(messages)
        self.errors += [one for one in results if isinstance(one, DeliveryError)]
        assert len(results) == len(messages), "one result for each message, in their order"
        return results

    def arrived(self) -> list[Arrived]:
        """What the inbox shows."""
        return list(self.sandbox.arrived)


@contextmanager
def opened(case: Case) -> Iterator[Bench]:
    """The stand-in listening on loopback; afterwards no limit may have been overstepped that was not asked for."""
    clock, stand_in = Clock(), case.stand_in()
    sandbox = Sandbox(clock=clock.seconds)
    sandbox.add(stand_in)
    port = free_port()
    bench = Bench(case, sandbox, stand_in, clock, f"http://127.0.0.1:{port}/{stand_in.name}")
    with listening(sandbox, port):
        yield bench
    assert bench.breaking or sandbox.breaches == []
    for error in bench.errors:
        _tells_nothing(bench, error)


class Contract:
    """The tests; a subclass gives the `case`."""

    @pytest.fixture
    def case(self) -> Case:
        raise NotImplementedError("say what is particular of this channel")

    @pytest.fixture
    def bench(self, case: Case) -> Iterator[Bench]:
        with opened(case) as bench:
            yield bench

    def test_success(self, bench: Bench) -> None:
        messages = bench.messages
        results = bench.send(messages)
        assert all(isinstance(one, str) for one in results), results
        assert _plain(bench.arrived()) == _plain([bench.case.shown(one) for one in messages])

    def test_results_are_per_recipient(self, bench: Bench) -> None:
        refused = bench.case.refused(bench.url)
        good = bench.messages
        bad = [replace(one, key=f"{place:032d}") for place, (one, _said) in enumerate(refused)]
        results = bench.send([*bad, *good])
        for result, (_one, said) in zip(results, refused, strict=False):
            _is(result, said, "a recipient that is refused")
        assert all(isinstance(one, str) for one in results[len(bad) :]), results
        assert _plain(bench.arrived()) == _plain([bench.case.shown(one) for one in good])

    def test_documented_errors(self, bench: Bench) -> None:
        assert bench.case.codes
        for code, said in bench.case.codes.items():
            before, one = len(bench.arrived()), bench.messages[:1]
            bench.fail("code", code)
            [result] = bench.send(one)
            _is(result, said, f"code {code}")
            assert len(bench.arrived()) - before == (said is None), f"code {code}"
        assert isinstance(bench.send(bench.messages[:1])[0], str), "and all is well again"

    def test_a_limit_is_said_and_passes(self, bench: Bench) -> None:
        bench.breaking = True
        for limit in bench.case.limits:
            bench.clock.forward(86400)
            for _number in range(limit.times):
                [result] = bench.send(bench.messages[:1])
                assert isinstance(result, str), result
                bench.clock.forward(limit.step)
            _is(bench.send(bench.messages[:1])[0], limit.over, "one too many")
            assert bench.sandbox.breaches
            bench.clock.forward(limit.again)
            assert isinstance(bench.send(bench.messages[:1])[0], str), "room again"

    def test_who_keeps_to_the_rates_breaks_no_limit(self, bench: Bench) -> None:
        rates = bench.channel().rates
        assert rates or not bench.case.limits, "what the platform allows must be declared"
        times: list[float] = []
        for _number in range(max((limit.times for limit in bench.case.limits), default=0) + 3):
            bench.clock.forward(_wait(rates, times, bench.clock().timestamp()))
            times.append(bench.clock().timestamp())
            assert isinstance(bench.send(bench.messages[:1])[0], str)

    def test_nobody_listens(self, bench: Bench) -> None:
        gone = bench.url.replace(bench.url.split("/")[2], f"127.0.0.1:{free_port()}")
        [result] = bench.send(
            [replace(one, address=one.address.replace(bench.url, gone)) for one in bench.messages[:1]],
            url=gone,
        )
        _is(result, Said(everyone=True), "nothing was sent, so there is no doubt")

    @pytest.mark.parametrize(("kind", "value"), [("before", None), ("silent", _HELD)])
    def test_no_answer_and_nothing_happened(self, bench: Bench, kind: str, value: Any) -> None:
        one, channel = bench.messages[:1], bench.channel(HASTY)
        bench.fail(kind, value)
        _doubtful(channel, bench.send(one, channel)[0])
        assert not bench.arrived()
        assert isinstance(bench.send(one)[0], str)
        assert len(bench.arrived()) == 1

    @pytest.mark.parametrize(
        ("kind", "value"), [("after", None), ("slow", _HELD), ("broken", None), ("garbled", None)]
    )
    def test_no_answer_but_it_arrived(self, bench: Bench, kind: str, value: Any) -> None:
        one, channel = bench.messages[:1], bench.channel(HASTY)
        bench.fail(kind, value)
        _doubtful(channel, bench.send(one, channel)[0])
        assert len(bench.arrived()) == 1, "a doubt is not sent again by itself"
        if channel.idempotent:
            assert isinstance(bench.send(one)[0], str)
            assert len(bench.arrived()) == 1, "the platform knows the key"

    def test_a_slow_answer_is_read_or_doubted(self, bench: Bench) -> None:
        bench.fail("dribble", 0.1)
        [result] = bench.send(bench.messages[:1])
        assert isinstance(result, str), result
        if bench.case.deadline:
            channel, began = bench.channel(HASTY), time.monotonic()
            bench.fail("dribble", 5.0)
            _doubtful(channel, bench.send(bench.messages[:1], channel)[0])
            assert time.monotonic() - began < 2.5, "an answer in drops holds nobody up"

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_platform_in_trouble(self, bench: Bench, status: int) -> None:
        one, channel = bench.messages[:1], bench.channel()
        bench.fail("status", status)
        [result] = bench.send(one, channel)
        assert isinstance(result, DeliveryError) and not result.permanent and result.everyone
        assert status != 504 or result.unknown or channel.idempotent, "a gateway may have passed it on"
        assert isinstance(bench.send(one)[0], str)

    def test_a_token_that_ends_is_renewed(self, bench: Bench) -> None:
        if bench.case.expire is None:
            pytest.skip("this platform has no tokens")
        channel, messages = bench.channel(), [bench.messages[:1] for _ in range(3)]
        for one in messages:
            assert isinstance(bench.send(one, channel)[0], str)
            bench.case.expire(bench.stand_in)
        assert len(bench.arrived()) == len(messages)

    def test_control_who_trusts_http_200_is_caught(self, bench: Bench) -> None:
        with pytest.raises(AssertionError):
            self.test_documented_errors(replace(bench, wrap=lambda one: _Wrapped(one, _trusting)))

    def test_control_who_sends_doubts_again_is_caught(self, bench: Bench) -> None:
        if bench.channel().idempotent:
            pytest.skip("here a second try changes nothing")
        with pytest.raises(AssertionError):
            self.test_no_answer_but_it_arrived(
                replace(bench, wrap=lambda one: _Wrapped(one, _stubborn)), "after", None
            )


class _Wrapped:
    """A channel with a fault: `how` does each of its calls."""

    def __init__(self, channel: AnyChannel, how: Callable[[Callable[[], Any], int], Any]) -> None:
        self._channel = channel
        self._how = how

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    @contextmanager
    def connect(self, account: Account) -> Iterator[Any]:
        with self._channel.connect(account) as line:
            yield _WrappedLine(line, self._how)


class _WrappedLine:
    def __init__(self, line: Any, how: Callable[[Callable[[], Any], int], Any]) -> None:
        self._line = line
        self._how = how

    def send(self, message: Message) -> Any:
        return self._how(lambda: self._line.send(message), 0)

    def send_many(self, key: str, messages: Sequence[Message]) -> Any:
        return self._how(lambda: self._line.send_many(key, messages), len(messages))


def _trusting(call: Callable[[], Any], size: int) -> Any:
    try:
        found = call()
    except DeliveryError:
        return ["ok"] * size if size else "ok"
    return ["ok"] * size if size else found


def _stubborn(call: Callable[[], Any], size: int) -> Any:
    try:
        return call()
    except DeliveryError:
        return call()


def _single(line: Any, message: Message) -> Result:
    try:
        found = line.send(message)
    except DeliveryError as error:
        return error
    assert isinstance(found, str)
    return found


def _is(result: Result, said: Said | None, what: str) -> None:
    if said is None:
        assert isinstance(result, str), f"{what}: {result!r}"
        return
    assert isinstance(result, DeliveryError), f"{what}: taken for success"
    found = Said(result.permanent, result.everyone, result.unknown, result.retry_after, result.closes)
    assert found == said, f"{what}: {result.message}"


def _doubtful(channel: AnyChannel, result: Result) -> None:
    assert isinstance(result, DeliveryError), "no answer is never success"
    assert not result.permanent and result.closes is None
    assert result.unknown or channel.idempotent, "it may have been accepted: only the receiver knows"


def _tells_nothing(bench: Bench, error: DeliveryError) -> None:
    account = bench.case.account(bench.url)
    private = {one.address for one in bench.case.messages(bench.url)} | {*account.secrets}
    assert not any(word and word in error.message for word in private), (
        "an error names no address and no secret"
    )


def _plain(arrived: Sequence[Arrived]) -> list[Arrived]:
    return [one._replace(at=0.0, key="") for one in arrived]


def _wait(rates: Sequence[Rate], times: Sequence[float], now: float) -> float:
    """Seconds until one more call keeps within all rates (each call is one message to one address here)."""
    waits = [times[-rate.times] + rate.seconds - now for rate in rates if len(times) >= rate.times]
    return max([0.0, *(wait + 0.001 for wait in waits)])
