"""SMS of Tencent Cloud: the contract, a status for each number, signatures, records that clear a doubt, receipts."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from scheduler.channels import sms_tencent
from scheduler.channels.base import Account, Closed, DeliveryError, Message, Receipt
from scheduler.channels.base_sms import Doubt, callback_token
from scheduler.channels.sms_tencent import TencentSms, receipts
from scheduler.sandbox import sms_tencent as platform
from scheduler.sandbox.core import Arrived
from scheduler.sandbox.sms_tencent import SmsTencent
from tests.scheduler.channels.suite import HASTY, Bench, Case, Contract, Limit, Said, opened
from tests.servers import free_port

MESSAGE = Message(
    key="",
    address="13912345678",
    name="张三",
    subject="退保前，先问一问",
    text="",
    html="",
    link="https://s.example.cn/x1",
    unsubscribe="https://s.example.cn/u/1",
    template=platform.NOTICE,
    parameters=(
        ("title", "退保前，先问一问"),
        ("summary", "三个问题。"),
        ("link", "x1 "),
        ("unsubscribe", "1"),
    ),
)
ACT, DOUBT = Said(permanent=True, everyone=True), Said(everyone=True, unknown=True)


def to(number: str, link: str = "x1 ", **more: str) -> Message:
    """A message to a number, with its own end of the link and other values."""
    values = dict(MESSAGE.parameters) | {"link": link} | more
    return replace(MESSAGE, address=number, parameters=tuple(values.items()))


def account(url: str, **more: str) -> Account:
    options = {"sign_name": platform.SIGN, "sdk_app_id": platform.APP} | more
    return Account(url, login=platform.SECRET_ID, secrets=(platform.SECRET_KEY,), options=options, number=1)


def shown(message: Message) -> Arrived:
    values = dict(message.parameters)
    text = "【路标保险】{title}：{summary}详情s.example.cn/{link}退订s.example.cn/u/{unsubscribe}".format(
        **values
    )
    link = f"https://s.example.cn/{values['link'].strip()}"
    return Arrived("sms_tencent", f"+86{message.address}", "路标保险", text, link)


CASE = Case(
    channel=lambda clock, patience: TencentSms(clock, (patience, patience)),
    stand_in=lambda: SmsTencent(platform.LIMITS[1:]),  # the contract writes to one number in quick succession
    account=account,
    messages=lambda url: [MESSAGE, to("13912345679"), to("13912345670", "x2 ")],
    shown=shown,
    codes={
        "FailedOperation.PhoneNumberInBlacklist": Said(permanent=True, closes=Closed.withdrawn),
        "InvalidParameterValue.IncorrectPhoneNumber": Said(permanent=True, closes=Closed.gone),
        "LimitExceeded.PhoneNumberThirtySecondLimit": Said(retry_after=30.0),
        "LimitExceeded.PhoneNumberOneHourLimit": Said(retry_after=3600.0),
        "LimitExceeded.PhoneNumberDailyLimit": Said(retry_after=86400.0),
        "LimitExceeded.PhoneNumberSameContentDailyLimit": Said(retry_after=86400.0),
        "LimitExceeded.AppDailyLimit": ACT,
        "FailedOperation.SignatureIncorrectOrUnapproved": ACT,
        "FailedOperation.TemplateIncorrectOrUnapproved": ACT,
        "FailedOperation.ContainSensitiveWord": ACT,
        "FailedOperation.InsufficientBalanceInSmsPackage": ACT,
        "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter": ACT,
        "UnauthorizedOperation.RequestIpNotInWhitelist": ACT,
        "UnauthorizedOperation.SdkAppIdIsDisabled": ACT,
        "AuthFailure.SignatureFailure": ACT,
        "AuthFailure.SecretIdNotFound": ACT,
        "AuthFailure.SignatureExpire": ACT,
        "InvalidParameterValue.ContentLengthLimit": Said(permanent=True),
        "FailedOperation.SomethingNew": Said(permanent=True),
        "FailedOperation.MarketingSendTimeConstraint": Said(everyone=True, retry_after=3600.0),
        "RequestLimitExceeded": Said(everyone=True, retry_after=1.0),
        "InternalError.Timeout": DOUBT,
        "InternalError.SendAndRecvFail": DOUBT,
    },
    endpoint="call",
    refused=lambda url: [
        (to("12345"), Said(permanent=True, closes=Closed.gone)),
        (to(platform.BLACKLISTED), Said(permanent=True, closes=Closed.withdrawn)),
    ],
    limits=[
        Limit(5, Said(retry_after=3600.0), step=31.0, again=3600.0),
        Limit(10, Said(retry_after=86400.0), step=721.0, again=86400.0),
    ],
)


class TestTencent(Contract):
    """What every channel must do."""

    @pytest.fixture
    def case(self) -> Case:
        return CASE


@pytest.fixture
def bench() -> Iterator[Bench]:
    with opened(CASE) as bench:
        yield bench


@pytest.fixture
def stand_in(bench: Bench) -> SmsTencent:
    assert isinstance(bench.stand_in, SmsTencent)
    return bench.stand_in


def test_two_hundred_go_in_a_call_and_a_blacklisted_number_closes_alone(bench: Bench) -> None:
    people = [f"139{place:08d}" for place in range(249)]
    people[3] = "13800000403"
    found = bench.send([to(one) for one in [*people, "+85261234567"]])
    assert bench.sandbox.calls["sms_tencent"] == 3, "200, 49, and the one abroad"
    closed = [one.closes for one in found if isinstance(one, DeliveryError)]
    assert closed == [Closed.withdrawn, Closed.gone] and isinstance(found[3], DeliveryError)
    references = [one for one in found if isinstance(one, str)]
    assert len(set(references)) == 248 and all(references)


def test_a_second_message_within_half_a_minute_waits() -> None:
    limit = Limit(1, Said(retry_after=30.0), again=30.0)
    with opened(replace(CASE, stand_in=SmsTencent, limits=[limit])) as bench:
        Contract.test_a_limit_is_said_and_passes(TestTencent(), bench)


def test_what_is_said_of_a_whole_call_closes_nobody(bench: Bench) -> None:
    bench.fail("code", "FailedOperation.PhoneNumberInBlacklist")
    found = bench.send([to(f"139{place:08d}") for place in range(2)])
    assert [isinstance(one, DeliveryError) and one.closes for one in found] == [None, None]


def test_after_a_silence_the_rest_is_not_tried(bench: Bench) -> None:
    bench.fail("after")
    found = bench.send([to(f"139{place:08d}", f"y{place} ") for place in range(3)], bench.channel(HASTY))
    assert [isinstance(one, DeliveryError) and one.unknown for one in found] == [True, False, False]
    assert bench.sandbox.total["sms_tencent"] == 1


@pytest.mark.parametrize("many", [1, 2])
def test_a_timeout_after_acceptance_is_cleared_up_by_the_records(
    bench: Bench, stand_in: SmsTencent, many: int
) -> None:
    messages, at = bench.messages[:many], bench.clock.at
    bench.fail("slow", 0.5)
    found = bench.send(messages, bench.channel(HASTY))
    assert all(isinstance(one, DeliveryError) and one.unknown for one in found)
    doubts = [Doubt(one.key, one.address, at, messages[0].key) for one in messages]
    never = Doubt("f" * 32, "13912345678", at)
    here = account(bench.url)
    bench.clock.forward(60)
    assert TencentSms(bench.clock).poll(here, doubts) == [], "the carrier has not reported"
    stand_in.report()
    assert TencentSms(bench.clock).poll(here, [*doubts, never]) == [
        Receipt(one.key, one.address) for one in doubts
    ]
    assert bench.sandbox.total["sms_tencent"] == many, "asking sends nothing"


def test_receipts_come_by_callback_or_are_pulled_once(bench: Bench, stand_in: SmsTencent) -> None:
    sent = [MESSAGE, to("13800000404"), *(to(f"139{place:08d}") for place in range(120))]
    references = bench.send(sent)
    body, here = stand_in.report(), account(bench.url)
    called_back = receipts(here, body, {}, {"token": callback_token(platform.SECRET_KEY)})
    pulled: list[Receipt] = []
    assert TencentSms(bench.clock).pull(here, pulled.extend) == len(sent)
    for found in (called_back, pulled):
        assert [(one.reference, one.address) for one in found] == [
            (reference, one.address) for reference, one in zip(references, sent, strict=True)
        ]
        assert [one.error and one.error.closes for one in found[:3]] == [None, Closed.gone, None]
    assert TencentSms(bench.clock).pull(here, pulled.extend) == 0
    assert json.loads(sms_tencent.RECEIVED)["result"] == 0
    for token in ({}, {"token": ""}, {"token": callback_token("another")}):
        with pytest.raises(DeliveryError):
            receipts(here, body, {}, token)


@pytest.mark.parametrize(
    "wrong",
    [
        {"secrets": ("another",)},
        {"login": "AKIDanother"},
        {"options": {"sign_name": "别家", "sdk_app_id": platform.APP}},
        {"options": {"sign_name": platform.SIGN, "sdk_app_id": "1400000000"}},
        {"options": {"sign_name": platform.SIGN}},
        {"secrets": ()},
        {"address": "sms"},
    ],
)
def test_a_wrong_account_stops_for_the_operator(bench: Bench, wrong: dict[str, object]) -> None:
    here = replace(account(bench.url), **wrong)  # type: ignore[arg-type]
    with pytest.raises(DeliveryError) as caught, TencentSms(bench.clock).connect(here) as line:
        line.send(replace(MESSAGE, key="k"))
    assert caught.value.permanent and caught.value.everyone and not caught.value.unknown
    assert not bench.arrived()


@pytest.mark.parametrize(
    "message",
    [
        replace(MESSAGE, template="1"),
        replace(MESSAGE, template=""),
        replace(MESSAGE, parameters=MESSAGE.parameters[:3]),
        to(MESSAGE.address, "https://s.example.cn/x1"),
        to(MESSAGE.address, title=platform.BAD_WORD),
    ],
)
def test_what_was_not_approved_stops_for_the_operator(bench: Bench, message: Message) -> None:
    [found] = bench.send([message])
    assert isinstance(found, DeliveryError) and found.permanent and found.everyone
    assert not bench.arrived()


def test_the_sdk_goes_no_other_way(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, closed)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("TENCENTCLOUD_SECRET_ID", "other")
    monkeypatch.setenv("TENCENTCLOUD_SECRET_KEY", "other")
    with pytest.raises(requests.exceptions.ProxyError):  # the control: who heeds the environment gets nowhere
        requests.get(bench.url, timeout=2)
    assert isinstance(bench.send(bench.messages[:1])[0], str)
