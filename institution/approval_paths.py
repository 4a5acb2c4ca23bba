"""Which steps a request takes: by kind and by part of the tree; the path of the nearest node above holds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from core.errors import Invalid, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from institution import approval_kinds, audit, outlets
from institution.approval_models import ApprovalPath
from institution.models import Outlet, OutletKind
from institution.powers import PERMISSIONS, WHOLE

OWN, PROVINCE, HEAD = "own", "province", "head"
PLACES = {OWN: mark("所属机构"), PROVINCE: mark("省级分公司"), HEAD: mark("总公司")}
MOST_STEPS = 6
DEFAULT_STEP = mark("审批")
audit.declare({"path.save": mark("设置审批流程"), "path.remove": mark("删除审批流程")})


@dataclass(frozen=True, slots=True)
class Step:
    """One step as a path names it: decided by who holds `permission` at `at` (own, province or head)."""

    name: str
    permission: str
    at: str = OWN


def of_sort(kind: str, sort: str) -> str:
    """What a path names that is meant for one sort of a kind alone."""
    return f"{kind}:{sort}" if sort else kind


def is_known(kind: str) -> bool:
    """Whether a path may name this: a kind of request, or one of its sorts."""
    name, _colon, sort = kind.partition(":")
    return name in approval_kinds.KINDS and (not sort or sort in approval_kinds.KINDS[name].sorts)


def steps_of(
    session: Session, kind: str, outlet_code: str, sort: str = ""
) -> tuple[Sequence[Step], int | None]:
    """The steps for a thing of this node, and the days given; one step by the kind's permission by default."""
    found = nearest(session, kind, outlet_code, sort)
    if found is None:
        return (Step(_(DEFAULT_STEP), approval_kinds.of(kind).permission),), None
    return tuple(Step(**one) for one in found.steps), found.due_days


def nearest(session: Session, kind: str, outlet_code: str, sort: str = "") -> ApprovalPath | None:
    """The path that holds for a thing of this node, None when none was set: that of the nearest node, and of two of one
    node the one for its sort."""
    line, names = line_of(session, outlet_code), [kind, of_sort(kind, sort)]
    rows = session.exec(
        select(ApprovalPath).where(col(ApprovalPath.kind).in_(names), col(ApprovalPath.outlet_code).in_(line))
    )
    return max(rows, key=lambda one: (line.index(one.outlet_code), len(one.kind)), default=None)


def line_of(session: Session, outlet_code: str) -> list[str]:
    """From the whole institution down to this node; an unknown node belongs to the whole institution."""
    return [WHOLE, *(one.code for one in _path(session, outlet_code))]


def place_of(session: Session, outlet_code: str, at: str) -> str:
    """The node whose people decide a step: the thing's own, the province above it, or the whole institution."""
    if at == OWN:
        return outlet_code
    if at == HEAD:
        return WHOLE
    path = _path(session, outlet_code)
    return next((one.code for one in path if one.kind == OutletKind.province), WHOLE)


def _path(session: Session, outlet_code: str) -> list[Outlet]:
    if outlet_code == WHOLE or outlets.find(session, outlet_code) is None:
        return []
    return outlets.path(session, outlet_code)


def everything(session: Session) -> list[ApprovalPath]:
    """All paths that were set, by kind and place."""
    return list(session.exec(select(ApprovalPath).order_by(ApprovalPath.kind, ApprovalPath.outlet_code)))


def get(session: Session, path_id: int) -> ApprovalPath:
    """The path, or NotFound."""
    found = session.get(ApprovalPath, path_id)
    if found is None:
        raise NotFound(mark("没有找到这条审批流程，可能已被删除。"))
    return found


def save(
    session: Session,
    *,
    kind: str,
    outlet_code: str,
    steps: Sequence[Step],
    due_days: int | None,
    by: int,
    now: datetime,
) -> ApprovalPath:
    """Set the steps for a kind in a part of the tree; requests that already wait keep theirs."""
    _check(session, kind, outlet_code, steps, due_days)
    query = select(ApprovalPath).where(ApprovalPath.kind == kind, ApprovalPath.outlet_code == outlet_code)
    found = session.exec(query).first()
    before = values_of(found) if found else {}
    path = found or ApprovalPath(kind=kind, outlet_code=outlet_code, steps=[], updated_at=now)
    path.steps = [asdict(one) for one in steps]
    path.due_days, path.updated_by, path.updated_at = due_days, by, now
    session.add(path)
    session.flush()
    audit.record(
        session, "path.save", "path", f"{kind}@{outlet_code}", before=before, after=values_of(path),
        outlet_code=outlet_code,
    )  # fmt: skip
    return path


def remove(session: Session, path: ApprovalPath) -> None:
    """Take a path away: the one of the node above holds from now on."""
    before = values_of(path)
    session.delete(path)
    session.flush()
    audit.record(
        session, "path.remove", "path", f"{path.kind}@{path.outlet_code}", before=before,
        outlet_code=path.outlet_code,
    )  # fmt: skip


def values_of(path: ApprovalPath) -> Mapping[str, object]:
    """What two people could change at once."""
    return {"steps": path.steps, "due_days": path.due_days}


def _check(
    session: Session, kind: str, outlet_code: str, steps: Sequence[Step], due_days: int | None
) -> None:
    if not is_known(kind):
        raise Invalid(mark("请选择这条流程用于哪一类申请。"), field="kind")
    if outlet_code != WHOLE and outlets.find(session, outlet_code) is None:
        raise Invalid(mark("没有这个机构，请从列表里选择。"), field="outlet_code")
    if not 1 <= len(steps) <= MOST_STEPS:
        raise Invalid(mark("审批流程要有 1 到 %(most)s 步。"), field="steps", most=MOST_STEPS)
    if due_days is not None and not 1 <= due_days <= 90:
        raise Invalid(mark("办理期限须在 1 到 90 天之间；不限请留空。"), field="due_days")
    for number, one in enumerate(steps, 1):
        if not one.name or len(one.name) > 60:
            raise Invalid(
                mark("请给第 %(number)s 步起一个名字（不超过 60 个字）。"), field="steps", number=number
            )
        if one.permission not in PERMISSIONS or one.permission.endswith(".view") or one.at not in PLACES:
            raise Invalid(mark("请选择第 %(number)s 步由谁审批。"), field="steps", number=number)
