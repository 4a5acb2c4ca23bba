"""Whom a push may reach: whatever the order of import, refusal and closing, who said no is never among them."""

import threading
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlmodel import Session, col, select

from campaign import addresses, audience, audience_import, closed, segments
from campaign.audience_models import ClosedAddress, ContactAddress
from campaign.contacts import CHANNEL_NAMES, Consent, Contact, ContactMember, Refusal
from campaign.segments import Filters
from core.database import Database
from core.errors import Invalid, NotFound
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from institution.audit_models import AuditRecord
from tests.campaign.reaching import Asked

SHANGHAI = ZoneInfo("Asia/Shanghai")
HEAD = "邮箱,手机,同意用途,同意时间,同意来源"
PEOPLE = 5


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return Vault(Keys(load_secret(settings)))


def put(session: Session, vault: Vault, now: datetime, *numbers: int, name: str = "老客户") -> int:
    rows = [f"p{n}@example.com,1380000000{n},education,2026-03-01,柜面" for n in numbers]
    data = "\n".join((HEAD, *rows)).encode()
    audience_import.import_file(session, data, list_name=name, vault=vault, zone=SHANGHAI, now=now)
    found = audience.find_list(session, name)
    assert found is not None and found.id is not None
    return found.id


def reached(session: Session, list_id: int, channel: str = "email", *, limit: int = 2) -> list[str]:
    """All pages, two people at a time."""
    return [one.address_index for one in Asked(session, channel, list_id).reached(limit)]


def test_pages_hold_everyone_once_in_order(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        list_id = put(session, vault, now, *range(PEOPLE))
        wanted = [vault.index("email", f"p{n}@example.com") for n in range(PEOPLE)]
        assert reached(session, list_id) == wanted == reached(session, list_id, limit=100)
        with pytest.raises(ValueError, match="a list or a segment"):
            audience.audience_of(session)
        with pytest.raises(NotFound):
            audience.audience_of(session, segment_id=99)


def test_a_page_is_empty_for_a_purpose_nobody_agreed_to(
    database: Database, vault: Vault, now: datetime
) -> None:
    with database.transaction() as session:
        list_id = put(session, vault, now, 1)
        asked = Asked(session, "email", list_id, purpose="marketing")
        assert asked.page() == [] and asked.left_out().no_consent == 1


@pytest.mark.parametrize("reason", closed.REASONS)
def test_a_closed_address_gets_nothing(database: Database, vault: Vault, now: datetime, reason: str) -> None:
    index = vault.index("email", "p1@example.com")
    with database.transaction() as session:
        assert audience.close_address(session, "email", index, reason, via="bounce", now=now)
        assert not audience.close_address(session, "email", index, reason, via="bounce", now=now)
        list_id = put(session, vault, now, 1, 2)  # closed before it was ever imported
        assert reached(session, list_id) == [vault.index("email", "p2@example.com")]
        found = Asked(session, "email", list_id).left_out()
        withdrawn = reason == closed.WITHDRAWN
        assert (found.refused, found.closed) == ((1, 0) if withdrawn else (0, 1))
        assert audience.refused_among(session, "email", [index, "0" * 64]) == {index}
        assert audience.closed_among(session, "email", [index, "0" * 64]) == {index: reason}
        assert audience.is_refused(session, "email", index) is withdrawn
        assert len(reached(session, list_id, "sms")) == 2, "of one channel"


def test_a_withdrawal_overrules_any_other_reason(database: Database, now: datetime) -> None:
    index = "ab" * 32
    with database.transaction() as session:
        audience.close_address(session, "wechat", index, "not_following", via="send", now=now)
        audience.close_address(session, "wechat", index, "withdrawn", via="send", now=now)
        audience.close_address(session, "wechat", index, "bounce", via="send", now=now)
        assert audience.closed_among(session, "wechat", [index]) == {index: "withdrawn"}
        assert audience.is_refused(session, "wechat", index)
        with pytest.raises(ValueError, match="whim"):
            audience.close_address(session, "wechat", index, "whim", via="send", now=now)


def test_both_ways_to_send_to_a_telephone_close_together(database: Database, now: datetime) -> None:
    index = "cd" * 32
    with database.transaction() as session:
        audience.close_address(session, "sms_aliyun", index, "withdrawn", via="send", now=now)
        assert audience.refused_among(session, "sms_tencent", [index]) == {index}
        assert audience.is_refused(session, "sms", index)


def test_reopening_wants_a_reason_and_never_undoes_a_withdrawal(database: Database, now: datetime) -> None:
    bounced, gone = "ab" * 32, "cd" * 32
    with database.transaction() as session:
        audience.close_address(session, "email", bounced, "bounce", via="send", now=now)
        audience.close_address(session, "email", gone, "withdrawn", via="send", now=now)
        with pytest.raises(Invalid):
            closed.reopen(session, "email", bounced, " ")
        closed.reopen(session, "email", bounced, "邮箱已恢复")
        with pytest.raises(Invalid):
            closed.reopen(session, "email", gone, "他又想要了")
        with pytest.raises(NotFound):
            closed.reopen(session, "email", bounced, "再来一次")
        assert audience.closed_among(session, "email", [bounced, gone]) == {gone: "withdrawn"}
    with database.reading() as session:
        record = session.exec(select(AuditRecord).where(AuditRecord.action == "address.reopen")).one()
        assert record.after["reason"] == "邮箱已恢复" and bounced not in str(record.model_dump())


def test_an_address_beside_the_contact(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        list_id = put(session, vault, now, 1)
        contact = session.exec(select(Contact)).one()
        number, openid = contact.id or 0, "oABCDEFGHIJKLMNOP_1"
        index = vault.index("wechat", openid)
        session.add(
            ContactAddress(
                contact_id=number,
                channel="wechat",
                sealed=vault.encrypt(openid),
                address_index=index,
                since=now,
            )
        )
        session.flush()
        assert Asked(session, "wechat", list_id).left_out().no_consent == 1
        session.add(
            Consent(
                contact_id=number,
                channel="wechat",
                purpose="education",
                given_at=now,
                source="关注",
                recorded_at=now,
            )
        )
        session.flush()
        assert reached(session, list_id, "wechat_mass") == [index]
        assert audience.addresses(session, vault, "wechat", [number])[number].address == openid
        assert audience.masked_addresses(session, vault, "wechat", [number]) == {number: "****_1"}
        audience.refuse_contact(session, number, "wechat", now=now)
        assert reached(session, list_id, "wechat") == []
        audience.erase(session, number)
        assert session.exec(select(ContactAddress)).first() is None


def test_twenty_workers_close_one_address_at_once(database: Database, now: datetime) -> None:
    index, errors = "ef" * 32, list[BaseException]()

    def close() -> None:
        try:
            with database.transaction() as session:
                audience.close_address(session, "email", index, "bounce", via="send", now=now)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=close) for _ in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    with database.reading() as session:
        assert errors == [] and len(session.exec(select(ClosedAddress)).all()) == 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["import", "refuse", "close", "withdraw", "erase"]), st.integers(0, PEOPLE - 1)
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_the_order_who_said_no_is_never_reached(
    database: Database, vault: Vault, now: datetime, steps: list[tuple[str, int]]
) -> None:
    said_no: set[str] = set()
    with database.transaction() as session:
        for table in (ContactMember, Consent, ClosedAddress, Refusal, Contact):
            session.execute(delete(table))
        list_id = put(session, vault, now, 0)
        segment = segments.make(
            session, f"人群{id(steps)}", Filters(channel="email"), outlet_code="", now=now
        )
        for step, number in steps:
            index = vault.index("email", f"p{number}@example.com")
            if step == "import":
                put(session, vault, now, number)
            elif step == "erase":
                for row in session.exec(select(Contact).where(col(Contact.email_index) == index)).all():
                    audience.erase(session, row.id or 0)
            else:
                said_no.add(index)
            if step == "refuse":
                audience.refuse(session, "email", index, via="page", now=now)
            elif step in ("close", "withdraw"):
                reason = "bounce" if step == "close" else "withdrawn"
                audience.close_address(session, "email", index, reason, via="send", now=now)
        held = {one for one in session.exec(select(Contact.email_index)) if one}
        assert set(reached(session, list_id)) == held - said_no
        assert {
            one.address_index for one in Asked(session, "email", segment_id=segment.id).page()
        } == held - said_no
        assert audience.refused_among(session, "email", held) == held & said_no
        session.delete(segment)


def test_every_kind_of_address_has_a_name() -> None:
    from_kinds = {name: one.label for name, one in addresses.KINDS.items()}
    assert from_kinds == CHANNEL_NAMES
