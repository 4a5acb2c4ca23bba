"""What the institution itself holds about people: letters, guests who decide; and where its ciphertext stands."""

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, update
from sqlmodel import Session, SQLModel, col, select

from core.i18n import gettext, mark
from core.privacy import Vault
from institution import holders, letters, retention, sealed
from institution.api_token_models import ApiToken
from institution.approval_models import GuestReview
from institution.holders import Holder, Section, Sought
from institution.letter_models import Letter
from institution.models import Staff, StaffSession
from institution.personal_models import DONE, LAPSED, REJECTED, WITHDRAWN, PrivacyRequest
from institution.retention import Rule
from institution.sealed import Opened, Row, Sealed
from institution.sign_in_models import Invitation, SignInTry


def _letter_indexes(_row: Row, opened: Opened, vault: Vault) -> dict[str, str]:
    text = opened.get("sealed")
    return {"to_index": letters.index_of(vault, text)} if text else {}


sealed.declare(Sealed(Staff, ("email", "second_factor"), mark("账号")))
sealed.declare(Sealed(Letter, ("sealed",), mark("系统邮件"), _letter_indexes))
sealed.declare(Sealed(GuestReview, ("email_sealed",), mark("外部审查人")))


def _letters(session: Session, person: Sought) -> int:
    return len(letters.held(session, person.every))


def _letters_shown(session: Session, _vault: Vault, person: Sought) -> Section:
    return [
        {
            gettext("时间"): one.created_at.isoformat(timespec="minutes"),
            gettext("状态"): gettext(letters.KINDS.get(one.status, one.status)),
        }
        for one in letters.held(session, person.every)
    ]


def _letters_erased(session: Session, person: Sought) -> int:
    return letters.erase(session, person.every)


holders.declare(Holder("letter", mark("系统邮件"), _letters, _letters_shown, _letters_erased))


def _none(_session: Session, _person: Sought) -> int:
    """An employee's account is no customer's data to erase, and a guest's address goes with their link."""
    return 0


def _is(vault: Vault, sealed_email: str | None, person: Sought) -> bool:
    if not sealed_email:
        return False
    return not set(vault.indexes("email", vault.decrypt(sealed_email))).isdisjoint(person.indexes)


def _accounts_shown(session: Session, vault: Vault, person: Sought) -> Section:
    rows = session.exec(select(Staff).where(col(Staff.email).is_not(None)).order_by(col(Staff.id)))
    return [
        {
            gettext("登录名"): one.login,
            gettext("姓名"): one.name,
            gettext("电子邮箱"): vault.decrypt(one.email or ""),
            gettext("登记时间"): one.created_at.isoformat(timespec="minutes"),
            gettext("上次登录"): one.signed_in_at.isoformat(timespec="minutes") if one.signed_in_at else "",
        }
        for one in rows
        if _is(vault, one.email, person)
    ]


def _guests_shown(session: Session, vault: Vault, person: Sought) -> Section:
    rows = session.exec(select(GuestReview).where(GuestReview.email_sealed != ""))
    return [
        {
            gettext("姓名"): one.name,
            gettext("电子邮箱"): vault.decrypt(one.email_sealed),
            gettext("时间"): one.created_at.isoformat(timespec="minutes"),
        }
        for one in rows
        if _is(vault, one.email_sealed, person)
    ]


holders.declare(Holder("account", mark("员工账号"), _none, _accounts_shown, _none))
holders.declare(Holder("guest", mark("外部审查人"), _none, _guests_shown, _none))


def _older(session: Session, table: type[SQLModel], *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


def _gone(session: Session, table: type[SQLModel], *conditions: ColumnElement[bool]) -> int:
    return session.connection().execute(delete(table).where(*conditions)).rowcount


def _sessions(before: datetime) -> ColumnElement[bool]:
    return or_(col(StaffSession.ended_at) < before, col(StaffSession.expires_at) < before)


def _closed(before: datetime) -> tuple[ColumnElement[bool], ...]:
    states = (DONE, REJECTED, WITHDRAWN, LAPSED)
    return col(PrivacyRequest.state).in_(states), col(PrivacyRequest.settled_at) < before


def _guests(before: datetime) -> tuple[ColumnElement[bool], ...]:
    return col(GuestReview.email_sealed) != "", col(GuestReview.expires_at) < before


def _forget_guests(session: Session, before: datetime) -> int:
    return (
        session.connection()
        .execute(update(GuestReview).where(*_guests(before)).values(email_sealed=""))
        .rowcount
    )


def _ended(before: datetime) -> ColumnElement[bool]:
    return or_(col(ApiToken.ended_at) < before, col(ApiToken.expires_at) < before)


_LOGS = mark("《网络安全法》第二十一条：网络日志不少于六个月")
_SHORT = mark("《个人信息保护法》第十九条：为实现目的所必要的最短时间")
retention.declare(
    Rule(
        "session",
        mark("登录记录（设备、地址、时间）"),
        365,
        _LOGS,
        count=lambda session, before: _older(session, StaffSession, _sessions(before)),
        clear=lambda session, before: _gone(session, StaffSession, _sessions(before)),
        least=180,
    )
)
retention.declare(
    Rule(
        "sign_in.try",
        mark("登录失败的计数"),
        30,
        _SHORT,
        count=lambda session, before: _older(session, SignInTry, col(SignInTry.tried_at) < before),
        clear=lambda session, before: _gone(session, SignInTry, col(SignInTry.tried_at) < before),
        least=1,
    )
)
retention.declare(
    Rule(
        "invitation",
        mark("账号邀请"),
        180,
        _SHORT,
        count=lambda session, before: _older(session, Invitation, col(Invitation.expires_at) < before),
        clear=lambda session, before: _gone(session, Invitation, col(Invitation.expires_at) < before),
        least=1,
    )
)
retention.declare(
    Rule(
        "letter",
        mark("系统邮件（寄出后正文即清除）"),
        30,
        _SHORT,
        count=lambda session, before: _older(session, Letter, col(Letter.created_at) < before),
        clear=letters.clear,
        least=4,
    )
)
retention.declare(
    Rule(
        "guest",
        mark("外部审查人的邮箱（链接失效后）"),
        30,
        _SHORT,
        count=lambda session, before: _older(session, GuestReview, *_guests(before)),
        clear=_forget_guests,
        least=0,
    )
)
retention.declare(
    Rule(
        "privacy.request",
        mark("个人信息申请（只有掩码和哈希）"),
        1095,
        mark("《个人信息保护法》第五十六条：处理情况记录至少三年"),
        count=lambda session, before: _older(session, PrivacyRequest, *_closed(before)),
        clear=lambda session, before: _gone(session, PrivacyRequest, *_closed(before)),
        least=1095,
    )
)
retention.declare(
    Rule(
        "api_token",
        mark("撤销或过期的接口令牌（只有指纹）"),
        365,
        _LOGS,
        count=lambda session, before: _older(session, ApiToken, _ended(before)),
        clear=lambda session, before: _gone(session, ApiToken, _ended(before)),
        least=180,
    )
)
retention.stand(mark("员工账号"), mark("停用后仍保留，操作记录才说得清是谁做的"))
retention.stand(mark("操作记录"), mark("长期保存，不可修改；其中的个人信息已掩码"))
retention.stand(mark("上传的导入文件"), mark("预览到确认之间最多保存一天，只有上传的人能用"))
