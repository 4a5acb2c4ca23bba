"""The robots of groups against their stand-ins: the contract, and what is particular of each."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from scheduler.channels import dingtalk_robot, feishu_robot, wecom_robot
from scheduler.channels.base import Account, DeliveryError, Message
from scheduler.channels.base_robot import Robot, cut, fitted, key_of, size
from scheduler.sandbox import dingtalk_robot as dingtalk_stand_in
from scheduler.sandbox import feishu_robot as feishu_stand_in
from scheduler.sandbox import wecom_robot as wecom_stand_in
from scheduler.sandbox.core import Arrived
from tests.scheduler.channels.suite import Case, Contract, Limit, Said, opened

MESSAGE = Message(
    key="0" * 32,
    address="",
    name="",
    subject="退保前，先问一问",
    text="有人说能“全额退保”？先停一停。\n",
    html="",
    link="http://127.0.0.1:8000/p/x?a=t",
    unsubscribe="",
    summary="代理退保的三个套路，路标说给您听。",
    picture="http://127.0.0.1:8000/media/cover.png",
)
LETTER = replace(MESSAGE, summary="", picture="")
BUSY, OPERATOR, MESSAGE_BAD = Said(everyone=True), Said(permanent=True, everyone=True), Said(permanent=True)


def wait(seconds: float) -> Said:
    """The platform wants us to come back later."""
    return Said(everyone=True, retry_after=seconds)


def _made(robot: Callable[..., Robot]) -> Callable[..., Robot]:
    return lambda clock, patience: robot(clock, (patience, patience))


WECOM = Case(
    channel=_made(wecom_robot.WecomRobot),
    stand_in=wecom_stand_in.WecomRobot,
    account=lambda url: Account(url, secrets=(wecom_stand_in.KEY,)),
    messages=lambda url: [MESSAGE],
    shown=lambda one: Arrived(
        "wecom_robot", "企业微信示范群", one.subject, one.summary, one.link, one.picture
    ),
    codes={-1: BUSY, 40058: MESSAGE_BAD, 45009: wait(60), 93000: OPERATOR, 77777: MESSAGE_BAD},
    limits=[Limit(20, wait(60)), Limit(20, wait(60), step=2.0)],
)
DINGTALK = Case(
    channel=_made(dingtalk_robot.DingtalkRobot),
    stand_in=dingtalk_stand_in.DingtalkRobot,
    account=lambda url: Account(url, secrets=(dingtalk_stand_in.TOKEN, dingtalk_stand_in.SECRET)),
    messages=lambda url: [MESSAGE],
    shown=lambda one: Arrived(
        "dingtalk_robot", "钉钉示范群", one.subject, one.summary, one.link, one.picture
    ),
    codes={
        -1: BUSY,
        40035: MESSAGE_BAD,
        130101: wait(600),
        660026: wait(600),
        300005: OPERATOR,
        310000: OPERATOR,
    },
    limits=[Limit(20, wait(600), again=600)],
)
FEISHU = Case(
    channel=_made(feishu_robot.FeishuRobot),
    stand_in=feishu_stand_in.FeishuRobot,
    account=lambda url: Account(url, secrets=(feishu_stand_in.KEY, feishu_stand_in.SECRET)),
    messages=lambda url: [MESSAGE],
    shown=lambda one: Arrived("feishu_robot", "飞书示范群", one.subject, one.summary, one.link),
    codes={
        9499: MESSAGE_BAD,
        11232: wait(60),
        19001: OPERATOR,
        19021: OPERATOR,
        19022: OPERATOR,
        19024: OPERATOR,
    },
    limits=[Limit(5, wait(60), again=1), Limit(100, wait(60), step=0.25)],
)
CASES = {"wecom": WECOM, "dingtalk": DINGTALK, "feishu": FEISHU}


class TestWecomRobot(Contract):
    """WeCom against its stand-in."""

    @pytest.fixture
    def case(self) -> Case:
        return WECOM


class TestDingtalkRobot(Contract):
    """DingTalk against its stand-in."""

    @pytest.fixture
    def case(self) -> Case:
        return DINGTALK


class TestFeishuRobot(Contract):
    """Feishu against its stand-in."""

    @pytest.fixture
    def case(self) -> Case:
        return FEISHU


def _letter(name: str, message: Message, **account: Any) -> tuple[Arrived | None, Any]:
    """What the group sees of a message, and what came of it."""
    with opened(replace(CASES[name], account=_with(CASES[name], **account))) as bench:
        [result] = bench.send([message])
        return (bench.arrived() or [None])[0], result


def _with(case: Case, **account: Any) -> Callable[[str], Account]:
    return lambda url: replace(case.account(url), **account)


@pytest.mark.parametrize(("name", "limit"), [("wecom", 2048), ("dingtalk", 20_000), ("feishu", 20_000)])
@pytest.mark.parametrize("text", ["先停一停。" * 5000, '"\n\\' * 9000, "🙂" * 6000, "短"])
def test_a_letter_too_long_is_cut_and_keeps_its_link(name: str, limit: int, text: str) -> None:
    arrived, result = _letter(name, replace(LETTER, text=text))
    assert result == "" and arrived is not None
    assert arrived.text.startswith("退保前，先问一问\n\n")
    assert arrived.text.endswith(("\n" if text == "短" else "…\n") + LETTER.link)
    assert size(arrived.text) <= limit and "�" not in arrived.text
    assert text == "短" or size(json.dumps(arrived.text, ensure_ascii=False)) > limit - 300, (
        "not cut too short"
    )


@pytest.mark.parametrize("name", CASES)
def test_a_card_with_long_words_is_cut_not_refused(name: str) -> None:
    arrived, result = _letter(name, replace(MESSAGE, subject="长" * 900, summary='说"' * 5000))
    assert result == "" and arrived is not None
    assert arrived.title.endswith("长…") and arrived.text.endswith("…") and arrived.link == MESSAGE.link


@pytest.mark.parametrize("name", ["dingtalk", "feishu"])
@pytest.mark.parametrize("message", [MESSAGE, LETTER])
def test_a_robot_that_wants_a_word_gets_it(name: str, message: Message) -> None:
    stand_in: Any = {"dingtalk": dingtalk_stand_in, "feishu": feishu_stand_in}[name]
    token = getattr(stand_in, "WORD_TOKEN", "") or stand_in.WORD_KEY
    plain = replace(message, summary=message.summary and "三个套路。")
    _arrived, result = _letter(name, plain, secrets=(token,))
    assert isinstance(result, DeliveryError) and result.permanent and "关键词" in result.message
    arrived, result = _letter(name, plain, secrets=(token,), options={"keyword": stand_in.WORD})
    assert result == "" and arrived is not None and arrived.text.endswith("\n路标")
    said = replace(plain, subject="路标：退保前，先问一问")
    arrived, _result = _letter(name, said, secrets=(token,), options={"keyword": stand_in.WORD})
    assert arrived is not None and (arrived.title + arrived.text).count("路标") == 1


@pytest.mark.parametrize("name", ["dingtalk", "feishu"])
def test_a_wrong_signature_and_a_clock_that_is_wrong_are_found(name: str) -> None:
    token = CASES[name].account("").secrets[0]
    for secrets in ((token, "wrong"), (token,)):
        arrived, result = _letter(name, MESSAGE, secrets=secrets)
        assert arrived is None and isinstance(result, DeliveryError) and result.everyone
    with opened(CASES[name]) as bench:
        bench.sandbox.clock = lambda: bench.clock.seconds() + 3700
        assert isinstance(bench.send([MESSAGE])[0], DeliveryError)


@pytest.mark.parametrize("name", CASES)
def test_no_key_and_a_wrong_key(name: str) -> None:
    for secrets in ((), ("",), ("a-robot-of-nobody",)):
        arrived, result = _letter(name, MESSAGE, secrets=secrets)
        assert arrived is None
        assert isinstance(result, DeliveryError) and result.permanent and result.everyone


@pytest.mark.parametrize(
    ("name", "pasted"),
    [
        ("wecom", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={wecom_stand_in.KEY}"),
        ("dingtalk", f"https://oapi.dingtalk.com/robot/send?access_token={dingtalk_stand_in.TOKEN}"),
        ("feishu", f" https://open.feishu.cn/open-apis/bot/v2/hook/{feishu_stand_in.KEY}\n"),
    ],
)
def test_the_whole_webhook_address_may_be_pasted(name: str, pasted: str) -> None:
    case = CASES[name]
    arrived, result = _letter(name, MESSAGE, secrets=(pasted, *case.account("").secrets[1:]))
    assert result == "" and arrived is not None


def test_the_signatures_are_the_reverse_of_each_other() -> None:
    """Known answers, computed with `openssl dgst -sha256 -hmac`."""
    assert dingtalk_robot.sign("SECx", "1700000000000") == "rgcjbH+yFyES+S0llX+cAPCwVRpsr7sbiX5Lnyo/ocU="
    assert feishu_robot.sign("x", "1700000000") == "t2WKLO/e84QnCSsgE16ZiT4RlU8enB7yv0kH7MEVm98="


@pytest.mark.parametrize("name", CASES)
def test_control_a_robot_judged_by_http_200_is_caught(name: str) -> None:
    class Credulous(type(CASES[name].channel(lambda: None, 1.0))):  # type: ignore[misc]
        def judge(self, answer: Any) -> None:
            """HTTP was 200, so all is well."""

    broken = replace(CASES[name], channel=_made(Credulous))
    with opened(broken) as bench, pytest.raises(AssertionError, match="taken for success"):
        Contract().test_documented_errors(bench)


@pytest.mark.parametrize("name", CASES)
def test_control_a_robot_that_declares_no_rate_breaks_the_limit(name: str) -> None:
    class Hurried(type(CASES[name].channel(lambda: None, 1.0))):  # type: ignore[misc]
        rates = ((wecom_robot.Rate(1000, 1)),)

    with opened(replace(CASES[name], channel=_made(Hurried))) as bench:
        bench.breaking = True
        with pytest.raises(AssertionError):
            Contract().test_who_keeps_to_the_rates_breaks_no_limit(bench)


def test_a_body_of_another_kind_is_a_doubt() -> None:
    for answer in ({}, {"errcode": None}, {"errcode": "0"}, {"errcode": True}):
        with pytest.raises(DeliveryError) as caught:
            wecom_robot.WecomRobot(lambda: None).judge(answer)  # type: ignore[arg-type, return-value]
        assert caught.value.unknown


def test_a_text_is_cut_between_characters() -> None:
    assert cut("先停一停", 12) == "先停一停"
    assert cut("先停一停", 11) == "先停…"
    assert cut("先停一停", 3) == "…"
    assert fitted(replace(LETTER, text=f"看 {LETTER.link}。"), 2048).count(LETTER.link) == 1
    assert key_of("a-key", "key") == "a-key" and key_of("https://x.example/send", "key") == ""
