"""`signpost token`: API tokens from the command line."""

import click

from core import clock
from core.database import Database
from core.i18n import gettext as _
from core.settings import Settings
from institution import api_tokens, places
from institution.powers import WHOLE, Scope
from webapp.commands import plain_errors, runtime


@click.group()
def token() -> None:
    """API tokens: make, list, revoke."""


@token.command()
@click.argument("name")
@click.option(
    "--purpose", "purposes", multiple=True, type=click.Choice(list(api_tokens.PURPOSES)), required=True
)
@click.option("--node", default=WHOLE, help="Code of the branch or outlet it is for; else the whole tree.")
@click.option("--days", default=api_tokens.USUAL_DAYS, show_default=True, help="How long it is valid.")
@plain_errors
def make(name: str, purposes: tuple[str, ...], node: str, days: int) -> None:
    """Make a token for the program NAME and print it, once."""
    with runtime().service(Database).transaction() as session:
        _row, text = api_tokens.make(
            session, name=name, purposes=purposes, outlet_code=node, days=days, by=None, now=clock.now()
        )
    click.echo(text)
    click.echo(_("令牌只显示这一次，请现在就存好。"), err=True)


@token.command("list")
@plain_errors
def list_() -> None:
    """List all tokens: beginning, name, purposes, node, valid until, last used."""
    zone, now = runtime().service(Settings).zone, clock.now()
    with runtime().service(Database).reading() as session:
        rows = api_tokens.everything(session, Scope(frozenset({WHOLE})))
        names = places.names(session, {one.outlet_code for one in rows})
    for one in rows:
        until = f"{one.expires_at.astimezone(zone):%Y-%m-%d}" if one.valid(now) else _("已失效")
        last = f"{one.used_at.astimezone(zone):%Y-%m-%d %H:%M}" if one.used_at else _("从未")
        click.echo("\t".join((one.hint, one.name, one.purposes, names[one.outlet_code], until, last)))


@token.command()
@click.argument("beginning")
@plain_errors
def end(beginning: str) -> None:
    """Revoke the token that begins with BEGINNING (as the list shows it)."""
    with runtime().service(Database).transaction() as session:
        found = api_tokens.by_hint(session, beginning.removesuffix("…"))
        api_tokens.end(session, found, clock.now())
    click.echo(_("令牌“%(name)s”已撤销。") % {"name": found.name})
