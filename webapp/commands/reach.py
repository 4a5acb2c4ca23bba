"""`signpost reach`: reports and the reach store. While a server holds the embedded store, it is asked."""

import json
import sys
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from core import clock
from core.database import Database
from core.errors import Conflict, DomainError
from core.i18n import current_locale, mark
from core.i18n import gettext as _
from core.settings import Settings
from tracking import address, closing, copying, export, periods, reports, status, upgrades
from tracking.drain import Drain
from tracking.groupings import BYS
from tracking.layout import Layout
from tracking.reports import DROP_NAMES
from tracking.schema import VERSION
from tracking.store import ReachStore, StoreBusy
from tracking.verify import Check
from webapp.commands import plain_errors, reach_data, runtime

_WAIT = 600.0


@click.group()
def reach() -> None:
    """Reports of reach, and the reach store."""


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
    question = reports.ask(**asked)  # a wrong question is refused before anything is opened
    try:
        with runtime().service(Database).reading() as session:
            written = export.FORMATS[form][0](reports.report(_store(), session, question))
    except StoreBusy as busy:
        given = {"from": asked["first"], "to": asked["last"], "format": form, "lang": current_locale()}
        given.update(
            {key: asked[key] for key in ("by", "compare", "base", "within", "campaign") if asked[key]}
        )
        written = _server(f"report?{urlencode(given)}", busy)
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
        found = status.read(_store(), runtime().service(Settings), {})
    except StoreBusy as busy:
        found = json.loads(_server("status", busy))
    for label, value in [*_status_lines(found), *_keeping_lines(found["keeping"])]:
        click.echo(f"{label}：{value}")
    for warning in found["keeping"]["warnings"]:
        click.secho(f"! {warning}", fg="yellow")


@reach.command()
@plain_errors
def drain() -> None:
    """Ship what is in the spool into the store."""
    try:
        _store()
        shipped = runtime().service(Drain).run_once()
    except StoreBusy as busy:
        shipped = json.loads(_server("drain", busy, post=True))["shipped"]
    click.echo(_("已入库 %(number)s 段") % {"number": shipped})


@reach.command()
@plain_errors
def rebuild() -> None:
    """Compute all roll-ups from the raw rows again."""
    today = clock.today(runtime().service(Settings).zone)
    try:
        days, spans = closing.rebuild(_store(), runtime().service(Database), today)
    except StoreBusy as busy:
        answer = json.loads(_server("rebuild", busy, post=True))
        days, spans = answer["days"], answer["spans"]
    click.echo(_("已重算 %(days)s 天、%(spans)s 个整月与整年") % {"days": days, "spans": spans})


@reach.command("verify")
@click.option("--from", "first", default="", metavar="DATE", help="Only the months from this day on.")
@click.option("--to", "last", default="", metavar="DATE", help="Only the months up to this day.")
@click.pass_context
@plain_errors
def verify_command(context: click.Context, first: str, last: str) -> None:
    """Compare raw rows, roll-ups, people and spool; names the first difference, and ends with 1 if there is one."""
    since = periods.day(first, "from") if first else None
    until = periods.day(last, "to") if last else None
    try:
        with runtime().service(Database).reading() as session:
            checks = closing.verify(
                _store(), session, runtime().service(Settings), first=since, last=until, said=_say_check
            )
    except StoreBusy as busy:
        given = urlencode({"from": first, "to": last})
        checks = [Check(**one) for one in json.loads(_server(f"verify?{given}", busy))]
        for one in checks:
            _say_check(one)
    if any(check.difference for check in checks):
        context.exit(1)


def _say_check(check: Check) -> None:
    head = f"{'✗' if check.difference else '✓'} {check.title}"
    click.echo(_("%(head)s（比对 %(number)s 处）", head=head, number=f"{check.looked_at:,}"))
    if check.difference:
        click.echo(f"  {check.difference}")


@reach.command()
@click.option("--url", default="", metavar="URL", help="Instead of the setting SIGNPOST_REACH_URL.")
@click.option("--from", "version", type=int, help="Also what brings a store of this version up.")
@click.option("--print", "dry", is_flag=True, help="Print the statements; no server is needed.")
@plain_errors
def schema(url: str, version: int | None, *, dry: bool) -> None:
    """The tables of the reach store, made or brought up; with --print the statements that would do it."""
    settings = runtime().service(Settings)
    url = url or settings.reach_url
    layout = address.read(url).layout if url else Layout()
    if dry:
        pending = upgrades.steps(layout, version) if version is not None else []
        for statement in [*pending, *layout.statements()]:
            click.echo(f"{statement};\n")
        return
    at = settings.model_copy(update={"reach_url": url})
    ReachStore.open(at).close()
    click.echo(_("触达库的表已就绪，版本 %(version)s") % {"version": VERSION})


@reach.command()
@click.option(
    "--to", "url", required=True, metavar="URL", help="Address of the server, as SIGNPOST_REACH_URL."
)
@plain_errors
def copy(url: str) -> None:
    """Copy all raw rows into the store of another address; again: goes on where it was. Stop the server first."""
    settings = runtime().service(Settings)
    address.read(url)
    old = _store()
    new = ReachStore.open(settings.model_copy(update={"reach_url": url}))
    try:
        rows = copying.copy(old, new, lambda month, number: click.echo(f"{month}  {number:,}"))
    finally:
        new.close()
    click.echo(
        _("已复制并核对 %(rows)s 行。现在可把 SIGNPOST_REACH_URL 设为新地址。") % {"rows": f"{rows:,}"}
    )


def _store() -> ReachStore:
    return runtime().service(ReachStore)


def _server(path: str, busy: StoreBusy, *, post: bool = False) -> bytes:
    """Ask the server that holds the store; its address and token are in `server.json`, readable by its owner."""
    file = runtime().service(Settings).home / "server.json"
    if not file.exists():
        raise busy
    known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    ask = urllib.request.Request(  # noqa: S310  (the address is the one our own server wrote)
        f"{known['url']}/internal/reach/{path}",
        method="POST" if post else "GET",
        headers={"X-Signpost-Token": known["token"], "Accept": "application/json"},
    )
    try:
        with urllib.request.urlopen(ask, timeout=_WAIT) as answer:  # noqa: S310
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        raise DomainError(_sentence(error)) from error
    except urllib.error.URLError as error:
        raise Conflict(
            mark("运行中的服务没有应答（%(url)s），请检查它是否在运行。"), url=known["url"]
        ) from error


def _sentence(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"]["message"])
    except (ValueError, KeyError):
        return f"HTTP {error.code}"


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


for _command in reach_data.COMMANDS:
    reach.add_command(_command)
