"""`signpost sandbox`: stand-ins of the platforms on this machine, with a page that shows what arrived."""

from collections.abc import Mapping

import click
from werkzeug.serving import BaseWSGIServer

from core.errors import Invalid
from core.i18n import gettext as _
from core.i18n import mark
from scheduler.sandbox.calling_back import Caller
from scheduler.sandbox.core import Sandbox
from scheduler.sandbox.inbox import Inbox
from scheduler.sandbox.registry import STAND_INS, address, besides, filled
from webapp import demo_sandbox
from webapp.commands import plain_errors, read_settings
from webapp.demo_sandbox import HOST


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65500), default=8099, show_default=True, help="Port on 127.0.0.1."
)
@click.option(
    "--latency",
    type=click.IntRange(0, 60_000),
    default=0,
    show_default=True,
    help="Milliseconds before each answer.",
)
@click.option(
    "--callback",
    "callbacks",
    multiple=True,
    metavar="NAME=ADDRESS",
    help="Call back to an account's receipt address, e.g. sms_aliyun=http://127.0.0.1:8000/hooks/…; may be repeated.",
)
@plain_errors
def sandbox(port: int, latency: int, callbacks: tuple[str, ...]) -> None:
    """Stand-ins of every platform on loopback; nothing reaches a real person."""
    settings = read_settings()
    platforms = filled(Sandbox(latency=latency / 1000))
    try:
        with besides(platforms, port + 1) as ports:
            inbox = Inbox(platforms, locale=settings.locale, zone=settings.zone, ports=ports)
            server, caller = demo_sandbox.server(port, inbox), _calling(platforms, callbacks)
            try:
                _serve(server, ports)
            finally:
                caller.stop()
    except OSError as error:
        raise Invalid(mark("这个端口已被占用。请用 --port 换一个。"), field="port") from error


def _calling(platforms: Sandbox, callbacks: tuple[str, ...]) -> Caller:
    """Call back where it was asked for; Invalid when an address does not answer as its platform wants."""
    caller = Caller(platforms)
    for one in callbacks:
        name, _sign, address = one.partition("=")
        try:
            good = caller.use(name, address)
        except OSError:
            good = False
        if not good:
            raise Invalid(
                mark("“%(name)s”的回执地址没有按平台的要求回答，请先启动网站，再从渠道账号页复制地址。"),
                field="callback",
                name=name,
            )
    caller.start()
    return caller


def _serve(server: BaseWSGIServer, ports: Mapping[str, int]) -> None:
    _say(f"http://{HOST}:{server.server_port}", ports)
    try:
        server.serve_forever(0.2)
    except KeyboardInterrupt:
        click.echo(_("沙盒已停下，收到的消息已清空。"))
    finally:
        server.server_close()


def _say(base: str, ports: Mapping[str, int]) -> None:
    """Where the inbox is, and what to write into an account of each platform."""
    click.secho(_("沙盒在运行：%(address)s/", address=base), bold=True)
    click.echo(_("收到的消息都在那一页。在“渠道账号”里这样填，推送就到这里来："))
    for name, offer in STAND_INS.items():
        click.echo(f"\n  {_(offer.label)}")
        click.echo(f"    {_('接口地址')}  {address(base, name, ports)}")
        for label, value in offer.fill.items():
            click.echo(f"    {_(label)}  {value}")
    click.echo("\n" + _("按 Ctrl+C 停下。"))
