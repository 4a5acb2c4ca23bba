"""How long original files are kept: three years, as long as a figure in a report may be asked about."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, update
from sqlmodel import Session, col, select

from core.i18n import mark
from institution import retention
from institution.retention import Rule
from tracking.imports.models import WAITING, ReachImport, ReachImportFile


def _over(before: datetime) -> tuple[ColumnElement[bool], ...]:
    old = select(ReachImport.id).where(ReachImport.proposed_at < before, ReachImport.state != WAITING)
    return func.length(col(ReachImportFile.content)) > 0, col(ReachImportFile.import_id).in_(old)


def _count(session: Session, before: datetime) -> int:
    return session.exec(select(func.count()).select_from(ReachImportFile).where(*_over(before))).one()


def _clear(session: Session, before: datetime) -> int:
    """Empty the files; the lines stay, so that an import can still be taken back."""
    return (
        session.connection()
        .execute(update(ReachImportFile).where(*_over(before)).values(content=b""))
        .rowcount
    )


retention.declare(
    Rule(
        "reach.import",
        mark("触达导入的原文件"),
        1095,
        mark("报告里的数字要能追溯到来源"),
        count=_count,
        clear=_clear,
    )
)
