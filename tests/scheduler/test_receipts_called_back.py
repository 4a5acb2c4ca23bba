"""The sandbox calls the site back as the platforms do: greetings, mass messages, notices, who left and came back."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlmodel import select

from core import clock
from core.settings import Settings
from scheduler import receipts
from scheduler.receipt_models import PushTally
from scheduler.sandbox import sms_tencent, wechat_box, wecom_app
from scheduler.sandbox.calling_back import Caller
from tests.scheduler.receipt_scene import SMS, Site, aliyun, site, wechat

FANS = [f"oSandbox{number:020d}" for number in range(1, 6)]
DEAF = "oSandboxDeaf0000000000000000"


@pytest.fixture
def here(settings: Settings) -> Iterator[Site]:
    with site(settings) as made:
        yield made


@pytest.mark.parametrize("sealed", [False, True])
def test_a_mass_message_that_reached_everybody_is_on_their_rows_and_its_heads_on_the_push(
    here: Site, sealed: bool
) -> None:
    number, caller = wechat(here, sealed=sealed), Caller(here.sandbox)
    here.wechat.sealed = sealed
    assert caller.use("wechat", here.address(number)), "the greeting is answered as the platform wants"
    push_id = here.push(number, FANS)
    assert here.states(push_id) == {"sent": 5} and caller.run_once() == 1
    assert here.states(push_id) == {"sent": 5, "arrived": 5} and here.received(push_id) == (5, 0, 0, 0)
    with here.database.reading() as session:
        heads = session.exec(select(PushTally)).one()
    assert (heads.total, heads.filtered, heads.reached, heads.failed) == (5, 0, 5, 0)


def test_of_a_mass_message_that_reached_some_only_heads_are_known(here: Site) -> None:
    number, caller = wechat(here), Caller(here.sandbox)
    assert caller.use("wechat", here.address(number))
    push_id = here.push(number, [*FANS, DEAF])
    assert caller.run_once() == 1 and here.states(push_id) == {"sent": 6}
    page = here.staff().get(f"/desk/pushes/{push_id}").text
    assert "平台报来的人数" in page and "被平台滤掉" in page
    with here.database.reading() as session:
        heads = session.exec(select(PushTally)).one()
    assert (heads.total, heads.filtered, heads.reached, heads.failed) == (6, 1, 5, 0)


def test_heads_that_come_before_our_settling_wait(here: Site) -> None:
    number, caller = wechat(here), Caller(here.sandbox)
    assert caller.use("wechat", here.address(number))
    answer = here.wechat.answer

    def and_call_back(*args: object, **more: object) -> object:
        said = answer(*args, **more)  # type: ignore[arg-type]
        caller.run_once()
        return said

    here.wechat.answer = and_call_back  # type: ignore[method-assign, assignment]
    push_id = here.push(number, [*FANS, DEAF])
    assert caller.told == 1 and here.kept() == 1
    with here.database.transaction() as session:
        assert receipts.settle_early(session, clock.now() + timedelta(minutes=1)) == 1
    with here.database.reading() as session:
        assert session.exec(select(PushTally.push_id, PushTally.reached)).one() == (push_id, 5)


def test_who_leaves_is_written_to_no_more_until_they_come_back(here: Site) -> None:
    number, caller = wechat(here), Caller(here.sandbox)
    assert caller.use("wechat", here.address(number))
    here.push(number, FANS)
    here.wechat.follow(FANS[0], False)
    here.wechat.follow("oStrangerNobodyEverHeardOf01", False)
    caller.run_once()
    assert here.refused("wechat", FANS[0]) and not here.refused("wechat", FANS[1])
    assert here.closed()["not_following"] == 2
    here.wechat.follow(FANS[0], True)
    caller.run_once()
    assert not here.refused("wechat", FANS[0]) and here.closed() == {"not_following": 1}


def test_a_notice_is_receipted_at_the_one_address_an_account_of_wechat_has(here: Site) -> None:
    """The server settings of an official account hold one address, for its mass messages and its notices alike."""
    mass, notices, caller = wechat(here), wechat(here, channel="wechat_notice"), Caller(here.sandbox)
    here.wechat.followers[FANS[1]].blocks_notices = True
    assert caller.use("wechat", here.address(mass))
    push_id = here.push(notices, FANS[:3], template="sandbox-template", parameters=[["thing1", "{title}"]])
    assert here.states(push_id) == {"sent": 3} and caller.run_once() == 3
    assert here.states(push_id) == {"sent": 2, "failed": 1, "arrived": 2}
    assert here.closed() == {"withdrawn": 1} and here.refused("wechat", FANS[1])


def test_wecom_greets_under_its_key_and_tells_who_left(here: Site) -> None:
    secrets = {"secret": wecom_app.SECRET, "token": wechat_box.TOKEN, "aes_key": wechat_box.AES_KEY}
    number = here.account(
        "wecom_app", secrets=secrets, options={"agentid": str(wecom_app.AGENT)}, login=wecom_app.CORP,
        address=f"{here.platforms}/wecom_app",
    )  # fmt: skip
    caller = Caller(here.sandbox)
    assert not caller.use("wecom_app", here.address(number)[:-1] + "-"), "the control: another address"
    assert caller.use("wecom_app", here.address(number))
    here.wecom.see("member3", False)
    assert caller.run_once() == 1 and here.refused("wecom_app", "member3")
    here.wecom.see("member3", True)
    assert caller.run_once() == 1 and not here.refused("wecom_app", "member3")
    forged = requests.get(here.address(number), params={"msg_signature": "0", "echostr": "x"}, timeout=5)
    assert (forged.status_code, forged.content) == (403, b"") and here.hook(number).refused == 1


def test_an_account_with_another_token_is_not_greeted(here: Site) -> None:
    secrets = {"secret": wechat_box.SECRET, "token": "anothertoken"}
    number = here.account(
        "wechat", secrets=secrets, options={"thumb_media_id": "cover", "kind": "service"}, login=wechat_box.APP,
        address=f"{here.platforms}/wechat",
    )  # fmt: skip
    caller = Caller(here.sandbox)
    assert not caller.use("wechat", here.address(number)) and not caller.to
    assert not caller.use("wechat", "http://203.0.113.7/hooks/wechat/x"), (
        "the sandbox speaks to this machine alone"
    )


def test_carriers_call_back_and_again_until_they_are_heard(here: Site) -> None:
    number, caller = aliyun(here), Caller(here.sandbox)
    assert caller.use("sms_aliyun", here.address(number))
    push_id = here.push(number, ["13912345001", "13912345002"], **SMS)
    good = caller.to["sms_aliyun"]
    caller.to["sms_aliyun"] = good + "x"  # for a while nobody answers there
    assert caller.run_once() == 0 and here.states(push_id) == {"sent": 2}
    caller.to["sms_aliyun"] = good
    assert caller.run_once() == 1 and here.states(push_id) == {"sent": 2, "arrived": 2}
    assert caller.run_once() == 0 and (caller.told, caller.lost) == (1, 0)


def test_tencent_names_each_number(here: Site) -> None:
    number = here.account(
        "sms_tencent", secrets={"secret": sms_tencent.SECRET_KEY}, login=sms_tencent.SECRET_ID,
        options={"sign_name": sms_tencent.SIGN, "sdk_app_id": sms_tencent.APP}, address=f"{here.platforms}/sms_tencent",
    )  # fmt: skip
    caller = Caller(here.sandbox)
    assert caller.use("sms_tencent", here.address(number))
    text: dict[str, Any] = {
        "template": sms_tencent.PROMOTION,
        "parameters": [["title", "{title}"], ["link", "x1"]],
        "summary": "问。",
    }
    push_id = here.push(number, ["13912345001", sms_tencent.NO_SUCH.removeprefix("+86")], **text)
    assert caller.run_once() == 1
    assert here.states(push_id) == {"sent": 1, "failed": 1, "arrived": 1} and here.closed() == {"gone": 1}
