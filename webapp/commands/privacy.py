"""`signpost privacy`: keys of personal data and their rotation, how long what is kept."""

import secrets

import click
from sqlmodel import Session

from core import clock
from core.database import Database
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault
from core.settings import Settings
from institution import retention as clearing
from institution import rotation
from webapp import personal
from webapp.commands import plain_errors, runtime

__all__ = ["personal", "privacy"]


@click.group(help=mark("个人信息：更换密钥、保存期限"))
def privacy() -> None:
    """Keys of personal data, and how long what is kept."""


@privacy.command(help=mark("造一把新密钥，写到 SIGNPOST_PRIVACY_KEYS 的最前面"))
def key() -> None:
    """Print a new random key (256 bits)."""
    click.echo(secrets.token_urlsafe(32))


@privacy.command(help=mark("每把密钥还管着多少资料"))
@plain_errors
def keys() -> None:
    """How many values stand under which key."""
    vault, database = runtime().service(Vault), runtime().service(Database)
    with database.reading() as session:
        held = rotation.held_under(session, vault)
        for number, (name, counts) in enumerate(held.items()):
            click.echo(
                f"{name or '—':14}{_role(vault, name, number):24}{_('%(count)s 项') % {'count': counts.total()}}"
            )
        _tell_kept(session, vault)


@privacy.command(help=mark("用最新的密钥重新加密全部个人信息；中断后再运行即可接着做"))
@click.option("--batch", type=click.IntRange(1, 5000), default=rotation.BATCH, help=mark("每批多少行"))
@plain_errors
def rotate(batch: int) -> None:
    """Seal everything anew under the newest key; exit code 1 when some rows could not be."""
    vault, database = runtime().service(Vault), runtime().service(Database)
    with database.reading() as session:
        total = rotation.stale(session, vault)
    if not total:
        click.echo(_("全部资料已经在最新的密钥 %(key)s 下，没有要做的。") % {"key": vault.key_ids[0]})
    else:
        with click.progressbar(length=total, label=_("重新加密"), width=30) as bar:
            report = rotation.rotate(database, vault, batch=batch, told=bar.update)
        _tell(report, vault)
    with database.reading() as session:
        _tell_kept(session, vault)
        left = rotation.stale(session, vault)
    if left:
        click.secho(
            _("还有 %(count)s 行没有换到新密钥，见上面的说明。") % {"count": left}, fg="red", err=True
        )
        raise SystemExit(1)


@privacy.command(help=mark("清除超过保存期限的资料；--dry-run 只看不删"))
@click.option("--dry-run", is_flag=True, help=mark("只看有多少到期"))
@plain_errors
def retention(dry_run: bool) -> None:
    """Clear what is over its time, or only say what is."""
    objects = runtime()
    own = objects.service(Settings).retention_days
    with objects.service(Database).reading() as session:
        due = clearing.due(session, own, clock.now())
    for one in due:
        source = _("本机构设定") if one.own else _(one.rule.source)
        days, count = _("%(days)s 天") % {"days": one.days}, _("到期 %(count)s 项") % {"count": one.count}
        click.echo(f"{one.rule.key:18}{days:8}{count:12}{_(one.rule.label)}  （{source}）")
    if dry_run:
        return
    cleared = clearing.run(objects.service(Database), own, clock.now())
    click.echo(_("已清除 %(count)s 项。") % {"count": sum(cleared.values())})


def _role(vault: Vault, name: str, number: int) -> str:
    if not name:
        return _("（旧格式，可用密钥环打开）")
    if name not in vault.key_ids:
        return _("（不在密钥环里，打不开）")
    if number == 0:
        return _("（最新）")
    return _("（由安装密钥派生）") if name == vault.key_ids[-1] else ""


def _tell(report: rotation.Report, vault: Vault) -> None:
    for label, count in report.changed.items():
        click.echo(
            _("%(what)s：%(count)s 行已换到密钥 %(key)s。")
            % {"what": _(label), "count": count, "key": vault.key_ids[0]}
        )
    for label, count in report.unreadable.items():
        click.secho(
            _("%(what)s：%(count)s 行打不开，加密它们的密钥不在 SIGNPOST_PRIVACY_KEYS 里，请加回后再运行。")
            % {"what": _(label), "count": count},
            fg="red",
            err=True,
        )
    for label, count in report.clashing.items():
        click.secho(
            _(
                "%(what)s：%(count)s 行与同一个人的另一行重复，请先重启所有进程使用同一密钥环，再在工作台处理这个人的资料。"
            )
            % {"what": _(label), "count": count},
            fg="red",
            err=True,
        )


def _tell_kept(session: Session, vault: Vault) -> None:
    needed = set()
    for label, name, count in rotation.kept(session, vault):
        needed.add(name)
        click.secho(
            _("%(what)s有 %(count)s 条仍在密钥 %(key)s 下，不能换算（原来的地址已不在），请保留这把密钥。")
            % {"what": _(label), "count": count, "key": name},
            fg="yellow",
        )
    held = rotation.held_under(session, vault)
    for name in vault.key_ids[1:-1]:
        if name not in needed and not held[name].total():
            click.echo(_("密钥 %(key)s 已不再需要，可以从 SIGNPOST_PRIVACY_KEYS 去掉。") % {"key": name})
