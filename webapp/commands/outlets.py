"""`signpost outlets`: import, export, example file, list."""

from datetime import date, datetime
from pathlib import Path

import click

from content import pages
from core import clock
from core.database import Database
from core.errors import Invalid
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import outlet_changes, outlet_files, outlet_output
from institution import outlets as tree
from institution.outlet_changes import SORTS, Change, Plan
from institution.outlet_files import LABELS, Sheet
from webapp.commands import plain_errors, runtime

_FILE = click.Path(path_type=Path, dir_okay=False)
outlet_changes.on_change(pages.bump)  # a running server shows the change within a second


@click.group()
def outlets() -> None:
    """Outlets: import, export, list."""


@outlets.command("import")
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Print the changes and apply none.")
@click.option("--skip-bad", is_flag=True, help="Apply the good rows; write the others to NAME.rejected.csv.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Date of renames and moves; default today.")
@plain_errors
def import_(file: Path, dry_run: bool, skip_bad: bool, as_of: datetime | None) -> None:
    """Import a CSV or XLSX file of outlets; running it again changes nothing."""
    sheet = outlet_files.read(content(file))
    with runtime().service(Database).transaction() as session:
        outlet_changes.lock(session)
        planned = outlet_changes.plan(session, sheet, _day(as_of), skip_bad=skip_bad)
        if not planned.blocked and not dry_run:
            outlet_changes.apply(session, planned, clock.now())
    _tell_faults(planned)
    if planned.blocked:
        raise Invalid(mark("共 %(count)s 处错误，没有导入任何一行。"), count=len(planned.faults))
    if dry_run:
        for change in planned.changes:
            _tell_change(change)
    _tell_sum(planned, dry_run=dry_run)
    if planned.rejected and not dry_run:
        _write_rejected(file, sheet, planned)


def content(file: Path) -> bytes:
    """The bytes of a file that a person named; Invalid when it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise Invalid(mark("读不了文件 %(file)s：%(why)s"), file=file, why=error.strerror) from error


def _day(as_of: datetime | None) -> date:
    return as_of.date() if as_of else clock.today(runtime().service(Settings).zone)


def _tell_faults(planned: Plan) -> None:
    for fault in planned.all_faults():
        click.secho(fault.line(), fg="red", err=True)


def _tell_change(change: Change) -> None:
    sorts = _("、").join(_(SORTS[sort]) for sort in change.sorts)
    click.echo(f"{'+' if change.is_new else '~'} {change.code} {change.name}  {sorts}")
    if change.is_new:
        return
    for each in change.fields:
        old, new = outlet_output.value(each.field, each.old), outlet_output.value(each.field, each.new)
        click.echo(f"    {_(LABELS[each.field])}: {old} → {new}")


def _tell_sum(planned: Plan, *, dry_run: bool) -> None:
    counts = _("，").join(
        _("%(sort)s %(count)s 个") % {"sort": _(label), "count": planned.count(sort)}
        for sort, label in SORTS.items()
        if planned.count(sort)
    )
    counts = counts or _("没有变化")
    sentence = (
        _("试算：%(counts)s；%(same)s 个不变，没有写入。") if dry_run else _("%(counts)s；%(same)s 个不变。")
    )
    click.echo(sentence % {"counts": counts, "same": planned.same})


def _write_rejected(file: Path, sheet: Sheet, planned: Plan) -> None:
    target = file.with_name(f"{file.stem}.rejected.csv")
    target.write_bytes(outlet_output.rejected(sheet.headings, planned))
    click.secho(
        _("%(count)s 行没有导入，连同原因写在 %(file)s。") % {"count": len(planned.rejected), "file": target},
        fg="yellow",
        err=True,
    )


@outlets.command("export")
@click.argument("file", type=_FILE)
@plain_errors
def export(file: Path) -> None:
    """Write all outlets to FILE (.csv or .xlsx)."""
    with runtime().service(Database).reading() as session:
        rows = tree.everything(session)
    _write(file, outlet_output.export(rows, xlsx=_is_xlsx(file)))
    click.echo(_("已把 %(count)s 个机构写入 %(file)s。") % {"count": len(rows), "file": file})


@outlets.command("template")
@click.argument("file", type=_FILE, default=Path("outlets.csv"))
@plain_errors
def template(file: Path) -> None:
    """Write an example file (.csv or .xlsx) with every column."""
    _write(file, outlet_output.example(xlsx=_is_xlsx(file)))
    click.echo(_("样表已写入 %(file)s。") % {"file": file})


def _is_xlsx(file: Path) -> bool:
    if file.suffix.lower() not in (".csv", ".xlsx"):
        raise Invalid(mark("文件名请以 .csv 或 .xlsx 结尾。"))
    return file.suffix.lower() == ".xlsx"


def _write(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        raise Invalid(mark("写不了文件 %(file)s：%(why)s"), file=file, why=error.strerror) from error


@outlets.command("list")
@click.argument("text", default="")
@click.option("--province", default="", help="Only this province, such as 浙江省.")
@click.option("--kind", type=click.Choice(list(tree.LEVELS)), help="Only this level.")
@plain_errors
def list_(text: str, province: str, kind: str | None) -> None:
    """List outlets, all or those that mention TEXT."""
    wanted = tree.Filter(text, province, kind=kind or "")
    with runtime().service(Database).reading() as session:
        rows = tree.chosen(session, wanted)
    for each in rows:
        closed = _("（%(day)s 撤并）") % {"day": each.closed_on} if each.closed_on else ""
        click.echo(f"{each.code}\t{outlet_output.kind_name(each.kind)}\t{each.name}{closed}\t{each.address}")
    click.echo(_("共 %(count)s 个。") % {"count": len(rows)}, err=True)
