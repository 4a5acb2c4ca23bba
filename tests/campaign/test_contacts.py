"""What is stored of a person: ciphertext and hashes; shown masked; deleted on request."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlmodel import select

from campaign import audience, audience_import
from campaign.contacts import Consent, Contact, ContactMember
from core.database import Database
from core.errors import Conflict, Invalid, NotFound
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from scheduler.counting import visitor_of
from tests.campaign.reaching import Asked

SHANGHAI = ZoneInfo("Asia/Shanghai")
FILE = """姓名,邮箱,手机,接口标识,省份,同意用途,同意时间,同意来源,同意文本版本
张三丰,Zhang@Example.com,138 1234 5678,zhang-3,浙江省,education,2026-03-01 10:00,柜面签署,v3
李四,,13900001111,,,教育宣传,2026/3/2,电话录音,
""".encode()


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return Vault(Keys(load_secret(settings)))


@pytest.fixture
def list_id(database: Database, vault: Vault, now: datetime) -> int:
    with database.transaction() as session:
        audience_import.import_file(session, FILE, list_name="老客户", vault=vault, zone=SHANGHAI, now=now)
        found = audience.find_list(session, "老客户")
        assert found is not None
        return found.id or 0


def test_nothing_readable_lies_in_the_database(database: Database, list_id: int) -> None:
    with database.reading() as session:
        for table in ("contact", "consent", "contact_member"):
            rows = str(list(session.execute(text(f"SELECT * FROM {table}")))).lower()
            for secret in ("张三", "zhang", "1381234", "李四"):
                assert secret not in rows, table


def test_the_desk_sees_masks(database: Database, vault: Vault, list_id: int) -> None:
    with database.reading() as session:
        (first, second), pages = audience.members(session, vault, list_id, 1)
    assert (first.name, first.email, first.phone) == ("张**", "z***@example.com", "138****5678")
    assert "zhang-3" not in first.webhook_id
    assert (second.name, second.email, pages) == ("李*", "", 1)
    assert set(first.agreed) == {"email", "sms", "webhook"} and second.agreed == ("sms",)


def test_consent_keeps_time_source_and_text(database: Database, list_id: int) -> None:
    with database.reading() as session:
        kept = session.exec(select(Consent).where(Consent.channel == "email")).one()
    assert kept.given_at == datetime(2026, 3, 1, 10, tzinfo=SHANGHAI)
    assert (kept.source, kept.text_version, kept.purpose) == ("柜面签署", "v3", "education")


def test_recipients_need_address_consent_and_no_refusal(
    database: Database, vault: Vault, list_id: int, now: datetime
) -> None:
    with database.transaction() as session:
        asked = Asked(session, "email", list_id)
        (index,) = [one.address_index for one in asked.reached()]
        assert index == vault.index("email", "zhang@example.com")
        assert asked.left_out().no_address == 1
        assert audience.refuse(session, "email", index, via="link", now=now)
        assert not audience.refuse(session, "email", index, via="link", now=now)
        assert asked.reached() == [] and asked.left_out().refused == 1
        assert Asked(session, "webhook", list_id).reached(), "a refusal is of one channel"


def test_two_people_with_one_telephone_get_one_message(
    database: Database, vault: Vault, now: datetime
) -> None:
    rows = ["邮箱,手机,同意用途,同意时间,同意来源"]
    rows += [f"{who}@example.com,13812345678,education,2026-03-01,柜面" for who in ("a", "b")]
    data = "\n".join(rows).encode()
    with database.transaction() as session:
        audience_import.import_file(session, data, list_name="一家人", vault=vault, zone=SHANGHAI, now=now)
        found = audience.find_list(session, "一家人")
        assert found is not None
        assert len(Asked(session, "email", found.id).reached()) == 2
        assert len(Asked(session, "sms", found.id).reached()) == 1


def test_a_refusal_at_the_counter(database: Database, vault: Vault, list_id: int, now: datetime) -> None:
    with database.transaction() as session:
        (first, second), _ = audience.members(session, vault, list_id, 1)
        audience.refuse_contact(session, first.id, "sms", now=now)
        with pytest.raises(Invalid):
            audience.refuse_contact(session, second.id, "email", now=now)
        assert audience.members(session, vault, list_id, 1)[0][0].refused == ("sms",)


def test_erased_is_erased_but_a_refusal_outlives_it(
    database: Database, vault: Vault, list_id: int, now: datetime
) -> None:
    with database.transaction() as session:
        contact = session.exec(select(Contact).where(Contact.province == "浙江省")).one()
        audience.refuse(session, "email", contact.email_index or "", via="link", now=now)
        audience.erase(session, contact.id or 0)
    with database.transaction() as session:
        assert len(list(session.exec(select(Contact)))) == len(list(session.exec(select(ContactMember)))) == 1
        with pytest.raises(NotFound):
            audience.erase(session, contact.id or 0)
        audience_import.import_file(session, FILE, list_name="老客户", vault=vault, zone=SHANGHAI, now=now)
        assert Asked(session, "email", list_id).left_out().refused == 1, "an import overrides no refusal"


def test_a_list_has_a_name_of_its_own(database: Database, list_id: int, now: datetime) -> None:
    with database.transaction() as session:
        with pytest.raises(Conflict):
            audience.make_list(session, " 老客户 ", now)
        with pytest.raises(Invalid):
            audience.make_list(session, " ", now)
        assert [(row.name, row.size) for row in audience.lists(session)] == [("老客户", 2)]


def test_a_visitor_does_not_lead_back_to_the_contact(vault: Vault) -> None:
    index = vault.index("email", "zhang@example.com")
    assert visitor_of(vault, index) == visitor_of(vault, index) != int(index[:16], 16)
    assert 0 < visitor_of(vault, index) < 2**64
