"""Pushes of the demo institution: an account of each kind that leads to the sandbox, invented people, a few plans.

Three plans are approved and go out when `serve` carries them out through the sandbox; one waits for a second person.
Everything is made by the verbs that staff use, in the name of two system accounts that can never sign in.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, or_, update
from sqlmodel import Session, col, select

from campaign import audience_import, browsers, lists
from campaign import personal as contacts
from campaign.audience_columns import COLUMNS
from campaign.browsers import Subscription, Wish
from campaign.contacts import Contact, ContactList, ContactMember
from core.i18n import mark
from core.privacy import Vault
from core.settings import Settings
from institution import approvals, people
from institution.approval_models import Approval, ApprovalStep
from institution.deciders import Hand
from institution.models import Outlet
from scheduler import accounts, plans, starting
from scheduler.account_form import AccountForm
from scheduler.account_secrets import Secrets
from scheduler.failover_models import PushFailover
from scheduler.models import Batch, ChannelAccount, Delivery, Plan, Push
from scheduler.opening_models import Opening
from scheduler.plans import PlanForm
from scheduler.receipt_models import ChannelHook, KeptReceipt, PushReceived, PushTally, ReachCorrection
from scheduler.sandbox import (
    dingtalk_robot,
    feishu_robot,
    getui,
    jpush,
    mail,
    sms_aliyun,
    sms_tencent,
    webpush,
    wechat,
    wechat_box,
    wecom_app,
    wecom_robot,
)
from scheduler.sandbox.registry import STAND_INS, address
from scheduler.text_models import NoticeText
from scheduler.token_models import ChannelToken
from webapp.demo_sandbox import HOST

OPERATOR = ("demo-push-desk", mark("示范推送岗"))
APPROVER = ("demo-push-approver", mark("示范推送审批岗"))
LIST = "示范名单：愿意收提醒的人"
_SIZE, _BROWSERS = 24, 6
_SENDER = "消保部 <edu@example.com>"


@dataclass(frozen=True, slots=True)
class _Line:
    """What an account is given besides its address: the stand-in's own constants."""

    secret: str = ""
    login: str = ""
    sender: str = ""
    options: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


_LINES = {
    mail.NAME: _Line(sender=_SENDER),
    wechat.NAME: _Line(
        wechat_box.SECRET, wechat_box.APP, options={"kind": "service", "author": "消保部"},
        secrets={"token": wechat_box.TOKEN, "aes_key": wechat_box.AES_KEY},
    ),
    "wechat_notice": _Line(wechat_box.SECRET, wechat_box.APP, options={"way": "template"}),
    wecom_app.NAME: _Line(wecom_app.SECRET, wecom_app.CORP, options={"agentid": str(wecom_app.AGENT)}),
    wecom_robot.NAME: _Line(wecom_robot.KEY),
    dingtalk_robot.NAME: _Line(dingtalk_robot.TOKEN, secrets={"sign": dingtalk_robot.SECRET}),
    feishu_robot.NAME: _Line(feishu_robot.KEY, secrets={"sign": feishu_robot.SECRET}),
    sms_aliyun.NAME: _Line(sms_aliyun.SECRET, sms_aliyun.ACCESS_KEY, options={"sign_name": sms_aliyun.SIGN}),
    sms_tencent.NAME: _Line(
        sms_tencent.SECRET_KEY, sms_tencent.SECRET_ID, options={"sign_name": sms_tencent.SIGN, "sdk_app_id": sms_tencent.APP},
    ),
    jpush.NAME: _Line(jpush.SECRET, jpush.APP),
    getui.NAME: _Line(getui.SECRET, getui.APP, options={"app_key": getui.KEY}),
    webpush.NAME: _Line(webpush.KEY, sender=webpush.CONTACT.removeprefix("mailto:")),
}  # fmt: skip
# name, channel, piece, summary; the last one waits for somebody to approve it
_PLANS = (
    ("示范：接到“领导”来电，先挂断", mail.NAME, "ai-voice", ""),
    ("示范：退保前先问一问", jpush.NAME, "full-surrender", ""),
    ("示范：屏幕共享，一开就危险", webpush.NAME, "screen-share", ""),
    (
        "示范：早会一条（等您批准）",
        dingtalk_robot.NAME,
        "credit-repair",
        "征信没有“修复”这回事：交钱删记录，都是骗局。",
    ),
)


def plant(
    session: Session, settings: Settings, held: Secrets, vault: Vault, pieces: Sequence[str], *, now: datetime
) -> int:
    """The accounts, people and plans, where the sandbox runs and there are none yet; returns how many plans."""
    if not settings.sandbox_port or session.exec(select(Plan.id).where(col(Plan.demo)).limit(1)).first():
        return 0
    made = {name: _account(session, settings, held, name, now) for name in _LINES}
    list_id = _people(session, vault, settings.zone, now)
    told = _browsers(session, vault, settings, now)
    operator = people.system_account(session, *OPERATOR, now).id or 0
    count = 0
    for name, channel, piece, summary in _PLANS:
        if piece not in pieces:
            continue
        form = PlanForm(
            name=name, list_id={webpush.NAME: told, dingtalk_robot.NAME: None}.get(channel, list_id), channel=channel, account_id=made[channel],
            first_at=f"{(now + timedelta(days=1)).astimezone(settings.zone):%Y-%m-%dT09:10}", piece_key=piece,
            summary=summary, stale_hours=240.0,
        )  # fmt: skip
        plan = plans.create(session, form, by=operator, now=now)
        plan.demo = True
        session.add(plan)
        _ask(session, plan, operator, now, approve=channel != dingtalk_robot.NAME)
        count += 1
    return count


def clear(session: Session) -> None:
    """Take away the demo's accounts and lists, with every plan that uses one and what it sent."""
    mine = select(col(ChannelAccount.id)).where(col(ChannelAccount.demo))
    listed = select(col(ContactList.id)).where(col(ContactList.demo))
    of = select(col(Plan.id)).where(
        or_(col(Plan.demo), col(Plan.account_id).in_(mine), col(Plan.list_id).in_(listed))
    )
    sent = select(col(Push.id)).where(col(Push.plan_id).in_(of))
    # a plan of a later time may get a number of these, and must not be approved with it
    asked = select(col(Approval.id)).where(
        Approval.kind == starting.KIND, col(Approval.subject).in_([str(one) for one in session.exec(of)])
    )
    session.execute(delete(ApprovalStep).where(col(ApprovalStep.approval_id).in_(asked)))
    session.execute(delete(Approval).where(col(Approval.id).in_(asked)))
    _forget(session, sent)
    session.execute(delete(Delivery).where(col(Delivery.push_id).in_(sent)))
    session.execute(delete(Batch).where(col(Batch.push_id).in_(sent)))
    own = update(Push).where(col(Push.after_id).in_(sent))  # of a plan of one's own that follows one of these
    session.execute(own.values(after_id=None))
    session.execute(delete(Push).where(col(Push.plan_id).in_(of)))
    session.execute(update(Plan).where(col(Plan.follows_id).in_(of)).values(follows_id=None))
    session.execute(delete(Plan).where(col(Plan.id).in_(of)))
    session.execute(delete(ChannelToken).where(col(ChannelToken.account).in_(mine)))
    for table in (ChannelHook, KeptReceipt, NoticeText):
        session.execute(delete(table).where(col(table.account_id).in_(mine)))
    session.execute(
        update(ChannelAccount).where(col(ChannelAccount.failover_id).in_(mine)).values(failover_id=None)
    )
    session.execute(delete(ChannelAccount).where(col(ChannelAccount.demo)))
    members = select(col(ContactMember.contact_id)).where(col(ContactMember.list_id).in_(listed))
    contacts.erase(session, list(session.exec(select(Contact).where(col(Contact.id).in_(members)))))
    session.execute(delete(ContactList).where(col(ContactList.demo)))


def _forget(session: Session, sent: Any) -> None:
    """What hangs on these pushes: what was heard of them, who opened them, who took them over."""
    rows = select(col(Delivery.id)).where(col(Delivery.push_id).in_(sent))
    keys = select(col(Delivery.key)).where(col(Delivery.push_id).in_(sent))
    session.execute(delete(ReachCorrection).where(col(ReachCorrection.delivery_id).in_(rows)))
    session.execute(delete(Opening).where(col(Opening.key).in_(keys)))
    for table in (PushReceived, PushTally, PushFailover):
        session.execute(delete(table).where(col(table.push_id).in_(sent)))


def _account(session: Session, settings: Settings, held: Secrets, name: str, now: datetime) -> int:
    line, base = _LINES[name], f"http://{HOST}:{settings.sandbox_port}"
    is_mail = name == mail.NAME
    where = address(base, "wechat" if name == "wechat_notice" else name, {})
    label = STAND_INS[name].label if name in STAND_INS else mark("微信服务通知")
    form = AccountForm(
        name, f"沙盒：{label}", HOST if is_mail else where, login=line.login, sender=line.sender,
        port=settings.sandbox_port + 1 if is_mail else 0, tls="none" if is_mail else "", options=line.options,
        secrets=line.secrets,
    )  # fmt: skip
    account, _shown = accounts.create(session, form, held=held, secret=line.secret, now=now)
    account.demo = True
    if name == webpush.NAME:  # it pushes to this machine alone, which no account of the desk may
        account.options = account.options | {"allow_http": "1"}
    session.add(account)
    session.flush()
    return account.id or 0


def _people(session: Session, vault: Vault, zone: ZoneInfo, now: datetime) -> int:
    """Invented people whom the stand-ins know, and two whose mailboxes take nothing."""
    query = select(Outlet.code).where(
        col(Outlet.demo), Outlet.kind == "outlet", col(Outlet.closed_on).is_(None)
    )
    served = list(session.exec(query.order_by(Outlet.code).limit(6)))
    given = f"{(now - timedelta(days=40)).astimezone(zone):%Y-%m-%d %H:%M}"
    text = io.StringIO()
    table = csv.writer(text)
    columns = [
        "name", "email", "phone", "wechat_openid", "wecom_userid", "jpush_id", "getui_cid", "outlet_code",
        "consent_purpose", "consent_time", "consent_source", "consent_version",
    ]  # fmt: skip
    table.writerow(COLUMNS[name][0] for name in columns)
    for number in range(1, _SIZE + 1):
        box = {5: "gone.five", 11: "full.eleven"}.get(number, f"reader{number}")
        row = [
            "", f"{box}@example.com", f"1380000{number:04}", f"oSandbox{number:020d}", f"member{number}",
            f"sandboxdevice{number:04}", f"sandboxclient{number:04}", served[number % len(served)] if served else "",
            "education", given, "示范数据", "2026-01-education",
        ]  # fmt: skip
        table.writerow(row)
    data = text.getvalue().encode()
    audience_import.import_file(session, data, list_name=LIST, vault=vault, zone=zone, now=now)
    return _marked(session, LIST)


def _browsers(session: Session, vault: Vault, settings: Settings, now: datetime) -> int:
    """Some browsers that asked to be told, at the sandbox's push service."""
    base = f"http://{HOST}:{settings.sandbox_port}/{webpush.NAME}"
    for number in range(1, _BROWSERS + 1):
        said: dict[str, Any] = json.loads(webpush.subscription(base, f"browser{number}"))
        found = Subscription(said["endpoint"], said["keys"]["p256dh"], said["keys"]["auth"])
        browsers.subscribe(session, vault, found, Wish("2026-01-education", page="/push"), now=now)
    return _marked(session, browsers.LIST)


def _marked(session: Session, name: str) -> int:
    found = lists.find_list(session, name)
    assert found is not None  # noqa: S101  (it was made just now)
    session.execute(update(ContactList).where(col(ContactList.id) == found.id).values(demo=True))
    return found.id or 0


def _ask(session: Session, plan: Plan, operator: int, now: datetime, *, approve: bool) -> None:
    asked = plans.submit(session, plan.id or 0, by=operator, now=now, reason="示范")
    if not approve:
        return
    decider = Hand(people.system_account(session, *APPROVER, now).id or 0)
    step = approvals.open_step(session, asked)
    approvals.settle(session, asked, step, decider, decision=approvals.APPROVED, now=now, opinion="")
    plans.send_now(session, plan.id or 0, now=now)
