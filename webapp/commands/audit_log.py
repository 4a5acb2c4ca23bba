"""`signpost audit`: hold the chain against itself and its anchors, read it, write it out."""

import sys
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from core.database import Database
from core.errors import Invalid
from core.i18n import current_locale, mark
from core.i18n import gettext as _
from core.settings import Settings
from institution import audit as log
from institution import audit_chain, audit_log, audit_output, audit_words
from institution.audit_chain import ANCHORS
from institution.audit_log import EVERYTHING, Filter
from institution.audit_models import AuditRecord
from webapp.commands import fail, plain_errors, runtime

_FILE = click.Path(path_type=Path, dir_okay=False)
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def audit() -> None:
    """The audit log: verify, show, export."""


@audit.command("verify")
@click.option(
    "--anchors",
    "file",
    type=_FILE,
    help="Hold it against this copy of the anchors; default: those under home.",
)
@plain_errors
def verify(file: Path | None) -> None:
    """Walk the whole chain and name the first record that was changed, removed or inserted (exit code 1)."""
    noted = audit_chain.anchors(file or runtime().service(Settings).home / ANCHORS)
    if file and not noted.hashes:
        raise Invalid(mark("锚点文件 %(file)s 里没有锚点。"), file=file)
    with ExitStack() as stack:
        bars: list[Any] = []

        def progress(done: int, total: int) -> None:
            if not bars and sys.stderr.isatty():
                bars.append(stack.enter_context(click.progressbar(length=total, file=sys.stderr)))
            for bar in bars:
                bar.update(done - bar.pos)

        found = audit_chain.verify(runtime().service(Database), noted.hashes, progress=progress)
    if found.fault:
        fail(found.fault.sentence())
    click.echo(
        _("完好：%(count)s 条记录首尾相连，末条哈希 %(hash)s。")
        % {"count": found.count, "hash": found.hash or "—"}
    )
    if noted.unreadable:
        lines = _("、").join(map(str, noted.unreadable[:10]))
        click.secho(
            _("锚点文件里第 %(lines)s 行读不懂，没有用上。") % {"lines": lines}, fg="yellow", err=True
        )
    if found.anchors:
        click.echo(_("与 %(count)s 个锚点相符。") % {"count": found.anchors})
    else:
        click.secho(_("没有锚点可对：末尾若被整段删去，这样查不出来。"), fg="yellow", err=True)


def _filtered(function: Any) -> Any:
    """The options that narrow what is shown and written out."""
    for option in (
        click.option("--text", default="", help="Words in subject, note, name or values."),
        click.option("--person", default="", help="Part of the name of who did it."),
        click.option("--action", default="", help="Such as outlet.import."),
        click.option("--kind", default="", help="Kind of thing, such as outlet."),
        click.option("--subject", default="", help="Number or code of the thing."),
        click.option("--node", default="", help="Code of a node: only what belongs there or below."),
        click.option("--since", type=_DAY, help="First day."),
        click.option("--until", type=_DAY, help="Last day."),
    ):
        function = option(function)
    return function


def _filter(asked: dict[str, Any]) -> Filter:
    days: dict[str, Any] = {name: _day(asked.pop(name)) for name in ("since", "until")}
    return Filter(**asked, **days, zone=runtime().service(Settings).zone)


def _day(at: datetime | None) -> date | None:
    return at.date() if at else None


@audit.command("show")
@click.argument("number", type=click.IntRange(1), required=False)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@_filtered
@plain_errors
def show(number: int | None, limit: int, **asked: Any) -> None:
    """Show the newest records that fit, or one with everything it holds."""
    with runtime().service(Database).reading() as session:
        if number is not None:
            _tell(audit_log.get(session, number))
            return
        found = audit_log.listing(session, EVERYTHING, _filter(asked), size=limit)
    for one in found.records:
        parts = (str(one.id), _at(one), one.actor, audit_words.action(one), f"{one.kind}/{one.subject}")
        click.echo("\t".join((*parts, audit_words.summary(one))))
    click.echo(_("共 %(count)s 条。") % {"count": found.total}, err=True)


def _at(one: AuditRecord) -> str:
    return one.at.astimezone(runtime().service(Settings).zone).strftime("%Y-%m-%d %H:%M:%S")


def _tell(one: AuditRecord) -> None:
    lines = {
        _("序号"): one.id, _("时间"): _at(one), _("谁"): one.actor, _("途径"): f"{audit_words.via(one)} {one.address}",
        _("做了什么"): f"{audit_words.action(one)} ({one.action})", _("对象"): f"{one.kind}/{one.subject}",
        _("所属机构"): one.outlet_code or "—", _("说明"): one.note, _("前一条的哈希"): one.previous,
        _("本条的哈希"): one.hash,
    }  # fmt: skip
    for label, value in lines.items():
        click.echo(f"{label}: {value}")
    for each in audit_words.differences(one):
        click.echo(f"  {each.label}: {each.before or '∅'} → {each.after or '∅'}")


@audit.command("export")
@click.argument("file", type=_FILE)
@_filtered
@plain_errors
def export(file: Path, **asked: Any) -> None:
    """Write the records that fit to FILE: .csv, .xlsx or .jsonl (every field, one record per line)."""
    form = file.suffix.lower().removeprefix(".")
    if form not in audit_output.FORMS:
        raise Invalid(mark("文件名请以 .csv、.xlsx 或 .jsonl 结尾。"))
    wanted, database = _filter(asked), runtime().service(Database)
    zone = runtime().service(Settings).zone
    batches = audit_log.stream(database, EVERYTHING, wanted)
    try:
        with file.open("wb") as target:
            for piece in audit_output.chunks(batches, form, zone, current_locale()):
                target.write(piece)
    except OSError as error:
        raise Invalid(mark("写不了文件 %(file)s：%(why)s"), file=file, why=error.strerror) from error
    with database.transaction() as session:
        log.record(session, "audit.export", "audit", "", after={"form": form, "filter": wanted.named()})
    click.echo(_("操作记录已写入 %(file)s。") % {"file": file})
