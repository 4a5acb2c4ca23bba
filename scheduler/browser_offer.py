"""What a page tells a browser before it asks to be told of news: the key, the words to agree to, how often."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from campaign import consents
from campaign.addresses import WEBPUSH
from campaign.contacts import EDUCATION
from core.i18n import gettext as _
from core.i18n import using_locale
from institution.powers import WHOLE
from scheduler import rules
from scheduler.account_secrets import Secrets
from scheduler.channels import webpush
from scheduler.models import ChannelAccount


@dataclass(frozen=True, slots=True)
class Offer:
    """`key`: the public half of the account's key; `words` in the language of the page, with their `version`;
    `often` in a sentence. `loopback`: the account pushes to the sandbox, and nowhere else."""

    key: str
    version: str
    words: str
    often: str
    loopback: bool


def is_made(session: Session) -> bool:
    """Whether browsers can be told at all: the whole institution has an account for it."""
    return _account(session) is not None


def of(session: Session, held: Secrets, *, locale: str, now: datetime) -> Offer | None:
    """What is offered now; None without an account, or with one whose key cannot be read."""
    account = _account(session)
    if account is None:
        return None
    try:
        key = webpush.public_key("".join(held.of(account, now)[:1]))
    except ValueError:
        return None
    found = consents.words(session, now, locale)[EDUCATION]
    limit = rules.allowed(session, WEBPUSH)
    with using_locale(locale):
        often = _("有新的提醒或活动才发，没有固定的时间。")
        if limit.most:
            often = _("%(days)s 天里最多 %(most)s 条。", days=limit.days, most=limit.most)
    return Offer(key, found.version, found.text, often, account.options.get("allow_http") == "1")


def _account(session: Session) -> ChannelAccount | None:
    query = select(ChannelAccount).where(
        ChannelAccount.channel == WEBPUSH,
        ChannelAccount.outlet_code == WHOLE,
        col(ChannelAccount.active).is_(True),
    )
    return session.exec(query.order_by(col(ChannelAccount.id)).limit(1)).first()
