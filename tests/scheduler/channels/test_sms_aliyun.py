"""SMS of Aliyun: the contract, one answer for many numbers, signatures, records that clear a doubt, receipts."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import requests

from scheduler.channels import base_sms, sms_aliyun
from scheduler.channels.base import Account, Closed, DeliveryError, Message, Receipt
from scheduler.channels.base_sms import Doubt, OneWay, callback_token
from scheduler.channels.sms_aliyun import AliyunSms, receipts
from scheduler.sandbox import sms_aliyun as platform
from scheduler.sandbox.core import Arrived
from tests.scheduler.channels.suite import HASTY, Bench, Case, Clock, Contract, Limit, Said, opened
from tests.servers import free_port

MESSAGE = Message(
    key="",
    address="13912345678",
    name="张三",
    subject="退保前，先问一问",
    text="",
    html="",
    link="https://e.example/p/x?a=1",
    unsubscribe="https://e.example/u/1",
    template=platform.NOTICE,
    parameters=(
        ("title", "退保前，先问一问"),
        ("summary", "三个问题。"),
        ("link", " https://e.example/p/x?a=1 "),
        ("unsubscribe", " https://e.example/u/1 "),
    ),
)
ACT, LATER = Said(permanent=True, everyone=True), Said(everyone=True, retry_after=60.0)


def to(number: str, link: str = "") -> Message:
    """A message to a number, its link its own if one is given."""
    values = dict(MESSAGE.parameters) | ({"link": link} if link else {})
    return replace(MESSAGE, address=number, parameters=tuple(values.items()))


def account(url: str, **more: str) -> Account:
    options = {"sign_name": platform.SIGN, "region": "cn-hangzhou"} | more
    return Account(url, login=platform.ACCESS_KEY, secrets=(platform.SECRET,), options=options, number=1)


def shown(message: Message) -> Arrived:
    values = dict(message.parameters)
    text = "【路标保险】{title}：{summary}详情{link}退订{unsubscribe}".format(**values)
    return Arrived("sms_aliyun", message.address, "路标保险", text, values["link"].strip())


CASE = Case(
    channel=lambda clock, patience: AliyunSms(clock, (patience, patience)),
    stand_in=platform.SmsAliyun,
    account=account,
    messages=lambda url: [MESSAGE, to("13912345679"), to("13912345670", " https://e.example/p/y ")],
    shown=shown,
    codes={
        "isv.BUSINESS_LIMIT_CONTROL 触发分钟级流控Permits:1": Said(retry_after=60.0),
        "isv.BUSINESS_LIMIT_CONTROL 触发小时级流控Permits:5": Said(retry_after=3600.0),
        "isv.BUSINESS_LIMIT_CONTROL 触发天级流控Permits:50": Said(retry_after=86400.0),
        "isv.DAY_LIMIT_CONTROL": ACT,
        "isv.MONTH_LIMIT_CONTROL": ACT,
        "isv.SIGN_STATE_ILLEGAL": ACT,
        "isv.SMS_SIGNATURE_SCENE_ILLEGAL": ACT,
        "isv.SMS_CONTENT_ILLEGAL": ACT,
        "isv.OUT_OF_SERVICE": ACT,
        "isv.DENY_IP_RANGE": ACT,
        "isp.RAM_PERMISSION_DENY": ACT,
        "isv.SMS_TEMPLATE_ILLEGAL": ACT,
        "isv.TEMPLATE_MISSING_PARAMETERS": ACT,
        "SignatureDoesNotMatch": ACT,
        "InvalidAccessKeyId.NotFound": ACT,
        "InvalidTimeStamp.Expired": ACT,
        "isv.MOBILE_NUMBER_ILLEGAL": Said(permanent=True, closes=Closed.gone),
        "isv.BLACK_KEY_CONTROL_LIMIT": Said(permanent=True),
        "isv.SOMETHING_NEW": Said(permanent=True),
        "isp.SYSTEM_ERROR": LATER,
        "Throttling.User": LATER,
    },
    endpoint="call",
    refused=lambda url: [
        (to("12345"), Said(permanent=True, closes=Closed.gone)),
        (to("13912345600", f"来{platform.BAD_WORD}"), Said(permanent=True)),
    ],
    limits=[Limit(50, Said(retry_after=86400.0), step=1.0, again=86400.0)],
)


class TestAliyun(Contract):
    """What every channel must do."""

    @pytest.fixture
    def case(self) -> Case:
        return CASE


@pytest.fixture
def bench() -> Iterator[Bench]:
    with opened(CASE) as bench:
        yield bench


def numbers(count: int) -> list[str]:
    return [f"139{place:08d}" for place in range(count)]


def test_the_same_for_all_goes_in_one_call_and_each_its_own_in_hundreds(bench: Bench) -> None:
    found = bench.send([to(one) for one in numbers(1000)])
    assert bench.sandbox.calls["sms_aliyun"] == 1 and len(set(map(str, found))) == 1
    found = bench.send([to(one, f" https://e.example/{one} ") for one in numbers(250)])
    assert bench.sandbox.calls["sms_aliyun"] == 1 + 3 and len(set(map(str, found))) == 3
    assert bench.sandbox.total["sms_aliyun"] == 1250
    last = bench.arrived()[-1]
    assert (last.to, last.link) == ("13900000249", "https://e.example/13900000249")


def test_one_bad_number_among_many_is_found_and_the_others_get_it_once(bench: Bench) -> None:
    bad = {"13900000007", "13900000070"}
    sent = [
        to(one, f"来{platform.BAD_WORD}" if one in bad else f" https://e.example/{one} ")
        for one in numbers(90)
    ]
    found = bench.send(sent)
    refused = {
        one.address for one, result in zip(sent, found, strict=True) if isinstance(result, DeliveryError)
    }
    assert refused == bad
    assert sorted(one.to for one in bench.arrived()) == [one for one in numbers(90) if one not in bad]


def test_after_a_silence_the_rest_is_not_tried(bench: Bench) -> None:
    sent = [to(one, f" https://e.example/{one} ") for one in numbers(150)]
    bench.fail("after")
    found = bench.send(sent, bench.channel(HASTY))
    assert [isinstance(one, DeliveryError) and one.unknown for one in found] == [True] * 100 + [False] * 50
    assert all(isinstance(one, DeliveryError) and one.everyone for one in found)
    assert bench.sandbox.total["sms_aliyun"] == 100 and bench.sandbox.calls["sms_aliyun"] == 1


@pytest.mark.parametrize(("kind", "many"), [("after", 1), ("slow", 3)])
def test_a_timeout_after_acceptance_is_cleared_up_by_the_records(bench: Bench, kind: str, many: int) -> None:
    channel, at = bench.channel(HASTY), bench.clock.at
    messages = bench.messages[:many]
    bench.fail(kind, 0.5)
    found = bench.send(messages, channel)
    assert all(isinstance(one, DeliveryError) and one.unknown for one in found)
    never = Doubt("f" * 32, "13912345678", at)
    doubts = [Doubt(one.key, one.address, at, messages[0].key) for one in messages]
    here = account(bench.url)
    assert AliyunSms(bench.clock).poll(here, [*doubts, never]) == [
        Receipt(one.key, one.address) for one in doubts
    ]
    bench.clock.forward(60)
    assert bench.sandbox.total["sms_aliyun"] == len(messages), "asking sends nothing"
    tomorrow = [replace(one, at=at + timedelta(days=1)) for one in doubts]
    assert AliyunSms(bench.clock).poll(here, tomorrow) == [], "records are kept by the day of sending"


def test_records_beyond_the_first_page_are_found(bench: Bench) -> None:
    bench.clock.forward(86400 * 2)
    for _number in range(50):
        assert isinstance(bench.send(bench.messages[:1])[0], str)
    other = replace(MESSAGE, template=platform.PROMOTION, key="a" * 32)
    assert isinstance(bench.send([other])[0], str)
    [found] = AliyunSms(bench.clock).poll(
        account(bench.url), [Doubt("a" * 32, MESSAGE.address, bench.clock.at)]
    )
    assert found.error is None


def test_receipts_say_who_got_it_and_close_who_is_on_a_blacklist(bench: Bench) -> None:
    sent = [MESSAGE, to(platform.BLACKLISTED), to(platform.NO_SUCH)]
    references = bench.send(sent)
    body = bench.stand_in.report()  # type: ignore[attr-defined]
    here, token = account(bench.url), {"token": callback_token(platform.SECRET)}
    found = receipts(here, body, {}, token)
    assert [(one.reference, one.address) for one in found] == [
        (reference, one.address) for reference, one in zip(references, sent, strict=True)
    ]
    assert [one.error and one.error.closes for one in found] == [None, Closed.blocked, Closed.gone]
    assert json.loads(sms_aliyun.RECEIVED)["code"] == 0
    with pytest.raises(DeliveryError):
        receipts(here, body, {}, {"token": callback_token("another")})
    with pytest.raises(DeliveryError):
        receipts(here, b'{"success": true}', {}, token)
    doubt = Doubt("", platform.NO_SUCH, bench.clock.at, call=sent[0].key)
    bench.stand_in.records[-1].out_id = "k"  # type: ignore[attr-defined]
    [later] = AliyunSms(bench.clock).poll(here, [replace(doubt, key="k")])
    assert later.error is not None and later.error.closes == Closed.gone


@pytest.mark.parametrize(
    "wrong",
    [
        {"secrets": ("another",)},
        {"login": "LTAI5another"},
        {"options": {"sign_name": platform.BLOCKED_SIGN}},
        {"options": {"sign_name": platform.CODE_SIGN}},
        {"options": {}},
        {"secrets": ()},
        {"address": "dysmsapi"},
    ],
)
def test_a_wrong_account_stops_for_the_operator(bench: Bench, wrong: dict[str, object]) -> None:
    here = replace(account(bench.url), **wrong)  # type: ignore[arg-type]
    with pytest.raises(DeliveryError) as caught, AliyunSms(bench.clock).connect(here) as line:
        line.send(replace(MESSAGE, key="k"))
    assert caught.value.permanent and caught.value.everyone and not caught.value.unknown
    assert not bench.arrived()


def test_a_promotion_counts_apart_and_codes_have_limits_of_their_own(bench: Bench) -> None:
    bench.breaking = True
    code = replace(MESSAGE, template=platform.CODE, parameters=(("code", "123456"),))
    waits = []
    for wait in (61.0, 61.0, 61.0, 61.0, 61.0, 3600.0):
        [found] = bench.send([code])
        if isinstance(found, DeliveryError):
            waits.append(found.retry_after)
        bench.clock.forward(wait)
    assert waits == [3600.0], "the sixth in an hour"
    assert isinstance(bench.send([replace(MESSAGE, template=platform.PROMOTION)])[0], str)


def test_the_sdk_goes_no_other_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, closed)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("DEBUG", "sdk")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "other")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "other")
    with pytest.raises(requests.exceptions.ProxyError):  # the control: who heeds the environment gets nowhere
        requests.get(bench.url, timeout=2)
    with caplog.at_level(logging.DEBUG, "darabonba-core"):
        assert isinstance(bench.send(bench.messages[:1])[0], str)
    assert "13912345678" not in caplog.text


def test_a_line_refuses_another_host_and_forgets_its_session(bench: Bench) -> None:
    core = base_sms.library("darabonba.core").DaraCore
    before = set(core._sessions)
    bench.send(bench.messages)
    assert set(core._sessions) == before
    way = OneWay(bench.url, (1.0, 1.0))
    calls = bench.sandbox.calls["sms_aliyun"]
    with pytest.raises(DeliveryError) as caught:
        way.request("POST", "http://127.0.0.1:9/")
    assert caught.value.permanent and caught.value.everyone and not caught.value.unknown
    with pytest.raises(DeliveryError):
        way.request("POST", bench.url.replace("http", "https"))
    assert bench.sandbox.calls["sms_aliyun"] == calls
    way.close()


def test_what_is_raised_carries_no_number_along(bench: Bench) -> None:
    bench.fail("after")
    promotion = replace(MESSAGE, template=platform.PROMOTION)
    for sent in ([MESSAGE], [MESSAGE, promotion]):
        found = bench.send(sent, bench.channel(HASTY))[0]
        assert isinstance(found, DeliveryError) and found.unknown
        assert found.__cause__ is None and found.__suppress_context__
        bench.fail("after")


def test_without_the_sdk_the_operator_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "darabonba.core", None)
    line = AliyunSms(Clock()).connect(account("http://127.0.0.1:9"))
    with pytest.raises(DeliveryError) as caught:
        line.__enter__()
    assert caught.value.permanent and caught.value.everyone and "signpost[sms]" in caught.value.message


def test_the_sdks_are_loaded_by_who_sends_only() -> None:
    code = (
        "import sys, scheduler.channels.sms_aliyun, scheduler.channels.sms_tencent\n"
        "assert not [n for n in sys.modules if n.split('.')[0] in ('darabonba', 'Tea', 'tencentcloud')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
