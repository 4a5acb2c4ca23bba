"""The page of preferences: what is ticked is sent, what is not is never sent, and stopping is final."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from flask.testing import FlaskClient
from sqlmodel import Session, col, select

from campaign import audience, audience_import, consents
from campaign.contacts import Consent
from campaign.unsubscribe import Unsubscriptions
from core.database import Database
from core.errors import Conflict
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution.audit_models import AuditRecord
from tests.campaign.reaching import Asked
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

HEAD = "邮箱,手机,同意用途,同意时间,同意来源,同意文本版本"
ONE = "p1@example.com,13800000001,education;marketing,2026-03-01,柜面,v1"


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    made = build(settings)
    yield made
    made.close()


@pytest.fixture
def client(runtime: Runtime) -> FlaskClient:
    return create_app(runtime).test_client()


@pytest.fixture
def index(runtime: Runtime) -> str:
    return runtime.service(Vault).index("email", "p1@example.com")


@pytest.fixture
def path(runtime: Runtime, index: str) -> str:
    return Unsubscriptions(runtime.service(Keys)).path("email", index)


def put(runtime: Runtime, now: datetime, *rows: str) -> int:
    with runtime.service(Database).transaction() as session:
        audience_import.import_file(
            session, "\n".join((HEAD, *rows)).encode(), list_name="老客户", vault=runtime.service(Vault),
            zone=runtime.service(Settings).zone, now=now,
        )  # fmt: skip
        found = audience.find_list(session, "老客户")
        return found.id or 0 if found else 0


def reached(session: Session, list_id: int, channel: str, purpose: str) -> int:
    return len(Asked(session, channel, list_id, purpose=purpose).reached())


def test_unticked_is_never_sent_again_and_ticked_is_consent(
    runtime: Runtime, client: FlaskClient, path: str, now: datetime
) -> None:
    list_id = put(runtime, now, ONE)
    page = client.get(path).text
    assert 'value="email:education" checked' in page and 'value="email:service">' in page
    assert 'value="sms:marketing" checked' in page
    wanted = ["email:service", "sms:education"]
    answer = client.post(path, data={"from": "preferences", "want": wanted})
    assert answer.status_code == 200 and "已保存" in answer.text
    assert 'value="email:education">' in answer.text and 'value="email:service" checked' in answer.text
    put(runtime, now, ONE)  # an import brings nothing back
    with runtime.service(Database).reading() as session:
        found = {
            (channel, purpose): reached(session, list_id, channel, purpose)
            for channel in ("email", "sms") for purpose in ("education", "service", "marketing")
        }  # fmt: skip
        assert {key for key, count in found.items() if count} == {("email", "service"), ("sms", "education")}
        given = session.exec(select(Consent).where(col(Consent.source) == consents.VIA)).one()
        assert (given.channel, given.purpose, given.text_version) == ("email", "service", "2026-01-service")
        record = session.exec(select(AuditRecord).where(AuditRecord.action == "contact.choose")).one()
        assert record.actor_id is None and "@" not in str(record.after)


def test_who_changes_their_mind_about_a_purpose_may(
    runtime: Runtime, client: FlaskClient, path: str, now: datetime, index: str
) -> None:
    list_id = put(runtime, now, ONE)
    client.post(path, data={"from": "preferences"})
    with runtime.service(Database).reading() as session:
        assert reached(session, list_id, "email", "education") == 0
        assert audience.refused_among(session, "email", [index], "marketing") == {index}
    client.post(path, data={"from": "preferences", "want": "email:education"})
    with runtime.service(Database).reading() as session:
        assert reached(session, list_id, "email", "education") == 1
        assert reached(session, list_id, "email", "marketing") == 0


def test_stopping_everything_is_final(
    runtime: Runtime, client: FlaskClient, path: str, now: datetime
) -> None:
    list_id = put(runtime, now, ONE)
    assert "全部渠道" in client.post(path, data={"from": "everything"}).text
    client.post(path, data={"from": "preferences", "want": ["email:education", "sms:education"]})
    with runtime.service(Database).reading() as session:
        assert (
            reached(session, list_id, "email", "education")
            == reached(session, list_id, "sms", "education")
            == 0
        )


def test_a_shared_mailbox_decides_over_nobodys_telephone(
    runtime: Runtime, client: FlaskClient, now: datetime, index: str
) -> None:
    """A couple with one telephone and two mailboxes: the telephone's link shows neither mailbox."""
    put(runtime, now, ONE, ONE.replace("p1@", "p2@"))
    telephone = runtime.service(Vault).index("sms", "13800000001")
    shared = Unsubscriptions(runtime.service(Keys)).path("sms", telephone)
    page = client.get(shared).text
    assert 'value="sms:education" checked' in page and "email:" not in page
    client.post(shared, data={"from": "everything"})
    with runtime.service(Database).reading() as session:
        assert not audience.is_refused(session, "email", index) and audience.is_refused(
            session, "sms", telephone
        )


def test_the_words_are_kept_by_version(runtime: Runtime, now: datetime) -> None:
    with runtime.service(Database).transaction() as session:
        consents.add_text(
            session, "education", "2026-09", "我愿意接收防骗提醒。", "I want to know.", valid_from=now
        )
        assert consents.words(session, now, "zh")["education"] == consents.Words(
            "2026-09", "我愿意接收防骗提醒。"
        )
        assert consents.words(session, now, "en")["education"].text == "I want to know."
        with pytest.raises(Conflict):
            consents.add_text(session, "education", "2026-09", "换一种说法也不行。", "", valid_from=now)
