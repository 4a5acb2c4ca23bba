"""What is held about a person: asked for, decided by a second person, then handed out once or erased.

The one flow: `ask` (the address becomes blind indexes and a mask) → `approvals` → the decision makes an export
ready for its requester, who takes it once within seven days, or erases in every holder at once. Because a
person's data does not stop at a province, the whole institution decides. PIPL art. 44–50; GB/T 35273 8.7.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.i18n import gettext, mark
from core.privacy import Vault, is_email, is_phone, mask_email, mask_phone, normal_email, normal_phone
from institution import approvals, audit, holders, sealed
from institution.approval_kinds import Kind, declare
from institution.approval_models import Approval
from institution.holders import Section
from institution.personal_models import (
    DONE,
    EMAIL,
    ERASE,
    EXPORT,
    LAPSED,
    PHONE,
    READY,
    REJECTED,
    WAITING,
    WISH_NAMES,
    WITHDRAWN,
    PrivacyRequest,
)
from institution.powers import WHOLE

TAKE_WITHIN = timedelta(days=7)
ANSWER_WITHIN = timedelta(days=30)
# The kinds under which holders index an address: contacts call a telephone number by its channel.
_INDEX_KINDS = {PHONE: ("sms", "phone"), EMAIL: ("email",)}
_IN_TEXT = re.compile(r"(?<!\d)1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)|[^@\s]+@[^@\s]+\.\w+", re.ASCII)
audit.declare(
    {
        "privacy.erase": mark("删除个人信息"),
        "privacy.take": mark("下载个人信息"),
        "privacy.lapse": mark("个人信息过期未下载"),
    }
)


def address_of(text: str) -> tuple[str, str]:
    """The kind of an address and its normal form; Invalid for what is neither a number nor an e-mail."""
    email, phone = normal_email(text), normal_phone(text)
    if is_email(email):
        return EMAIL, email
    if is_phone(phone):
        return PHONE, phone
    raise Invalid(mark("请填写本人的手机号（11 位，或以 + 和国家代码开头）或电子邮箱。"), field="address")


def lookups(vault: Vault, kind: str, text: str) -> tuple[list[str], str]:
    """The blind indexes of an address under every key, and its mask."""
    found = [index for one in _INDEX_KINDS[kind] for index in vault.indexes(one, text)]
    return found, mask_email(text) if kind == EMAIL else mask_phone(text)


def ask(
    session: Session,
    *,
    wish: str,
    address_kind: str,
    indexes: Sequence[str],
    masked: str,
    reason: str,
    evidence: str,
    by: int,
    now: datetime,
    outlet_code: str = WHOLE,
) -> PrivacyRequest:
    """Ask for an export or an erasure; a second person decides. Conflict while the same wish waits."""
    reason, evidence = _checked(wish, reason, evidence)
    waiting = select(PrivacyRequest).where(PrivacyRequest.state == WAITING, PrivacyRequest.kind == wish)
    if any(not set(indexes).isdisjoint(one.lookups) for one in session.exec(waiting)):
        raise Conflict(mark("这个人的同一事项已经有一份申请在等审批。"), field="address")
    made = PrivacyRequest(
        kind=wish,
        address_kind=address_kind,
        masked=masked,
        lookups=list(indexes),
        fingerprint=_fingerprint(wish, indexes, reason),
        reason=reason,
        evidence=evidence,
        outlet_code=outlet_code,
        requested_by=by,
        requested_at=now,
        state=WAITING,
    )
    session.add(made)
    session.flush()
    made.approval_id = _approval(session, made, now).id
    session.add(made)
    session.flush()
    return made


def _approval(session: Session, made: PrivacyRequest, now: datetime) -> Approval:
    """Ask the whole institution, whatever node took the request in."""
    return approvals.request(
        session,
        kind=f"privacy.{made.kind}",
        subject=str(made.id),
        subject_hash=made.fingerprint,
        title=f"{gettext(WISH_NAMES[made.kind])}：{made.masked}",
        by=made.requested_by,
        now=now,
        reason=made.reason,
        outlet_code=WHOLE,
        due_at=now + ANSWER_WITHIN,
    )


def get(session: Session, number: int) -> PrivacyRequest:
    """The request, or NotFound."""
    found = session.get(PrivacyRequest, number)
    if found is None:
        raise NotFound(mark("没有找到这份个人信息申请。"))
    return found


def found(session: Session, request: PrivacyRequest) -> dict[str, int]:
    """How many rows each holder has now, by the holder's name; what was decided on, once that happened."""
    if request.state != WAITING:
        return request.found
    return holders.find(session, holders.sought(session, request.lookups))


def withdraw(session: Session, number: int, *, by: int, now: datetime) -> None:
    """Take back one's own request before it is decided."""
    request = get(session, number)
    approvals.withdraw(session, request.approval_id or 0, by=by, now=now)
    _move(session, request, WAITING, WITHDRAWN, settled_at=now)


def take(session: Session, vault: Vault, number: int, *, by: int, now: datetime) -> dict[str, Section]:
    """The data in clear, by holder: for the requester alone, once, within seven days of the approval."""
    request = get(session, number)
    if request.requested_by != by:
        raise NotAllowed(mark("只有提出申请的人可以下载。"))
    if request.state == READY and request.ready_until is not None and request.ready_until <= now:
        raise Conflict(mark("已经超过七天，不能再下载，请重新申请。"))
    _move(session, request, READY, DONE, settled_at=now)
    data = holders.export(session, vault, holders.sought(session, request.lookups))
    after = {"state": DONE, "rows": {name: len(rows) for name, rows in data.items()}}
    audit.record(
        session, "privacy.take", "privacy", number, before={"state": READY}, after=after, note=request.masked
    )
    return data


def lapse(session: Session, now: datetime) -> int:
    """Close exports that nobody took in time; returns how many."""
    query = select(PrivacyRequest).where(
        PrivacyRequest.state == READY, col(PrivacyRequest.ready_until) <= now
    )
    late = list(session.exec(query))
    for request in late:
        _move(session, request, READY, LAPSED, settled_at=now)
        before, after = {"state": READY}, {"state": LAPSED}
        audit.record(session, "privacy.lapse", "privacy", request.id, before=before, after=after)
    return len(late)


def _checked(wish: str, reason: str, evidence: str) -> tuple[str, str]:
    if wish not in WISH_NAMES:
        raise Invalid(mark("请选择要导出还是删除。"), field="wish")
    for name, text, longest in (("reason", reason, 500), ("evidence", evidence, 200)):
        if not text.strip():
            raise Invalid(
                mark("请写明理由。") if name == "reason" else mark("请写明怎样核实了本人身份。"), field=name
            )
        if len(text.strip()) > longest:
            raise Invalid(mark("太长了，请不要超过 %(count)s 个字。"), field=name, count=longest)
        if _IN_TEXT.search(text):
            raise Invalid(mark("这里会长期保存，请不要写手机号或邮箱。"), field=name)
    return reason.strip(), evidence.strip()


def _fingerprint(wish: str, indexes: Sequence[str], reason: str) -> str:
    return hashlib.sha256("\x00".join([wish, *indexes, reason]).encode()).hexdigest()


def _move(session: Session, request: PrivacyRequest, old: str, new: str, **values: object) -> None:
    statement = (
        update(PrivacyRequest)
        .where(col(PrivacyRequest.id) == request.id, col(PrivacyRequest.state) == old)
        .values(state=new, **values)
    )
    if session.connection().execute(statement).rowcount != 1:
        raise Conflict(mark("这份申请的状态刚刚变了，请刷新查看。"))
    session.refresh(request)


def _settled(
    session: Session, approval: Approval, outcome: str, _by: int, now: datetime, _opinion: str
) -> None:
    """Carry out what was decided, in the transaction of the decision."""
    request = get(session, int(approval.subject))
    if outcome != approvals.APPROVED:
        _move(session, request, WAITING, REJECTED, settled_at=now)
        return
    person = holders.sought(session, request.lookups)
    if request.kind == EXPORT:
        values = {"found": holders.find(session, person), "ready_until": now + TAKE_WITHIN}
        _move(session, request, WAITING, READY, settled_at=now, **values)
        return
    erased = holders.erase(session, person)
    _move(session, request, WAITING, DONE, settled_at=now, found=erased)
    after = {"state": DONE, "erased": erased}
    audit.record(
        session,
        "privacy.erase",
        "privacy",
        request.id,
        before={"state": WAITING},
        after=after,
        note=request.masked,
    )


def _facts(session: Session, approval: Approval) -> list[tuple[str, str]]:
    request = get(session, int(approval.subject))
    names = {name: gettext(holder.label) for name, holder in holders.HOLDERS.items()}
    rows = [f"{names.get(name, name)} {count}" for name, count in found(session, request).items()]
    return [
        (gettext("事项"), gettext(WISH_NAMES[request.kind])),
        (gettext("本人地址"), request.masked),
        (gettext("怎样核实了本人"), request.evidence),
        (gettext("找到的资料"), gettext("、").join(rows) or gettext("没有找到")),
    ]


def _current(session: Session, approval: Approval) -> str:
    return get(session, int(approval.subject)).fingerprint


def _take_back(session: Session, approval: Approval, by: int, now: datetime) -> None:
    withdraw(session, int(approval.subject), by=by, now=now)


def _follow(session: Session, moves: Sequence[tuple[str, str]]) -> None:
    """A rotation moved indexes: open requests look for the new ones too."""
    new_of = dict(moves)
    open_ = select(PrivacyRequest).where(col(PrivacyRequest.state).in_((WAITING, READY)))
    for request in session.exec(open_):
        more = [new_of[one] for one in request.lookups if one in new_of]
        if more:
            request.lookups = list(dict.fromkeys([*request.lookups, *more]))
            session.add(request)
    session.flush()


for _wish in (EXPORT, ERASE):
    declare(
        Kind(
            name=f"privacy.{_wish}",
            label=WISH_NAMES[_wish],
            permission="privacy.approve",
            settled=_settled,
            facts=_facts,
            current=_current,
            take_back=_take_back,
        )
    )
sealed.follow(_follow)
