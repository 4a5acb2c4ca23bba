"""The address at which an account is told what became of its messages: made with the account, renewed by a person."""

import secrets
from datetime import date, datetime, timedelta

from sqlalchemy import case, update
from sqlmodel import Session, col, select

from core.errors import NotFound
from core.i18n import mark
from institution import audit
from scheduler.channels import registry
from scheduler.models import ChannelAccount, Push
from scheduler.receipt_models import ChannelHook

audit.declare({"channel.hook": mark("更换渠道账号的回执地址")})
SILENT = timedelta(hours=24)
REFUSED, FAULTY, QUIET = "refused", "faulty", "quiet"
_CALLED_BACK = ("sms_aliyun", "sms_tencent", "wechat", "wechat_notice")  # a platform that is always heard of
_TOKEN = 32  # bytes


def made(session: Session, account: ChannelAccount, now: datetime) -> ChannelHook:
    """The address of an account, made if there is none."""
    hook = session.get(ChannelHook, account.id)
    if hook is None:
        hook = ChannelHook(account_id=account.id or 0, token=token(), made_at=now, poll_at=now)
        session.add(hook)
        session.flush()
    return hook


def token() -> str:
    """256 random bits, as they stand in an address."""
    return secrets.token_urlsafe(_TOKEN)


def renew(session: Session, account: ChannelAccount, now: datetime) -> ChannelHook:
    """Give an account another address; nothing is heard at the old one any more."""
    hook = made(session, account, now)
    hook.token, hook.made_at, hook.heard_at, hook.refusal, hook.confirm = token(), now, None, "", ""
    session.add(hook)
    session.flush()
    audit.record(session, "channel.hook", "channel", account.id, outlet_code=account.outlet_code)
    return hook


def find(session: Session, channel: str, text: str) -> ChannelAccount:
    """The account of an address; NotFound for one that is nobody's, or of another kind."""
    query = (
        select(ChannelAccount)
        .join(ChannelHook, col(ChannelHook.account_id) == ChannelAccount.id)
        .where(ChannelHook.token == text, ChannelAccount.channel == channel)
    )
    account = session.exec(query).first()
    if account is None:
        raise NotFound(mark("没有这个地址。"))
    return account


def path(account: ChannelAccount, hook: ChannelHook) -> str:
    """The address, below that of the site."""
    return f"/hooks/{account.channel}/{hook.token}"


def hears(account: ChannelAccount) -> bool:
    """Whether its platform says anything later."""
    kind = registry.KINDS.get(account.channel)
    return kind is not None and kind.reads is not None


def troubles(session: Session, today: date, now: datetime) -> list[tuple[str, str]]:
    """Names of open accounts whose receipts are refused today, cannot be asked for, or never came in a day since a push
    went out (of platforms that call back), with which of these it is."""
    query = select(ChannelAccount, ChannelHook).join(
        ChannelHook, col(ChannelHook.account_id) == ChannelAccount.id
    )
    found: list[tuple[str, str]] = []
    for account, hook in session.exec(query.where(col(ChannelAccount.active).is_(True))):
        if hook.day == today and hook.refused:
            found.append((account.name, REFUSED))
        elif hook.fault:
            found.append((account.name, FAULTY))
        elif account.channel in _CALLED_BACK and _silent(session, hook, now):
            found.append((account.name, QUIET))
    return found


def _silent(session: Session, hook: ChannelHook, now: datetime) -> bool:
    """Whether messages went out between a day and a week ago, and nothing came since."""
    sent = select(Push.id).where(
        Push.account_id == hook.account_id,
        col(Push.started_at) < now - SILENT,
        col(Push.started_at) > now - 7 * SILENT,
    )
    heard = hook.heard_at is not None and hook.heard_at > now - 7 * SILENT
    return not heard and session.exec(sent.limit(1)).first() is not None


def note_heard(session: Session, account_id: int, day: date, now: datetime, confirm: str = "") -> None:
    """A call was believed; all that it said may be that it wants to be told yes first (at the address `confirm`)."""
    _note(session, account_id, day, "today", heard_at=now, confirm=confirm)


def note_refused(session: Session, account_id: int, day: date, now: datetime, reason: str) -> None:
    """A call was not believed."""
    _note(session, account_id, day, "refused", refused_at=now, refusal=reason[:200])


def _note(session: Session, account_id: int, day: date, name: str, **values: object) -> None:
    """Count one more of the day; another day begins anew."""
    same = col(ChannelHook.day) == day
    counts = {
        one: case((same, getattr(ChannelHook, one)), else_=0) + int(one == name)
        for one in ("today", "refused")
    }
    mine = update(ChannelHook).where(col(ChannelHook.account_id) == account_id)
    session.connection().execute(mine.values(day=day, **counts, **values))
