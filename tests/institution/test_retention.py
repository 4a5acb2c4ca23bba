"""institution.retention: every kind of data is cleared when its time is over, and not before."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, SQLModel, col, select

from campaign import audience_import, former
from campaign.contacts import EMAIL, Consent, Contact, ContactMember, FormerIndex
from core import clock
from core.database import Database
from core.errors import Invalid
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from institution import approvals, letters, retention, sessions, uploads
from institution.approval_models import ApprovalStep, GuestReview
from institution.audit_models import AuditRecord
from institution.letter_models import Letter
from institution.models import Staff, StaffSession
from institution.personal_models import DONE, WAITING, PrivacyRequest
from institution.retention import Nights
from institution.sign_in_models import Invitation, SignInTry
from scheduler.models import Batch, BatchState, Delivery, Push, PushState
from tests import factories
from tests.scheduler.audience_cast import ZONE, plan
from webapp import personal

assert personal.institution
ROWS = """姓名,邮箱,同意用途,同意时间,同意来源
张三,zhang@example.com,education,2026-03-01 10:00,柜面签署
李四,li@example.com,education,2026-03-01 10:00,柜面签署
"""
DAY = timedelta(days=1)


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return Vault(Keys(load_secret(settings)))


@pytest.fixture
def people(database: Database, now: datetime) -> dict[str, Staff]:
    with database.transaction() as session:
        return factories.cast(session, now)


def _someone(people: dict[str, Staff], login: str = factories.EDITOR) -> int:
    return people[login].id or 0


def _rows(database: Database, table: type[SQLModel]) -> int:
    with database.reading() as session:
        return len(list(session.exec(select(table))))


def _over(database: Database, key: str, days: int, begun: datetime, left: Callable[[], int]) -> None:
    """After so many days nothing is gone; a day later it is, and the audit log counts it once."""
    assert retention.RULES[key].days == days
    before = left()
    assert key not in retention.run(database, {}, begun + days * DAY)
    assert left() == before
    assert retention.run(database, {}, begun + (days + 1) * DAY)[key] == 1
    assert left() == before - 1
    assert key not in retention.run(database, {}, begun + (days + 1) * DAY)
    with database.reading() as session:
        records = session.exec(select(AuditRecord).where(AuditRecord.action == "privacy.retention"))
        assert sum(one.after.get(key, 0) for one in records) == 1


def test_sessions(database: Database, people: dict[str, Staff], now: datetime) -> None:
    with database.transaction() as session:
        editor = session.get_one(Staff, _someone(people))
        made, _token = sessions.begin(session, editor, address="", agent="", now=now, hours=0.01)
        made.ended_at = now
        session.add(made)
    _over(database, "session", 365, now, lambda: _rows(database, StaffSession))


def test_letters(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        letters.post(session, vault=vault, to="a@example.com", subject="一", text="二", now=now)
    _over(database, "letter", 30, now, lambda: _rows(database, Letter))


def test_wrong_tries_and_invitations(database: Database, people: dict[str, Staff], now: datetime) -> None:
    with database.transaction() as session:
        session.add(SignInTry(key="k", count=1.0, tried_at=now))
        session.add(Invitation(staff_id=_someone(people), token_hash="0" * 64, made_at=now, expires_at=now))
    _over(database, "sign_in.try", 30, now, lambda: _rows(database, SignInTry))
    _over(database, "invitation", 180, now, lambda: _rows(database, Invitation))


def test_a_guest_is_kept_and_their_address_is_not(
    database: Database, people: dict[str, Staff], vault: Vault, now: datetime
) -> None:
    with database.transaction() as session:
        asked = approvals.request(
            session,
            kind="privacy.export",
            subject="x",
            subject_hash="h",
            title="t",
            by=_someone(people),
            now=now,
        )
        step = session.exec(select(ApprovalStep).where(ApprovalStep.approval_id == asked.id)).one()
        session.add(
            GuestReview(
                step_id=step.id or 0, subject_hash="h", token_hash="0" * 64, name="沈律师", created_at=now,
                email_sealed=vault.encrypt("shen@example.com"), expires_at=now, invited_by=_someone(people),
            )
        )  # fmt: skip

    def known() -> int:
        with database.reading() as session:
            return len(list(session.exec(select(GuestReview).where(GuestReview.email_sealed != ""))))

    _over(database, "guest", 30, now, known)
    assert _rows(database, GuestReview) == 1


def test_requests_are_kept_three_years_and_open_ones_longer(
    database: Database, people: dict[str, Staff], now: datetime
) -> None:
    with database.transaction() as session:
        for state in (DONE, WAITING):
            session.add(
                PrivacyRequest(
                    kind="erase", address_kind="email", masked="z***@example.com", lookups=["0" * 64],
                    fingerprint="f", reason="r", evidence="e", requested_by=_someone(people), requested_at=now,
                    state=state, settled_at=now if state == DONE else None,
                )
            )  # fmt: skip
    _over(database, "privacy.request", 1095, now, lambda: _rows(database, PrivacyRequest))


def _audience(session: Session, vault: Vault, now: datetime) -> None:
    audience_import.import_file(session, ROWS.encode(), list_name="老客户", vault=vault, zone=ZONE, now=now)


@pytest.mark.parametrize("table", [ContactMember, Consent])
def test_contacts_whom_nobody_may_write_to(
    database: Database, vault: Vault, now: datetime, table: type[ContactMember] | type[Consent]
) -> None:
    with database.transaction() as session:
        _audience(session, vault, now)
        gone = session.exec(select(Contact).order_by(col(Contact.id))).first()
        assert gone is not None
        former.link(session, [("0" * 64, gone.email_index or "")])
        for row in session.exec(select(table).where(col(table.contact_id) == gone.id)).all():
            session.delete(row)
    _over(database, "contact.idle", 30, now, lambda: _rows(database, Contact))
    assert _rows(database, FormerIndex) == 0, "no old index leads to a person who is gone"


def test_deliveries_point_to_nobody_after_three_years_and_still_count(
    database: Database, vault: Vault, now: datetime
) -> None:
    with database.transaction() as session:
        _audience(session, vault, now)
        list_id = session.exec(select(ContactMember.list_id)).first() or 0
        push = Push(
            plan_id=plan(session, list_id, now).id or 0, due_at=now, state=PushState.done, list_id=list_id,
            channel=EMAIL, created_at=now,
        )  # fmt: skip
        session.add(push)
        session.flush()
        batch = Batch(
            key="b",
            push_id=push.id or 0,
            number=1,
            size=1,
            channel=EMAIL,
            state=BatchState.sent,
            not_before=now,
        )
        session.add(batch)
        session.flush()
        session.add(
            Delivery(
                key="d", push_id=push.id or 0, batch_id=batch.id or 0, contact_id=1, state="sent",
                address_index=vault.index(EMAIL, "zhang@example.com"), settled_at=now,
            )
        )  # fmt: skip

    def linked() -> int:
        with database.reading() as session:
            return len(list(session.exec(select(Delivery).where(col(Delivery.contact_id) > 0))))

    _over(database, "delivery.person", 1095, now, linked)
    assert _rows(database, Delivery) == 1


def test_the_law_sets_a_floor_and_a_slip_is_named(database: Database, now: datetime) -> None:
    for own, sentence in (
        ({"delivery.person": 30}, "1095"),
        ({"privacy.request": 30}, "1095"),
        ({"session": 179}, "180"),
        ({"sesion": 365}, "sesion"),
    ):
        with pytest.raises(Invalid, match=sentence):
            retention.run(database, own, now)


def test_nothing_due_leaves_no_record(database: Database, now: datetime) -> None:
    assert retention.run(database, {"session": 400}, now) == {}
    assert _rows(database, AuditRecord) == 0


def test_a_night_comes_once_and_is_made_up_for() -> None:
    nights = Nights(ZoneInfo("Asia/Shanghai"))
    midnight = datetime(2026, 9, 14, 16, 0, tzinfo=UTC)
    assert [nights.due(midnight + timedelta(hours=hour)) for hour in (0, 2.9, 3, 4, 23.9, 26, 40)] == [
        False, False, True, False, False, False, True,
    ]  # fmt: skip


def test_uploads_that_nobody_came_back_for_go_after_a_day(tmp_path: Path) -> None:
    folder, moment = tmp_path / "uploads", clock.now()
    assert uploads.clear(folder, moment) == 0, "no folder yet"
    token = uploads.keep(folder, 1, b"rows", moment)
    assert uploads.clear(folder, moment + timedelta(hours=23)) == 0
    assert uploads.content(folder, 1, token) == b"rows"
    assert uploads.clear(folder, moment + timedelta(hours=25)) == 1 and not list(folder.iterdir())
