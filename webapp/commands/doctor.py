"""`signpost doctor`: what this installation has, what it lacks, and what each thing is for."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy import text

from core import clock
from core.database import Database
from core.i18n import CATALOGUES, mark
from core.i18n import gettext as _
from core.settings import Settings
from scheduler import hooks
from webapp import migrate
from webapp.commands import plain_errors, runtime
from webapp.runtime import Runtime

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was found (empty: nothing), what it is for, whether serving needs it."""

    name: str
    found: str
    purpose: str
    needed: bool = False


@click.command()
@plain_errors
def doctor() -> None:
    """Say what is installed, what is missing, and what each is for; exit 1 when something needed is missing."""
    objects = runtime()
    checks = [look(objects) for look in LOOKS]
    for check in checks:
        sign, colour = ("✓", "green") if check.found else (("✗", "red") if check.needed else ("–", "yellow"))
        click.secho(f"{sign} {check.name}", fg=colour, nl=False)
        click.echo(f"  {check.found or _('没有找到')}")
        click.echo(f"    {_(check.purpose)}")
    objects.close()
    if any(check.needed and not check.found for check in checks):
        raise SystemExit(1)


def _home(objects: Runtime) -> Check:
    home = objects.service(Settings).home
    free = shutil.disk_usage(home).free / 2**30
    writable = home.is_dir() and _can_write(home)
    return Check(
        "home",
        f"{home.resolve()} ({free:.1f} GiB)" if writable else "",
        mark("内置数据库、触达库、待落库事件与图片都在这里"),
        needed=True,
    )


def _can_write(folder: Path) -> bool:
    probe = folder / ".doctor"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError:
        return False
    return True


def _database(objects: Runtime) -> Check:
    database = objects.service(Database)
    found = ""
    try:
        with database.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        state = _("已是当前版本") if migrate.is_current(database) else _("需要运行 signpost setup")
        found = f"{database.engine.dialect.name}, {state}"
    except Exception as error:
        click.secho(str(error).splitlines()[0], fg="red", err=True)
    return Check("database", found, mark("内容、网点、推送与账号"), needed=True)


def _translations(_objects: Runtime) -> Check:
    found = (CATALOGUES / "en" / "LC_MESSAGES" / "messages.mo").exists()
    return Check("translations", "zh, en" if found else "zh", mark("英文页面"))


def _chromium(_objects: Runtime) -> Check:
    path = next(filter(None, map(shutil.which, CHROMIUM)), "")
    return Check(
        "Chromium", _version([path, "--version"]) if path else "", mark("页面测试，以及把页面做成图片")
    )


def _fonts(_objects: Runtime) -> Check:
    listed = _version(["fc-list", ":lang=zh", "family"]) if shutil.which("fc-list") else ""
    return Check("fonts", listed, mark("图表与图片里的中文"))


def _postgresql(_objects: Runtime) -> Check:
    server = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)), None)
    path = str(server) if server else shutil.which("postgres")
    return Check(
        "PostgreSQL",
        _version([path, "--version"]) if path else "",
        mark("多台机器时的关系数据库；一台机器不需要"),
    )


def _redis(_objects: Runtime) -> Check:
    path = shutil.which("redis-server")
    return Check(
        "Redis",
        _version([path, "--version"]) if path else "",
        mark("多台机器时共用的限额，也可给 signpost worker 传话；一台机器不需要"),
    )


def _mail(objects: Runtime) -> Check:
    settings = objects.service(Settings)
    found = f"{settings.smtp_host}:{settings.smtp_port}" if settings.smtp_host else ""
    return Check("SMTP", found, mark("电子邮件推送；设置 SIGNPOST_SMTP_HOST 与 SIGNPOST_MAIL_FROM"))


def _receipts(objects: Runtime) -> Check:
    """Accounts whose receipts are refused, cannot be asked for, or are silent though messages went out."""
    database, now = objects.service(Database), clock.now()
    try:
        with database.reading() as session:
            listed = hooks.troubles(session, clock.today(objects.service(Settings).zone), now)
    except Exception:  # what ails the database is said above
        listed = []
    words = {
        hooks.REFUSED: _("回执被拒"),
        hooks.FAULTY: _("查询回执出错"),
        hooks.QUIET: _("发了一天还没有回执"),
    }
    said = _("、").join(f"{name}（{words[what]}）" for name, what in listed)
    return Check("receipts", said or _("没有发现问题"), mark("渠道账号的回执；到账号页看原因和回执地址"))


def _version(command: list[str]) -> str:
    """The first line a program prints, empty when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except OSError:
        return ""
    lines = (done.stdout or "").strip().splitlines()
    return lines[0][:100] if done.returncode == 0 and lines else ""


LOOKS: tuple[Callable[[Runtime], Check], ...] = (
    _home,
    _database,
    _translations,
    _chromium,
    _fonts,
    _postgresql,
    _redis,
    _mail,
    _receipts,
)
