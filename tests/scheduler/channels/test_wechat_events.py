"""Callbacks of official accounts: only what the platform signed is believed, and no XML does harm."""

import time
from dataclasses import replace

import pytest

from scheduler.channels.base import Account, Closed, DeliveryError
from scheduler.channels.base_wechat_events import fields, greeting, opened
from scheduler.channels.wechat import receipts
from scheduler.sandbox import wechat_box as box

PLAIN = Account("", login=box.APP, secrets=(box.SECRET, box.TOKEN), number=1)
SEALED = replace(PLAIN, secrets=(box.SECRET, box.TOKEN, box.AES_KEY))
AT = 1_789_000_000.0
NOTICE = {"Event": "TEMPLATESENDJOBFINISH", "FromUserName": "oSomebody", "MsgID": 7, "Status": "success"}
MASS = {"Event": "MASSSENDJOBFINISH", "MsgID": 8, "Status": "send success"}
COUNTS = {"TotalCount": 5, "FilterCount": 5, "SentCount": 5, "ErrorCount": 0}


def bomb() -> bytes:
    """A billion laughs: ten entities of ten of the one before."""
    lines = ["<!ENTITY a0 'ha'>"]
    lines += [f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)]
    return f"<!DOCTYPE xml [{''.join(lines)}]><xml><Event>&a9;</Event></xml>".encode()


@pytest.mark.parametrize(("account", "sealed"), [(PLAIN, False), (SEALED, True)])
def test_what_the_platform_signed_becomes_receipts(account: Account, sealed: bool) -> None:
    content, query = box.callback(NOTICE, AT, sealed)
    [receipt] = receipts(account, content, {}, query)
    assert (receipt.reference, receipt.address, receipt.error) == ("7", "oSomebody", None)
    assert (b"oSomebody" in content) is not sealed


@pytest.mark.parametrize(
    ("status", "closes"), [("failed:user block", Closed.withdrawn), ("failed:system failed", None)]
)
def test_a_notice_that_did_not_arrive_says_why(status: str, closes: Closed | None) -> None:
    content, query = box.callback({**NOTICE, "Status": status}, AT, False)
    [receipt] = receipts(PLAIN, content, {}, query)
    assert receipt.error is not None and receipt.error.permanent and receipt.error.closes == closes


def test_a_mass_message_is_receipted_where_everybody_had_it_or_nobody() -> None:
    content, query = box.callback({**MASS, **COUNTS}, AT, False)
    assert [(one.reference, one.error) for one in receipts(PLAIN, content, {}, query)] == [("8", None)]
    content, query = box.callback({**MASS, **COUNTS, "SentCount": 4}, AT, False)
    assert receipts(PLAIN, content, {}, query) == []
    content, query = box.callback({**MASS, **COUNTS, "Status": "err(10001)"}, AT, False)
    [receipt] = receipts(PLAIN, content, {}, query)
    assert receipt.error is not None and receipt.error.permanent and receipt.error.everyone


def test_a_publication_that_fails_says_so() -> None:
    inner = {"publish_id": 9, "publish_status": 2}
    event: dict[str, object] = {"Event": "PUBLISHJOBFINISH", "PublishEventInfo": inner}
    [receipt] = receipts(PLAIN, *_with_headers(event))
    assert receipt.reference == "9" and receipt.error is not None


def _with_headers(event: dict[str, object]) -> tuple[bytes, dict[str, str], dict[str, str]]:
    content, query = box.callback(event, AT, False)
    return content, {}, query


@pytest.mark.parametrize("name", ["signature", "timestamp", "nonce"])
def test_a_wrong_signature_is_refused(name: str) -> None:
    content, query = box.callback(NOTICE, AT, False)
    for wrong in ({**query, name: "0"}, {key: value for key, value in query.items() if key != name}):
        with pytest.raises(DeliveryError, match="签名"):
            receipts(PLAIN, content, {}, wrong)


def test_an_account_without_callback_token_believes_nobody() -> None:
    stamp, nonce = "1", "2"
    query = {"timestamp": stamp, "nonce": nonce, "signature": box.signature("", stamp, nonce)}
    with pytest.raises(DeliveryError, match="签名"):
        receipts(replace(PLAIN, secrets=(box.SECRET,)), b"<xml/>", {}, query)


def test_with_a_key_nothing_in_the_clear_and_nothing_changed_is_believed() -> None:
    content, query = box.callback(NOTICE, AT, False)
    with pytest.raises(DeliveryError):
        receipts(SEALED, content, {}, query)
    content, query = box.callback(NOTICE, AT, True)
    place = content.index(b"<Encrypt>") + 40
    changed = content[:place] + (b"A" if content[place : place + 1] != b"A" else b"B") + content[place + 1 :]
    with pytest.raises(DeliveryError, match="签名"):
        receipts(SEALED, changed, {}, query)
    with pytest.raises(DeliveryError, match="读不懂"):
        receipts(replace(SEALED, login="wxanother"), content, {}, query)
    with pytest.raises(DeliveryError, match="读不懂"):
        receipts(replace(SEALED, secrets=(box.SECRET, box.TOKEN, "A" * 43)), content, {}, query)


def test_the_address_is_greeted_back_to_the_platform_alone() -> None:
    _content, query = box.callback(NOTICE, AT, False)
    assert greeting(PLAIN, {**query, "echostr": "12345"}) == "12345"
    with pytest.raises(DeliveryError):
        greeting(PLAIN, {**query, "signature": "é", "echostr": "12345"})


@pytest.mark.parametrize(
    "content",
    [
        bomb(),
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><xml/>',
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><xml><Event>&e;</Event></xml>',
        b"<xml>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</xml>",
        b"<xml><Event>" + b"x" * 100_000 + b"</Event></xml>",
        b"<xml><Event>",
        b"",
        b"\xff\xfe\x00",
    ],
    ids=["bomb", "dtd", "file", "deep", "long", "torn", "empty", "binary"],
)
def test_xml_that_does_harm_is_refused(content: bytes) -> None:
    stamp, nonce = "1", "2"
    query = {"timestamp": stamp, "nonce": nonce, "signature": box.signature(box.TOKEN, stamp, nonce)}
    began = time.monotonic()
    with pytest.raises(DeliveryError, match="读不懂"):
        opened(PLAIN, content, query)
    assert time.monotonic() - began < 1


def test_control_texts_are_read_by_their_path() -> None:
    content = box.xml({"Event": "A<B&C", "Inner": {"number": 3}}).encode()
    assert fields(content) == {"Event": "A<B&C", "Inner/number": "3"}
