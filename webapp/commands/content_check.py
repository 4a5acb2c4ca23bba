"""`signpost content check` and `due`: what breaks a rule before anybody reviews it, and what has to be read again."""

import json
import sys
from pathlib import Path

import click

from content import history
from content.check import due as falling
from content.check import overruling, report, rulesets
from content.check.findings import Finding, Severity, errors, in_order, open_warnings
from content.check.folder import check_folder
from core import clock
from core.database import Database
from core.errors import DomainError
from core.i18n import gettext as _
from core.settings import Settings
from webapp.commands import plain_errors, read_settings, runtime

STRICT, WRONG = 1, 2
_COLOURS = {Severity.error: "red", Severity.warning: "yellow"}


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Exit status 1 when a warning has no reason.")
@click.option("--json", "as_json", is_flag=True, help="For programs: all findings.")
@plain_errors
def check(folder: Path | None, strict: bool, as_json: bool) -> None:
    """按规则检查文件夹里的内容；不给文件夹就检查网站上的。退出码：0 没有错误，1 有提醒（--strict），2 有错误。"""
    settings = read_settings()
    on = clock.today(settings.zone)
    try:
        found = check_folder(folder, on) if folder else _published()
    except DomainError as error:
        click.secho(str(error), fg="red", err=True)
        sys.exit(WRONG)
    if as_json:
        shown = {
            "version": rulesets.version(),
            "on": on.isoformat(),
            "findings": [one.as_json() for one in found],
        }
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        _print(found)
    if errors(found):
        sys.exit(WRONG)
    if strict and open_warnings(found):
        sys.exit(STRICT)


def _published() -> list[Finding]:
    """What is found in every revision on the site, under the key of its piece."""
    made = runtime()
    settings = made.service(Settings)
    on = clock.today(settings.zone)
    found: list[Finding] = []
    with made.service(Database).reading() as session:
        for revision in history.published_all(session):
            told = overruling.findings(session, revision, on, files_dir=settings.files_dir)
            found += (one.in_file(revision.piece_key) for one in told)
    return in_order(found)


def _print(found: list[Finding]) -> None:
    for one in found:
        place = f"{one.file}:{one.line}:{one.column}" if one.line else one.file
        click.echo(click.style(f"{place}  {report.label(one)}  [{one.rule}]", fg=_COLOURS[one.severity]))
        click.echo(f"    “{one.excerpt}” {one.says}")
        left = _("保留理由：%(reason)s", reason=one.reason)
        click.echo("    → " + (left if one.reason else one.way_out))
    click.echo(report.summary(found))


@click.command()
@click.option(
    "--days", default=60, show_default=True, type=click.IntRange(0, 3660), help="Look so far ahead."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@plain_errors
def due(days: int, as_json: bool) -> None:
    """列出网站上到期要复核的内容，和过了有效日期的数字、来源。"""
    made = runtime()
    today = clock.today(made.service(Settings).zone)
    with made.service(Database).reading() as session:
        found = falling.due(session, today, days)
    if as_json:
        click.echo(json.dumps([one.as_json() for one in found], ensure_ascii=False, indent=2))
        return
    for one in found:
        line = f"{one.on}  {_(falling.DUE_NAMES[one.kind])}  {one.key}  {one.what}"
        click.secho(line, fg="red" if one.is_over(today) else None)
    if not found:
        click.echo(_("%(days)s 天内没有到期的内容。", days=days))
