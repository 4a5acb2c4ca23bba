"""`signpost staff`: accounts from the command line, for the first one and for when nobody gets in."""

import click

from core import clock
from core.database import Database
from core.errors import NotFound
from core.i18n import gettext as _
from core.i18n import mark
from institution import people, sessions
from institution.powers import ROLES
from webapp.commands import plain_errors, runtime


@click.group()
def staff() -> None:
    """Staff accounts: add, list, reset the password."""


@staff.command("add")
@click.argument("login")
@click.option("--name", required=True, help="The person's name.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(list(ROLES)),
    help="May be given again.",
)
@plain_errors
def add(login: str, name: str, roles: tuple[str, ...]) -> None:
    """Add an account and print its one-time password, once."""
    with runtime().service(Database).transaction() as session:
        account, password = people.add(session, login=login, name=name, roles=list(roles), now=clock.now())
    _tell(account.login, password)


@staff.command("reset")
@click.argument("login")
@plain_errors
def reset(login: str) -> None:
    """Give the account a new one-time password and print it, once; its sessions end."""
    with runtime().service(Database).transaction() as session:
        account = people.by_login(session, login)
        if account is None or account.system:
            raise NotFound(mark("没有登录名为“%(login)s”的账号。"), login=login)
        password = people.reset_password(session, account, now=clock.now())
    _tell(account.login, password)


def _tell(login: str, password: str) -> None:
    click.echo(f"{_('登录名')}: {login}")
    click.echo(f"{_('一次性密码')}: {password}")
    click.echo(_("密码只显示这一次，首次登录时要改。"), err=True)


@staff.command("list")
@plain_errors
def list_() -> None:
    """List all accounts."""
    with runtime().service(Database).reading() as session:
        accounts = [(one, sessions.powers_of(session, one.id or 0)) for one in people.everyone(session)]
    for account, powers in accounts:
        state = _("正常") if account.active else _("已停用")
        roles = _("、").join(
            _(ROLES[role][0]) + (f" @{code}" if code else "") for role, code in powers.grants if role in ROLES
        )
        click.echo(f"{account.login}\t{account.name}\t{roles}\t{state}")
