"""`signpost sandbox`: stand-ins of the platforms on this machine, with a page that shows what arrived."""

from typing import Any

import click
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from core.errors import Invalid
from core.i18n import gettext as _
from core.i18n import mark
from scheduler.sandbox.core import Sandbox
from scheduler.sandbox.inbox import Inbox
from scheduler.sandbox.registry import STAND_INS, filled
from webapp.commands import plain_errors, read_settings

HOST = "127.0.0.1"


class _Quiet(WSGIRequestHandler):
    """Addresses of calls hold keys: they are not written down."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8099, show_default=True, help="Port on 127.0.0.1."
)
@click.option(
    "--latency",
    type=click.IntRange(0, 60_000),
    default=0,
    show_default=True,
    help="Milliseconds before each answer.",
)
@plain_errors
def sandbox(port: int, latency: int) -> None:
    """Stand-ins of every platform on loopback; nothing reaches a real person."""
    settings = read_settings()
    platforms = filled(Sandbox(latency=latency / 1000))
    server = _server(port, Inbox(platforms, locale=settings.locale, zone=settings.zone))
    _say(f"http://{HOST}:{server.server_port}")
    try:
        server.serve_forever(0.2)
    except KeyboardInterrupt:
        click.echo(_("沙盒已停下，收到的消息已清空。"))
    finally:
        server.server_close()


def _server(port: int, inbox: Inbox) -> BaseWSGIServer:
    try:
        return make_server(HOST, port, inbox, threaded=True, request_handler=_Quiet)
    except (OSError, SystemExit) as error:
        raise Invalid(mark("这个端口已被占用。请用 --port 换一个。"), field="port") from error


def _say(address: str) -> None:
    """Where the inbox is, and what to write into an account of each platform."""
    click.secho(_("沙盒在运行：%(address)s/", address=address), bold=True)
    click.echo(_("收到的消息都在那一页。在“渠道账号”里这样填，推送就到这里来："))
    for name, offer in STAND_INS.items():
        click.echo(f"\n  {_(offer.label)}")
        click.echo(f"    {_('接口地址')}  {address}/{name}")
        for label, value in offer.fill.items():
            click.echo(f"    {_(label)}  {value}")
    click.echo("\n" + _("按 Ctrl+C 停下。"))
