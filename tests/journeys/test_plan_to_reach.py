"""The second flow: a plan goes out on time, its links bring visitors, both stand in the report."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlmodel import Session

from campaign import audience, audience_import
from campaign.recurrence import LOCAL
from core import clock
from core.database import Database
from core.errors import Conflict
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution import approvals, people
from scheduler import accounts, plans
from scheduler.account_secrets import Secrets
from scheduler.accounts import AccountForm
from scheduler.jobs import Outgoing
from scheduler.plans import PlanForm
from tests import factories
from tests.journeys.conftest import CAMPAIGN, PIECE, Site
from tests.scheduler.receivers import WebhookReceiver

ROWS = """姓名,接口标识,网点代码,同意用途,同意时间,同意来源
张一,u1,33010601,education,2026-03-01 10:00,柜面签署
张二,u2,33010602,education,2026-03-01 10:00,柜面签署
张三,u3,33010601,education,2026-03-01 10:00,柜面签署
"""


def _plan(site: Site, target: str) -> None:
    """A list of three people and a plan, approved by a second person, that is due in a few minutes."""
    runtime, now = site.runtime, clock.now()
    zone = runtime.service(Settings).zone
    due = (now + timedelta(minutes=3)).astimezone(zone)  # cut to the minute: at least two from now
    with runtime.service(Database).transaction() as session:
        audience_import.import_file(
            session, ROWS.encode(), list_name="老客户", vault=runtime.service(Vault), zone=zone, now=now
        )
        chosen = audience.find_list(session, "老客户")
        assert chosen is not None and chosen.id is not None
        held = Secrets(runtime.service(Keys), runtime.service(Vault))
        made = AccountForm(channel="webhook", name="客服系统", address=target)
        receiver = accounts.create(session, made, held=held, now=now)[0].id
        form = PlanForm(
            name="秋天", list_id=chosen.id, channel="webhook", first_at=due.strftime(LOCAL), piece_key=PIECE,
            account_id=receiver, campaign=CAMPAIGN,
        )  # fmt: skip
        author, approver = _id(session, factories.ADMINISTRATOR), _id(session, factories.REVIEWER)
        plan = plans.create(session, form, by=author, now=now)
        assert plan.id is not None
        with pytest.raises(Conflict):
            plans.activate(session, plan.id, zone=zone, now=now)
        request = plans.submit(session, plan.id, by=author, now=now)
        approvals.decide(session, request.id or 0, decision=approvals.APPROVED, by=approver, now=now)
        plans.activate(session, plan.id, zone=zone, now=now)


def _id(session: Session, login: str) -> int:
    found = people.by_login(session, login)
    assert found is not None and found.id is not None
    return found.id


def test_a_push_goes_out_once_on_time_and_its_readers_are_counted_for_it(site: Site) -> None:
    outgoing = site.runtime.service(Outgoing)
    # The clock is put ahead below, so near midnight what is delivered belongs to the next day.
    first = clock.today(site.runtime.service(Settings).zone)
    days = first.isoformat(), (first + timedelta(days=1)).isoformat()
    with WebhookReceiver().serve() as receiver:
        _plan(site, receiver.url)
        outgoing.run_once()
        assert receiver.inbox.attempts == []  # not due yet
        outgoing.clock = lambda: clock.now() + timedelta(minutes=4)
        outgoing.dispatcher.clock = outgoing.clock
        outgoing.run_once()
        outgoing.run_once()
        assert sorted(receiver.inbox.recipients.items()) == [("u1", 1), ("u2", 1), ("u3", 1)]
        message = next(
            content for content in receiver.inbox.contents.values() if content["recipient"] == "u2"
        )
    link = re.search(r"http://\S+?/g/[0-9a-f]{32}/p/first-call\?a=[\w-]+", str(message))
    assert link is not None
    parts = urlsplit(link[0])
    reader = site.visitor()
    led = site.get(reader, f"{parts.path}?{parts.query}")  # notes that the message was opened
    assert led.status_code == 302 and led.location == f"/p/first-call?{parts.query}"
    site.get(reader, led.location)
    site.ship()

    report = site.report(*days, "outlet")
    rows = {row["key"]: row["gross"] for row in report["rows"]}
    assert rows == {factories.OUTLET_A: 2, factories.OUTLET_B: 2}  # three delivered, one came
    assert [(row["key"], row["gross"]) for row in site.report(*days, "channel")["rows"]] == [("webhook", 4)]
    assert [row["key"] for row in site.report(*days, "campaign")["rows"]] == [CAMPAIGN]
