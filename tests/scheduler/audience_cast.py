"""A list of people for the scheduler's tests, and plans to them."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from campaign import audience, audience_import
from core.privacy import Vault
from scheduler import plans
from scheduler.models import Plan
from scheduler.plans import PlanForm

ZONE = ZoneInfo("Asia/Shanghai")
LIST = "老客户"


def people(session: Session, vault: Vault, count: int, now: datetime, name: str = LIST) -> int:
    """A list of so many people with e-mail and webhook id; returns its id."""
    rows = ["姓名,邮箱,接口标识,网点代码,同意用途,同意时间,同意来源"]
    rows += [
        f"张{number},p{number}@example.com,u{number},,education,2026-03-01 10:00,柜面签署"
        for number in range(1, count + 1)
    ]
    data = "\n".join(rows).encode()
    audience_import.import_file(session, data, list_name=name, vault=vault, zone=ZONE, now=now)
    found = audience.find_list(session, name)
    assert found is not None and found.id is not None
    return found.id


def plan(session: Session, list_id: int, now: datetime, **more: Any) -> Plan:
    """A plan with a message of its own, a draft."""
    form = {
        "name": "九月提醒",
        "list_id": list_id,
        "channel": "email",
        "first_at": "2026-09-15T15:00",
        "subject": "退保前先问一问",
        "body": "有人劝您“全额退保”，先停一停。\n\n打开 http://127.0.0.1:8000/help 看看。",
    }
    return plans.create(session, PlanForm(**{**form, **more}), by=None, now=now)
