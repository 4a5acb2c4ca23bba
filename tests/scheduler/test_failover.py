"""Another account takes over: mid-push, from the next batch on; nobody twice, nothing in doubt moved, once a push."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from sqlmodel import col, select
from werkzeug.wrappers import Request, Response

from campaign import audience, audience_import
from core.database import Database
from core.errors import Conflict, Invalid
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution.audit_models import AuditRecord
from scheduler import accounts, failover, plans, pushes, quotas, rules, stand_ins, starting
from scheduler.account_form import AccountForm
from scheduler.account_secrets import Secrets
from scheduler.channels.sms_aliyun import AliyunSms
from scheduler.channels.sms_tencent import TencentSms
from scheduler.jobs import Outgoing, outgoing
from scheduler.models import BatchState, ChannelAccount, Delivery, DeliveryState, Plan, Push, PushState
from scheduler.patience import Limits
from scheduler.sandbox import sms_aliyun, sms_tencent
from scheduler.sandbox.core import Fault, Sandbox
from tests.scheduler.audience_cast import ZONE, account, activate, approve, people, plan
from tests.scheduler.conftest import Clock
from tests.scheduler.platform import CallChannel, Platform, served
from tests.scheduler.receivers import LIMIT, WebhookReceiver
from tests.servers import free_port, listening
from tracking.attribution import Attributions
from tracking.recorder import Recorder
from tracking.spool import Spool

SMS = {"summary": "先问一问。", "parameters": (("title", "{title}"), ("link", "x1"))}


class Ending(sms_aliyun.SmsAliyun):
    """The platform whose account runs out of money after so many calls."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after, self.asked = after, 0

    def answer(
        self, sandbox: Sandbox, endpoint: str, request: Request, values: Mapping[str, Any]
    ) -> Response:
        """As ever, until it is over."""
        self.asked += 1
        if self.asked > self.after:
            return self.refuse("isv.AMOUNT_NOT_ENOUGH")
        return super().answer(sandbox, endpoint, request, values)


@dataclass
class Two:
    """A line over channels, on a clock that the test moves, and accounts at their platforms."""

    database: Database
    clock: Clock
    keys: Keys
    parts: dict[str, Any]
    lines: list[Outgoing] = field(default_factory=list)

    def line(self, *channels: Any) -> Outgoing:
        """The whole line over these channels."""
        made = outgoing(**self.parts, channels=channels)
        self.lines.append(made)
        return made

    @property
    def vault(self) -> Vault:
        """Who knows the addresses."""
        found: Vault = self.parts["vault"]
        return found

    def stand_in(self, first: int, other: int | None) -> None:
        """Have one account take over from another."""
        with self.database.transaction() as session:
            row = session.get_one(ChannelAccount, first)
            row.failover_id = other
            session.add(row)

    def fire(self, line: Outgoing, list_id: int, **more: Any) -> int:
        """A push, approved, fired and cut."""
        with self.database.transaction() as session:
            activate(session, plan(session, list_id, self.clock.at, **more), self.clock.at)
        self.clock.forward(hours=1)
        line.plan()
        with self.database.reading() as session:
            return session.exec(select(col(Push.id)).order_by(col(Push.id).desc())).first() or 0

    def states(self) -> Counter[str]:
        """How many recipients are in each state."""
        with self.database.reading() as session:
            return Counter(session.exec(select(Delivery.state)))

    def batches(self, push_id: int) -> list[tuple[int, str, str, int]]:
        """The batches of a push: the account (0: the push's own), channel, state and size of each."""
        with self.database.reading() as session:
            return [
                (one.account_id or 0, one.channel, one.state, one.size)
                for one in pushes.batches(session, push_id)
            ]

    def push(self, push_id: int) -> Push:
        """A push as it stands."""
        with self.database.reading() as session:
            return pushes.get(session, push_id)


@pytest.fixture
def two(settings: Settings, database: Database, keys: Keys, spool: Spool, clock: Clock) -> Iterator[Two]:
    attributions = Attributions(keys)
    parts = {
        "settings": settings, "database": database, "keys": keys, "vault": Vault(keys),
        "attributions": attributions, "recorder": Recorder(spool, attributions, settings), "clock": clock,
        "limits": Limits(lease_seconds=60, most_attempts=6, failover_attempts=3, backoff_first=10),
    }  # fmt: skip
    made = Two(database, clock, keys, parts)
    yield made
    for line in made.lines:
        line.stop()


def _phones(two: Two, count: int) -> int:
    rows = ["姓名,手机,同意用途,同意时间,同意来源"]
    rows += [f"张{one},139000{one:05d},education,2026-03-01 10:00,柜面签署" for one in range(1, count + 1)]
    with two.database.transaction() as session:
        data = "\n".join(rows).encode()
        audience_import.import_file(
            session, data, list_name="短信", vault=two.vault, zone=ZONE, now=two.clock.at
        )
        found = audience.find_list(session, "短信")
        assert found is not None and found.id is not None
        return found.id


@dataclass
class Providers:
    """Aliyun that runs out of money, Tencent that goes on."""

    aliyun: Ending
    sandbox: Sandbox
    first: int
    other: int

    def line(self, two: Two) -> Outgoing:
        """A line with batches of ten and calls of five."""
        channels = AliyunSms(two.clock), TencentSms(two.clock)
        for one in channels:
            one.batch_size, one.group, one.call_size = 10, 5, 5
        return two.line(*channels)

    def got(self) -> Counter[str]:
        """Messages by number."""
        return Counter(one.to.removeprefix("+86") for one in self.sandbox.arrived)

    def by(self) -> Counter[str]:
        """Messages by platform."""
        return Counter(one.app for one in self.sandbox.arrived)


@pytest.fixture
def sms(two: Two) -> Iterator[Providers]:
    sandbox, port = Sandbox(clock=lambda: two.clock().timestamp()), free_port()
    aliyun = Ending(3)
    sandbox.add(aliyun)
    sandbox.add(sms_tencent.SmsTencent())
    held, url = Secrets(two.keys, two.vault), f"http://127.0.0.1:{port}"
    tencent = {"sign_name": sms_tencent.SIGN, "sdk_app_id": sms_tencent.APP}
    forms = [
        (AccountForm("sms_tencent", "腾讯", f"{url}/sms_tencent", login=sms_tencent.SECRET_ID, options=tencent), sms_tencent.SECRET_KEY),
        (AccountForm("sms_aliyun", "阿里", f"{url}/sms_aliyun", login=sms_aliyun.ACCESS_KEY, options={"sign_name": sms_aliyun.SIGN}), sms_aliyun.SECRET),
    ]  # fmt: skip
    with two.database.transaction() as session:
        made = [
            accounts.create(session, form, held=held, secret=secret, now=two.clock.at)[0].id or 0
            for form, secret in forms
        ]
    two.stand_in(made[1], made[0])
    with listening(sandbox, port):
        yield Providers(aliyun, sandbox, made[1], made[0])


def _sms(sms: Providers, **more: Any) -> dict[str, Any]:
    return {
        **SMS, "channel": "sms_aliyun", "account_id": sms.first, "template": sms_aliyun.PROMOTION,
        "failover_template": sms_tencent.PROMOTION, **more,
    }  # fmt: skip


def test_another_provider_takes_the_rest_of_a_push(two: Two, sms: Providers) -> None:
    line = sms.line(two)
    push_id = two.fire(line, _phones(two, 40), **_sms(sms))
    for _ in range(3):
        line.run_once()
    assert two.states() == {DeliveryState.sent: 40}
    assert sms.by() == {"sms_aliyun": 15, "sms_tencent": 25}
    assert len(sms.got()) == 40 and set(sms.got().values()) == {1} and not sms.sandbox.breaches
    assert sorted(two.batches(push_id)) == [
        (0, "sms_aliyun", BatchState.sent, 5),  # who had it before the account failed
        (0, "sms_aliyun", BatchState.sent, 10),
        (sms.other, "sms_tencent", BatchState.sent, 5),
        (sms.other, "sms_tencent", BatchState.sent, 10),
        (sms.other, "sms_tencent", BatchState.sent, 10),
    ]
    assert (two.push(push_id).state, two.push(push_id).reason) == (PushState.done, "")
    with two.database.reading() as session:
        (record,) = session.exec(select(AuditRecord).where(AuditRecord.action == "push.failover"))
        assert record.before == {"account": "阿里"} and record.after["account"] == "腾讯"
        taken = failover.taken(session, push_id)
        assert taken is not None and taken.account == "腾讯" and "余额" in taken.reason


def test_the_next_push_begins_with_the_first_account(two: Two, sms: Providers) -> None:
    line, everybody = sms.line(two), _phones(two, 10)
    sms.aliyun.after = 0
    two.fire(line, everybody, **_sms(sms))
    for _ in range(2):
        line.run_once()
    assert sms.by() == {"sms_tencent": 10}
    sms.aliyun.after = 99
    second = two.fire(line, everybody, **_sms(sms, name="第二次", first_at="2026-09-15T16:00"))
    line.run_once()
    assert sms.by() == {"sms_tencent": 10, "sms_aliyun": 10}
    assert two.batches(second) == [(0, "sms_aliyun", BatchState.sent, 10)]


def test_without_a_stand_in_the_push_stops_as_ever(two: Two, sms: Providers) -> None:
    two.stand_in(sms.first, None)
    line = sms.line(two)
    push_id = two.fire(line, _phones(two, 40), **_sms(sms))
    line.run_once()
    assert two.push(push_id).state == PushState.paused and "余额" in two.push(push_id).reason
    assert sms.by() == {"sms_aliyun": 15}


def test_when_the_stand_in_fails_too_the_push_stops(two: Two, sms: Providers) -> None:
    line, sms.aliyun.after = sms.line(two), 0
    push_id = two.fire(line, _phones(two, 20), **_sms(sms))
    sms.sandbox.fail("sms_tencent", Fault("code", "FailedOperation.InsufficientBalanceInSmsPackage", -1))
    for _ in range(3):
        line.run_once()
    assert two.push(push_id).state == PushState.paused
    assert two.states() == {DeliveryState.queued: 20}


def test_an_account_that_people_closed_is_no_failure(two: Two, sms: Providers) -> None:
    line = sms.line(two)
    push_id = two.fire(line, _phones(two, 20), **_sms(sms))
    with two.database.transaction() as session:
        accounts.set_active(session, sms.first, False, now=two.clock.at)
    for _ in range(2):
        line.run_once()
    assert two.push(push_id).state == PushState.paused and not sms.by()


def test_a_stand_in_that_was_changed_since_the_approval_sends_nothing(two: Two, sms: Providers) -> None:
    line, sms.aliyun.after = sms.line(two), 0
    push_id = two.fire(line, _phones(two, 20), **_sms(sms))
    with two.database.transaction() as session:
        row = session.get_one(ChannelAccount, sms.other)
        row.options = row.options | {"sdk_app_id": "1400000009"}
        session.add(row)
    for _ in range(2):
        line.run_once()
    assert two.push(push_id).state == PushState.paused and not sms.by()


def test_who_has_had_enough_gets_no_more_by_another_provider(two: Two, sms: Providers) -> None:
    line, everybody = sms.line(two), _phones(two, 10)
    with two.database.transaction() as session:
        rules.change(session, "sms_aliyun", opens="00:00", closes="24:00", most=1, within=7, now=two.clock.at)
    two.fire(line, everybody, **_sms(sms))
    line.run_once()
    sms.aliyun.after = 0
    second = two.fire(line, everybody, **_sms(sms, name="第二次", first_at="2026-09-15T16:00"))
    for _ in range(3):
        line.run_once()
    assert sms.by() == {"sms_aliyun": 10} and two.push(second).capped == 10


def test_what_a_number_may_get_is_counted_for_the_account_that_sent(two: Two, sms: Providers) -> None:
    """Tencent takes one message to a number in thirty seconds: what Aliyun sent a moment ago is not counted there."""
    line, everybody = sms.line(two), _phones(two, 5)
    two.fire(line, everybody, **_sms(sms))
    line.run_once()
    sms.aliyun.after = 0
    two.clock.forward(hours=-1)
    two.fire(line, everybody, **_sms(sms, name="第二次", first_at="2026-09-15T15:30"))
    for _ in range(2):
        line.run_once()
    assert sms.by() == {"sms_aliyun": 5, "sms_tencent": 5} and not sms.sandbox.breaches
    with two.database.reading() as session:
        name, rates = "sms_tencent", TencentSms(two.clock).rates
        indexes = list(session.exec(select(Delivery.address_index)))
        held = quotas.held(session, sms.other, name, rates, indexes=indexes, now=two.clock.at)
        assert len(held) == 5, "and what went by Tencent is"


@dataclass
class Calls:
    """Two platforms that take calls and recognise keys, at accounts of one channel."""

    one: Platform
    two: Platform
    box: Sandbox
    accounts: tuple[int, int]


@pytest.fixture
def calls(two: Two) -> Iterator[Calls]:
    boxes = Sandbox(clock=lambda: two.clock().timestamp()), Sandbox()
    platforms = Platform(), Platform()
    for box, platform in zip(boxes, platforms, strict=True):
        box.add(platform)
    with served(boxes[0]) as first, served(boxes[1]) as other, two.database.transaction() as session:
        made = account(session, first, two.clock.at), account(session, other, two.clock.at)
        session.commit()
        two.stand_in(*made)
        yield Calls(*platforms, boxes[0], made)


def _line(two: Two, **more: Any) -> Outgoing:
    return two.line(CallChannel(**{"timeout": (1.0, 0.3), "batch_size": 20, **more}))


def _to(two: Two, calls: Calls, line: Outgoing, count: int = 60) -> int:
    with two.database.transaction() as session:
        everybody = people(session, two.vault, count, two.clock.at)
    return two.fire(line, everybody, channel="webhook", account_id=calls.accounts[0])


def _try(two: Two, line: Outgoing, times: int) -> None:
    for _ in range(times):
        line.run_once()
        two.clock.forward(minutes=2)


def test_a_call_in_doubt_stays_with_its_platform(two: Two, calls: Calls) -> None:
    line = _line(two)
    push_id = _to(two, calls, line)
    calls.box.fail(
        "calls", Fault("after"), Fault("status", 503, -1)
    )  # ten may have it, then the line is dead
    _try(two, line, 4)
    assert len(calls.two.reached) == 50 and not set(calls.one.reached) & set(calls.two.reached)
    assert two.states() == {DeliveryState.sent: 50, DeliveryState.queued: 10}
    assert two.push(push_id).state == PushState.running
    calls.box.fail("calls")  # it is back: the call goes out as it was, and is recognised
    _try(two, line, 2)
    assert two.states() == {DeliveryState.sent: 60} and two.push(push_id).state == PushState.done
    everybody = calls.one.reached + calls.two.reached
    assert len(everybody) == 60 and set(everybody.values()) == {1}
    (doubt,) = {key for key, _people in calls.one.calls}
    assert doubt, "one key, however often it was sent"


def test_a_doubt_that_nobody_clears_up_is_for_a_person(two: Two, calls: Calls) -> None:
    line = _line(two)
    push_id = _to(two, calls, line)
    calls.box.fail("calls", Fault("after"), Fault("status", 503, -1))
    _try(two, line, 12)
    assert two.states() == {DeliveryState.sent: 50, DeliveryState.uncertain: 10}
    assert two.push(push_id).state == PushState.done
    with (
        two.database.transaction() as session
    ):  # and who decides to send again sends by the account that works
        pushes.settle_uncertain(session, push_id, None, resend=True, now=two.clock.at)
    _try(two, line, 6)
    assert two.states() == {DeliveryState.sent: 60} and len(calls.two.reached) == 60


def test_control_moving_what_is_in_doubt_would_reach_people_twice(
    two: Two, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failover, "_doubtful", lambda channel: col(Delivery.attempts) < 0)
    line = _line(two)
    _to(two, calls, line)
    calls.box.fail("calls", Fault("after"), Fault("status", 503, -1))
    _try(two, line, 5)
    assert max((calls.one.reached + calls.two.reached).values()) == 2


def test_a_limit_is_no_reason_however_long_it_lasts(two: Two, calls: Calls) -> None:
    line = _line(two)
    push_id = _to(two, calls, line)
    calls.box.fail("calls", Fault("status", 429, times=-1))
    _try(two, line, 5)
    assert not calls.two.reached and two.push(push_id).state == PushState.running
    assert two.states() == {DeliveryState.queued: 60}


def test_control_a_line_that_is_dead_as_long_is_one(two: Two, calls: Calls) -> None:
    line = _line(two)
    _to(two, calls, line)
    calls.box.fail("calls", Fault("status", 503, -1))
    _try(two, line, 5)
    assert len(calls.two.reached) == 60


def test_one_by_one_to_a_receiver_with_keys(two: Two, webhook: WebhookReceiver, keys: Keys) -> None:
    """What was tried may have arrived: it stays; the others go on."""
    line = two.line()
    with WebhookReceiver().serve() as other, two.database.transaction() as session:
        made = account(session, webhook.url, two.clock.at), account(session, other.url, two.clock.at)
        everybody = people(session, two.vault, 30, two.clock.at)
        session.commit()
        two.stand_in(*made)
        webhook.inbox.behave = lambda number, address: "redirect" if number > 7 else "accept"
        two.fire(line, everybody, channel="webhook", account_id=made[0])
        _try(two, line, 3)
        assert len(webhook.inbox.effects) == 7 and len(other.inbox.effects) == 23
        assert two.states() == {DeliveryState.sent: 30}
        assert not set(webhook.inbox.recipients) & set(other.inbox.recipients)


def test_a_webhook_that_says_too_many_is_no_reason(two: Two, webhook: WebhookReceiver) -> None:
    line = two.line()
    with two.database.transaction() as session:
        made = (
            account(session, webhook.url, two.clock.at),
            account(session, "http://127.0.0.1:9/", two.clock.at),
        )
        everybody = people(session, two.vault, 3, two.clock.at)
    two.stand_in(*made)
    webhook.inbox.behave = lambda number, address: LIMIT
    push_id = two.fire(line, everybody, channel="webhook", account_id=made[0])
    _try(two, line, 4)
    with two.database.reading() as session:
        assert failover.taken(session, push_id) is None


def test_who_refuses_while_another_account_takes_over_gets_nothing(two: Two, calls: Calls) -> None:
    line = _line(two)
    _to(two, calls, line)
    calls.box.fail("calls", Fault("status", 503, -1))

    def refuse(number: int) -> None:
        if number == 1:
            with two.database.transaction() as session:
                for place in range(41, 61):
                    index = two.vault.index("webhook", f"u{place}")
                    audience.refuse(session, "webhook", index, via="link", now=two.clock.at)

    calls.two.before = refuse
    _try(two, line, 5)
    assert two.states() == {DeliveryState.sent: 40, DeliveryState.refused: 20}
    assert not {f"u{place}" for place in range(41, 61)} & set(calls.two.reached)


def test_people_cut_after_the_move_go_by_the_other_account_too(two: Two, calls: Calls) -> None:
    line = _line(two)
    line.planner = type(line.planner)(
        line.planner.database, line.planner.zone, line.planner.batch_sizes, ahead=20, page=20
    )
    push_id = _to(two, calls, line)
    calls.box.fail("calls", Fault("status", 503, -1))
    _try(two, line, 9)
    assert len(calls.two.reached) == 60 and two.push(push_id).state == PushState.done


# What is approved


def test_a_template_for_the_other_provider_is_asked_for_at_approval(two: Two, sms: Providers) -> None:
    everybody = _phones(two, 3)
    with two.database.transaction() as session:
        made = plan(session, everybody, two.clock.at, **_sms(sms, failover_template=""))
        with pytest.raises(Invalid, match="“腾讯”接替") as refused:
            plans.submit(session, made.id or 0, by=1, now=two.clock.at)
        assert refused.value.field == "failover_template"


def test_the_approval_covers_where_the_other_account_leads(two: Two, sms: Providers) -> None:
    everybody = _phones(two, 3)
    with two.database.transaction() as session:
        made = plan(session, everybody, two.clock.at, **_sms(sms))
        approve(session, made, two.clock.at)
        facts = dict(starting._facts(session, _Subject(str(made.id), two.clock.at)))  # type: ignore[arg-type]
        assert "腾讯" in facts["不通时由"] and sms_tencent.PROMOTION in facts["不通时由"]
        for name, value in (("sender", "别人"), ("failover_template", "7654321"), ("failover_id", None)):
            row: Any = {"sender": session.get_one(ChannelAccount, sms.other), "failover_template": made}.get(
                name, session.get_one(ChannelAccount, sms.first)
            )
            before = getattr(row, name)
            setattr(row, name, value)
            session.flush()
            assert not starting.approved(session, made), name
            setattr(row, name, before)
            session.flush()
            assert starting.approved(session, made)


@dataclass
class _Subject:
    subject: str
    requested_at: datetime


def test_an_active_plan_is_paused_when_the_account_that_takes_over_changes(two: Two, sms: Providers) -> None:
    everybody = _phones(two, 3)
    held = Secrets(two.keys, two.vault)
    with two.database.transaction() as session:
        made = plan(session, everybody, two.clock.at, **_sms(sms))
        activate(session, made, two.clock.at)
        row = session.get_one(ChannelAccount, sms.other)
        form = AccountForm(
            "sms_tencent", "腾讯", row.address, login=row.login, options=row.options | {"sdk_app_id": "1400000009"}
        )  # fmt: skip
        assert accounts.edit(session, sms.other, form, held=held, now=two.clock.at) == [made.id]
        assert session.get_one(Plan, made.id).state == "paused"


def test_plans_of_before_stay_approved(two: Two, sms: Providers) -> None:
    two.stand_in(sms.first, None)
    everybody = _phones(two, 3)
    with two.database.transaction() as session:
        made = plan(session, everybody, two.clock.at, **_sms(sms, failover_template=""))
        assert "failover" not in starting.COVERED
        before = starting.digest(session, made)
        approve(session, made, two.clock.at)
        assert starting.digest(session, made) == before
        assert stand_ins.line(session, made) == ""


# Which account may take over


def test_only_accounts_of_the_same_node_and_kind_of_address_stand_in(two: Two, sms: Providers) -> None:
    with two.database.transaction() as session:
        first, other = session.get_one(ChannelAccount, sms.first), session.get_one(ChannelAccount, sms.other)
        hook = account(session, "https://gateway.example/messages", two.clock.at)
        assert [one.id for one in stand_ins.candidates(session, "sms_aliyun", "", first.id)] == [other.id]
        for wrong in (hook, first.id, 999):
            with pytest.raises(Invalid, match="同一种地址"):
                stand_ins.checked(session, "sms_aliyun", "", wrong, first)
        with pytest.raises(Invalid, match="绕回"):
            stand_ins.checked(session, "sms_tencent", "", first.id, other)
        with pytest.raises(Conflict, match="先取消接替"):
            stand_ins.checked(session, "sms_tencent", "330000", None, other)
        assert not stand_ins.allowed("wecom_robot") and not stand_ins.allowed("wechat")
        other.active, first.failover_id = False, None
        session.add_all([first, other])
        session.flush()
        with pytest.raises(Invalid, match="已启用"):
            stand_ins.checked(session, "sms_aliyun", "", other.id, first)


def test_a_loop_over_three_is_refused(two: Two) -> None:
    with two.database.transaction() as session:
        made = [account(session, f"https://{name}.example/", two.clock.at) for name in "abc"]
        rows = [session.get_one(ChannelAccount, one) for one in made]
        rows[0].failover_id, rows[1].failover_id = made[1], made[2]
        session.flush()
        assert stand_ins.checked(session, "webhook", "", made[2], rows[0]) == made[2]
        with pytest.raises(Invalid, match="绕回"):
            stand_ins.checked(session, "webhook", "", made[0], rows[2])
