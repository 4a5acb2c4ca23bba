"""Browsers that asked to be told of news: each a contact of its own, without a name, a number or an account.

Whoever subscribes chooses the address that we shall post to, so it must lie at a push service that is known: what the
browser sends is checked here, and the channel looks once more at who is at the other end before it says a byte.
Who knows the address of a browser is that browser; nothing else is asked for to stop, and nothing can be read by it.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from campaign import closed, consents, former, lists
from campaign.addresses import WEBPUSH
from campaign.audience_models import ContactAddress
from campaign.contacts import EDUCATION, Consent, Contact, ContactMember, Refusal, put_unless_there
from core.database import inserting
from core.errors import Conflict, Invalid
from core.i18n import mark
from core.privacy import Vault
from institution import audit
from institution.models import Outlet
from institution.powers import WHOLE

LIST = "浏览器提醒"
VIA = "browser"
_LONGEST, _POINT, _SECRET = (
    1000,
    65,
    16,
)  # characters of an address; bytes of a key and of its secret (RFC 8291)
_STRANGE = mark("浏览器给出的订阅不完整，请换一个浏览器再试。")
_SANDBOX = mark("示范机构的浏览器推送只到沙盒收件箱，不发到真的设备。")
_ELSEWHERE = mark("这个浏览器的推送服务不在可用之列，请换一个浏览器再试。")

audit.declare(
    {
        "browser.subscribe": mark("浏览器开启提醒"),
        "browser.renew": mark("浏览器更换推送地址"),
        "browser.stop": mark("浏览器停止提醒"),
    }
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a browser gave: where to post to, and the keys to encrypt with (base64url)."""

    endpoint: str
    p256dh: str
    auth: str

    @property
    def text(self) -> str:
        """The address as it is kept, always written in the same way."""
        keys = {"auth": self.auth, "p256dh": self.p256dh}
        return json.dumps({"endpoint": self.endpoint, "keys": keys}, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Wish:
    """What goes with a subscription: the version of the words agreed to, the language, which outlet and page led."""

    version: str
    language: str = "zh"
    outlet_code: str = ""
    page: str = "/"


def checked(said: object, services: Sequence[str], *, loopback: bool = False) -> Subscription:
    """The subscription that a browser sent, as JSON gave it; Invalid for what is none, or lies at no service of
    `services` (hosts; `*.` before one: any below it). `loopback`: on this machine instead, for the sandbox."""
    keys = said.get("keys") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(keys, dict):
        raise Invalid(_STRANGE, field="subscription")
    endpoint, point, secret = said.get("endpoint"), keys.get("p256dh"), keys.get("auth")
    if not (isinstance(endpoint, str) and isinstance(point, str) and isinstance(secret, str)):
        raise Invalid(_STRANGE, field="subscription")
    _check_keys(point, secret)
    if not _lies_at(endpoint, services, loopback=loopback):
        raise Invalid(_SANDBOX if loopback else _ELSEWHERE, field="subscription")
    return Subscription(endpoint, point.rstrip("="), secret.rstrip("="))


def subscribe(session: Session, vault: Vault, found: Subscription, wish: Wish, *, now: datetime) -> bool:
    """Have this browser told from now on; False when it was already. Conflict when the words have changed since they
    were shown, and for an address that said no or is gone: the browser makes itself another one."""
    if consents.words(session, now, "zh")[EDUCATION].version != wish.version:
        raise Conflict(mark("说明刚刚更新过，请刷新页面再看一遍。"), field="version")
    indexes = vault.indexes(WEBPUSH, found.endpoint)
    if _said_no(session, indexes) or closed.closed_among(session, WEBPUSH, indexes):
        raise Conflict(mark("这个浏览器停止过提醒，请再点一次。"), field="subscription")
    contact_id = _contact(session, indexes, vault.index(WEBPUSH, found.endpoint), wish, now=now)
    fresh = _put(session, vault, contact_id, found, now=now)
    fresh = _agree(session, contact_id, wish, now) or fresh
    if fresh:
        after = {"text_version": wish.version, "page": wish.page[:120]}
        audit.record(session, "browser.subscribe", "contact", contact_id, after=after)
    return fresh


def renew(
    session: Session, vault: Vault, former_endpoint: str, found: Subscription, *, now: datetime
) -> bool:
    """A browser has another address now; False when the former one is not known or said no.

    Letters and pushes that carry the former one keep their meaning, unless it was closed: then they end with it.
    """
    old = vault.indexes(WEBPUSH, former_endpoint)
    query = select(ContactAddress).where(
        ContactAddress.channel == WEBPUSH, col(ContactAddress.address_index).in_(old)
    )
    rows = list(session.exec(query.order_by(col(ContactAddress.id)).with_for_update()))
    if not rows or _said_no(session, old) or _holders(session, vault.indexes(WEBPUSH, found.endpoint)):
        return False
    index = vault.index(WEBPUSH, found.endpoint)
    before = sorted({row.address_index for row in rows})
    for row in rows:
        row.sqlmodel_update({"sealed": vault.encrypt(found.text), "address_index": index, "since": now})
        session.add(row)
    mine = update(Contact).where(col(Contact.identity).in_(old))
    session.execute(mine.values(identity=index, updated_at=now))
    session.flush()
    if not closed.closed_among(session, WEBPUSH, before):
        former.link(session, [(one, index) for one in before if one != index])
    audit.record(session, "browser.renew", "contact", rows[0].contact_id)
    return True


def stop(session: Session, vault: Vault, endpoint: str, *, now: datetime) -> bool:
    """Nothing more to this browser, also of what is planned already; False for one that is not known."""
    rows = _holders(session, vault.indexes(WEBPUSH, endpoint))
    if not rows:
        return False
    for index in {row.address_index for row in rows}:
        closed.refuse(session, WEBPUSH, index, via=VIA, now=now)
    numbers = [row.contact_id for row in rows]
    listed = lists.find_list(session, LIST)
    if listed is not None:  # whoever stands in no list any more is cleared away in time
        session.execute(
            delete(ContactMember).where(
                col(ContactMember.list_id) == listed.id, col(ContactMember.contact_id).in_(numbers)
            )
        )
    session.execute(update(Contact).where(col(Contact.id).in_(numbers)).values(updated_at=now))
    audit.record(session, "browser.stop", "contact", numbers[0])
    return True


def is_told(session: Session, vault: Vault, endpoint: str) -> bool:
    """Whether this browser is told of news."""
    indexes = vault.indexes(WEBPUSH, endpoint)
    if not _holders(session, indexes):
        return False
    return not _said_no(session, indexes) and not closed.closed_among(session, WEBPUSH, indexes)


def _check_keys(point: str, secret: str) -> None:
    """A point of the curve and sixteen bytes: anything else could never be encrypted for."""
    try:
        raw, salt = _bytes(point), _bytes(secret)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except (binascii.Error, ValueError) as error:
        raise Invalid(_STRANGE, field="subscription") from error
    if len(raw) != _POINT or len(salt) != _SECRET:
        raise Invalid(_STRANGE, field="subscription")


def _bytes(text: str) -> bytes:
    if len(text) > 2 * _POINT:
        raise ValueError("too long")
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", validate=True)


def _lies_at(endpoint: str, services: Sequence[str], *, loopback: bool) -> bool:
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return False
    if not (endpoint.isascii() and endpoint.isprintable() and len(endpoint) <= _LONGEST) or " " in endpoint:
        return False
    if parts.username is not None or parts.password is not None or parts.fragment or "\\" in endpoint:
        return False
    if loopback:
        return parts.scheme == "http" and parts.hostname == "127.0.0.1" and bool(port)
    return parts.scheme == "https" and port in (None, 443) and _is_known(parts, services)


def _is_known(parts: SplitResult, services: Sequence[str]) -> bool:
    host = parts.hostname or ""
    return any(
        host.endswith(one[1:]) and len(host) > len(one) - 1 if one.startswith("*.") else host == one
        for one in services
    )


def _holders(session: Session, indexes: Sequence[str]) -> list[ContactAddress]:
    query = select(ContactAddress).where(
        ContactAddress.channel == WEBPUSH, col(ContactAddress.address_index).in_(indexes)
    )
    return list(session.exec(query.order_by(col(ContactAddress.id))))


def _said_no(session: Session, indexes: Sequence[str]) -> bool:
    query = select(Refusal.channel).where(Refusal.channel == WEBPUSH, col(Refusal.address_index).in_(indexes))
    return session.exec(query.limit(1)).first() is not None


def _contact(session: Session, indexes: Sequence[str], index: str, wish: Wish, *, now: datetime) -> int:
    """The contact of a browser, made where there is none; two calls in one moment make one."""
    # by its address too: after a change of keys a contact may still have the identity it was made with
    mine = select(Contact.id).where(
        Contact.holder_code == WHOLE,
        col(Contact.identity).in_(indexes)
        | select(ContactAddress.id)
        .where(
            ContactAddress.contact_id == Contact.id,
            ContactAddress.channel == WEBPUSH,
            col(ContactAddress.address_index).in_(indexes),
        )
        .exists(),
    )
    found = session.exec(mine).first()
    if found is None:
        served = session.get(Outlet, wish.outlet_code) if wish.outlet_code else None
        made = Contact(
            identity=index,
            outlet_code=served.code if served else "", language=wish.language, created_at=now, updated_at=now,
        )  # fmt: skip
        put_unless_there(session, made, "holder_code", "identity")
        found = session.exec(mine).one()
    return found or 0


def _put(session: Session, vault: Vault, contact_id: int, found: Subscription, *, now: datetime) -> bool:
    """Keep the address; its keys may have been renewed. Whether anything changed."""
    mine = (ContactAddress.contact_id == contact_id, ContactAddress.channel == WEBPUSH)
    held = session.exec(select(ContactAddress).where(*mine)).first()
    if held is not None and vault.decrypt(held.sealed) == found.text:
        return False
    values = {
        "contact_id": contact_id, "channel": WEBPUSH, "sealed": vault.encrypt(found.text),
        "address_index": vault.index(WEBPUSH, found.endpoint), "since": now,
    }  # fmt: skip
    made = inserting(session.get_bind().dialect)(ContactAddress).values(values)
    key = ["contact_id", "channel"]
    session.execute(made.on_conflict_do_update(index_elements=key, set_=values))
    return True


def _agree(session: Session, contact_id: int, wish: Wish, now: datetime) -> bool:
    """Write down the consent and put the contact into the list; whether either was missing."""
    mine = (Consent.contact_id == contact_id, Consent.channel == WEBPUSH, Consent.purpose == EDUCATION)
    given = session.exec(select(Consent.text_version).where(*mine)).all()
    listed = lists.found_or_made(session, LIST, now)
    member = session.get(ContactMember, (listed.id, contact_id))
    if member is None:
        session.add(ContactMember(list_id=listed.id or 0, contact_id=contact_id))
    if wish.version not in given:
        given_now = Consent(
            contact_id=contact_id, channel=WEBPUSH, purpose=EDUCATION, given_at=now, source=f"{VIA} {wish.page}"[:200],
            text_version=wish.version, recorded_at=now,
        )  # fmt: skip
        session.add(given_now)
    session.flush()
    return member is None or wish.version not in given
