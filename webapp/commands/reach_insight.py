"""`signpost reach growth|funnel|targets`: who made the growth, what became of what was sent, how far targets are."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

import click

from core import clock
from core.database import Database
from core.i18n import current_locale
from core.i18n import gettext as _
from core.settings import Settings
from tracking import asked, periods, sheets
from tracking.insight import FUNNEL_BY, GROWTH_BY
from tracking.store import StoreBusy
from tracking.targets import MEASURES
from webapp.commands import plain_errors, runtime
from webapp.commands.reach_server import ask_server, store

F = TypeVar("F", bound=Callable[..., object])
_MODES = [mode for mode in periods.MODES if mode != periods.NONE]


def _written(function: F) -> F:
    """The options of how and where to write."""
    forms = click.Choice(list(sheets.FORMATS))
    function = click.option("--format", "form", type=forms, default="table", show_default=True)(function)
    path = click.Path(dir_okay=False, path_type=Path)
    return click.option("--output", type=path, help="File to write to.")(function)


def _of_days(function: F) -> F:
    """The options of a question about two spans of days."""
    for name, more in (
        ("--campaign", {"default": "", "metavar": "CODE", "help": "Only this campaign."}),
        ("--where", {"default": "", "metavar": "FILTERS", "help": "Such as channel=wechat,sms;piece=x."}),
        ("--within", {"default": "", "metavar": "CODE", "help": "Only this branch and what is below it."}),
        ("--base", {"default": "", "metavar": "FIRST/LAST", "help": "Compare with these days."}),
        ("--compare", {"type": click.Choice(_MODES), "default": periods.YEAR, "show_default": True}),
    ):
        function = click.option(name, **more)(function)
    function = click.option("--to", "last", required=True, metavar="DATE", help="Last day, included.")(
        function
    )
    return click.option("--from", "first", required=True, metavar="DATE", help="First day.")(function)


@click.command()
@_of_days
@click.option(
    "--by", default="branch", show_default=True, metavar="NAME[,NAME]",
    help=f"One of {'; '.join(','.join(one) for one in GROWTH_BY)}.",
)  # fmt: skip
@_written
@plain_errors
def growth(form: str, output: Path | None, first: str, last: str, **given: str) -> None:
    """Who made the growth: change, share of the whole change, points of growth, which add up."""
    _answer("growth", {"from": first, "to": last, **given}, form, output)


@click.command()
@_of_days
@click.option("--by", type=click.Choice(FUNNEL_BY), default="channel", show_default=True)
@_written
@plain_errors
def funnel(form: str, output: Path | None, first: str, last: str, **given: str) -> None:
    """Delivered, visited, engaged, completed, registered, attended: person-times per step, and rates."""
    _answer("funnel", {"from": first, "to": last, **given}, form, output)


@click.command()
@click.option("--period", required=True, metavar="PERIOD", help="2024, 2024-Q3, 2024-09 or FIRST/LAST.")
@click.option("--within", default="", metavar="CODE", help="This node and its children; the top without it.")
@click.option("--campaign", default="", metavar="CODE", help="The target of this campaign.")
@click.option("--measure", type=click.Choice(list(MEASURES)), default="gross", show_default=True)
@_written
@plain_errors
def targets(form: str, output: Path | None, **given: str) -> None:
    """How far the targets of a node and its children are, and what last year's curve had by now."""
    _answer("targets", given, form, output)


COMMANDS = (growth, funnel, targets)


def _answer(what: str, given: dict[str, str], form: str, output: Path | None) -> None:
    if form == "xlsx" and output is None:
        raise click.UsageError(_("XLSX 是二进制文件，请用 --output 写明文件名。"))
    given = {name: value for name, value in given.items() if value}
    today = clock.today(runtime().service(Settings).zone)
    try:
        with runtime().service(Database).reading() as session:
            written = sheets.FORMATS[form][0](asked.SHEETS[what](store(), session, given, today))
    except StoreBusy as busy:
        query = urlencode({**given, "format": form, "lang": current_locale()})
        written = ask_server(f"insight/{what}?{query}", busy)
    if output:
        output.write_bytes(written)
        click.echo(_("已写入 %(path)s") % {"path": output})
    else:
        sys.stdout.buffer.write(written)
