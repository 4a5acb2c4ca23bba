"""The fields of a segment's form that ask what people did: came to an event, got or opened a push."""

from collections.abc import Mapping
from typing import Any

from flask import request
from sqlmodel import Session

from campaign import segment_events
from campaign.segment_handed import handed
from core.i18n import gettext as _


def posted() -> dict[str, Any]:
    """What the form asks, by the names of `segments.Filters`."""
    form, push = request.form, request.form.get("push_id", "")
    did, of = form.get("event_did", "")[:16], form.get("event_of", "")[:40]
    pushed = form.get("push_did", "")[:16]
    return {
        "event_did": did,
        "event_of": of if did else "",
        "push_did": pushed,
        "push_id": int(push) if pushed and push.isdecimal() and len(push) < 10 else 0,
    }


def choices(session: Session, outlet_code: str) -> dict[str, Mapping[str, str]]:
    """What the fields offer in a node, by field."""
    asks = handed()
    found: dict[str, Mapping[str, str]] = {
        "event_did": {"": _("不限")} | {name: _(word) for name, word in segment_events.DID.items()},
        "event_of": {"": _("请选择")} | segment_events.choices(session, outlet_code),
    }
    if asks:
        found["push_did"] = {"": _("不限")} | {name: _(word) for name, word in asks.outcomes.items()}
        found["push_id"] = {"": _("请选择")} | dict(asks.choices(session, outlet_code))
    return found
