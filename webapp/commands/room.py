"""`signpost room`: a room is proved before it is published; the schema with which editors help to write one."""

import json
import sys
from pathlib import Path

import click

from content.escape_room import proof, reading
from content.escape_room.proof import Report, Walk
from content.escape_room.schema import schema as room_schema
from content.faults import Faulty
from core.i18n import gettext as _
from webapp.commands import plain_errors, read_settings


@click.group()
def room() -> None:
    """Check a room, write the schema of its file."""


@room.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For programs: the whole report.")
@click.option("--bound", default=proof.BOUND, show_default=True, help="Coarse states to look at, at most.")
@plain_errors
def check(file: Path, as_json: bool, bound: int) -> None:
    """Read FILE (a folder or its room.yaml), explore the room, say what is wrong; exit code 1 if anything is."""
    read_settings()
    try:
        folder = reading.read_folder(file)
    except Faulty as error:
        if not as_json:
            raise
        faults = [{"file": fault.file, "field": fault.field, "rule": fault.rule} for fault in error.faults]
        click.echo(json.dumps({"good": False, "faults": faults}, ensure_ascii=False, indent=2))
        sys.exit(1)
    report = proof.prove(folder.room, bound, file=reading.FILE)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
    else:
        _print(folder, report)
    if not report.good:
        sys.exit(1)


def _print(folder: reading.Folder, report: Report) -> None:
    click.echo(f"{report.room}: {reading.summary(folder.room)}")
    for walk in report.shortest.values():
        title = _("到结局“%(name)s”最短") if walk.exact else _("到结局“%(name)s”较短")
        click.echo(_way(title % {"name": walk.ending}, walk))
    if report.longest:
        click.echo(_way(_("什么都看一遍，到结局“%(name)s”", name=report.longest.ending), report.longest))
    for name in folder.unused:
        click.echo(_("没有用到的图片：%(name)s", name=name))
    click.echo(_("看了 %(count)s 个状态（上限 %(bound)s）。", count=report.states, bound=report.bound))
    for fault in report.faults:
        click.secho(str(fault), fg="red", err=True)
    if report.good:
        click.secho(_("没有问题：每个结局都到得了，没有死路，没有多余的东西。"), fg="green")


def _way(title: str, walk: Walk) -> str:
    steps = _("%(title)s：%(count)s 步", title=title, count=len(walk.steps))
    return f"{steps}\n    {' → '.join(walk.steps)}"


@room.command()
@click.option(
    "--to", type=click.Path(dir_okay=False, path_type=Path), help="Write it there instead of printing it."
)
@plain_errors
def schema(to: Path | None) -> None:
    """Write the JSON Schema of room.yaml (put it beside the file as room.schema.json)."""
    text = json.dumps(room_schema(), ensure_ascii=False, indent=2) + "\n"
    if to is None:
        click.echo(text, nl=False)
    else:
        to.write_text(text, encoding="utf-8")
