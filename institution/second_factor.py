"""The second factor: six digits of a code app (TOTP, RFC 6238), and ten recovery codes for a lost telephone.

The secret is stored encrypted; the last used step is stored too, so that no code works twice, also when it
arrives twice at once. Nobody who needs it by their powers can turn it off; an administrator can reset it.
"""

import hashlib
from datetime import datetime

import pyotp
import segno
from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from core.errors import Invalid, NotAllowed
from core.i18n import mark
from core.privacy import Vault
from institution import audit, granting, passwords, sessions
from institution.models import Staff
from institution.sign_in_models import RecoveryCode

RECOVERY_CODES = 10
_STEP_SECONDS = 30
# One step before and after: clocks of telephones are off by some seconds (RFC 6238, 5.2).
_DRIFT = 1

audit.declare(
    {
        "second_factor.on": mark("开启二次验证"),
        "second_factor.off": mark("关闭二次验证"),
        "second_factor.codes": mark("更换恢复码"),
        "second_factor.reset": mark("重置二次验证"),
    }
)


def new_secret() -> str:
    """160 random bits in base32, as code apps take them."""
    return pyotp.random_base32(32)


def uri(secret: str, login: str, issuer: str) -> str:
    """What the QR code says (otpauth://…)."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def picture(text: str) -> str:
    """A QR code as the `data:` address of an SVG picture, dark on white whatever the theme."""
    made: str = segno.make(text, error="m").svg_data_uri(scale=5, border=3, light="#fff", dark="#000")
    return made


def turn_on(
    session: Session, vault: Vault, account: Staff, secret: str, code: str, *, now: datetime
) -> list[str]:
    """Keep the secret once a code proves that the app has it; returns the recovery codes, shown once."""
    step = _step(secret, code, now, after=0)
    if step is None:
        raise Invalid(
            mark("验证码不对。请确认手机时间是自动设置的，再输入应用里现在显示的 6 位数字。"), field="code"
        )
    if account.second_factor:
        raise NotAllowed(mark("二次验证已经开启；要换手机，请先关闭，或请管理员重置。"))
    account.second_factor, account.second_factor_step = vault.encrypt(secret), step
    session.add(account)
    codes = _renew(session, account)
    audit.record(session, "second_factor.on", "staff", account.login)
    return codes


def check(session: Session, vault: Vault, account: Staff, code: str, *, now: datetime) -> bool:
    """Whether this is a code of the app not used before, or an unused recovery code; uses it up."""
    if not account.second_factor:
        return False
    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdigit()):
        return _use_recovery(session, account, code, now)
    step = _step(vault.decrypt(account.second_factor), digits, now, after=account.second_factor_step)
    if step is None:
        return False
    newer = update(Staff).where(col(Staff.id) == account.id, col(Staff.second_factor_step) < step)
    done = session.execute(newer.values(second_factor_step=step).execution_options(synchronize_session=False))
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


def renew(session: Session, account: Staff) -> list[str]:
    """Ten new recovery codes; the old ones end."""
    if not account.second_factor:
        raise NotAllowed(mark("请先开启二次验证。"))
    codes = _renew(session, account)
    audit.record(session, "second_factor.codes", "staff", account.login)
    return codes


def left(session: Session, account: Staff) -> int:
    """How many recovery codes are unused."""
    query = select(func.count()).where(
        RecoveryCode.staff_id == account.id, col(RecoveryCode.used_at).is_(None)
    )
    return session.exec(query).one()


def turn_off(session: Session, account: Staff, *, needed: bool) -> None:
    """Go without again; refused to who needs it by their powers."""
    if needed:
        raise NotAllowed(mark("您的角色必须使用二次验证，不能关闭；要换手机请管理员重置。"))
    _clear(session, account)
    audit.record(session, "second_factor.off", "staff", account.login)


def reset(session: Session, account: Staff, *, by: int | None, now: datetime) -> None:
    """Forget somebody's second factor (the telephone is lost) and end their sessions."""
    grants = sessions.powers_of(session, account.id or 0).grants
    granting.check_reach(session, by, grants)
    if account.id == by:
        raise NotAllowed(mark("不能重置自己的二次验证，请让另一位管理员来做。"))
    _clear(session, account)
    sessions.end_all(session, account.id or 0, now)
    audit.record(session, "second_factor.reset", "staff", account.login, outlet_code=granting.place(grants))


def _clear(session: Session, account: Staff) -> None:
    account.second_factor, account.second_factor_step = None, 0
    session.add(account)
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.staff_id) == account.id))


def _renew(session: Session, account: Staff) -> list[str]:
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.staff_id) == account.id))
    codes = [passwords.one_time() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(staff_id=account.id or 0, code_hash=_hash(code)) for code in codes)
    session.flush()
    return codes


def _use_recovery(session: Session, account: Staff, code: str, now: datetime) -> bool:
    mine = (
        col(RecoveryCode.staff_id) == account.id,
        col(RecoveryCode.code_hash) == _hash(code),
        col(RecoveryCode.used_at).is_(None),
    )
    used = session.execute(update(RecoveryCode).where(*mine).values(used_at=now))
    return bool(used.rowcount == 1)  # type: ignore[attr-defined]


def _step(secret: str, code: str, now: datetime, *, after: int) -> int | None:
    """The time step whose code this is, later than `after`; None for a wrong or used code."""
    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdigit()):
        return None
    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // _STEP_SECONDS
    for step in range(current - _DRIFT, current + _DRIFT + 1):
        if step > after and pyotp.utils.strings_equal(totp.generate_otp(step), digits):
            return step
    return None


def _hash(code: str) -> str:
    """The codes are 79 random bits: a fast hash keeps them as well as a slow one."""
    return hashlib.sha256("".join(ch for ch in code.lower() if ch.isalnum()).encode()).hexdigest()
