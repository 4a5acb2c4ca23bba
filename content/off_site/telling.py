"""Letters about what left the site or is about to: to those who answer for it."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from content.history import get_piece
from content.models import Revision
from content.off_site.models import Withdrawal
from core.errors import Invalid
from core.i18n import gettext as _
from core.i18n import using_locale
from core.privacy import Vault
from core.settings import Settings
from institution import approval_paths, letters
from institution.models import Grant, Staff
from institution.powers import ROLES

MOST = 20  # letters for one thing


def holders(session: Session, permission: str, outlet_code: str) -> list[Staff]:
    """Active people who hold a permission over a node, those of the nearest part of the tree first."""
    line = approval_paths.line_of(session, outlet_code)
    roles = [role for role, (_name, allowed) in ROLES.items() if permission in allowed]
    query = (
        select(Staff, Grant.outlet_code)
        .join(Grant, col(Grant.staff_id) == col(Staff.id))
        .where(
            col(Grant.role).in_(roles), col(Grant.outlet_code).in_(line),
            col(Staff.active), col(Staff.system).is_(False),
        )
    )  # fmt: skip
    found: dict[int, tuple[int, Staff]] = {}
    for person, code in session.exec(query):
        near = line.index(code)
        if near >= found.get(person.id or 0, (-1, person))[0]:
            found[person.id or 0] = (near, person)
    return [person for _near, person in sorted(found.values(), key=lambda one: (-one[0], one[1].name))]


def owners(session: Session, revision: Revision) -> list[Staff]:
    """Who answers for a published revision: who wrote it, while they may still write there; else who may."""
    place = get_piece(session, revision.piece_key).outlet_code
    able = holders(session, "content.edit", place)
    author = [one for one in able if one.id == revision.author_id]
    return author or able[:3]


def withdrawn(
    session: Session, revision: Revision, done: Withdrawal, *, settings: Settings, vault: Vault, now: datetime
) -> int:
    """Tell the others who may take down or review there, and the author; returns how many letters were posted."""
    place = get_piece(session, revision.piece_key).outlet_code
    people = {
        one.id: one for one in [*owners(session, revision), *holders(session, "content.withdraw", place)]
    }
    people.pop(done.by, None)
    with using_locale(settings.locale):
        subject = _("已撤下：%(title)s", title=" ".join(revision.title.split()))
        text = _(
            "您好：\n\n“%(title)s”第 %(number)s 版已从网站撤下。\n原因：%(reason)s\n\n请登录看一看，并点“已知悉”：\n"
            "%(link)s\n\n%(institution)s",
            title=revision.title,
            number=revision.number,
            reason=done.reason,
            link=f"{settings.public_url.rstrip('/')}/desk/pieces/{revision.piece_key}",
            institution=settings.institution_name,
        )
    return post(session, list(people.values()), subject, text, settings=settings, vault=vault, now=now)


def post(
    session: Session,
    people: Sequence[Staff],
    subject: str,
    text: str,
    *,
    settings: Settings,
    vault: Vault,
    now: datetime,
) -> int:
    """One letter to each who has an address; none while there is no mail server."""
    if not letters.possible(settings):
        return 0
    posted = 0
    for person in people[:MOST]:
        if not person.email:
            continue
        try:
            letters.post(
                session, vault=vault, to=vault.decrypt(person.email), subject=subject, text=text, now=now
            )
        except Invalid:  # an address that cannot be written to must not keep the others waiting
            continue
        posted += 1
    return posted
