"""`signpost reach ranges|definitions|import`: what is left out, what counts, what others counted."""

from pathlib import Path

import click
from sqlalchemy import true

from core import clock
from core.database import Database
from core.errors import Invalid, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import audit, outlets, people
from institution.powers import WHOLE
from tracking import proposing, ranges
from tracking.definition import in_force
from tracking.imports import deciding, draft, lines, mapping, register, saving, sources
from tracking.imports.checking import Checked
from tracking.imports.draft import Draft
from tracking.imports.fields import KEYS
from tracking.imports.mapping import Columns
from tracking.imports.models import ReachMapping
from tracking.ranges import Reading
from webapp.commands import plain_errors, runtime
from webapp.commands.outlets import content

_FILE = click.Path(path_type=Path, dir_okay=False)
# Whoever runs the command line has the machine; what is imported still needs a second person's approval.
_IMPORTER = ("system.import", mark("命令行导入"))
audit.declare({"reach.ranges": mark("更换数据中心地址段")})


@click.group("ranges")
def ranges_group() -> None:
    """Addresses of data centres: what comes from there is no person."""


@ranges_group.command("load")
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Say what the file holds and change nothing.")
@plain_errors
def load_ranges(file: Path, dry_run: bool) -> None:
    """Put the list of a file in force: one network or address a line; a running server follows in a second."""
    data = content(file)
    found = ranges.read(data)
    for fault in found.faults:
        click.secho(fault.sentence, fg="red", err=True)
    if dry_run and not found.faults:
        click.echo(_("试算：%(lines)s 行，合并为 %(number)s 段，没有更换清单。") % _sizes(found))
        return
    home = runtime().service(Settings).home
    ranges.load(home, data)
    _noted(found)
    click.echo(
        _("已更换：%(lines)s 行，合并为 %(number)s 段。恢复原来的：signpost reach ranges undo")
        % _sizes(found)
    )


@ranges_group.command("undo")
@plain_errors
def undo_ranges() -> None:
    """Put the list before this one in force again."""
    found = ranges.undo(runtime().service(Settings).home)
    _noted(found)
    click.echo(_("已恢复原来的清单，共 %(number)s 段。") % _sizes(found))


@ranges_group.command("show")
@plain_errors
def show_ranges() -> None:
    """Print the list in force."""
    for network in ranges.in_force(runtime().service(Settings).home).networks:
        click.echo(str(network))


def _sizes(found: Reading) -> dict[str, int]:
    return {"lines": found.lines, "number": len(found.networks)}


def _noted(found: Reading) -> None:
    with runtime().service(Database).transaction() as session:
        audit.record(
            session, "reach.ranges", "reach_ranges", "ranges", after={"networks": len(found.networks)}
        )


@click.command("definitions")
@plain_errors
def definitions() -> None:
    """The versions of what counts as reach, the newest first, and the one that waits for approval."""
    made = runtime()
    with made.service(Database).reading() as session:
        now = in_force(session, clock.today(made.service(Settings).zone)).id
        for one in proposing.versions(session):
            known = one.definition
            state = _("现行") if known.id == now else ""
            click.echo(
                f"{known.id}\t{known.valid_from}\t{one.kinds}\t{one.head_counts}\t{state}\t{one.note}".rstrip()
            )
        waiting = proposing.waiting(session)
        if waiting is not None:
            kinds = proposing.kinds_in_words(waiting.kinds)
            click.echo(
                f"{waiting.version}\t{waiting.valid_from}\t{kinds}\t{_('待审批')}\t{waiting.note}".rstrip()
            )


@click.command("import")
@click.argument("file", type=_FILE)
@click.option("--source", type=click.Choice(list(sources.SOURCES)), required=True)
@click.option("--mapping", "saved", default="", metavar="NAME", help="A mapping saved by name at the desk.")
@click.option(
    "--set",
    "constants",
    multiple=True,
    metavar="KEY=VALUE",
    help="What no column says, e.g. campaign=month-2026.",
)
@click.option(
    "--outlet", "place", default=WHOLE, metavar="CODE", help="The branch that the import belongs to."
)
@click.option("--submit", is_flag=True, help="Hand it in for approval; without it nothing is written.")
@plain_errors
def import_(
    *, file: Path, source: str, saved: str, constants: tuple[str, ...], place: str, submit: bool
) -> None:
    """Try out a CSV or XLSX file of counts, or hand it in for a second person's approval."""
    made, kept = runtime(), draft.read(source, file.name, content(file))
    today, now = clock.today(made.service(Settings).zone), clock.now()
    assert deciding.PERMISSION  # noqa: S101  (importing it declares what can be asked for)
    with made.service(Database).transaction() as session:
        if place:
            outlets.get(session, place)
        known = saving.listed(session, true(), source) if saved else []
        columns = _columns(kept, saved, known, dict(map(_pair, constants)))
        done = register.try_out(session, kept.table, columns, place=place, today=today)
        _tell(columns, done)
        if not submit:
            click.echo(_("试算完毕，没有写入。加 --submit 提交审批。"))
            return
        by = people.system_account(session, _IMPORTER[0], _(_IMPORTER[1]), now).id or 0
        one = register.submit(session, kept, columns, place=place, by=by, now=now, today=today)
        click.echo(_("已提交第 %(number)s 号导入，等另一位同事审批。", number=one.id))


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or key not in KEYS:
        raise Invalid(mark("--set 要写成 %(keys)s 之一=值。"), keys="、".join(KEYS))
    return key, value


def _columns(kept: Draft, name: str, known: list[ReachMapping], constants: dict[str, str]) -> Columns:
    if name:
        found = next((one for one in known if one.name == name), None)
        if found is None:
            raise NotFound(mark("没有名为“%(name)s”的对应关系。"), name=name)
        columns = mapping.saved(found.mapping, kept.table.headings)
    else:
        columns = mapping.guess(sources.get(kept.source), kept.table.headings)
    return mapping.typed(columns.headings, columns.fields, {**columns.constants, **constants})


def _tell(columns: Columns, done: Checked) -> None:
    faults = [*columns.faults(), *(register.where(one) + one.sentence for one in done.faults)]
    for fault in faults:
        click.secho(fault, fg="red", err=True)
    if faults:
        raise Invalid(mark("共 %(count)s 处错误，没有导入任何一行。"), count=len(faults))
    click.echo(_("%(rows)s 行，其中 %(skipped)s 行没有数量，共 %(quantity)s", rows=done.rows, skipped=done.skipped, quantity=f"{done.quantity:,}"))  # fmt: skip
    for name, sums in lines.totals(done.lines).items():
        shown = _("，").join(f"{key or '—'} {number:,}" for key, number in sorted(sums.items())[:10])
        click.echo(f"  {name}: {shown}{' …' if len(sums) > 10 else ''}")


COMMANDS = (ranges_group, definitions, import_)
