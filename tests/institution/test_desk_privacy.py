"""/desk/privacy: asked for by one, decided by another, handed out once or erased everywhere; outside sees nothing."""

import io
import json
import threading
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlmodel import Session, SQLModel, col, select

from campaign import audience, audience_import
from campaign.contacts import EMAIL, SMS, Consent, Contact, ContactMember, Refusal
from core import clock
from core.database import Database
from core.errors import Conflict, DomainError, Invalid, NotAllowed
from core.privacy import Vault
from core.settings import Settings
from institution import approvals, letters, people, personal_data
from institution.audit_models import AuditRecord
from institution.personal_models import ERASE, EXPORT, LAPSED, READY, PrivacyRequest
from scheduler.models import Batch, BatchState, Delivery, Push, PushState
from tests import entering, factories
from tests.scheduler.audience_cast import ZONE, plan

HANDLER, STRANGER = "qian.handler", "sun.stranger"
PHONE, MAIL = "13812345678", "zhang@example.com"
ROWS = f"""姓名,邮箱,手机,接口标识,网点代码,同意用途,同意时间,同意来源
张三丰,{MAIL},{PHONE},u1,{factories.OUTLET_A},education,2026-03-01 10:00,柜面签署
李四,li@example.com,13900000000,u2,,education,2026-03-01 10:00,柜面签署
"""


@pytest.fixture
def database(app: Flask) -> Database:
    """The database of the application, with two people who were written to, and two who take requests in."""
    runtime = app.extensions["signpost"]
    base: Database = runtime[Database]
    now = clock.now()
    with base.transaction() as session:
        factories.person(session, HANDLER, "钱处理", "complaint_handler", now, at=factories.PROVINCE)
        factories.person(session, STRANGER, "孙处理", "complaint_handler", now, at=factories.OUTSIDE_PROVINCE)
        audience_import.import_file(
            session, ROWS.encode(), list_name="老客户", vault=runtime[Vault], zone=ZONE, now=now
        )
        letters.post(session, vault=runtime[Vault], to=MAIL, subject="一", text="二", now=now)
        contact = _contact(session, runtime[Vault])
        assert contact is not None
        audience.refuse(session, SMS, contact.phone_index or "", via="desk", now=now)
        _delivered(session, contact, now)
    return base


@pytest.fixture
def handler(app: Flask, database: Database) -> FlaskClient:
    """Who takes complaints and requests in, of one province."""
    return entering.client(app, HANDLER)


def _contact(session: Session, vault: Vault) -> Contact | None:
    return session.exec(select(Contact).where(Contact.email_index == vault.index(EMAIL, MAIL))).first()


def _delivered(session: Session, contact: Contact, now: datetime) -> None:
    list_id = session.exec(select(ContactMember.list_id)).first() or 0
    plan_id = plan(session, list_id, now).id or 0
    push = Push(
        plan_id=plan_id, due_at=now, state=PushState.done, list_id=list_id, channel=EMAIL, subject="退保前先问一问",
        created_at=now,
    )  # fmt: skip
    session.add(push)
    session.flush()
    batch = Batch(
        key="b1", push_id=push.id or 0, number=1, size=1, channel=EMAIL, state=BatchState.sent, not_before=now
    )
    session.add(batch)
    session.flush()
    session.add(
        Delivery(
            key="d1", push_id=push.id or 0, batch_id=batch.id or 0, contact_id=contact.id or 0,
            address_index=contact.email_index or "", state="sent", settled_at=now,
        )
    )  # fmt: skip
    session.flush()


def _form(**more: str) -> dict[str, str]:
    return {
        "wish": EXPORT, "address": "138 1234 5678", "reason": "本人来电要求", "evidence": "回拨核实",
        "outlet_code": factories.PROVINCE,
    } | more  # fmt: skip


def _ask(handler: FlaskClient, **more: str) -> int:
    answer = handler.post("/desk/privacy/new", data=_form(**more))
    assert answer.status_code == 303, answer.text
    return int(answer.location.rpartition("/")[2])


def _decide(database: Database, number: int, decision: str = "approved") -> None:
    with database.transaction() as session:
        approval = personal_data.get(session, number).approval_id or 0
        reviewer = people.by_login(session, factories.REVIEWER)
        assert reviewer is not None
        approvals.decide(
            session, approval, decision=decision, by=reviewer.id or 0, now=clock.now(), opinion="已核对"
        )


def _everything(database: Database) -> str:
    """Every row of every table as text, for what must not be there."""
    with database.reading() as session:
        return "\n".join(
            str(tuple(row))
            for table in SQLModel.metadata.sorted_tables
            for row in session.execute(table.select())
        )


def test_an_export_is_asked_for_decided_and_taken_once(handler: FlaskClient, database: Database) -> None:
    number = _ask(handler)
    waiting = handler.get(f"/desk/privacy/{number}").text
    assert "138****5678" in waiting and "等总公司另一位同事审批" in waiting and "名单联系人" not in waiting
    assert handler.post(f"/desk/privacy/{number}/take").status_code == 409
    _decide(database, number)
    assert "名单联系人 1 项" in handler.get(f"/desk/privacy/{number}").text
    answer = handler.post(f"/desk/privacy/{number}/take")
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        data = json.loads(archive.read("personal-data.json"))["data"]
        page = archive.read("personal-data.html").decode()
    (contact,) = data["名单联系人"]
    assert contact["手机号"] == PHONE and contact["电子邮箱"] == MAIL and contact["姓名"] == "张三丰"
    assert "柜面签署" in contact["同意"] and "短信" in contact["退订"]
    assert data["推送记录"][0]["内容"] == "退保前先问一问" and len(data["系统邮件"]) == 1
    assert "张三丰" in page and "李四" not in answer.data.decode(errors="ignore") + page
    assert handler.post(f"/desk/privacy/{number}/take").status_code == 409, "once"
    with database.reading() as session:
        (taken,) = session.exec(select(AuditRecord).where(AuditRecord.action == "privacy.take"))
        assert taken.after["rows"] == {"名单联系人": 1, "推送记录": 1, "系统邮件": 1}


def test_an_erasure_takes_the_person_out_everywhere_and_keeps_the_refusal(
    app: Flask, handler: FlaskClient, database: Database
) -> None:
    number = _ask(handler, wish=ERASE, address=" ZHANG@example.com ")
    _decide(database, number)
    vault: Vault = app.extensions["signpost"][Vault]
    with database.reading() as session:
        assert _contact(session, vault) is None and len(list(session.exec(select(Contact)))) == 1
        assert len(list(session.exec(select(ContactMember)))) == 1
        assert {one.contact_id for one in session.exec(select(Consent))}.isdisjoint({1})
        (delivery,) = session.exec(select(Delivery))
        assert delivery.contact_id < 0 and delivery.address_index not in vault.indexes(EMAIL, MAIL)
        assert audience.is_refused(session, SMS, vault.index(SMS, PHONE))
        assert len(list(session.exec(select(Refusal)))) == 1
        (record,) = session.exec(select(AuditRecord).where(AuditRecord.action == "privacy.erase"))
        assert record.after["erased"] == {"contact": 1, "delivery": 1, "letter": 1}
        assert record.actor and "z***@example.com" in record.note
    assert "资料已删除" in handler.get(f"/desk/privacy/{number}").text
    kept = _everything(database)
    assert "张三丰" not in kept and MAIL not in kept and PHONE not in kept


def test_a_request_holds_the_address_only_masked_and_hashed(handler: FlaskClient, database: Database) -> None:
    _ask(handler)
    _ask(handler, wish=ERASE, address=MAIL)
    kept = _everything(database)
    assert PHONE not in kept and MAIL not in kept and "138****5678" in kept


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("address", "张三", "请填写本人的手机号"),
        ("reason", "", "请写明理由"),
        ("reason", "请删 138 1234 5678", "不要写手机号或邮箱"),
        ("reason", f"他的邮箱是{MAIL}", "不要写手机号或邮箱"),
        ("evidence", "", "怎样核实"),
        ("wish", "sell", "导出还是删除"),
        ("outlet_code", factories.OUTSIDE_PROVINCE, "没有"),
        ("outlet_code", "", "没有"),
    ],
)
def test_a_form_that_fails_says_why_and_keeps_what_was_typed(
    handler: FlaskClient, database: Database, field: str, text: str, sentence: str
) -> None:
    answer = handler.post("/desk/privacy/new", data=_form(**{field: text}))
    assert answer.status_code in (400, 403) and sentence in answer.text
    assert "本人来电要求" in answer.text or field == "reason"
    with database.reading() as session:
        assert not list(session.exec(select(PrivacyRequest)))


def test_the_same_wish_waits_once(handler: FlaskClient) -> None:
    _ask(handler)
    again = handler.post("/desk/privacy/new", data=_form(address="+8613812345678"))
    assert again.status_code == 400 and "已经有一份申请" in again.text


def test_nobody_decides_their_own_and_a_province_does_not_decide(
    handler: FlaskClient, database: Database
) -> None:
    number = _ask(handler)
    with database.transaction() as session:
        now, approval = clock.now(), personal_data.get(session, number).approval_id or 0
        own = people.by_login(session, HANDLER)
        local = factories.person(session, "li.local", "李审查", "reviewer", now, at=factories.PROVINCE)
        assert own is not None
        for one in (own, local):
            with pytest.raises(DomainError):
                approvals.decide(
                    session, approval, decision="approved", by=one.id or 0, now=now, opinion="同意"
                )


def test_outside_sees_what_does_not_exist_and_only_the_requester_takes(
    app: Flask, handler: FlaskClient, database: Database
) -> None:
    number = _ask(handler)
    _decide(database, number)
    stranger = entering.client(app, STRANGER)
    missing = stranger.get("/desk/privacy/999999")
    outside = stranger.get(f"/desk/privacy/{number}")
    assert outside.status_code == missing.status_code == 404
    assert "138****5678" not in stranger.get("/desk/privacy").text
    assert stranger.post(f"/desk/privacy/{number}/take").status_code == 404
    chief = entering.client(app, factories.ADMINISTRATOR)
    assert "只有提出申请的人" in chief.get(f"/desk/privacy/{number}").text
    assert chief.post(f"/desk/privacy/{number}/take").status_code == 403
    assert entering.client(app, factories.EDITOR).get("/desk/privacy").status_code == 403


def test_rejected_and_withdrawn_erase_nothing(handler: FlaskClient, database: Database) -> None:
    first = _ask(handler, wish=ERASE)
    _decide(database, first, "rejected")
    assert "未批准" in handler.get(f"/desk/privacy/{first}").text
    second = _ask(handler, wish=ERASE)
    assert handler.post(f"/desk/privacy/{second}/withdraw").status_code == 303
    assert "已撤回" in handler.get(f"/desk/privacy/{second}").text
    with database.reading() as session:
        assert len(list(session.exec(select(Contact)))) == 2


def test_an_export_lapses_after_seven_days(handler: FlaskClient, database: Database, app: Flask) -> None:
    number = _ask(handler)
    _decide(database, number)
    later = clock.now() + timedelta(days=7, minutes=1)
    with database.transaction() as session:
        vault = app.extensions["signpost"][Vault]
        mine = personal_data.get(session, number).requested_by
        with pytest.raises(NotAllowed):
            personal_data.take(session, vault, number, by=mine + 1, now=later)
        with pytest.raises(Conflict, match="七天"):
            personal_data.take(session, vault, number, by=mine, now=later)
        assert personal_data.lapse(session, clock.now()) == 0
        assert personal_data.lapse(session, later) == 1 and personal_data.lapse(session, later) == 0
        assert personal_data.get(session, number).state == LAPSED


def test_of_many_downloads_at_once_one_succeeds(app: Flask, handler: FlaskClient, database: Database) -> None:
    assert _raced(app, handler, database) == 1


def test_control_without_the_guard_several_succeed(
    app: Flask, handler: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(session: Session, request: PrivacyRequest, old: str, new: str, **values: object) -> None:
        where = update(PrivacyRequest).where(col(PrivacyRequest.id) == request.id)
        session.execute(where.values(state=new, **values))

    monkeypatch.setattr(personal_data, "_move", careless)
    assert _raced(app, handler, database) > 1


def _raced(app: Flask, handler: FlaskClient, database: Database) -> int:
    """How many of eight take the same export."""
    number = _ask(handler)
    _decide(database, number)
    with database.transaction() as session:
        request = personal_data.get(session, number)
        session.execute(update(PrivacyRequest).where(col(PrivacyRequest.id) == number).values(state=READY))
        mine = request.requested_by
    vault: Vault = app.extensions["signpost"][Vault]
    taken: list[int] = []
    start = threading.Barrier(8)

    def take() -> None:
        start.wait(10)
        try:
            with database.transaction() as session:
                personal_data.take(session, vault, number, by=mine, now=clock.now() - timedelta(minutes=1))
            taken.append(1)
        except Conflict:
            pass

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return len(taken)


def test_a_rotation_between_asking_and_deciding_loses_nobody(
    app: Flask, handler: FlaskClient, database: Database, settings: Settings
) -> None:
    number = _ask(handler, wish=ERASE)
    with database.transaction() as session:
        moved = session.exec(select(Contact).order_by(col(Contact.id))).first()
        assert moved is not None and moved.phone_index is not None
        old, new = moved.phone_index, "f" * 64
        moved.phone_index = new
        session.add(moved)
        session.flush()
        personal_data._follow(session, [(old, new)])
    _decide(database, number)
    with database.reading() as session:
        assert len(list(session.exec(select(Contact)))) == 1


def test_what_is_kept_how_long_is_shown_with_its_source(app: Flask, database: Database) -> None:
    page = entering.client(app, HANDLER)
    text = page.get("/desk/privacy/retention").text
    assert "《个人信息保护法》第五十六条" in text and "1,095" in text and "操作记录" in text


@pytest.mark.parametrize("text", ["138", "a@b", "x@y@z.com", "", "13812345678 or 13912345678"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        personal_data.address_of(text)


def test_nobody_found_is_said(
    handler: FlaskClient, database: Database, entered: Callable[..., FlaskClient]
) -> None:
    number = _ask(handler, address="13700000000")
    _decide(database, number)
    assert "没有找到" in handler.get(f"/desk/privacy/{number}").text
    answer = handler.post(f"/desk/privacy/{number}/take")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert "没有找到" in archive.read("personal-data.html").decode()


def test_an_employee_sees_their_account_too(app: Flask, handler: FlaskClient, database: Database) -> None:
    vault: Vault = app.extensions["signpost"][Vault]
    with database.transaction() as session:
        editor = people.by_login(session, factories.EDITOR)
        assert editor is not None
        editor.email = vault.encrypt("lin@example.com")
        session.add(editor)
    number = _ask(handler, address="Lin@example.com")
    _decide(database, number)
    answer = handler.post(f"/desk/privacy/{number}/take")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        (account,) = json.loads(archive.read("personal-data.json"))["data"]["员工账号"]
    assert account["登录名"] == factories.EDITOR and account["电子邮箱"] == "lin@example.com"
