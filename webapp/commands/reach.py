"""`signpost reach`: reports and the reach store. While a server holds the embedded store, it is asked."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from core import clock
from core.database import Database
from core.i18n import current_locale
from core.i18n import gettext as _
from core.settings import Settings
from tracking import annotations, closing, export, periods, status
from tracking import reports as answers
from tracking.drain import Drain
from tracking.groupings import BYS
from tracking.report_sender import Reports
from tracking.reports import DROP_NAMES
from tracking.store import StoreBusy
from webapp.commands import plain_errors, reach_data, reach_insight, reach_store, runtime
from webapp.commands.reach_server import ask_server, store
from webapp.commands.reach_take import take


@click.group()
def reach() -> None:
    """Reports of reach, and the reach store."""


reach.add_command(take)


@reach.command()
@click.option("--from", "first", required=True, metavar="DATE", help="First day, such as 2023-01-01.")
@click.option("--to", "last", required=True, metavar="DATE", help="Last day, included.")
@click.option(
    "--by",
    default="branch",
    show_default=True,
    metavar="NAME[,NAME]",
    help=f"One or two of {', '.join(BYS)}.",
)
@click.option("--compare", type=click.Choice(periods.MODES), default=periods.YEAR, show_default=True)
@click.option("--base", default="", metavar="FIRST/LAST", help="Compare with these days (another campaign).")
@click.option("--within", default="", metavar="CODE", help="Only this branch and what is below it.")
@click.option("--campaign", default="", metavar="CODE", help="Only this campaign.")
@click.option("--format", "form", type=click.Choice(list(export.FORMATS)), default="table", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write to.")
@plain_errors
def report(form: str, output: Path | None, **asked: str) -> None:
    """Reach by outlet, branch, channel, piece, campaign or month, against last year."""
    if form == "xlsx" and output is None:
        raise click.UsageError(_("XLSX 是二进制文件，请用 --output 写明文件名。"))
    question = answers.ask(**asked)  # a wrong question is refused before anything is opened
    try:
        with runtime().service(Database).reading() as session:
            found = annotations.attached(session, store(), answers.report(store(), session, question))
            written = export.FORMATS[form][0](found)
    except StoreBusy as busy:
        given = {"from": asked["first"], "to": asked["last"], "format": form, "lang": current_locale()}
        given.update(
            {key: asked[key] for key in ("by", "compare", "base", "within", "campaign") if asked[key]}
        )
        written = ask_server(f"report?{urlencode(given)}", busy)
    if output:
        output.write_bytes(written)
        click.echo(_("已写入 %(path)s") % {"path": output})
    else:
        sys.stdout.buffer.write(written)


@reach.command("status")
@plain_errors
def status_command() -> None:
    """What the store holds, and what waits in the spool."""
    try:
        found = status.read(store(), runtime().service(Settings), {})
    except StoreBusy as busy:
        found = json.loads(ask_server("status", busy))
    for label, value in [*_status_lines(found), *_keeping_lines(found["keeping"])]:
        click.echo(f"{label}：{value}")
    for warning in found["keeping"]["warnings"]:
        click.secho(f"! {warning}", fg="yellow")


@reach.command()
@plain_errors
def drain() -> None:
    """Ship what is in the spool into the store."""
    try:
        store()
        shipped = runtime().service(Drain).run_once()
    except StoreBusy as busy:
        shipped = json.loads(ask_server("drain", busy, post=True))["shipped"]
    click.echo(_("已入库 %(number)s 段") % {"number": shipped})


@reach.command()
@plain_errors
def rebuild() -> None:
    """Compute all roll-ups from the raw rows again."""
    today = clock.today(runtime().service(Settings).zone)
    try:
        days, spans = closing.rebuild(store(), runtime().service(Database), today)
    except StoreBusy as busy:
        answer = json.loads(ask_server("rebuild", busy, post=True))
        days, spans = answer["days"], answer["spans"]
    click.echo(_("已重算 %(days)s 天、%(spans)s 个整月与整年") % {"days": days, "spans": spans})


@reach.group()
def reports() -> None:
    """Reports that go out by mail."""


@reports.command("run")
@click.option("--dry-run", is_flag=True, help="Only say what would be sent.")
@plain_errors
def run_reports(dry_run: bool) -> None:
    """Send what is due; sending it again changes nothing."""
    sender = runtime().service(Reports)
    if dry_run:
        for one in sender.plan():
            what = "、".join(part or _("整个机构") for part in one.parts) or _(one.why)
            click.echo("\t".join((one.name, one.days, one.login, what)))
        return
    try:
        store()
        posted = sender.run_once()
    except StoreBusy as busy:
        posted = json.loads(ask_server("reports", busy, post=True))["posted"]
    click.echo(_("已交给发件箱 %(number)s 封报告") % {"number": posted})


def _status_lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (_("事件"), f"{found['rows']:,}"),
        (_("起止"), f"{found['first'] or '—'} – {found['last'] or '—'}"),
        (_("有触达的天数"), f"{found['days']:,}"),
        (_("已汇总的天数"), f"{found['closed']:,}"),
        (_("剔除"), f"{found['dropped']:,}"),
        (_("待入库的段"), f"{found['waiting']:,}"),
    ]


def _keeping_lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    """How collecting stands: the same as on the desk."""
    aside = ", ".join(f"{one['where']}/{one['name']} ({one['lines']})" for one in found["aside"])
    drops = ", ".join(f"{_(DROP_NAMES.get(why, why))} {number:,}" for why, number in found["drops"].items())
    return [
        (_("等待的字节"), f"{found['size']:,}"),
        (_("等得最久"), f"{found['oldest']:.0f} s"),
        (_("搁置的行"), aside or "0"),
        (_("今天剔除"), drops or "0"),
        (_("上次入库"), _moment(found["drained"])),
        *((_("失败"), _moment(one)) for one in found["failures"]),
        (_("触达库版本"), str(found["version"])),
        (_("磁盘余量"), f"{found['free'] / 2**30:.1f} / {found['total'] / 2**30:.1f} GiB"),
    ]


def _moment(happened: dict[str, Any] | None) -> str:
    if happened is None:
        return "—"
    at = datetime.fromtimestamp(happened["at"], runtime().service(Settings).zone)
    return f"{at:%Y-%m-%d %H:%M:%S} {happened['sentence']}"


for _command in (*reach_store.COMMANDS, *reach_insight.COMMANDS, *reach_data.COMMANDS):
    reach.add_command(_command)
