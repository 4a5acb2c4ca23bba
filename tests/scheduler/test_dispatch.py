"""A push on its way: settled once, refusals kept, retried with patience, stopped when it fails too much."""

from collections import Counter
from collections.abc import Callable

import pytest
from sqlmodel import col, select

from campaign import audience
from core.database import Database
from core.signing import Keys
from scheduler import pushes, rules
from scheduler.account_secrets import derived
from scheduler.jobs import Outgoing
from scheduler.models import Batch, BatchState, Delivery, DeliveryState, Push, PushState
from scheduler.patience import Limits
from tests.scheduler.audience_cast import activate, people, plan
from tests.scheduler.conftest import Clock
from tests.scheduler.receivers import (
    ACCEPT,
    BUSY,
    DROP_AFTER,
    LIMIT,
    REFUSE,
    MailReceiver,
    WebhookReceiver,
)
from tracking.spool import Spool


def _push(database: Database, line: Outgoing, clock: Clock, count: int, **more: str) -> int:
    """Fire a plan to so many people and cut it; the push's id."""
    with database.transaction() as session:
        made = plan(session, people(session, line.dispatcher.vault, count, clock.at), clock.at, **more)
        activate(session, made, clock.at)
    clock.forward(hours=1)
    line.plan()
    with database.reading() as session:
        return session.exec(select(col(Push.id)).order_by(col(Push.id).desc())).first() or 0


def _states(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.exec(select(Delivery.state).order_by(col(Delivery.id))))


def _push_state(database: Database, push_id: int) -> tuple[str, str]:
    with database.reading() as session:
        push = pushes.get(session, push_id)
        return push.state, push.reason


def _when_mailed(address: str, act: Callable[[], object]) -> Callable[[int, str], str]:
    """Accept everything, and do something while the mail to `address` is being taken."""
    asked: Counter[str] = Counter()

    def behave(number: int, to: str) -> str:
        asked[to] += 1
        if to == address and asked[to] == 2:  # first the recipient is asked for, then the mail comes
            act()
        return ACCEPT

    return behave


def test_a_push_by_mail(
    database: Database, line: Outgoing, clock: Clock, mail: MailReceiver, spool: Spool
) -> None:
    push_id = _push(database, line, clock, 60)
    assert line.run_once() == 2
    assert set(_states(database)) == {DeliveryState.sent}
    assert set(mail.inbox.recipients.values()) == {1} and len(mail.inbox.recipients) == 60
    assert _push_state(database, push_id) == (PushState.done, "")
    lines = b"".join(path.read_bytes() for path in spool.sealed()).splitlines()
    assert len(lines) == 60 and all(b"\tdelivered\t1\t" in one for one in lines)
    assert len({one.split(b"\t")[5] for one in lines}) == 60, "each recipient is a visitor of its own"
    assert line.run_once() == 0 and len(mail.inbox.attempts) == 60


def test_who_had_enough_lately_is_left_out_and_counted(
    database: Database, line: Outgoing, clock: Clock, mail: MailReceiver
) -> None:
    with database.transaction() as session:
        rules.change(session, "email", opens="00:00", closes="24:00", most=1, within=7, now=clock.at)
    _push(database, line, clock, 3)
    assert line.run_once() == 1
    again = _push(database, line, clock, 5, first_at="2026-09-15T16:00")  # two of them are new
    line.run_once()
    assert set(mail.inbox.recipients.values()) == {1} and len(mail.inbox.recipients) == 5
    with database.reading() as session:
        push = pushes.get(session, again)
        assert (push.state, push.capped) == (PushState.done, 3)
    clock.forward(hours=7 * 24)
    _push(database, line, clock, 3, first_at="2026-09-22T17:00")
    line.run_once()
    assert sorted(mail.inbox.recipients.values()) == [2] * 5, "a week later there is room"


def test_a_push_by_webhook(
    database: Database, line: Outgoing, clock: Clock, webhook: WebhookReceiver, keys: Keys
) -> None:
    webhook.secret = derived(keys, webhook.url)
    _push(database, line, clock, 120, target=webhook.url)
    line.run_once()
    assert set(_states(database)) == {DeliveryState.sent}
    assert len(webhook.inbox.effects) == 120 and webhook.bad_signatures == 0
    with database.reading() as session:
        first = session.exec(select(Delivery)).first()
        assert first is not None and first.reference == f"r-{first.key[:8]}"
        payload = webhook.inbox.contents[first.key]
    assert payload["subject"] == "退保前先问一问" and "?a=" in payload["link"]


def test_who_said_no_after_planning_gets_nothing(
    database: Database, line: Outgoing, clock: Clock, mail: MailReceiver
) -> None:
    _push(database, line, clock, 5)
    index = line.dispatcher.vault.index("email", "p3@example.com")

    def change_of_mind() -> None:
        with database.transaction() as session:
            audience.refuse(session, "email", index, via="link", now=clock.at)

    mail.inbox.behave = _when_mailed("p2@example.com", change_of_mind)  # the batch is already being sent
    line.run_once()
    assert "p3@example.com" not in mail.inbox.recipients
    assert _states(database).count(DeliveryState.refused) == 1
    with database.reading() as session:
        assert session.exec(select(Batch.state)).one() == BatchState.sent


def test_an_erased_contact_gets_nothing(
    database: Database, line: Outgoing, clock: Clock, mail: MailReceiver
) -> None:
    _push(database, line, clock, 3)
    with database.transaction() as session:
        audience.erase(session, session.exec(select(Delivery.contact_id)).first() or 0)
    line.run_once()
    assert sorted(_states(database)) == [DeliveryState.failed, DeliveryState.sent, DeliveryState.sent]
    assert len(mail.inbox.recipients) == 2


def test_one_refusal_is_one_failure(
    database: Database, line: Outgoing, clock: Clock, mail: MailReceiver
) -> None:
    push_id = _push(database, line, clock, 4)
    mail.inbox.behave = lambda number, address: REFUSE if address == "p2@example.com" else ACCEPT
    line.run_once()
    assert _states(database).count(DeliveryState.failed) == 1
    assert len(mail.inbox.recipients) == 3
    with database.reading() as session:
        assert session.exec(select(Batch.state)).one() == BatchState.partial
        (trouble,) = pushes.troubles(session, push_id)
        assert trouble.reason == "SMTP 550"


def test_a_temporary_failure_is_tried_again_then_given_up(
    database: Database, line: Outgoing, clock: Clock, mail: MailReceiver
) -> None:
    _push(database, line, clock, 3)
    mail.inbox.behave = lambda number, address: BUSY if address == "p2@example.com" else ACCEPT
    assert line.run_once() == 1
    assert sorted(_states(database)) == [DeliveryState.queued, DeliveryState.sent, DeliveryState.sent]
    assert line.run_once() == 0, "it is not tried again at once"
    clock.forward(seconds=30)
    assert line.run_once() == 1
    clock.forward(seconds=60)
    assert line.run_once() == 1
    assert sorted(_states(database)) == [DeliveryState.failed, DeliveryState.sent, DeliveryState.sent]
    assert set(mail.inbox.recipients.values()) == {1}


def test_a_limit_is_obeyed(
    database: Database, line: Outgoing, clock: Clock, webhook: WebhookReceiver
) -> None:
    webhook.inbox.behave = lambda number, address: LIMIT if number == 3 else ACCEPT
    _push(database, line, clock, 10, target=webhook.url)
    line.run_once()
    assert len(webhook.inbox.attempts) == 3, "after the limit nothing more is posted"
    clock.forward(seconds=6)
    line.run_once()
    assert len(webhook.inbox.attempts) == 3
    clock.forward(seconds=30)
    line.run_once()
    assert set(_states(database)) == {DeliveryState.sent}
    assert len(webhook.inbox.effects) == 10 and set(webhook.inbox.effects.values()) == {1}
    with database.reading() as session:
        assert sorted(session.exec(select(Delivery.attempts))) == [1] * 9 + [2]


def test_no_answer_from_a_mail_server_is_in_doubt_until_a_person_decides(
    database: Database, line: Outgoing, clock: Clock, mail: MailReceiver, spool: Spool
) -> None:
    push_id = _push(database, line, clock, 3)
    mail.inbox.behave = lambda number, address: DROP_AFTER if address == "p2@example.com" else ACCEPT
    line.run_once()
    clock.forward(minutes=10)
    line.run_once()
    assert sorted(_states(database)) == [DeliveryState.sent, DeliveryState.sent, DeliveryState.uncertain]
    assert set(mail.inbox.recipients.values()) == {1}, "what is in doubt is not sent again by itself"
    with database.transaction() as session:
        assert pushes.settle_uncertain(session, push_id, None, resend=False, now=clock.at) == 1
    line.run_once()
    assert _push_state(database, push_id)[0] == PushState.done
    counted = b"".join(path.read_bytes() for path in spool.sealed()).splitlines()
    assert len(counted) == len({one.split(b"\t")[0] for one in counted}) == 3


def test_a_person_may_send_again_what_is_in_doubt(
    database: Database, line: Outgoing, clock: Clock, mail: MailReceiver, spool: Spool
) -> None:
    push_id = _push(database, line, clock, 3)
    mail.inbox.behave = lambda number, address: DROP_AFTER if address == "p2@example.com" else ACCEPT
    line.run_once()
    clock.forward(minutes=10)
    line.run_once()
    mail.inbox.behave = lambda number, address: ACCEPT
    with database.transaction() as session:
        pushes.settle_uncertain(session, push_id, None, resend=True, now=clock.at)
    line.run_once()
    assert _states(database) == [DeliveryState.sent] * 3
    assert mail.inbox.recipients["p2@example.com"] == 2  # as the person decided
    counted = b"".join(path.read_bytes() for path in spool.sealed()).splitlines()
    assert len(counted) == len({one.split(b"\t")[0] for one in counted}) == 3


def test_too_many_failures_stop_the_push(
    database: Database, line: Outgoing, clock: Clock, mail: MailReceiver
) -> None:
    push_id = _push(database, line, clock, 120)
    mail.inbox.behave = lambda number, address: REFUSE if number % 4 == 0 else ACCEPT
    line.run_once()
    state, reason = _push_state(database, push_id)
    assert state == PushState.paused and "失败太多" in reason
    assert _states(database).count(DeliveryState.queued) == 70, "the second batch was spared"
    mail.inbox.behave = lambda number, address: ACCEPT
    with database.transaction() as session:
        pushes.resume(session, push_id, clock.at)
    line.run_once()
    assert len(mail.inbox.effects) == 120 - 12
    assert set(mail.inbox.recipients.values()) == {1}


def test_a_fault_of_the_account_stops_the_push_and_fails_nobody(
    database: Database,
    line: Outgoing,
    clock: Clock,
    webhook: WebhookReceiver,
) -> None:
    push_id = _push(database, line, clock, 5, target=webhook.url + "/gone")
    webhook.inbox.behave = lambda number, address: "redirect"
    line.run_once()
    assert _push_state(database, push_id) == (PushState.paused, "HTTP 307")
    assert set(_states(database)) == {DeliveryState.queued}
    with database.reading() as session:
        assert set(session.exec(select(Delivery.attempts))) == {0}


def test_a_dead_receiver_pauses_the_push_after_some_tries(
    database: Database, line: Outgoing, clock: Clock
) -> None:
    push_id = _push(database, line, clock, 5, target="http://127.0.0.1:9/")
    for _ in range(3):
        line.run_once()
        clock.forward(minutes=10)
    state, reason = _push_state(database, push_id)
    assert state == PushState.paused and "不通" in reason
    assert set(_states(database)) == {DeliveryState.queued}, "nobody was given up"


def test_pause_and_cancel_keep_what_is_waiting(
    database: Database, line: Outgoing, clock: Clock, mail: MailReceiver
) -> None:
    push_id = _push(database, line, clock, 10)

    def pause() -> None:
        with database.transaction() as session:
            pushes.pause(session, push_id, clock.at)

    mail.inbox.behave = _when_mailed("p3@example.com", pause)
    line.run_once()
    assert len(mail.inbox.effects) == 3 and _states(database).count(DeliveryState.queued) == 7
    with database.transaction() as session:
        pushes.cancel(session, push_id, clock.at)
    line.run_once()
    assert len(mail.inbox.effects) == 3 and _states(database).count(DeliveryState.cancelled) == 7


def test_cancelling_while_a_batch_is_sent(
    database: Database, line: Outgoing, clock: Clock, mail: MailReceiver
) -> None:
    push_id = _push(database, line, clock, 10)

    def cancel() -> None:
        with database.transaction() as session:
            pushes.cancel(session, push_id, clock.at)

    mail.inbox.behave = _when_mailed("p3@example.com", cancel)
    line.run_once()
    line.tidy()
    assert sorted(set(_states(database))) == [DeliveryState.cancelled, DeliveryState.sent]
    with database.reading() as session:
        assert session.exec(select(Batch.state)).one() == BatchState.sent


def test_a_worker_that_lost_its_lease_stops(
    database: Database, line: Outgoing, clock: Clock, mail: MailReceiver
) -> None:
    _push(database, line, clock, 4)

    def sleep() -> None:
        clock.forward(seconds=61)
        assert line.dispatcher.take_up() == 1  # the others believe that it died

    mail.inbox.behave = _when_mailed("p2@example.com", sleep)
    line.dispatcher.run("email")
    line.run_once()
    assert set(_states(database)) == {DeliveryState.sent}, "what it knew cleared up the doubt"
    assert set(mail.inbox.recipients.values()) == {1}


def test_deposits_are_repeated_without_effect(
    database: Database, line: Outgoing, clock: Clock, mail: MailReceiver, spool: Spool
) -> None:
    _push(database, line, clock, 3)
    line.run_once()
    before = {path.name: path.read_bytes() for path in spool.sealed()}
    with database.transaction() as session:  # as if killed between the deposit and the note that it was made
        for batch in session.exec(select(Batch)):
            batch.counted = 0
            session.add(batch)
    line.count()
    assert {path.name: path.read_bytes() for path in spool.sealed()} == before and len(before) == 1


def test_progress(database: Database, line: Outgoing, clock: Clock, mail: MailReceiver) -> None:
    push_id = _push(database, line, clock, 60)
    with database.reading() as session:
        before = pushes.progress(session, push_id, clock.at)
    assert before.settled == 0 and before.share == 0 and before.seconds_left is None
    line.run_once()
    clock.forward(seconds=10)
    with database.reading() as session:
        after = pushes.progress(session, push_id, clock.at)
    assert after.settled == 60 and after.share == 1 and after.rate == pytest.approx(6)
    assert [batch.state for batch in _batches(database, push_id)] == [BatchState.sent] * 2


def _batches(database: Database, push_id: int) -> list[Batch]:
    with database.reading() as session:
        return pushes.batches(session, push_id)


def test_limits_have_sensible_defaults() -> None:
    limits = Limits()
    assert limits.lease_seconds >= 4 * 20 + 20, "a lease outlives the slowest single message"
