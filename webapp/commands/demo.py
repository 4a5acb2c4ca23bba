"""`signpost demo`: the demo institution, loaded and cleared."""

import time

import click

from core.i18n import gettext as _
from webapp import demo as institution
from webapp.commands import plain_errors, runtime


@click.group()
def demo() -> None:
    """The demo institution: 31 provinces, 2,500 outlets, two years of reach."""


@demo.command("load")
@click.option(
    "--scale",
    type=click.IntRange(1, 1_000_000),
    default=100,
    show_default=True,
    help="One N-th of the real size.",
)
@plain_errors
def load(scale: int) -> None:
    """Load tree and reach; again: the same state."""
    begun = time.monotonic()
    try:
        totals = institution.load(runtime(), scale)
    finally:
        runtime().close()
    for year, total in totals.items():
        click.echo(_("%(year)s 年：%(total)s 触达人次") % {"year": year, "total": f"{total:,}"})
    click.echo(_("示范机构已载入，用时 %(seconds)s 秒。") % {"seconds": f"{time.monotonic() - begun:.1f}"})


@demo.command("clear")
@plain_errors
def clear() -> None:
    """Take away the demo's outlets and reach, and nothing else."""
    try:
        count = institution.clear(runtime())
    finally:
        runtime().close()
    click.echo(
        _("已清除示范机构的 %(count)s 个机构和它们的示范触达数据，其他数据没有变动。") % {"count": count}
    )
