"""What the check says of a revision, for those who decide on it."""

from datetime import date as Day

from sqlmodel import Session, col, select

from content.check import rulesets
from content.check.findings import SEVERITY_NAMES, Finding
from content.check.overruling import findings, given
from content.models import Revision
from core.i18n import gettext as _
from institution.models import Staff


def lines(session: Session, revision: Revision, on: Day) -> list[tuple[str, str]]:
    """A label and a sentence for the whole, then for every finding; who left a warning and why stands with it."""
    found = findings(session, revision, on)
    authors = {one.mark: one.by for one in given(session, revision)}
    names = dict(
        session.exec(select(Staff.id, Staff.name).where(col(Staff.id).in_(set(authors.values())))).all()
    )
    said = [(label(one), sentence(one, names.get(authors.get(one.mark, 0), ""))) for one in found]
    return [(_("规则检查"), summary(found)), *said]


def summary(found: list[Finding]) -> str:
    """How many, how many of them with a reason, by which version of the rules."""
    version = rulesets.version()
    if not found:
        return _("没有发现问题（规则 %(version)s 版）", version=version)
    left = sum(not one.is_open for one in found)
    return _(
        "%(count)s 处，其中编辑说明理由后保留 %(left)s 处（规则 %(version)s 版）",
        count=len(found), left=left, version=version,
    )  # fmt: skip


def label(finding: Finding) -> str:
    """What it is and where."""
    severity = _(SEVERITY_NAMES[finding.severity])
    if not finding.line:
        return severity
    return _("%(severity)s · 第 %(line)s 行", severity=severity, line=finding.line)


def sentence(finding: Finding, author: str) -> str:
    """The words of the text, what is wrong with them, and the reason if one was given."""
    said = f"“{finding.excerpt}” {finding.says}"
    if finding.is_open:
        return said + " " + _("编辑没有说明理由。")
    who = author or _("文件头")
    return said + " " + _("保留理由（%(who)s）：%(reason)s", who=who, reason=finding.reason)
