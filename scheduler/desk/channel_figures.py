"""The box of an official account's page by which its reading figures come into reach: asked for, agreed to by a second person."""

from dataclasses import dataclass
from datetime import date, datetime

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import NotFound
from core.http import transaction
from core.i18n import gettext as _
from core.i18n import mark
from institution.access import requires, signed_in
from scheduler import accounts, figures
from scheduler.desk.routes import account_place, blueprint
from scheduler.models import ChannelAccount
from tracking.imports import standing
from tracking.imports.standing_models import APPROVED, STATE_NAMES, WAITING, ReachStanding

_TONES = {APPROVED: "good", WAITING: "info"}


@dataclass(frozen=True, slots=True)
class FiguresBox:
    """Whether figures come in, up to which day, and what went wrong; `may_ask`, `may_end`: what can be pressed."""

    state: str
    tone: str
    last_day: date | None
    brought_at: datetime | None
    fault: str
    may_ask: bool
    may_end: bool


def figures_of(session: Session, account: ChannelAccount) -> FiguresBox | None:
    """What is known of an account's figures; None where its platform counts nobody."""
    if not figures.has_figures(account):
        return None
    one = standing.find(session, figures.SOURCE, figures.subject_of(account))
    if one is None:
        return FiguresBox(_("没有申请"), "idle", None, None, "", may_ask=True, may_end=False)
    going = one.state in (WAITING, APPROVED)
    stale = one.state == APPROVED and one.terms != figures.terms_of(account)
    return FiguresBox(
        _(STATE_NAMES[one.state]), _TONES.get(one.state, "idle"), one.last_day, one.brought_at,
        _(one.fault) if one.fault else "", may_ask=stale or not going, may_end=one.state == APPROVED,
    )  # fmt: skip


@blueprint.post("/channels/<int:account_id>/figures/<any(ask, end):action>")
@requires("channel.edit", at=account_place)
def act_on_figures(account_id: int, action: str) -> ResponseReturnValue:
    """Ask for figures to be brought in from now on, or bring in no more."""
    with transaction() as session:
        account = accounts.get(session, account_id)
        if not figures.has_figures(account):
            raise NotFound(mark("这个平台没有阅读统计。"))
        if action == "ask":
            standing.ask(
                session, figures.SOURCE, figures.subject_of(account), terms=figures.terms_of(account),
                title=account.name, place=account.outlet_code, by=signed_in().staff.id or 0, now=clock.now(),
            )  # fmt: skip
        else:
            standing.end(session, _found(session, account))
    flash(
        _("已提交审批，批准后每天自动计入。") if action == "ask" else _("不再自动计入，已计入的不变。"),
        "good",
    )
    return redirect(url_for(".channel", account_id=account_id) + "#figures", code=303)


def _found(session: Session, account: ChannelAccount) -> ReachStanding:
    one = standing.find(session, figures.SOURCE, figures.subject_of(account))
    if one is None:
        raise NotFound(mark("这个账号没有申请自动计入。"))
    return one
