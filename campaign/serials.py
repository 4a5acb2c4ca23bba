"""Subscribing to a serial by e-mail: asked for on a page, confirmed by the link in a letter, then kept as a contact.

Nothing is kept of who did not confirm: the address travels encrypted in the link. Who said no to e-mail before is not
taken back by it (消费者权益保护管理办法 art. 41). Who leaves the diary alone takes all else as before: that they left is kept by
the hash of the address, so that no import of the list brings them back; confirming anew does.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from campaign import audience, closed, consents, former, lists
from campaign.addresses import checked, kind_of
from campaign.contacts import (
    DIARY,
    EDUCATION,
    EMAIL,
    Consent,
    Contact,
    ContactMember,
    Refusal,
    put_unless_there,
)
from core.errors import Conflict, Invalid, NotFound
from core.i18n import gettext, mark, using_locale
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, Signer
from institution import audit, letters

LIST = "小宝成长日记订阅"
VALID = timedelta(days=3)
_LONGEST = 2000
_MOST_LETTERS, _SPAN = 3, timedelta(hours=1)  # to one address, whoever asks: nobody is flooded by us

audit.declare({"serial.subscribe": mark("订阅成长日记"), "serial.leave": mark("只退订成长日记")})


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants it, in which language, having agreed to which version of the words."""

    email: str
    language: str
    version: str


class SerialLinks:
    """Makes and reads the link of the letter; it carries the address encrypted, and ends after three days."""

    def __init__(self, keys: Keys, vault: Vault) -> None:
        self._signer = Signer(keys.derive("campaign/serial"), 16)
        self._vault = vault

    def token(self, wish: Wish, now: datetime) -> str:
        """The part of the address that stands for the wish."""
        packed = json.dumps(
            [self._vault.encrypt(wish.email), wish.language, wish.version, int(now.timestamp())]
        )
        return self._signer.sign_address(base64.urlsafe_b64encode(packed.encode()).rstrip(b"=").decode())

    def read(self, token: str, now: datetime) -> Wish:
        """The wish; NotFound for a link that is not ours or too old."""
        text = self._signer.open_address(token, _LONGEST)
        try:
            packed = json.loads(base64.urlsafe_b64decode((text or "") + "=" * (-len(text or "") % 4)))
            sealed, language, version, at = packed
            made = datetime.fromtimestamp(at, UTC)
            email = self._vault.decrypt(sealed)
        except (binascii.Error, ValueError, TypeError, Invalid) as error:
            raise NotFound(mark("这个确认链接不完整，请从信里重新点一次。")) from error
        if now - made > VALID:
            raise NotFound(mark("这个确认链接过期了，请重新填一次邮箱。"))
        return Wish(email, str(language), str(version))


def ask(
    session: Session,
    vault: Vault,
    settings: Settings,
    links: SerialLinks,
    email: str,
    *,
    language: str,
    now: datetime,
) -> bool:
    """Write to an address that somebody typed, asking whether they mean it; False when it was written to often enough.

    Invalid for what is no address. The page says the same in every case, so that nobody learns who subscribes.
    """
    address = checked(EMAIL, email, field="email")
    if not address:
        raise Invalid(mark("请填写邮箱地址。"), field="email")
    since = now - _SPAN
    if letters.written_since(session, vault.indexes("email", address), since) >= _MOST_LETTERS:
        return False
    wish = Wish(address, language, consents.words(session, now, "zh")[EDUCATION].version)
    link = f"{settings.public_url}/diary/subscribe/{links.token(wish, now)}"
    with using_locale(language):
        institution = settings.institution_name_en if language == "en" else settings.institution_name
        subject = gettext("请确认：订阅《小宝成长日记》")
        text = gettext(
            "您好：\n\n有人用这个邮箱订阅《小宝成长日记》。是您本人，请打开下面的链接，再按一次“确认订阅”：\n\n%(link)s\n\n"
            "链接三天内有效。不是您本人，不用理会，我们不会再写信来，也没有留下这个邮箱。\n\n%(institution)s\n"
        ) % {"link": link, "institution": institution}
    letters.post(session, vault=vault, to=address, subject=subject, text=text, now=now)
    return True


def confirm(session: Session, vault: Vault, wish: Wish, *, now: datetime) -> bool:
    """Have the holder of the address told of every new episode; False when they were already.

    Conflict when the words have changed since, and for an address that said no to letters or is closed.
    """
    if consents.words(session, now, "zh")[EDUCATION].version != wish.version:
        raise Conflict(mark("说明刚刚更新过，请重新填一次邮箱。"), field="version")
    indexes = vault.indexes(EMAIL, wish.email)
    refused = select(Refusal.channel).where(Refusal.channel == EMAIL, col(Refusal.address_index).in_(indexes))
    if session.exec(refused.limit(1)).first() is not None or closed.closed_among(session, EMAIL, indexes):
        raise Conflict(mark("这个邮箱退订过我们的全部邮件，不能在这里恢复。可以换一个邮箱，或用订阅源来看。"))
    contact_id = _contact(session, vault, wish, indexes, now)
    fresh = _agree(session, contact_id, wish, now)
    if fresh:
        after = {"text_version": wish.version}
        audit.record(session, "serial.subscribe", "contact", contact_id, after=after)
    return fresh


def leave(session: Session, channel: str, address_index: str, *, via: str, now: datetime) -> bool:
    """The holder of an address gets the letters of the diary no more, and whatever else they agreed to as before; False
    when they had said so. An address that nobody holds is no different, so that nobody learns who subscribes."""
    kind, listed = kind_of(channel), lists.find_list(session, LIST)
    fresh = consents.decline(session, kind, address_index, DIARY, via=via, now=now)
    people = audience.sharing(session, kind, former.family(session, address_index))
    if listed is not None and people:
        session.execute(
            delete(ContactMember).where(
                col(ContactMember.list_id) == listed.id, col(ContactMember.contact_id).in_(people)
            )
        )
    if fresh:
        after = {"channel": kind, "via": via}
        audit.record(session, "serial.leave", "refusal", address_index[: closed.SHOWN_OF_INDEX], after=after)
    return fresh


def has_left(session: Session, channel: str, address_index: str) -> bool:
    """Whether this address left the diary."""
    return consents.is_declined(session, kind_of(channel), address_index, DIARY)


def count(session: Session) -> int:
    """How many stand in the list."""
    listed = lists.find_list(session, LIST)
    query = select(ContactMember.contact_id).where(ContactMember.list_id == (listed.id if listed else 0))
    return len(session.exec(query).all())


def _contact(session: Session, vault: Vault, wish: Wish, indexes: Sequence[str], now: datetime) -> int:
    """The contact with this address, made where there is none; two confirmations in one moment make one."""
    mine = select(Contact.id).where(
        Contact.holder_code == "", col(Contact.identity).in_(indexes) | col(Contact.email_index).in_(indexes)
    )
    found = session.exec(mine.order_by(col(Contact.id))).first()
    if found is None:
        index = vault.index(EMAIL, wish.email)
        made = Contact(
            identity=index, email_index=index, email_sealed=vault.encrypt(wish.email),
            language=wish.language, created_at=now, updated_at=now,
        )  # fmt: skip
        put_unless_there(session, made, "holder_code", "identity")
        found = session.exec(mine).one()
    return found or 0


def _agree(session: Session, contact_id: int, wish: Wish, now: datetime) -> bool:
    """Write down the consent, take back a refusal of this purpose or of the diary alone, put the contact into the list."""
    listed = lists.found_or_made(session, LIST, now)
    member = session.get(ContactMember, (listed.id, contact_id))
    mine = (Consent.contact_id == contact_id, Consent.channel == EMAIL, Consent.purpose == EDUCATION)
    given = session.exec(select(Consent.text_version).where(*mine)).all()
    contact = session.get_one(Contact, contact_id)
    index = contact.email_index or ""
    if member is not None and wish.version in given and not has_left(session, EMAIL, index):
        return False
    consents.take_back(session, EMAIL, index, DIARY)
    if member is None:
        session.add(ContactMember(list_id=listed.id or 0, contact_id=contact_id))
    consents.agree(
        session, EMAIL, index, EDUCATION,
        people=[contact_id], version=wish.version, now=now, source="serial diary",
    )  # fmt: skip
    session.flush()
    return True
