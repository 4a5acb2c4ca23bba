"""A desk with work on it, for `bench.desk`: the demo institution, its people, requests, lists, plans, audit records."""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from alembic import command
from sqlmodel import Session, SQLModel, select

from campaign.contacts import Contact, ContactList, ContactMember
from core.database import Database
from core.settings import Settings
from institution import audit, people, sessions
from institution.approval_models import Approval, ApprovalStep
from institution.audit import Actor
from institution.models import Outlet, Staff
from scheduler.models import Plan
from webapp import migrate, tables

SIGNPOST = str(Path(sys.executable).with_name("signpost"))
BRANCH, ACCOUNTS, REQUESTS, CONTACTS, PLANS, RECORDS = "330000", 1_000, 300, 20_000, 120, 20_000
assert tables  # importing it makes the metadata complete


def institution(settings: Settings, scale: int) -> None:
    """The starter library and the demo institution, as the command line loads them."""
    database = Database(settings.relational_url)
    SQLModel.metadata.create_all(database.engine)
    command.stamp(migrate.config(database), "head")
    database.close()
    environment = {**os.environ, "SIGNPOST_HOME": str(settings.home)}
    for words in (["setup"], ["demo", "load", "--scale", str(scale)]):
        subprocess.run([SIGNPOST, *words], env=environment, check=True, stdout=subprocess.DEVNULL)


def work(session: Session, now: datetime) -> dict[str, int]:
    """What a busy institution has on its desk; returns the two people who look at it, by login."""
    known = {one: people.by_login(session, one) for one in ("bench.admin", "bench.branch")}
    if all(known.values()):
        return {login: account.id or 0 for login, account in known.items() if account}
    with audit.acting(Actor(None, "bench", "command", "")):
        admin, _password = people.add(
            session, login="bench.admin", name="管理", roles=["administrator"], now=now
        )
        branch, _password = people.add(
            session,
            login="bench.branch",
            name="负责",
            roles=["branch_manager", "reviewer"],
            now=now,
            at=BRANCH,
        )
        for account in (admin, branch):
            account.must_change_password = False
        codes = list(session.exec(select(Outlet.code).order_by(Outlet.code)))
        _accounts(session, now)
        _requests(session, codes, admin.id or 0, now)
        _lists(session, codes, now)
        for number in range(RECORDS // 10):
            for step in range(10):
                audit.record(
                    session, "outlet.edit", "outlet", codes[number % len(codes)],
                    before={"hours": f"{step}"}, after={"hours": f"{step + 1}"}, outlet_code=codes[number % len(codes)],
                )  # fmt: skip
    return {one.login: one.id or 0 for one in (admin, branch)}


def token(session: Session, staff_id: int, now: datetime) -> str:
    """A session of this person, with the second factor shown."""
    account = people.get(session, staff_id)
    _row, made = sessions.begin(
        session, account, address="127.0.0.1", agent="bench", now=now, hours=12, second_factor_at=now
    )
    return made


def _accounts(session: Session, now: datetime) -> None:
    for number in range(ACCOUNTS):
        session.add(Staff(login=f"bench.{number:04}", name=f"员工{number}", created_at=now))


def _requests(session: Session, codes: list[str], by: int, now: datetime) -> None:
    """Open requests all over the tree, some overdue."""
    for number in range(REQUESTS):
        made = Approval(
            kind="content.publish", subject=f"bench-{number}", subject_hash=f"{number:064}", title=f"待审的第 {number} 篇",
            outlet_code=codes[number * 7 % len(codes)], requested_by=by, requested_at=now,
            due_at=now + timedelta(hours=number - 30),
        )  # fmt: skip
        session.add(made)
        session.flush()
        session.add(
            ApprovalStep(
                approval_id=made.id or 0, requested_by=by, number=1, name="审查", permission="content.approve",
                outlet_code=made.outlet_code,
            )
        )  # fmt: skip


def _lists(session: Session, codes: list[str], now: datetime) -> None:
    """Lists with their people, and plans that use them."""
    lists = [
        ContactList(name=f"名单 {number}", outlet_code=codes[number % 40], created_at=now, updated_at=now)
        for number in range(40)
    ]
    session.add_all(lists)
    session.flush()
    contacts = [
        Contact(
            identity=f"{number:064}", outlet_code=codes[number % len(codes)], created_at=now, updated_at=now
        )
        for number in range(CONTACTS)
    ]
    session.add_all(contacts)
    session.flush()
    session.add_all(
        ContactMember(list_id=lists[number % 40].id or 0, contact_id=one.id or 0)
        for number, one in enumerate(contacts)
    )
    for number in range(PLANS):
        chosen = lists[number % 40]
        session.add(
            Plan(
                name=f"计划 {number}", subject="提醒", body="先停一停", list_id=chosen.id or 0, channel="email",
                outlet_code=chosen.outlet_code, first_at="2026-09-15T09:00", created_at=now, updated_at=now,
            )
        )  # fmt: skip
