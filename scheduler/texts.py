"""Short messages to registered people: decided by occasion, put into the outbox of letters, carried out once.

`campaign.registration.telling` says who is told what; here stands by which account and template. A message that was in
the hands of a platform when a worker died, or was not answered for, is `uncertain` and not sent again: the
outlet calls instead.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from sqlmodel import Session, col, select

from campaign.registration import notices, words
from campaign.registration.texting import TEXTED
from core.database import Database
from core.errors import Invalid
from core.i18n import mark
from core.privacy import Vault
from institution import audit, letters
from institution.letters import Claimed
from scheduler import plan_message
from scheduler.account_secrets import Opener
from scheduler.channels import registry
from scheduler.channels.base import AnyChannel, DeliveryError, Look, Message
from scheduler.mailroom import Hand, carry
from scheduler.models import ChannelAccount
from scheduler.text_models import NoticeText
from scheduler.trying import hand_over

audit.declare({"event.text": mark("修改活动短信")})

_NO_ACCOUNT = mark("短信渠道账号已停用。")


def every(session: Session) -> dict[str, NoticeText | None]:
    """What is set for each occasion, in the order in which people meet them."""
    known = {row.kind: row for row in session.exec(select(NoticeText))}
    return {kind: known.get(kind) for kind in TEXTED}


def accounts(session: Session) -> list[ChannelAccount]:
    """Open accounts of head office that send to telephones."""
    names = [one.name for one in registry.KINDS.values() if one.look == Look.sms]
    query = select(ChannelAccount).where(
        col(ChannelAccount.channel).in_(names), col(ChannelAccount.active).is_(True), ChannelAccount.outlet_code == ""
    )  # fmt: skip
    return list(session.exec(query.order_by(col(ChannelAccount.name))))


def change(
    session: Session, kind: str, *, account_id: int | None, template: str, parameters: str, now: datetime
) -> None:
    """Decide what is sent on an occasion; without an account nothing. Invalid with its field for what cannot be."""
    if kind not in TEXTED:
        raise Invalid(mark("没有这种活动短信。"))
    row = session.get(NoticeText, kind)
    before = _words(row)
    if account_id is None:
        if row is not None:
            session.delete(row)
        row = None
    else:
        filled = plan_message.parsed(parameters, words.PLACES)
        code = template.strip()
        if account_id not in {one.id for one in accounts(session)}:
            raise Invalid(mark("请选择一个启用中的短信账号。"), field="account")
        if not code or len(code) > 100 or not code.isprintable():
            raise Invalid(mark("请填写平台审核通过的模板编号。"), field="template")
        row = row or NoticeText(kind=kind, account_id=account_id, template=code, updated_at=now)
        row.account_id, row.template, row.updated_at = account_id, code, now
        row.parameters = [list(pair) for pair in filled]
        session.add(row)
    session.flush()
    audit.record(session, "event.text", "notice", kind, before=before, after=_words(row))


def _words(row: NoticeText | None) -> dict[str, object]:
    if row is None:
        return {}
    return {"account": row.account_id, "template": row.template, "parameters": row.parameters}


class NoticeTexts:
    """What `campaign.registration.texting.Texts` asks for."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def kinds(self, session: Session) -> frozenset[str]:
        """The notices for which a template and an open account are set."""
        query = select(NoticeText.kind).join(
            ChannelAccount,
            (col(ChannelAccount.id) == NoticeText.account_id) & col(ChannelAccount.active).is_(True),
        )
        return frozenset(session.exec(query))

    def post(self, session: Session, kind: str, phone: str, words: Mapping[str, str], now: datetime) -> int:
        """Put a message into the outbox; its number."""
        row = session.get_one(NoticeText, kind)
        filled = plan_message.filled(row.parameters, **words)
        short = letters.Short(row.account_id, row.template, filled)
        return letters.post_short(session, vault=self._vault, phone=phone, short=short, now=now).id or 0


class TextRoom:
    """Takes short messages up, hands them over, notes what became of them."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        opener: Opener,
        channels: Mapping[str, AnyChannel],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._vault = vault
        self._opener = opener
        self._channels = channels
        self._clock = clock

    def run_once(self) -> int:
        """Send what is due; returns how many messages were accepted."""
        with self._database.reading() as session:
            if not letters.waiting(session, letters.SHORT):
                return 0
        with self._database.transaction() as session:
            claimed = letters.claim(session, vault=self._vault, now=self._clock(), channel=letters.SHORT)
        by_account: dict[int, list[Claimed]] = {}
        for one in claimed:
            by_account.setdefault(one.short.account if one.short else 0, []).append(one)
        return sum(
            carry(self._database, group, self._line(account), self._clock)
            for account, group in by_account.items()
        )

    @contextmanager
    def _line(self, account_id: int) -> Iterator[Hand]:
        with self._database.reading() as session:
            row = session.get(ChannelAccount, account_id)
            if row is None or not row.active:
                raise DeliveryError(_NO_ACCOUNT, everyone=True)
            channel, account = self._channels[row.channel], self._opener.account(row)
        with channel.connect(account) as line:
            yield lambda letter: hand_over(channel, line, _message(letter))


def _message(letter: Claimed) -> Message:
    short = letter.short
    if short is None:
        raise DeliveryError("not a short message", permanent=True)
    return Message(
        letter.key, letter.to, "", "", "", "", "", "", template=short.template, parameters=short.parameters
    )


def label(kind: str) -> str:
    """What an occasion is called; its msgid."""
    return notices.KIND_NAMES[kind]
