"""Who gets what of a report: at the moment of sending, everybody gets their own part of the tree, or a reason."""

from dataclasses import dataclass

from sqlmodel import Session

from core.errors import NotFound
from core.i18n import mark
from core.signing import Keys, Signer
from institution import sessions
from institution.models import Staff
from institution.powers import WHOLE, Scope

PERMISSION = "reach.view"
LEAVE = "/reports/leave/"
CLOSED = mark("账号已停用，没有再发。")
NO_ADDRESS = mark("账号没有登记电子邮箱，没法发送。")
NO_POWER = mark("您的账号现在没有查看触达报告的权限，所以这一期没有数。如需要，请联系管理员。")
OUTSIDE = mark("这份报告不在您现在负责的范围内，所以这一期没有数。如需要，请联系管理员。")
LEFT = mark("已不在收件人里，或报告已停发。")


@dataclass(frozen=True, slots=True)
class Share:
    """What somebody may be told of a node: parts of the tree, or why nothing (a msgid)."""

    parts: tuple[str, ...] = ()
    why: str = ""

    @property
    def reachable(self) -> bool:
        """Whether a letter may go out at all, be it one that only says why."""
        return self.why not in (CLOSED, NO_ADDRESS, LEFT)


def share(session: Session, person: Staff | None, node: str, *, addressed: bool = False) -> Share:
    """What a person may be told now of a node and all below it, by the grants they hold now.

    `addressed` does not ask for an address: they look at it on the desk.
    """
    if person is None or not person.active or person.system:
        return Share(why=CLOSED)
    if not person.email and not addressed:
        return Share(why=NO_ADDRESS)
    scope = sessions.powers_of(session, person.id or 0).scope(PERMISSION)
    if not scope.tops:
        return Share(why=NO_POWER)
    parts = parts_of(session, scope, node)
    return Share(parts) if parts else Share(why=OUTSIDE)


def parts_of(session: Session, scope: Scope, node: str) -> tuple[str, ...]:
    """The node itself where all of it is theirs, else the uppermost nodes below it that are; () for none."""
    if scope.covers(session, node):
        return (node,)
    inside = Scope(frozenset({node}))
    tops = sorted(top for top in scope.tops if top != WHOLE and inside.covers(session, top))
    return tuple(top for top in tops if not Scope(frozenset(tops) - {top}).covers(session, top))


class LeaveLinks:
    """Links by which a reader says no to one report, without signing in; they open nothing else."""

    def __init__(self, keys: Keys) -> None:
        self._signer = Signer(keys.derive("tracking/report-leave"))

    def path(self, subscription_id: int, staff_id: int) -> str:
        """The path of somebody's link on our site."""
        return LEAVE + self._signer.sign(f"{subscription_id}-{staff_id}")

    def read(self, token: str) -> tuple[int, int]:
        """Subscription and person of a link; NotFound for one that is not ours."""
        text = self._signer.open(token) or ""
        subscription_id, _dash, staff_id = text.partition("-")
        if not (subscription_id.isdecimal() and staff_id.isdecimal()):
            raise NotFound(mark("这个退订链接不完整，请从邮件里重新点一次。"))
        return int(subscription_id), int(staff_id)
