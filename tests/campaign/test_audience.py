"""Importing contacts: every bad row named, all or none, twice is once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import func, select

from campaign import audience, audience_import, audience_rows
from campaign.audience_import import ImportResult
from campaign.audience_models import ContactAddress, ContactGroup
from campaign.contacts import Consent, Contact
from core.database import Database
from core.errors import DomainError, Invalid
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from tests import factories

SHANGHAI = ZoneInfo("Asia/Shanghai")
HEAD = "姓名,邮箱,手机,网点代码,同意用途,同意时间,同意来源"
GOOD = "张三,zhang@example.com,13812345678,33010601,education,2026-03-01 10:00,柜面签署"


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return Vault(Keys(load_secret(settings)))


def _import(
    database: Database, vault: Vault, now: datetime, *rows: str, encoding: str = "utf-8", **how: Any
) -> ImportResult:
    data = "\r\n".join(rows).encode(encoding)
    with database.transaction() as session:
        return audience_import.import_file(
            session, data, list_name="名单甲", vault=vault, zone=SHANGHAI, now=now, **how
        )


@pytest.fixture(autouse=True)
def tree(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        factories.tree(session, now)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_files_as_people_save_them(database: Database, vault: Vault, now: datetime, encoding: str) -> None:
    result = _import(database, vault, now, HEAD, GOOD, encoding=encoding)
    assert (result.added, result.bad, result.applied) == (1, [], True)
    with database.reading() as session:
        contact = session.exec(select(Contact)).one()
        assert vault.decrypt(contact.name_sealed) == "张三" and contact.outlet_code == "33010601"


def test_twice_is_once(database: Database, vault: Vault, now: datetime) -> None:
    _import(database, vault, now, HEAD, GOOD)
    again = _import(database, vault, now, HEAD, GOOD)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 1)
    moved = _import(database, vault, now, HEAD, GOOD.replace("33010601", "33010602"))
    assert (moved.added, moved.changed) == (0, 1)
    with database.reading() as session:
        assert session.exec(select(func.count()).select_from(Contact)).one() == 1
        assert session.exec(select(func.count()).select_from(Consent)).one() == 2  # e-mail and telephone


WIDE = "姓名,邮箱,手机,微信openid,省份,人群,同意用途,同意时间,同意来源"


def _wide(number: int, openid: str = "") -> str:
    return (
        f"人{number},p{number}@example.com,{13_800_000_000 + number},{openid or f'openid-{number:04}'},浙江省,"
        f"{'老年人' if number % 2 else '学生'},education,2026-03-{1 + number:02},柜面{number}"
    )


def _known(database: Database, vault: Vault) -> dict[str, Any]:
    """What stands of each person, by name."""
    with database.reading() as session:
        found = {}
        for one in session.exec(select(Contact)):
            mine = select(ContactAddress).where(ContactAddress.contact_id == one.id)
            consents = select(Consent).where(Consent.contact_id == one.id)
            groups = select(ContactGroup.name).where(ContactGroup.contact_id == one.id)
            found[vault.decrypt(one.name_sealed)] = (
                vault.decrypt(one.phone_sealed),
                one.outlet_code,
                sorted(session.exec(groups)),
                sorted((each.channel, each.source, each.given_at.day) for each in session.exec(consents)),
                [(vault.decrypt(each.sealed), each.address_index, each.since) for each in session.exec(mine)],
            )
        return found


def test_a_file_some_of_whose_people_are_known_gives_each_what_is_theirs(
    database: Database, vault: Vault, now: datetime
) -> None:
    numbers, later = range(9), now + timedelta(days=1)
    _import(database, vault, now, WIDE, *(_wide(number) for number in (2, 3, 7)), outlet_code="330106")
    rows = [_wide(number, "openid-moved" if number == 3 else "") for number in numbers]
    both = _import(database, vault, later, WIDE, *rows, outlet_code="330106")
    assert (both.added, both.changed, both.unchanged) == (6, 1, 2)
    known = _known(database, vault)
    assert len(known) == 9
    for number in numbers:
        openid = "openid-moved" if number == 3 else f"openid-{number:04}"
        since = now if number in (2, 7) else later
        assert known[f"人{number}"] == (
            str(13_800_000_000 + number),
            "330106",
            ["elders" if number % 2 else "students"],
            [(channel, f"柜面{number}", _utc_day(number)) for channel in ("email", "sms", "wechat")],
            [(openid, vault.index("wechat", openid), since)],
        )


def test_under_a_new_key_known_people_are_unchanged_and_a_refusal_counts_once(
    database: Database, vault: Vault, settings: Settings, now: datetime
) -> None:
    _import(database, vault, now, HEAD, GOOD)
    with database.transaction() as session:
        for one in ("zhang@example.com", "another@example.com"):
            audience.refuse(session, "email", vault.index("email", one), via="page", now=now)
    renewed = Vault(Keys(load_secret(settings)), ring=["another key of at least 32 characters"])
    other = GOOD.replace("zhang@", "another@").replace("13812345678", "")
    for added in (1, 0):
        again = _import(database, renewed, now, HEAD, GOOD, other)
        assert (again.added, again.changed, again.unchanged) == (added, 0, 2 - added)
        assert again.refused == 2, "also who is remembered under both keys"


def _utc_day(number: int) -> int:
    return datetime(2026, 3, 1 + number, tzinfo=SHANGHAI).astimezone(UTC).day


BAD = [
    ("李四,not-an-address,,,education,2026-03-01,柜面", "邮箱"),
    ("李四,li..si@example.com,,,education,2026-03-01,柜面", "邮箱"),
    ("李四,,12345,,education,2026-03-01,柜面", "手机"),
    ("李四,,,,education,2026-03-01,柜面", "邮箱"),
    ("李四,li@example.com,,99999999,education,2026-03-01,柜面", "网点代码"),
    ("李四,li@example.com,,,advertising,2026-03-01,柜面", "同意用途"),
    ("李四,li@example.com,,,,2026-03-01,柜面", "同意用途"),
    ("李四,li@example.com,,,education,,柜面", "同意时间"),
    ("李四,li@example.com,,,education,昨天,柜面", "同意时间"),
    ("李四,li@example.com,,,education,2027-03-01,柜面", "同意时间"),
    ("李四,li@example.com,,,education,0001-01-01,柜面", "同意时间"),
    ("李四,li@example.com,,,education,2026-03-01,", "同意来源"),
    ("李四,ZHANG@example.com,,,education,2026-03-01,柜面", "邮箱"),
]


@pytest.mark.parametrize(("row", "column"), BAD)
def test_a_bad_row_is_named_and_nothing_is_applied(
    database: Database, vault: Vault, now: datetime, row: str, column: str
) -> None:
    result = _import(database, vault, now, HEAD, GOOD, "", row)
    ((line, where, rule),) = [(bad.line, bad.column, bad.rule) for bad in result.bad]
    assert (line, where) == (4, column) and rule.endswith("。")
    assert not result.applied
    with database.reading() as session:
        assert session.exec(select(Contact)).first() is None
        assert audience.find_list(session, "名单甲") is None


def test_skip_bad_writes_what_was_rejected(database: Database, vault: Vault, now: datetime) -> None:
    evil = '"=cmd()",x,,,education,2026-03-01,柜面'
    result = _import(database, vault, now, HEAD, GOOD, evil, skip_bad=True)
    assert result.applied and result.added == 1 and len(result.bad) == 1
    rejected = result.rejected_csv.decode("utf-8-sig").splitlines()
    assert rejected[0] == f"{HEAD},行号,列,原因" and len(rejected) == 2
    assert rejected[1].startswith("'=cmd()") and ",3,邮箱," in rejected[1]


def test_a_dry_run_applies_nothing(database: Database, vault: Vault, now: datetime) -> None:
    result = _import(database, vault, now, HEAD, GOOD, dry_run=True)
    assert result.added == 1 and not result.applied
    with database.reading() as session:
        assert session.exec(select(Contact)).first() is None


@pytest.mark.parametrize(
    "head", ["姓名,邮箱,同意用途,同意时间", "姓名,同意用途,同意时间,同意来源", "", "邮箱"]
)
def test_a_file_without_proof_of_consent_is_refused(
    database: Database, vault: Vault, now: datetime, head: str
) -> None:
    with pytest.raises(Invalid) as caught:
        _import(database, vault, now, head, GOOD)
    assert caught.value.field == "file"


def test_consent_may_name_its_channels(database: Database, vault: Vault, now: datetime) -> None:
    result = _import(database, vault, now, HEAD + ",同意渠道", GOOD + ",邮件")
    assert result.applied
    with database.reading() as session:
        assert list(session.exec(select(Consent.channel))) == ["email"]
    bad = _import(database, vault, now, HEAD + ",同意渠道", GOOD + ",鸽子")
    assert [row.column for row in bad.bad] == ["同意渠道"]


def test_many_rows_quickly(database: Database, vault: Vault, now: datetime) -> None:
    rows = [f"张{n},p{n}@example.com,,,education,2026-03-01,柜面" for n in range(1200)]
    assert _import(database, vault, now, HEAD, *rows).added == 1200
    assert _import(database, vault, now, HEAD, *rows).unchanged == 1200


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fall_over(data: bytes) -> None:
    try:
        sheet = audience_rows.read(f"{HEAD}\n".encode() + data)
        for line, raw in sheet.rows:
            audience_rows.check(
                line,
                sheet.columns.cells(raw),
                zone=SHANGHAI,
                now=datetime(2026, 9, 15, tzinfo=SHANGHAI),
                is_outlet=lambda code: False,
            )
    except DomainError:
        pass
