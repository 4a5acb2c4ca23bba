"""API tokens: what programs show instead of a person's session, each for named purposes and a part of the tree.

A token is shown once, when it is made; kept is only its SHA-256. It is 256 random bits, so a plain hash is
enough: there is nothing to guess from a list of words.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from core.errors import Invalid, NotFound
from core.i18n import mark
from institution import audit
from institution.api_token_models import ApiToken
from institution.models import Outlet
from institution.powers import WHOLE, Scope

PREFIX = "spt_"
COLLECT, READ = "reach.collect", "reach.read"
PURPOSES = {COLLECT: mark("写入触达事件"), READ: mark("读取触达报告")}
MOST_DAYS, USUAL_DAYS = 1095, 365
# How often "last used" is written: often enough for a person, seldom enough for a database.
USED_EVERY = timedelta(minutes=5)
_LONGEST = 100  # characters; ours have 47
_SHOWN = 10  # of which these name it

audit.declare({"token.make": mark("新建接口令牌"), "token.end": mark("撤销接口令牌")})


def make(
    session: Session,
    *,
    name: str,
    purposes: Iterable[str],
    outlet_code: str,
    days: int,
    by: int | None,
    now: datetime,
) -> tuple[ApiToken, str]:
    """A new token; returns its row and the token itself, which nobody can show again. Invalid names the field."""
    name, wanted = name.strip(), sorted(set(purposes))
    _check(session, name, wanted, outlet_code, days)
    token = PREFIX + secrets.token_urlsafe(32)
    made = ApiToken(
        name=name,
        token_hash=_hash(token),
        hint=token[:_SHOWN],
        purposes=" ".join(wanted),
        outlet_code=outlet_code,
        made_by=by,
        made_at=now,
        expires_at=now + timedelta(days=days),
    )
    session.add(made)
    session.flush()
    after = {"name": name, "purposes": wanted, "until": made.expires_at, "outlet_code": outlet_code}
    audit.record(session, "token.make", "token", made.hint, after=after, outlet_code=outlet_code)
    return made, token


def _check(session: Session, name: str, purposes: Sequence[str], outlet_code: str, days: int) -> None:
    if not name or len(name) > 80 or not name.isprintable():
        raise Invalid(mark("请写明令牌给哪个系统用，80 字以内。"), field="name")
    if not purposes or not set(purposes) <= PURPOSES.keys():
        raise Invalid(mark("请至少选一项用途。"), field="purposes")
    if outlet_code != WHOLE and session.get(Outlet, outlet_code) is None:
        raise Invalid(mark("没有编号为“%(code)s”的机构，请检查范围。"), field="outlet_code", code=outlet_code)
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(mark("有效期请填 1 到 %(most)s 天。"), field="days", most=MOST_DAYS)


def known(session: Session, token: str, now: datetime) -> ApiToken | None:
    """The valid token of this text whatever it is for, else None; reads only."""
    if not token.startswith(PREFIX) or len(token) > _LONGEST or not token.isascii():
        return None
    found = session.exec(select(ApiToken).where(ApiToken.token_hash == _hash(token))).first()
    return found if found is not None and found.valid(now) else None


def find(session: Session, token: str, purpose: str, now: datetime) -> ApiToken | None:
    """The valid token of this text if it was given for the purpose, else None; reads only."""
    found = known(session, token, now)
    return found if found is not None and found.may(purpose) else None


def is_due(found: ApiToken, now: datetime) -> bool:
    """Whether its use is to be written down (`used`): not more often than every few minutes."""
    return found.used_at is None or now - found.used_at >= USED_EVERY


def used(session: Session, number: int, now: datetime) -> None:
    """Note that a token is in use."""
    session.execute(update(ApiToken).where(col(ApiToken.id) == number).values(used_at=now))


def get(session: Session, number: int) -> ApiToken:
    """One token by its number, or NotFound."""
    found = session.get(ApiToken, number)
    if found is None:
        raise NotFound(mark("没有找到这个接口令牌。"))
    return found


def by_hint(session: Session, hint: str) -> ApiToken:
    """The only token that begins so, or NotFound."""
    rows = session.exec(select(ApiToken).where(col(ApiToken.hint).startswith(hint, autoescape=True))).all()
    if len(rows) != 1 or not hint:
        raise NotFound(mark("没有找到这个接口令牌。"))
    return rows[0]


def everything(session: Session, scope: Scope) -> Sequence[ApiToken]:
    """The tokens of a part of the tree, the newest first."""
    query = select(ApiToken).where(scope.condition(ApiToken.outlet_code))
    return list(session.exec(query.order_by(col(ApiToken.id).desc())))


def end(session: Session, found: ApiToken, now: datetime) -> None:
    """Revoke a token for good; again: changes nothing. A server forgets it within seconds."""
    if found.ended_at is not None:
        return
    found.ended_at = now
    session.add(found)
    after = {"name": found.name, "ended_at": now}
    audit.record(session, "token.end", "token", found.hint, after=after, outlet_code=found.outlet_code)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
