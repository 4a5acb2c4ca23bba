"""`signpost setup` and `signpost serve`."""

import logging
import socket
import subprocess
import sys
from contextlib import ExitStack

import click
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from core.clock import now
from core.database import Database
from core.errors import Invalid
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import people
from scheduler import broker
from tracking.store import ReachStore
from webapp import demo as demo_institution
from webapp import demo_sandbox, migrate, starter_library
from webapp.commands import plain_errors, runtime
from webapp.runtime import Runtime

_ENDS_WITHIN = 20  # seconds for a worker to stop its jobs and let go of the store


@click.command()
@click.option("--demo", is_flag=True, help="Load the demo institution at scale 100, once.")
@plain_errors
def setup(demo: bool) -> None:
    """Database, first account, starter library; again: changes nothing."""
    objects = runtime()
    database = objects.service(Database)
    if migrate.upgrade(database):
        click.echo(_("数据库已就绪。"))
    if starter_library.load(objects):
        click.echo(_("起步内容库已载入并发布。"))
    if demo and demo_institution.is_wanted(objects):
        click.echo(_("正在载入示范机构：2,500 个网点、两年触达，要一两分钟……"))
        demo_institution.load(objects, scale=100)
    _first_account(objects)
    objects.close()


def _first_account(objects: Runtime) -> None:
    """Make `admin` when nobody can sign in yet; last, so that its password is what stands on the screen."""
    with objects.service(Database).transaction() as session:
        if people.everyone(session):
            return
        _account, password = people.add(
            session, login="admin", name=_("管理员"), roles=["administrator"], now=now()
        )
    _say_password(objects, password)


def _say_password(objects: Runtime, password: str) -> None:
    settings = objects.service(Settings)
    click.echo()
    click.secho(_("首个员工账号（密码只显示这一次，首次登录要改）"), bold=True)
    click.echo(f"  {settings.public_url}/desk")
    click.echo(f"  {_('登录名')}: admin")
    click.secho(f"  {_('一次性密码')}: {password}", fg="green", bold=True)
    click.echo()


@click.command()
@click.option("--workers", default=1, show_default=True, help="Web processes; above 1 needs a reach server.")
@click.option("--prepare", is_flag=True, help="First do what `setup --demo` would, if any of it is missing.")
@plain_errors
def serve(workers: int, prepare: bool) -> None:
    """Serve the site, with the scheduler and the drain beside it."""
    objects = runtime()
    if prepare and not _is_prepared(objects):
        # A process of its own: the reach engine must not be open in the one that starts the workers.
        done = subprocess.run([sys.argv[0], "setup", "--demo"], check=False)  # noqa: S603  (ourselves)
        if done.returncode:
            raise SystemExit(done.returncode)
    settings = objects.service(Settings)
    if workers > 1 and not settings.reach_url:
        raise Invalid(
            mark(
                "内置触达库只能由一个进程使用：请设置 SIGNPOST_REACH_URL 指向 ClickHouse，或只用一个工作进程。"
            )
        )
    if not migrate.is_current(objects.service(Database)):
        raise Invalid(mark("数据库还没有升级到当前版本：请先运行 signpost setup。"))
    with objects.service(Database).reading() as session:
        sandbox = demo_sandbox.is_wanted(session, settings)
    objects.close()
    ReachStore.check_free(settings)
    _check_port(settings)
    click.secho(_("网站  %(url)s") % {"url": settings.public_url}, bold=True)
    click.echo(_("员工  %(url)s/desk") % {"url": settings.public_url})
    logging.getLogger("_granian").addFilter(_is_news)
    with ExitStack() as beside:
        if sandbox:
            _run_sandbox(settings, beside)
        click.echo(_("按 Ctrl+C 停止。"))
        _serve(settings, workers)


def _run_sandbox(settings: Settings, beside: ExitStack) -> None:
    """The demo's platforms beside the site; a port that is taken keeps nobody from serving."""
    try:
        beside.enter_context(demo_sandbox.running(settings))
    except OSError:
        said = _("沙盒没有启动：端口 %(port)s 被占用。用 SIGNPOST_SANDBOX_PORT 换一个。")
        click.echo(said % {"port": settings.sandbox_port}, err=True)
        return
    click.echo(_("沙盒收件箱  %(url)s") % {"url": f"http://{demo_sandbox.HOST}:{settings.sandbox_port}/"})


def _serve(settings: Settings, workers: int) -> None:
    Granian(
        "webapp.wsgi:build_application",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers,
        blocking_threads=settings.threads,
        factory=True,
        respawn_failed_workers=True,
        # a worker that is told to end while it starts does not hear it; what is in the spool is kept
        workers_kill_timeout=_ENDS_WITHIN,
        log_level=LogLevels.warning,
    ).serve()


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a warning of the server says something to who installs it: that there are more threads than cores does
    not, they wait for commits and for the engine."""
    return "Python threads" not in record.getMessage()


def _is_prepared(objects: Runtime) -> bool:
    """Whether `setup --demo` has nothing to do."""
    database = objects.service(Database)
    if not migrate.is_current(database):
        return False
    with database.reading() as session:
        accounts = people.everyone(session)
    return (
        bool(accounts) and not starter_library.is_wanted(objects) and not demo_institution.is_wanted(objects)
    )


def _check_port(settings: Settings) -> None:
    """Say in a sentence, not in a stack of frames, that somebody else listens there, or that Celery is missing."""
    if settings.broker_url:
        broker.check_installed()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Invalid(
                mark(
                    "%(host)s:%(port)s 不能监听（%(reason)s）：请停止占用它的程序，或用 SIGNPOST_PORT 换一个端口。"
                ),
                host=settings.host,
                port=settings.port,
                reason=error.strerror,
            ) from error
