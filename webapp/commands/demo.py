"""`signpost demo`: the demo institution, loaded and cleared, and its people."""

import time

import click

from core import clock
from core.database import Database
from core.i18n import gettext as _
from institution.powers import ROLES
from webapp import demo as institution
from webapp import demo_staff
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


@demo.command("staff")
@plain_errors
def staff() -> None:
    """One account for each role, with one-time passwords printed once; again: new passwords."""
    with runtime().service(Database).transaction() as session:
        people = demo_staff.enrol(session, clock.now())
    for one in people:
        where = one.place or _("全国")
        click.echo(f"{one.login:<22}{one.password}  {_(one.name)} · {_(ROLES[one.role][0])} · {where}")
    click.echo(_("密码只显示这一次，首次登录时要改。"), err=True)


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
