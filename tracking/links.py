"""Short links and QR codes: made for a page of this site, a campaign, an outlet and a channel; ended, never changed.

A printed code hangs for years, so a link never leads anywhere else than when it was made. The redirect itself counts
nothing: it carries the signed attribution to the page, which counts the visit once, by the rules of all visits.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from urllib.parse import quote, urlsplit

import segno
from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from institution import audit
from institution.models import Outlet, OutletKind
from institution.powers import WHOLE, Scope
from tracking.attribution import PARAMETER, Attribution, Attributions
from tracking.link_models import ShortLink

PREFIX = "/s/"
# Without 0 and o, 1, i and l, u and v: read aloud and typed from paper. 29^8 is 5·10^11, so of ten thousand links
# one guess in fifty million hits some.
ALPHABET, LENGTH = "23456789abcdefghjkmnpqrstwxyz", 8
QR = "qr"
_CODE = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}", re.ASCII)
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,59}", re.ASCII)
_CHANNEL = re.compile(r"[a-z0-9_-]{1,32}", re.ASCII)
_FORBIDDEN = ("/desk", "/internal", "/static/", "/media/", "/r/", PREFIX)

_listeners: list[Callable[[Session], None]] = []

audit.declare({"link.make": mark("新建短链接"), "link.end": mark("停用短链接")})


@dataclass(frozen=True, slots=True)
class Aim:
    """Where a link leads and what a visit through it counts for, apart from the outlet."""

    path: str = "/"
    campaign: str = ""
    channel: str = QR
    valid_until: date | None = None
    note: str = ""


def on_change(listener: Callable[[Session], None]) -> None:
    """Have the listener called, in the same transaction, when links came or went; plugged in by `webapp`."""
    if listener not in _listeners:
        _listeners.append(listener)


def _changed(session: Session) -> None:
    for listener in _listeners:
        listener(session)


def make(session: Session, aim: Aim, outlet_code: str, *, by: int | None, now: datetime) -> ShortLink:
    """A new link. Invalid names the field."""
    check(aim)
    if outlet_code != WHOLE and session.get(Outlet, outlet_code) is None:
        raise Invalid(mark("没有编号为“%(code)s”的机构，请检查范围。"), field="outlet_code", code=outlet_code)
    (made,) = _add(session, aim, [outlet_code], by, now)
    after = {"title": aim.path, "channel": aim.channel, "until": aim.valid_until}
    audit.record(session, "link.make", "link", made.code, after=after, outlet_code=outlet_code)
    _changed(session)
    return made


def _add(
    session: Session, aim: Aim, outlet_codes: Sequence[str], by: int | None, now: datetime
) -> list[ShortLink]:
    made = [
        ShortLink(
            code=code,
            path=aim.path,
            campaign=aim.campaign,
            outlet_code=outlet_code,
            channel=aim.channel,
            note=aim.note,
            valid_until=aim.valid_until,
            made_by=by,
            made_at=now,
        )
        for code, outlet_code in zip(_new_codes(session, len(outlet_codes)), outlet_codes, strict=True)
    ]
    session.add_all(made)
    session.flush()
    return made


def check(aim: Aim) -> None:
    """Invalid unless the aim is a page of this site with keys that can travel."""
    if not _is_path(aim.path):
        raise Invalid(mark("请填本站的一个地址，以 / 开头，如 /p/full-surrender。"), field="path")
    if aim.campaign and not _KEY.fullmatch(aim.campaign):
        raise Invalid(mark("活动期代码只能用小写字母、数字和横线。"), field="campaign")
    if not _CHANNEL.fullmatch(aim.channel):
        raise Invalid(mark("渠道请用小写字母、数字、横线和下划线，如 qr、poster、wechat。"), field="channel")
    if len(aim.note) > 120 or not aim.note.isprintable():
        raise Invalid(mark("备注请写在 120 字以内，不要换行。"), field="note")


def _is_path(path: str) -> bool:
    """Whether this is an address below our own that may be shown to visitors; anything else would be an open door."""
    if not path.startswith("/") or path.startswith("//") or "\\" in path or len(path) > 300:
        return False
    if not path.isprintable() or " " in path or "#" in path or path.startswith(_FORBIDDEN) or path == "/r":
        return False
    parts = urlsplit(path)
    plain = not parts.scheme and not parts.netloc and ".." not in parts.path.split("/")
    return plain and not re.search(rf"(?:^|&){PARAMETER}=", parts.query)


def _new_codes(session: Session, count: int) -> list[str]:
    found: set[str] = set()
    while len(found) < count:
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        if session.get(ShortLink, code) is None:
            found.add(code)
    return sorted(found)


def read(session: Session, code: str) -> ShortLink | None:
    """The link of a code as somebody typed it, live or not; None when there is none."""
    code = code.lower()
    return session.get(ShortLink, code) if _CODE.fullmatch(code) else None


def get(session: Session, code: str) -> ShortLink:
    """The link of a code, or NotFound."""
    found = read(session, code)
    if found is None:
        raise NotFound(mark("没有这个短链接。"))
    return found


def target(link: ShortLink, attributions: Attributions) -> str:
    """Where the link leads: the path with the signed attribution, safe for a Location header."""
    token = attributions.sign(Attribution(link.campaign, link.outlet_code, link.channel))
    joined = "&" if "?" in link.path else "?"
    return f"{quote(link.path, safe=_URL)}{joined}{PARAMETER}={token}"


_URL = "/?&=%:@!$'()*+,;~-._"


def query(scope: Scope, *, text: str = "", live_on: date | None = None) -> SelectOfScalar[ShortLink]:
    """The links of a part of the tree; with `text` in code, path, campaign, outlet or note; only those live on a day."""
    found = select(ShortLink).where(scope.condition(ShortLink.outlet_code))
    for word in text.split()[:6]:
        columns = (ShortLink.code, ShortLink.path, ShortLink.campaign, ShortLink.outlet_code, ShortLink.note)
        held = [col(column).icontains(word, autoescape=True) for column in columns]
        found = found.where(held[0] | held[1] | held[2] | held[3] | held[4])
    if live_on is not None:
        found = found.where(*_live(live_on))
    return found


def _live(today: date) -> tuple[ColumnElement[bool], ...]:
    return (
        col(ShortLink.ended_at).is_(None),
        col(ShortLink.valid_until).is_(None) | (col(ShortLink.valid_until) >= today),
    )


def end(session: Session, link: ShortLink, now: datetime) -> None:
    """Have a link lead nowhere from now on; again: changes nothing."""
    if link.ended_at is not None:
        return
    link.ended_at = now
    session.add(link)
    after = {"title": link.path, "ended_at": now}
    audit.record(session, "link.end", "link", link.code, after=after, outlet_code=link.outlet_code)
    _changed(session)


def outlets_of(session: Session, node: str, scope: Scope) -> Sequence[Outlet]:
    """The open outlets at or below a node, within a part of the tree."""
    below = Scope(frozenset({node})).condition(Outlet.code)
    chosen = select(Outlet).where(below, scope.condition(Outlet.code), Outlet.kind == OutletKind.outlet)
    return list(session.exec(chosen.where(col(Outlet.closed_on).is_(None)).order_by(Outlet.code)))


def of_outlets(session: Session, aim: Aim, codes: Iterable[str], today: date) -> dict[str, ShortLink]:
    """The oldest live link of each outlet with exactly this aim; the note does not matter."""
    wanted, found = sorted(set(codes)), {}
    for start in range(0, len(wanted), 500):
        chosen = select(ShortLink).where(
            col(ShortLink.outlet_code).in_(wanted[start : start + 500]),
            ShortLink.path == aim.path,
            ShortLink.campaign == aim.campaign,
            ShortLink.channel == aim.channel,
            col(ShortLink.valid_until).is_(None)
            if aim.valid_until is None
            else col(ShortLink.valid_until) == aim.valid_until,
            *_live(today),
        )
        for link in session.exec(chosen.order_by(col(ShortLink.made_at).desc(), ShortLink.code)):
            found[link.outlet_code] = link
    return found


def for_outlets(
    session: Session, aim: Aim, codes: Sequence[str], *, node: str, by: int | None, today: date, now: datetime
) -> int:
    """See that each outlet has a live link with this aim; how many were new. One record for all."""
    check(aim)
    if aim.valid_until is not None and aim.valid_until < today:
        raise Conflict(mark("有效期已经过去，请改成今天或以后的日期。"), field="valid_until")
    known = of_outlets(session, aim, codes, today)
    missing = [code for code in codes if code not in known]
    if missing:
        _add(session, aim, missing, by, now)
        after = {"title": aim.path, "channel": aim.channel, "count": len(missing)}
        audit.record(session, "link.make", "link", node, after=after, outlet_code=node)
        _changed(session)
    return len(missing)


def standing(session: Session, code: str, today: date) -> ShortLink | None:
    """The link of an outlet that hangs for years: to the home page, for no campaign, without an end."""
    return of_outlets(session, Aim(), [code], today).get(code)


def qr_svg(text: str) -> str:
    """A QR code as an SVG element: error correction M, the quiet zone of the standard, dark on white."""
    drawn = BytesIO()
    segno.make(text, error="m", micro=False).save(
        drawn, kind="svg", xmldecl=False, svgns=True, border=4, dark="#1e2a2d", light="#ffffff", omitsize=True
    )
    return drawn.getvalue().decode()
