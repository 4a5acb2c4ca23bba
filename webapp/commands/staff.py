"""`signpost staff`: accounts from the command line, for the first one and for when nobody gets in."""

from datetime import datetime, timedelta
from pathlib import Path

import click
from sqlmodel import Session

from core import clock
from core.cells import to_csv
from core.database import Database
from core.errors import Invalid, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault
from core.settings import Settings
from institution import (
    invitation_letters,
    invitations,
    people,
    second_factor,
    sessions,
    sign_in,
    staff_fields,
    staff_files,
    staff_list,
)
from institution.models import Staff
from institution.powers import ROLES, WHOLE
from webapp.commands import plain_errors, runtime
from webapp.commands.outlets import content


@click.group()
def staff() -> None:
    """Staff accounts: add, import, invite, list, reset; sessions and second factors."""


@staff.command("add")
@click.argument("login")
@click.option("--name", required=True, help="The person's name.")
@click.option(
    "--role", "roles", multiple=True, required=True, help="ROLE or ROLE@NODE (a code); may be given again."
)
@click.option("--email", default="", help="For invitations and reminders; stored encrypted.")
@plain_errors
def add(login: str, name: str, roles: tuple[str, ...], email: str) -> None:
    """Add an account and print its one-time password, once."""
    sealed = staff_fields.sealed_email(runtime().service(Vault), email)
    with runtime().service(Database).transaction() as session:
        account, password = people.add(
            session, login=login, name=name, roles=(), grants=[_grant(one) for one in roles], now=clock.now(),
            email=sealed, until=_until(),
        )  # fmt: skip
    _tell(account.login, password)


def _grant(text: str) -> tuple[str, str]:
    role, _at, node = text.partition("@")
    if role not in ROLES:
        raise Invalid(mark("没有“%(role)s”这个角色，可以用：%(roles)s。"), role=role, roles=", ".join(ROLES))
    return role, node or WHOLE


def _until() -> datetime:
    return clock.now() + timedelta(hours=runtime().service(Settings).invitation_hours)


def _account(session: Session, login: str) -> Staff:
    account = people.by_login(session, login)
    if account is None or account.system:
        raise NotFound(mark("没有登录名为“%(login)s”的账号。"), login=login)
    return account


@staff.command("reset")
@click.argument("login")
@plain_errors
def reset(login: str) -> None:
    """Give the account a new one-time password and print it, once; its sessions end."""
    with runtime().service(Database).transaction() as session:
        account = _account(session, login)
        password = people.reset_password(session, account, now=clock.now(), until=_until())
    _tell(account.login, password)


def _tell(login: str, password: str) -> None:
    click.echo(f"{_('登录名')}: {login}")
    click.echo(f"{_('一次性密码')}: {password}")
    click.echo(_("密码只显示这一次，首次登录时要改。"), err=True)


@staff.command("invite")
@click.argument("login")
@plain_errors
def invite(login: str) -> None:
    """Invite the account to set its password: by mail if it has an address, else print the link, once."""
    settings, vault, now = runtime().service(Settings), runtime().service(Vault), clock.now()
    with runtime().service(Database).transaction() as session:
        account = _account(session, login)
        token = invitations.invite(session, account, by=None, now=now, hours=settings.invitation_hours)
        mailed = invitation_letters.send(session, vault, settings, account, token, now=now)
    if mailed:
        click.echo(_("邀请邮件已放入待发。"))
    else:
        click.echo(invitation_letters.link(settings, token))
        click.echo(_("链接只显示这一次，只能用一次。"), err=True)


@staff.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Print what would change and change nothing.")
@click.option(
    "--codes",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the one-time passwords there (CSV).",
)
@plain_errors
def import_(file: Path, dry_run: bool, codes: Path | None) -> None:
    """Import a CSV or XLSX file of accounts, all or none; prints the one-time passwords of new ones."""
    data, vault = content(file), runtime().service(Vault)
    with runtime().service(Database).transaction() as session:
        planned = staff_files.plan(session, vault, data, by=None)
        for fault in planned.faults:
            click.secho(fault.line(), fg="red", err=True)
        if planned.faults:
            raise Invalid(mark("共 %(count)s 处错误，没有导入任何一行。"), count=len(planned.faults))
        made = (
            []
            if dry_run
            else staff_files.apply(session, vault, planned, by=None, now=clock.now(), until=_until())
        )
    rows = [(one.login, one.name, password) for one, password in made]
    if codes is not None and rows:
        codes.touch(mode=0o600)
        codes.write_bytes(to_csv([_("登录名"), _("姓名"), _("一次性密码")], rows))
    else:
        for row in rows:
            click.echo("\t".join(row))
    fresh = len(planned.fresh)
    click.echo(
        _("新增 %(new)s 个账号，修改 %(changed)s 个，%(same)s 个不变。")
        % {"new": fresh, "changed": len(planned.changes) - fresh, "same": planned.same},
        err=True,
    )


@staff.command("list")
@plain_errors
def list_() -> None:
    """List all accounts."""
    with runtime().service(Database).reading() as session:
        accounts = people.everyone(session)
        grants = staff_list.grants_of(session, accounts)
    for account in accounts:
        state = _(staff_list.STATES[staff_list.state_of(account)])
        roles = _("、").join(grants[account.id or 0])
        click.echo(f"{account.login}\t{account.name}\t{roles}\t{state}")


@staff.command("sessions")
@click.argument("login")
@click.option("--end", is_flag=True, help="Sign the account out everywhere.")
@plain_errors
def sessions_(login: str, end: bool) -> None:
    """List the devices an account is signed in on, or end them all."""
    zone = runtime().service(Settings).zone
    with runtime().service(Database).transaction() as session:
        account, now = _account(session, login), clock.now()
        found = sessions.running(session, account.id or 0, now)
        if end:
            sign_in.leave_all(session, account, now=now)
    for one in found:
        seen = one.seen_at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        click.echo(f"{seen}\t{one.address}\t{sessions.device(one.agent)}")
    if end:
        click.echo(_("%(count)s 台设备已退出登录。") % {"count": len(found)}, err=True)


@staff.command("second-factor-reset")
@click.argument("login")
@plain_errors
def second_factor_reset(login: str) -> None:
    """Forget an account's second factor (the telephone is lost) and end its sessions."""
    with runtime().service(Database).transaction() as session:
        account = _account(session, login)
        second_factor.reset(session, account, by=None, now=clock.now())
    click.echo(_("已重置 %(name)s 的二次验证。") % {"name": account.name})
