"""Lists of accounts as files: read, planned against what stands, applied all or not at all.

One row per role: somebody with several roles has several rows with the same login. What the file says of an
account's roles is the whole truth about them; accounts that the file does not name stay as they are.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session, col, select

from core.cells import plain
from core.errors import DomainError, Invalid
from core.i18n import gettext, mark
from core.privacy import Vault
from institution import audit, granting, people, sessions, staff_fields
from institution.granting import Pairs
from institution.models import Outlet, Staff
from institution.outlet_files import cells_of
from institution.powers import ROLES, WHOLE

# field: (label, other headings that mean it)
COLUMNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "login": (mark("登录名"), ("账号", "用户名", "工号", "username", "account", "login name")),
    "name": (mark("姓名"), ("名字", "员工姓名", "full name")),
    "email": (mark("邮箱"), ("电子邮箱", "邮件", "e-mail", "mail", "email address")),
    "role": (mark("角色"), ("岗位", "权限", "roles")),
    "node": (
        mark("机构编号"),
        ("范围", "机构", "机构代码", "网点编号", "branch", "outlet", "outlet code", "scope"),
    ),
}
LABELS = {name: label for name, (label, _others) in COLUMNS.items()}
_NEEDED = ("login", "name", "role")
MAX_ROWS = 20_000
_WHOLE_WORDS = ("", "*", "全机构", "整个机构", "whole institution")

audit.declare({"staff.import": mark("导入账号")})


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in which row and column of the file (the heading is row 1)."""

    row: int
    column: str
    error: DomainError

    def line(self) -> str:
        """The fault as a sentence in the language in force."""
        return gettext(
            "第 %(row)s 行“%(column)s”：%(reason)s",
            row=self.row,
            column=gettext(LABELS.get(self.column, self.column)),
            reason=str(self.error),
        )


@dataclass(slots=True)
class Entry:
    """One person of the file, with the rows that name them."""

    row: int
    login: str
    name: str
    email: str = ""
    grants: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Change:
    """What the import does to one person: a new account, or what differs."""

    entry: Entry
    account: Staff | None
    before: Mapping[str, object]
    after: Mapping[str, object]

    @property
    def is_new(self) -> bool:
        """Whether an account is made."""
        return self.account is None


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying a file would do; nothing is done while there are faults."""

    changes: Sequence[Change]
    same: int
    faults: Sequence[Fault]
    unknown: Sequence[str]

    @property
    def fresh(self) -> list[Change]:
        """The accounts that would be made."""
        return [one for one in self.changes if one.is_new]


def read(data: bytes) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    """The rows of a file by field, and the headings nobody knows; Invalid says what is wrong with the file."""
    table = cells_of(data)
    headings = next(table, [])
    fields = [_field(heading) for heading in headings]
    missing = [name for name in _NEEDED if name not in fields]
    if missing:
        words = gettext("、").join(gettext(LABELS[name]) for name in missing)
        raise Invalid(mark("第 1 行缺少这些列：%(columns)s。可以先下载样表。"), columns=words)
    twice = next((name for name in COLUMNS if fields.count(name) > 1), None)
    if twice:
        raise Invalid(mark("列“%(column)s”出现了两次，请删去一列。"), column=gettext(LABELS[twice]))
    unknown = [heading for heading, name in zip(headings, fields, strict=True) if heading and not name]
    return list(_rows(table, fields)), unknown


def _rows(table: Iterator[list[str]], fields: Sequence[str | None]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, cells in enumerate(table, start=2):
        if number > MAX_ROWS:
            raise Invalid(mark("文件超过 %(count)s 行，请分成几份导入。"), count=MAX_ROWS)
        if any(cells):
            padded = cells + [""] * (len(fields) - len(cells))
            yield (
                number,
                {name: plain(cell).strip() for name, cell in zip(fields, padded, strict=False) if name},
            )


def _field(heading: str) -> str | None:
    wanted = _squeezed(heading)
    for name, (label, others) in COLUMNS.items():
        if wanted in (_squeezed(word) for word in (name, label, gettext(label), *others)):
            return name
    return None


def _squeezed(text: str) -> str:
    return re.sub(r"[\s_*]|[(（].*[)）]", "", unicodedata.normalize("NFKC", text)).lower()


def plan(session: Session, vault: Vault, data: bytes, *, by: int | None) -> Plan:
    """What importing the file would change, and every fault in it; `by` is who would apply it."""
    rows, unknown = read(data)
    faults: list[Fault] = []
    entries = _entries(rows, faults)
    _check_nodes(session, entries, faults)
    changes, same = [], 0
    for entry in entries.values():
        try:
            change = _change(session, vault, entry, by)
        except DomainError as error:
            faults.append(Fault(entry.row, _COLUMN_OF.get(error.field or "", "role"), error))
            continue
        if change is None:
            same += 1
        else:
            changes.append(change)
    if not entries and not faults:
        faults.append(Fault(1, "login", Invalid(mark("文件里一行账号也没有，请检查。"))))
    return Plan(changes, same, sorted(faults, key=lambda one: one.row), unknown)


_COLUMN_OF = {"login": "login", "name": "name", "email": "email", "grants": "role", "outlet_code": "node"}


def _entries(rows: Sequence[tuple[int, dict[str, str]]], faults: list[Fault]) -> dict[str, Entry]:
    """The people of the file by login; what one row alone gets wrong is noted."""
    found: dict[str, Entry] = {}
    for number, cells in rows:
        try:
            login = staff_fields.normal_login(cells.get("login", ""))
            role = _role(cells.get("role", ""))
            if not cells.get("name") and login not in found:
                raise Invalid(mark("请填写姓名。"), field="name")
        except DomainError as error:
            faults.append(Fault(number, _COLUMN_OF.get(error.field or "", "role"), error))
            continue
        node = cells.get("node", "")
        entry = found.setdefault(login, Entry(number, login, cells.get("name", ""), cells.get("email", "")))
        _agree(entry, number, cells, faults)
        pair = (role, WHOLE if node.lower() in _WHOLE_WORDS else node)
        if pair not in entry.grants:
            entry.grants.append(pair)
    return found


def _agree(entry: Entry, number: int, cells: dict[str, str], faults: list[Fault]) -> None:
    """Rows of one person must not say two things about them."""
    for name in ("name", "email"):
        value = cells.get(name, "")
        if value and not getattr(entry, name):
            setattr(entry, name, value)
        elif value and value != getattr(entry, name):
            error = Invalid(mark("与第 %(row)s 行的同一个登录名不一致，请改成一样的。"), row=entry.row)
            faults.append(Fault(number, name, error))


def _role(text: str) -> str:
    wanted = _squeezed(text)
    for role, (name, _allowed) in ROLES.items():
        if wanted in (_squeezed(role), _squeezed(name), _squeezed(gettext(name))):
            return role
    raise Invalid(
        mark("没有“%(role)s”这个角色，可以用：%(roles)s。"),
        field="grants",
        role=text,
        roles=gettext("、").join(gettext(name) for name, _allowed in ROLES.values()),
    )


def _check_nodes(session: Session, entries: dict[str, Entry], faults: list[Fault]) -> None:
    """Every node of the file must exist; one query for all of them."""
    codes = sorted({code for entry in entries.values() for _role, code in entry.grants if code != WHOLE})
    known: set[str] = set()
    for start in range(0, len(codes), 500):
        known |= set(
            session.exec(select(Outlet.code).where(col(Outlet.code).in_(codes[start : start + 500])))
        )
    for login, entry in list(entries.items()):
        missing = [code for _role, code in entry.grants if code != WHOLE and code not in known]
        if missing:
            error = Invalid(mark("没有编号为“%(code)s”的机构，请检查范围。"), code=missing[0])
            faults.append(Fault(entry.row, "node", error))
            del entries[login]


def _change(session: Session, vault: Vault, entry: Entry, by: int | None) -> Change | None:
    """What happens to one person; None when all is so already."""
    entry.email = staff_fields.checked_email(entry.email)
    account = people.by_login(session, entry.login)
    granting.check_reach(session, by, entry.grants)
    after = {"name": entry.name, "email": entry.email, "grants": _words(entry.grants)}
    if account is None:
        return Change(entry, None, {}, after)
    old = sessions.powers_of(session, account.id or 0).grants
    people.check_touch(session, account, by)
    people.check_own(session, account, by=by, grants=entry.grants)
    email = vault.decrypt(account.email) if account.email else ""
    entry.email = entry.email or email
    entry.name = entry.name or account.name
    before = {"name": account.name, "email": email, "grants": _words(old)}
    after = {"name": entry.name, "email": entry.email, "grants": _words(entry.grants)}
    return None if before == after else Change(entry, account, before, after)


def _words(grants: Pairs) -> list[str]:
    return sorted(f"{role}@{code or '*'}" for role, code in grants)


def apply(
    session: Session, vault: Vault, planned: Plan, *, by: int | None, now: datetime, until: datetime | None
) -> list[tuple[Staff, str]]:
    """Carry a plan without faults out; returns the new accounts with their one-time passwords.

    Leaves one record with the counts and what was granted to whom (logins and roles; no e-mail address).
    """
    if planned.faults:
        raise Invalid(planned.faults[0].error.message, **planned.faults[0].error.params)
    made = []
    for change in planned.changes:
        entry = change.entry
        email = staff_fields.sealed_email(vault, entry.email)
        if change.account is None:
            made.append(
                people.make(
                    session, login=entry.login, name=entry.name, grants=entry.grants, now=now, email=email,
                    until=until, by=by,
                )
            )  # fmt: skip
        else:
            account = people.get(session, change.account.id or 0)
            people.apply(
                session, account, name=entry.name, grants=entry.grants, active=account.active, by=by, now=now,
                email=email,
            )  # fmt: skip
    after = {
        "added": {one.entry.login: one.after["grants"] for one in planned.changes if one.is_new},
        "changed": {one.entry.login: one.after["grants"] for one in planned.changes if not one.is_new},
    }
    before = {"changed": {one.entry.login: one.before["grants"] for one in planned.changes if not one.is_new}}
    note = gettext(
        "新增 %(new)s 个，修改 %(changed)s 个", new=len(made), changed=len(planned.changes) - len(made)
    )
    audit.record(session, "staff.import", "staff", "", before=before, after=after, note=note)
    return made
