"""`signpost reach verify|schema|copy`: whether the store can be trusted, its tables, and its way to a server."""

import json
from urllib.parse import urlencode

import click

from core.database import Database
from core.i18n import gettext as _
from core.settings import Settings
from tracking import address, closing, copying, periods, upgrades
from tracking.layout import Layout
from tracking.schema import VERSION
from tracking.store import ReachStore, StoreBusy
from tracking.verify import Check
from webapp.commands import plain_errors, runtime
from webapp.commands.reach_server import ask_server, store


@click.command("verify")
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
                store(), session, runtime().service(Settings), first=since, last=until, said=_say_check
            )
    except StoreBusy as busy:
        given = urlencode({"from": first, "to": last})
        checks = [Check(**one) for one in json.loads(ask_server(f"verify?{given}", busy))]
        for one in checks:
            _say_check(one)
    if any(check.difference for check in checks):
        context.exit(1)


def _say_check(check: Check) -> None:
    head = f"{'✗' if check.difference else '✓'} {check.title}"
    click.echo(_("%(head)s（比对 %(number)s 处）", head=head, number=f"{check.looked_at:,}"))
    if check.difference:
        click.echo(f"  {check.difference}")


@click.command()
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


@click.command()
@click.option(
    "--to", "url", required=True, metavar="URL", help="Address of the server, as SIGNPOST_REACH_URL."
)
@plain_errors
def copy(url: str) -> None:
    """Copy all raw rows into the store of another address; again: goes on where it was. Stop the server first."""
    settings = runtime().service(Settings)
    address.read(url)
    old = store()
    new = ReachStore.open(settings.model_copy(update={"reach_url": url}))
    try:
        rows = copying.copy(old, new, lambda month, number: click.echo(f"{month}  {number:,}"))
    finally:
        new.close()
    click.echo(
        _("已复制并核对 %(rows)s 行。现在可把 SIGNPOST_REACH_URL 设为新地址。") % {"rows": f"{rows:,}"}
    )


COMMANDS = (verify_command, schema, copy)
