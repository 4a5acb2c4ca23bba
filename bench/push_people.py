"""The people that `bench.push` writes to, and a push to all of them."""

import secrets
from datetime import timedelta

from sqlalchemy import insert
from sqlmodel import Session

from campaign.contacts import Consent, Contact, ContactList, ContactMember
from core import clock
from core.database import Database
from core.privacy import Vault
from scheduler.models import ChannelAccount, Plan, PlanState, Push, PushState

SENDER, TEXT = "消保部 <edu@example.com>", "有人劝您“全额退保”，先停一停。"
_CHUNK = 10_000


def fill(database: Database, vault: Vault, count: int, kind: str, target: str) -> None:
    """So many people who agreed, an account, and a plan that is approved by nobody, since the push is made by hand."""
    now = clock.now()
    address, _, port = target.partition(" ")
    with database.transaction() as session:
        session.add(ContactList(id=1, name="all", created_at=now, updated_at=now))
        session.add(
            ChannelAccount(id=1, channel=kind, name="a", address=address, port=int(port or 0), tls="none", sender=SENDER,
                           created_at=now, updated_at=now)
        )  # fmt: skip
        session.flush()
        session.add(
            Plan(id=1, name="p", list_id=1, channel=kind, account_id=1, first_at="", subject="退保前先问一问",
                 body=TEXT, state=PlanState.ended, created_at=now, updated_at=now)
        )  # fmt: skip
    for start in range(0, count, _CHUNK):
        with database.transaction() as session:
            _people(session, vault, kind, range(start + 1, min(count, start + _CHUNK) + 1))
    with database.transaction() as session:
        account = session.get_one(ChannelAccount, 1)
        session.add(
            Push(id=1, plan_id=1, due_at=now + timedelta(seconds=1), state=PushState.cutting, list_id=1, channel=kind,
                 account_id=1, target=account.line, subject="退保前先问一问", body=TEXT, created_at=now)
        )  # fmt: skip


def _people(session: Session, vault: Vault, kind: str, numbers: range) -> None:
    now = clock.now()
    ending = "@example.com" if kind == "email" else ""
    more = {"created_at": now, "updated_at": now, "name_sealed": vault.encrypt("王芳")}
    rows = [
        {"id": n, "identity": secrets.token_hex(32), f"{kind}_index": secrets.token_hex(32),
         f"{kind}_sealed": vault.encrypt(f"u{n}{ending}"), **more}
        for n in numbers
    ]  # fmt: skip
    session.execute(insert(Contact), rows)
    session.execute(insert(ContactMember), [{"list_id": 1, "contact_id": n} for n in numbers])
    agreed = {"channel": kind, "purpose": "education", "given_at": now, "source": "bench", "recorded_at": now}
    session.execute(insert(Consent), [{"contact_id": n, **agreed} for n in numbers])
