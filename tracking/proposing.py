"""A new version of what counts as reach: proposed, looked at beside the present one, in force only by four eyes.

One proposal waits at a time. The approval's hash is that of the exact content; its effect alone calls
`definition.adopt`. No stored event changes: roll-ups are made anew in the background where the new version
answers (`closing`).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from core.errors import Conflict, Invalid, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from institution import approval_kinds, approvals, audit
from institution.approval_models import Approval
from tracking import definition as definitions
from tracking.definition import FIRST, KIND_NAMES, Definition
from tracking.events import KINDS
from tracking.models import DefinitionProposal, ReachDefinition

KIND, SUBJECT, PERMISSION = "reach.definition", "definition", "reach.approve"
WAITING, ADOPTED, CHANGES, REJECTED, WITHDRAWN = "waiting", "adopted", "changes", "rejected", "withdrawn"
SOURCES = {"offline": mark("线下活动"), "return": mark("活动回执"), "import": mark("导入的统计")}
audit.declare({"reach.define": mark("提出触达定义"), "reach.adopt": mark("采用触达定义")})


@dataclass(frozen=True, slots=True)
class Version:
    """A version in the list: the definition, its note, who proposed and who approved it (numbers), when."""

    definition: Definition
    note: str
    proposed_by: int | None = None
    decided_by: int | None = None
    adopted_at: datetime | None = None

    @property
    def kinds(self) -> str:
        """The kinds that are reach, in words."""
        return kinds_in_words(self.definition.kinds)

    @property
    def head_counts(self) -> str:
        """The sources whose rows without a visitor are head counts, in words."""
        return sources_in_words(self.definition.head_counts)


def versions(session: Session) -> list[Version]:
    """All versions, the newest first; the first stands in the program."""
    query = select(DefinitionProposal).where(DefinitionProposal.state == ADOPTED)
    proposals = {one.version: one for one in session.exec(query)}
    found = []
    for row in session.exec(select(ReachDefinition).order_by(col(ReachDefinition.valid_from).desc())):
        by = proposals.get(row.id)
        found.append(
            Version(
                Definition(row.id, row.valid_from, tuple(row.kinds), tuple(row.head_counts)),
                row.note,
                by.proposed_by if by else None,
                by.decided_by if by else None,
                row.adopted_at,
            )
        )
    return [*found, Version(FIRST, _("随系统提供的第一版"))]


def waiting(session: Session) -> DefinitionProposal | None:
    """The proposal that waits for a decision, if there is one."""
    return session.exec(select(DefinitionProposal).where(DefinitionProposal.state == WAITING)).first()


def propose(
    session: Session,
    *,
    version: str,
    valid_from: date,
    kinds: Sequence[str],
    head_counts: Sequence[str],
    note: str,
    by: int,
    now: datetime,
    zone: ZoneInfo,
) -> DefinitionProposal:
    """Put a version before a second person; Conflict while another waits."""
    if waiting(session) is not None:
        raise Conflict(mark("已有一版触达定义待审，请先等它有结论，或由提交人撤回。"))
    made = DefinitionProposal(
        version=version.strip(), valid_from=valid_from, begins_at=datetime.combine(valid_from, time(), zone), kinds=[one for one in KINDS if one in kinds],
        head_counts=[one for one in SOURCES if one in head_counts], note=note.strip()[:2000], proposed_by=by,
        proposed_at=now,
    )  # fmt: skip
    check(session, made, now)
    session.add(made)
    session.flush()
    approvals.request(
        session, kind=KIND, subject=SUBJECT, subject_hash=digest(made), title=_("触达定义 %(id)s", id=made.version),
        by=by, now=now, reason=made.note,
    )  # fmt: skip
    audit.record(session, "reach.define", "reach_definition", made.version, after=_said(made), note=made.note)
    return made


def check(session: Session, one: DefinitionProposal, now: datetime) -> None:
    """Invalid or Conflict, with the field, when a version cannot come into force as it is."""
    if not one.version or len(one.version) > 20 or not one.version.isprintable() or " " in one.version:
        raise Invalid(mark("请写一个编号，不超过 20 个字符、没有空格，如 2027-1。"), field="version")
    if not one.kinds:
        raise Invalid(mark("触达定义要写明哪些事件算触达，请从已有的事件类别里选。"), field="kinds")
    if not one.note:
        raise Invalid(mark("请写明为什么改：报告的读者会看到。"), field="note")
    if one.begins_at <= now:
        raise Invalid(mark("生效日期要在今天之后：已经出过的报告不能变。"), field="valid_from")
    known = versions(session)
    if any(each.definition.id == one.version for each in known):
        raise Conflict(mark("编号 %(id)s 已经用过，请换一个。"), field="version", id=one.version)
    latest = known[0].definition
    if one.valid_from <= latest.valid_from:
        raise Conflict(mark("新的触达定义要晚于现行定义，并使用新的编号。"), field="valid_from")
    same = (tuple(one.kinds), tuple(one.head_counts))
    if same == (
        tuple(k for k in KINDS if k in latest.kinds),
        tuple(s for s in SOURCES if s in latest.head_counts),
    ):
        raise Invalid(mark("与最新一版相同，没有要改的。"), field="kinds")


def of(one: DefinitionProposal) -> Definition:
    """The definition that a proposal would be."""
    return Definition(one.version, one.valid_from, tuple(one.kinds), tuple(one.head_counts))


def digest(one: DefinitionProposal) -> str:
    """SHA-256 (hex) over exactly what would come into force."""
    text = json.dumps(_said(one), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def kinds_in_words(kinds: Sequence[str]) -> str:
    """送达＋访问＋到场."""
    return "＋".join(_(KIND_NAMES[one]) for one in kinds)


def sources_in_words(sources: Sequence[str]) -> str:
    """线下活动、导入的统计; a dash for none."""
    return _("、").join(_(SOURCES.get(one, one)) for one in sources) or "—"


def _said(one: DefinitionProposal) -> dict[str, object]:
    return {
        "id": one.version, "valid_from": one.valid_from.isoformat(), "kinds": one.kinds,
        "head_counts": one.head_counts, "note": one.note,
    }  # fmt: skip


def _asked(session: Session) -> DefinitionProposal:
    found = waiting(session)
    if found is None:
        raise NotFound(mark("没有待审的触达定义。"))
    return found


def _settled(
    session: Session, _approval: Approval, outcome: str, by: int, now: datetime, _opinion: str
) -> None:
    """Approved, the version is adopted as it stands; anything else ends the proposal."""
    one = _asked(session)
    one.decided_by, one.decided_at = by, now
    if outcome != approvals.APPROVED:
        one.state = CHANGES if outcome == approvals.CHANGES else REJECTED
    else:
        one.state = ADOPTED
        session.flush()
        check(session, one, now)
        definitions.adopt(
            session, id=one.version, valid_from=one.valid_from, kinds=one.kinds, head_counts=one.head_counts,
            note=one.note, now=now,
        )  # fmt: skip
        audit.record(session, "reach.adopt", "reach_definition", one.version, after=_said(one))
    session.add(one)
    session.flush()


def _take_back(session: Session, approval: Approval, by: int, now: datetime) -> None:
    approvals.withdraw(session, approval.id or 0, by=by, now=now)
    one = _asked(session)
    one.state = WITHDRAWN
    session.add(one)
    session.flush()


def _current(session: Session, _approval: Approval) -> str | None:
    one = waiting(session)
    return digest(one) if one is not None else None


def _facts(session: Session, approval: Approval) -> Sequence[tuple[str, str]]:
    query = select(DefinitionProposal).where(DefinitionProposal.proposed_at == approval.requested_at)
    one = session.exec(query.order_by(col(DefinitionProposal.id).desc())).first()
    if one is None:
        return ()
    present = definitions.in_force(session, one.valid_from)
    return (
        (_("编号"), one.version),
        (_("生效日期"), one.valid_from.isoformat()),
        (_("算触达的事件"), kinds_in_words(one.kinds)),
        (_("现行版本算的"), kinds_in_words(present.kinds)),
        (_("计入人数的来源"), sources_in_words(one.head_counts)),
        (_("现行版本计入的"), sources_in_words(present.head_counts)),
        (_("不会变的"), _("已存的事件一条也不改；生效日期之前的报告仍用旧版本。")),
    )


approval_kinds.declare(
    approval_kinds.Kind(
        name=KIND,
        label=mark("采用触达定义"),
        permission=PERMISSION,
        settled=_settled,
        facts=_facts,
        href=lambda _approval: "/desk/reach/definitions",
        take_back=_take_back,
        current=_current,
    )
)
