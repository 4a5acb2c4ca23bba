"""`signpost reach take`: what an edge wrote goes into the spool, each line once."""

from pathlib import Path

import click

from core import clock
from core.i18n import gettext as _
from core.settings import Settings
from tracking.attribution import Attributions
from tracking.edge import EdgeLines
from tracking.edge_take import EdgeTaker
from tracking.spool import Spool
from webapp.commands import plain_errors, runtime


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@plain_errors
def take(files: tuple[Path, ...]) -> None:
    """Take the log FILES of an edge (deploy/nginx.conf) into the spool.

    A file may be taken while it is being written, before and after it was renamed: each line is kept once.
    """
    settings = runtime().service(Settings)
    lines = EdgeLines(runtime().service(Attributions), settings.zone)
    taker = EdgeTaker(
        runtime().service(Spool), lines, settings.home / "edge", lambda: clock.today(settings.zone)
    )
    for file in files:
        done = taker.take(file)
        click.echo(
            _("%(file)s：收下 %(events)s 条，剔除 %(dropped)s 条，无法识别 %(bad)s 行。")
            % {"file": file, "events": done.events, "dropped": done.dropped, "bad": done.bad}
        )
        if done.other_days:
            sentence = _(
                "%(count)s 行的日期不是本机构时区的日期，已按时间重算。请让 nginx 在时区 %(zone)s 下运行（环境变量 TZ）。"
            )
            click.secho(
                sentence % {"count": done.other_days, "zone": settings.time_zone}, fg="yellow", err=True
            )
        if done.unfinished:
            click.echo(_("最后一行还没写完，下次再收。"), err=True)
