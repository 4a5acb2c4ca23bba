"""Dead letters are sent again when what was wrong is mended, in new batches; who refused is not among them."""

import pytest
from sqlmodel import col, select

from campaign import audience
from core.database import Database
from core.errors import Conflict
from institution.audit_models import AuditRecord
from scheduler import pushes
from scheduler.jobs import Outgoing
from scheduler.models import Batch, BatchState, Delivery, DeliveryState, PushState
from scheduler.retrying import retry_failed
from tests.scheduler.conftest import Clock
from tests.scheduler.receivers import ACCEPT, REFUSE, MailReceiver
from tests.scheduler.test_dispatch import _push, _states


def test_failed_ones_go_out_again(
    database: Database, line: Outgoing, clock: Clock, mail: MailReceiver
) -> None:
    push_id = _push(database, line, clock, 40)
    bad = {"p2@example.com", "p3@example.com", "p4@example.com"}
    mail.inbox.behave = lambda number, address: REFUSE if address in bad else ACCEPT
    line.run_once()
    assert _states(database).count(DeliveryState.failed) == 3
    mail.inbox.behave = lambda number, address: ACCEPT
    with database.transaction() as session:
        index = line.dispatcher.vault.index("email", "p3@example.com")
        audience.refuse(session, "email", index, via="link", now=clock.at)
        assert retry_failed(session, push_id, ["another reason"], clock.at, None) == 0
        assert retry_failed(session, push_id, ["SMTP 550"], clock.at, None) == 2
        assert pushes.get(session, push_id).state == PushState.running
    line.run_once()
    assert "p3@example.com" not in mail.inbox.recipients
    assert set(mail.inbox.recipients.values()) == {1} and len(mail.inbox.recipients) == 39
    with database.reading() as session:
        sizes = list(session.exec(select(Batch.size, Batch.state).order_by(col(Batch.number))))
        assert sizes == [(38, BatchState.partial), (2, BatchState.sent)]
        assert pushes.get(session, push_id).state == PushState.done
        assert session.exec(select(AuditRecord).where(AuditRecord.action == "push.retry")).first() is not None
        assert len({one.id for one in session.exec(select(Delivery))}) == 40


def test_a_cancelled_push_sends_nothing_again(database: Database, line: Outgoing, clock: Clock) -> None:
    push_id = _push(database, line, clock, 3)
    with database.transaction() as session:
        pushes.cancel(session, push_id, clock.at)
    with pytest.raises(Conflict), database.transaction() as session:
        retry_failed(session, push_id, None, clock.at, None)
