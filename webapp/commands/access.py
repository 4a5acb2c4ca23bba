"""`signpost access`: who may do what."""

import csv
import sys

import click

from core.i18n import gettext as _
from institution.powers import PERMISSIONS, ROLES
from webapp import access_matrix
from webapp.commands import plain_errors, runtime
from webapp.create_app import create_app


@click.group()
def access() -> None:
    """Roles, permissions and routes."""


@access.command("matrix")
@click.option("--routes", is_flag=True, help="Every route instead of every permission.")
@click.option("--format", "form", type=click.Choice(["table", "csv"]), default="table", show_default=True)
@plain_errors
def matrix(routes: bool, form: str) -> None:
    """Print which role may do what; everywhere only within the part of the tree the role was given for."""
    lines = list(_routes() if routes else _permissions())
    if form == "csv":
        csv.writer(sys.stdout).writerows(lines)
        return
    for number, (role, (name, _allowed)) in enumerate(ROLES.items(), 1):
        click.echo(f"{number:>2}  {role:<18} {_(name)}")
    click.echo()
    first, *rest = lines
    marks = "  ".join(f"{number:>2}" for number in range(1, len(ROLES) + 1))
    wide = [max(len(line[at]) for line in lines) for at in range(len(first) - len(ROLES))]
    click.echo("  ".join([*(f"{text:<{size}}" for text, size in zip(first, wide, strict=False)), marks]))
    for line in rest:
        cells = "  ".join(f"{cell:>2}" for cell in line[len(wide) :])
        click.echo("  ".join([*(f"{text:<{size}}" for text, size in zip(line, wide, strict=False)), cells]))


def _permissions() -> list[list[str]]:
    lines = [["permission", *ROLES]]
    for permission in PERMISSIONS:
        lines.append([permission, *("●" if permission in may else "·" for _name, may in ROLES.values())])
    return lines


def _routes() -> list[list[str]]:
    lines = [["methods", "route", "permission", "part", *ROLES]]
    app = create_app(runtime())
    for one in access_matrix.entries(app):
        part = "thing" if one.placed else "list"
        marks = ["●" if role in one.roles else "·" for role in ROLES]
        lines.append([" ".join(one.methods), one.rule, one.permission, part, *marks])
    return lines
