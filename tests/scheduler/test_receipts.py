"""What platforms say later of a push, over real HTTP: believed or not, once or twice, in any order, too early."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests
from sqlmodel import col, select, update

from core import clock
from core.settings import Settings
from scheduler import hooks, receipts
from scheduler.channels.base import Receipt
from scheduler.channels.webhook import sign
from scheduler.matching import Source
from scheduler.models import Batch, BatchState, ChannelAccount, Delivery, DeliveryState, Push, PushState
from scheduler.sandbox import sms_aliyun
from tests.scheduler.receipt_scene import SMS, Site, aliyun, site

GOOD = ["13912345001", "13912345002", "13912345003"]
EVERYBODY = [*GOOD, sms_aliyun.NO_SUCH, sms_aliyun.BLACKLISTED]


@pytest.fixture
def here(settings: Settings) -> Iterator[Site]:
    with site(settings) as made:
        yield made


def test_reports_of_a_carrier_settle_who_got_it_and_who_did_not(here: Site) -> None:
    number = aliyun(here)
    push_id = here.push(number, EVERYBODY, **SMS)
    assert here.states(push_id) == {"sent": 5}
    body, address = here.aliyun.report(), here.address(number)
    answer = here.call(address, body)
    assert (answer.status_code, answer.json()["code"]) == (200, 0)
    assert here.states(push_id) == {"sent": 3, "failed": 2, "arrived": 3}
    assert here.received(push_id) == (3, 2, 0, 0)
    assert here.closed() == {"gone": 1, "blocked": 1}
    assert here.refused("sms_aliyun", sms_aliyun.NO_SUCH) and not here.refused("sms_aliyun", GOOD[0])
    with here.database.reading() as session:
        assert session.exec(select(Batch.state)).one() == BatchState.partial
    for _again in range(3):
        assert here.call(address, body).status_code == 200
    assert here.states(push_id) == {"sent": 3, "failed": 2, "arrived": 3}
    assert here.received(push_id) == (3, 2, 0, 0), "the same again changes nothing"
    noted = here.hook(number)
    assert (noted.today, noted.refused) == (4, 0) and noted.heard_at is not None
    page = here.staff().get(f"/desk/pushes/{push_id}").text
    assert "回执：已到达" in page and "号码是空号。" in page and "13800000404" not in page


def test_who_is_not_the_platform_is_not_believed_and_learns_nothing(here: Site) -> None:
    number = aliyun(here)
    push_id = here.push(number, GOOD, **SMS)
    body, address = here.aliyun.report(), here.address(number)
    strange = address[:-4] + "AAAA"
    for wrong in (strange, address.replace("sms_aliyun", "sms_tencent"), f"{here.url}/hooks/nothing/x"):
        answer = here.call(wrong, body)
        assert (answer.status_code, answer.content) == (404, b"")
    for forged in ({"token": "0" * 32}, {"token": ""}):
        answer = here.call(address, body, forged)
        assert (answer.status_code, answer.content) == (403, b"")
    assert here.call(address, b"not json").status_code == 403
    assert here.call(address, b"[1]").status_code == 403
    assert here.call(address, b"[" + b" " * (1 << 20) + b"]").status_code == 413
    assert here.states(push_id) == {"sent": 3} and here.hook(number).today == 0
    assert here.hook(number).refused == 4
    page = here.staff().get(f"/desk/channels/{number}").text
    assert "今天有 4 次回执被拒" in page and address.split("/hooks/")[1] in page
    assert here.call(address, body).status_code == 200, "the control: the same from the platform is believed"
    assert here.states(push_id)["arrived"] == 3


def test_a_new_address_ends_the_one_before(here: Site) -> None:
    number = aliyun(here)
    old = here.address(number)
    browser = here.staff()
    here.app.config["WTF_CSRF_ENABLED"] = False
    page = browser.post(f"/desk/channels/{number}/hook", follow_redirects=True).text
    assert "回执地址已更换" in page and here.address(number).rpartition("/")[2] in page
    assert here.call(old, b"[]").status_code == 404
    assert here.call(here.address(number), b"[]").status_code == 200


def test_a_failure_outweighs_an_arrival_in_whichever_order_they_come(here: Site) -> None:
    account = here.account(
        "webhook", secrets={"secret": "s" * 30}, options={}, address=f"{here.platforms}/none"
    )
    push_id = here.push(account, ["u1", "u2"], send=False)
    with here.database.transaction() as session:
        session.execute(update(Delivery).values(state=DeliveryState.sent, settled_at=clock.now()))
    first, second = here.rows(push_id)

    def tell(*said: tuple[Delivery, str, str]) -> int:
        body = json.dumps(
            [{"key": row.key, "recipient": who, "status": status} for row, who, status in said]
        ).encode()
        stamp = "1789453800"
        headers = {"Signpost-Timestamp": stamp, "Signpost-Signature": f"v1={sign('s' * 30, stamp, body)}"}
        return here.call(here.address(account), body, None, **headers).status_code

    assert tell((first, "u1", "delivered"), (first, "u1", "failed")) == 200
    assert tell((second, "u2", "failed"), (second, "u2", "delivered")) == 200
    assert here.states(push_id) == {"failed": 2} and here.received(push_id) == (0, 2, 0, 0)
    assert tell((first, "u2", "opened")) == 200, "a key and another's address: nobody"
    assert here.received(push_id) == (0, 2, 0, 0)
    assert tell((first, "u1", "whatever")) == 403


def test_who_opened_it_has_it_and_who_wants_no_more_keeps_it(here: Site) -> None:
    account = here.account(
        "webhook", secrets={"secret": "s" * 30}, options={}, address=f"{here.platforms}/none"
    )
    push_id = here.push(account, ["u1", "u2"], send=False)
    with here.database.transaction() as session:
        session.execute(update(Delivery).values(state=DeliveryState.sent, settled_at=clock.now()))
    rows = here.rows(push_id)
    said = [
        {"key": rows[0].key, "recipient": "u1", "status": "opened"},
        {"key": rows[1].key, "recipient": "u2", "status": "refused"},
    ]
    body = json.dumps(said).encode()
    for wrong in ("v1=00", "", f"v1={sign('t' * 30, '5', body)}"):
        headers = {"Signpost-Timestamp": "5", "Signpost-Signature": wrong}
        assert here.call(here.address(account), body, None, **headers).status_code == 403
    headers = {"Signpost-Timestamp": "5", "Signpost-Signature": f"v1={sign('s' * 30, '5', body)}"}
    assert here.call(here.address(account), body, None, **headers).status_code == 200
    assert here.states(push_id) == {"sent": 2, "arrived": 2}
    assert here.received(push_id) == (2, 0, 1, 0) and here.closed() == {"withdrawn": 1}


def test_a_receipt_that_is_faster_than_our_settling_waits_for_its_row(here: Site) -> None:
    """The platform calls back in the middle of the call that hands the messages over."""
    number = aliyun(here)
    answers: list[int] = []
    answer = here.aliyun.answer

    def and_call_back(*args: object, **more: object) -> object:
        said = answer(*args, **more)  # type: ignore[arg-type]
        answers.append(here.call(here.address(number), here.aliyun.report()).status_code)
        return said

    here.aliyun.answer = and_call_back  # type: ignore[method-assign, assignment]
    push_id = here.push(number, EVERYBODY, **SMS)
    assert answers == [200] and here.kept() == 5
    assert here.states(push_id) == {"sent": 5}, "nothing is put to a row that is not settled"
    with here.database.transaction() as session:
        assert receipts.settle_early(session, clock.now()) == 0, "not yet its time"
    with here.database.transaction() as session:
        assert receipts.settle_early(session, clock.now() + timedelta(minutes=1)) == 5
    assert here.states(push_id) == {"sent": 3, "failed": 2, "arrived": 3} and here.kept() == 0
    assert here.received(push_id) == (3, 2, 0, 0) and here.closed() == {"gone": 1, "blocked": 1}


def test_a_stranger_s_receipts_are_not_kept(here: Site) -> None:
    """Others send by the same account: their numbers, even if known here, change nothing and fill nothing."""
    number = aliyun(here)
    push_id = here.push(number, GOOD, **SMS)
    other = [
        {"phone_number": GOOD[0], "success": False, "err_code": "MK:0001", "biz_id": "another", "out_id": ""}
    ]
    assert here.call(here.address(number), json.dumps(other).encode()).status_code == 200
    assert here.states(push_id) == {"sent": 3} and here.kept() == 0 and not here.closed()


def test_a_doubt_is_cleared_either_way(here: Site) -> None:
    """The line broke after Aliyun accepted: nothing is known but the key, which its report says back."""
    number = aliyun(here)
    push_id = here.push(number, [*GOOD, sms_aliyun.NO_SUCH], **SMS)
    body = here.aliyun.report()
    lost = {"state": DeliveryState.uncertain, "reference": "", "count_round": None}
    with here.database.transaction() as session:
        session.execute(update(Delivery).values(**lost))
        session.execute(update(Batch).values(state=BatchState.uncertain))
    other = [one | {"out_id": "f" * 32} for one in json.loads(body)]
    here.call(here.address(number), json.dumps(other).encode())
    assert here.states(push_id) == {"uncertain": 4}, "the control: another's key clears nothing"
    here.call(here.address(number), body)
    assert here.states(push_id) == {"sent": 3, "failed": 1, "arrived": 3}
    assert here.received(push_id) == (3, 1, 0, 4)
    with here.database.reading() as session:
        batch = session.exec(select(Batch)).one()
    assert batch.state == BatchState.partial and batch.rounds == 2, "who was cleared is counted"


def test_the_same_receipts_from_many_at_once_count_once(here: Site) -> None:
    number = aliyun(here)
    push_id = here.push(number, EVERYBODY, **SMS)
    body, address, ready = here.aliyun.report(), here.address(number), threading.Barrier(6)

    def tell(_number: int) -> int:
        ready.wait()
        return here.call(address, body).status_code

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(tell, range(6))) == [200] * 6
    assert here.received(push_id) == (3, 2, 0, 0) and here.hook(number).today == 6


def test_an_account_that_is_nobody_s_changes_no_rows_of_others(here: Site) -> None:
    number = aliyun(here)
    push_id = here.push(number, GOOD, **SMS)
    row = here.rows(push_id)[0]
    other = here.account("webhook", secrets={"secret": "s" * 30}, options={}, address="https://example.com/x")
    with here.database.transaction() as session:
        source = Source.of(session, session.get_one(ChannelAccount, other))
        done = receipts.take(session, here.vault, source, [Receipt(row.key)], via="x", now=clock.now())
    assert (done.changed, done.strange) == (0, 1) and here.states(push_id) == {"sent": 3}


def test_mail_services_report_at_the_address_alone_and_complaints_are_a_no(here: Site) -> None:
    mail = {"port": 25, "tls": "none", "sender": "edu@example.cn"}
    account = here.account("email", secrets={}, options={}, address="smtp.example.cn", **mail)
    push_id = here.push(account, ["u1@example.cn", "u2@example.cn", "u3@example.cn"], send=False)
    with here.database.transaction() as session:
        session.execute(update(Delivery).values(state=DeliveryState.sent, settled_at=clock.now()))
    rows = here.rows(push_id)
    said = zip(rows, (1, 2, 3), ("bounce", "spamreport", "delivered"), strict=True)
    events = [
        {"event": event, "email": f"u{number}@example.cn", "smtp-id": f"<{row.key}@example.cn>", "status": "5.1.1"}
        for row, number, event in said
    ]  # fmt: skip
    strange = [events[0] | {"email": "u3@example.cn"}, events[0] | {"smtp-id": f"<{'0' * 32}@example.cn>"}]
    assert here.call(here.address(account), json.dumps(strange).encode()).status_code == 200
    assert here.states(push_id) == {"sent": 3}, "another's letter, or a letter nobody wrote, is not believed"
    assert here.call(here.address(account), json.dumps(events).encode()).json() == {}
    assert here.states(push_id) == {"sent": 2, "failed": 1, "arrived": 2}
    assert here.closed() == {"gone": 1, "complaint": 1} and here.refused("email", "u2@example.cn")
    assert here.call(here.address(account), b"[]", {"token": "guessed"}).status_code == 403


def test_a_topic_that_waits_for_a_yes_is_shown_until_it_reports(here: Site) -> None:
    mail = {"port": 25, "tls": "none", "sender": "edu@example.cn"}
    account = here.account("email", secrets={}, options={}, address="smtp.example.cn", **mail)
    at = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:x:1:t&Token=2336"

    def asked(address: str, kind: str = "SubscriptionConfirmation") -> str:
        said = {"Type": kind, "SubscribeURL": address, "Token": "2336"}
        assert here.call(here.address(account), json.dumps(said).encode()).status_code == 200
        return here.hook(account).confirm

    assert asked(at) == at and asked(at.replace(".com", ".com.cn")).endswith("2336")
    for wrong in (
        "http://sns.x.amazonaws.com/?a=1",
        "https://sns.x.amazonaws.com.evil.example/?a=1",
        "javascript:1",
    ):
        assert asked(wrong) == "", wrong
    assert asked(at, "UnsubscribeConfirmation") == "", "somebody ended it: that is nothing to say yes to"
    assert asked(at) and here.call(here.address(account), b"[]").status_code == 200
    assert here.hook(account).confirm == "", "it reports: nobody need confirm any more"


def test_doctor_names_accounts_that_are_refused_or_silent(here: Site) -> None:
    number, today = aliyun(here), clock.today(here.runtime.service(Settings).zone)

    def named() -> list[tuple[str, str]]:
        with here.database.reading() as session:
            return hooks.troubles(session, today, clock.now())

    push_id = here.push(number, GOOD, **SMS)
    assert named() == []
    with here.database.transaction() as session:
        push = session.get_one(Push, push_id)
        push.started_at = clock.now() - timedelta(days=2)
        session.add(push)
    assert named() == [("测试 sms_aliyun", hooks.QUIET)]
    here.call(here.address(number), here.aliyun.report())
    assert named() == []
    here.call(here.address(number), b"forged")
    assert named() == [("测试 sms_aliyun", hooks.REFUSED)]


def test_a_greeting_is_for_who_greets(here: Site) -> None:
    assert requests.get(here.address(aliyun(here)), timeout=5).status_code == 404
    with here.database.reading() as session:
        assert session.exec(select(col(Push.id)).where(Push.state == PushState.running)).first() is None
