"""What a plan must say before it is kept: every field checked against what it names."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from campaign import audience, programme
from campaign.contacts import EMAIL, WEBHOOK
from campaign.recurrence import LOCAL, check_rule, parse_local
from content import lifecycle
from content.lifecycle import PublishedPiece
from core.errors import Invalid
from core.i18n import mark
from institution.models import Outlet
from institution.powers import WHOLE, Scope
from scheduler.models import ChannelAccount

CHANNELS = (EMAIL, WEBHOOK)


@dataclass(frozen=True, slots=True)
class PlanForm:
    """What a person writes; `first_at` is local time (2026-09-15T09:00), `rule` an RRULE or empty."""

    name: str
    list_id: int
    channel: str
    first_at: str
    piece_key: str = ""
    subject: str = ""
    body: str = ""
    account_id: int | None = None
    campaign: str = ""
    rule: str = ""
    stale_hours: float = 6.0
    outlet_code: str = WHOLE


def checked(session: Session, form: PlanForm) -> dict[str, Any]:
    """The columns of a plan; Invalid with its field for what cannot be."""
    name, subject, body = form.name.strip(), form.subject.strip(), form.body.strip().replace("\r\n", "\n")
    if not name or len(name) > 80:
        raise Invalid(mark("请给计划起一个名字（不超过 80 个字）。"), field="name")
    if form.outlet_code and session.get(Outlet, form.outlet_code) is None:
        raise Invalid(mark("请选择计划属于哪个机构。"), field="outlet_code")
    if form.channel not in CHANNELS:
        raise Invalid(mark("请选择推送渠道。"), field="channel")
    if not 0.1 <= form.stale_hours <= 240:
        raise Invalid(mark("过时限度须在 0.1 到 240 小时之间。"), field="stale_hours")
    _check_message(session, form.piece_key, subject, body)
    _check_place(session, form)
    return {
        "name": name,
        "piece_key": form.piece_key,
        "subject": subject,
        "body": body,
        "list_id": form.list_id,
        "channel": form.channel,
        "account_id": check_account(session, form.channel, form.account_id, form.outlet_code),
        "campaign": form.campaign,
        "outlet_code": form.outlet_code,
        "first_at": parse_local(form.first_at).strftime(LOCAL),
        "rule": check_rule(form.rule),
        "stale_hours": form.stale_hours,
    }


def check_account(session: Session, channel: str, account_id: int | None, outlet_code: str) -> int | None:
    """The account, if plans of this node may use it; None is the mail server of the settings."""
    if account_id is None and channel == EMAIL:
        return None
    account = session.get(ChannelAccount, account_id) if account_id is not None else None
    part = Scope(frozenset([outlet_code]))
    if account is None or account.channel != channel or not account.active:
        raise Invalid(mark("请选择这个渠道的账号；没有就请管理员在“渠道账号”里新建。"), field="account_id")
    if not part.covers(session, account.outlet_code, above=True):
        raise Invalid(mark("这个渠道账号不归计划所在的机构使用，请另选一个。"), field="account_id")
    return account.id


def published(session: Session, key: str) -> PublishedPiece:
    """The published piece; Invalid when it is not published (or no longer)."""
    piece = lifecycle.published(session, key)
    if piece is None:
        raise Invalid(
            mark("内容“%(key)s”没有发布，不能推送。请先完成审查和发布。"), field="piece_key", key=key
        )
    return piece


def _check_place(session: Session, form: PlanForm) -> None:
    """People of the plan's own part of the tree; a campaign of it or of a node above."""
    part = Scope(frozenset([form.outlet_code]))
    if not part.covers(session, audience.get_list(session, form.list_id).outlet_code):
        raise Invalid(mark("这份名单不归计划所在的机构，请另选一份。"), field="list_id")
    if form.campaign:
        campaign = programme.get(session, form.campaign)
        if not part.covers(session, campaign.outlet_code, above=True):
            raise Invalid(mark("这个活动期不归计划所在的机构，请另选一个。"), field="campaign")


def _check_message(session: Session, piece_key: str, subject: str, body: str) -> None:
    if piece_key:
        published(session, piece_key)
    elif not subject or not body:
        raise Invalid(mark("请选择一项内容，或写下标题和正文。"), field="subject")
    if len(subject) > 200 or "\n" in subject or "\r" in subject:
        raise Invalid(mark("标题须是一行，不超过 200 个字。"), field="subject")
    if len(body) > 5000:
        raise Invalid(mark("正文不超过 5000 个字。"), field="body")
