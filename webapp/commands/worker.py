"""`signpost worker`: a process that sends and does nothing else, so that many machines carry one push."""

import signal
import threading
from collections.abc import Sequence
from contextlib import closing
from functools import partial

import click

from core.database import Database
from core.errors import Invalid
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from core.steadying import spare_rounds
from scheduler.broker import SLICE, Broker, Brokered
from scheduler.channels import registry
from scheduler.jobs import Outgoing
from scheduler.worker import sending
from webapp import background, logs, migrate
from webapp.commands import plain_errors, read_settings
from webapp.runtime import Runtime, build


@click.command()
@click.option(
    "--threads", type=click.IntRange(1, 64), default=None, help="Threads that send; default: the setting."
)
@click.option(
    "--channel", "channels", multiple=True, help="Only this channel (may be given again); needs a broker."
)
@plain_errors
def worker(threads: int | None, channels: Sequence[str]) -> None:
    """Send what is claimed, by threads or by the broker's wake-ups, until told to end."""
    settings = read_settings()
    if threads:
        settings = settings.model_copy(update={"push_threads": threads})
    with closing(build(settings)) as objects:
        _send(objects, channels)


def _send(objects: Runtime, channels: Sequence[str]) -> None:
    settings = objects.service(Settings)
    if not migrate.is_current(objects.service(Database)):
        raise Invalid(mark("数据库还没有升级到当前版本：请先运行 signpost setup。"))
    for name in channels:
        registry.get(name)
    if channels and not settings.broker_url:
        raise Invalid(mark("没有设置 SIGNPOST_BROKER_URL 时，每个渠道各有自己的线程，不用 --channel。"))
    logs.configure()
    spare_rounds()
    if settings.broker_url:
        _by_broker(objects.service(Outgoing), settings.push_threads, channels)
        return
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    click.echo(_("正在发送推送；按 Ctrl+C 停止。"))
    background.work(objects, told)


def _by_broker(line: Outgoing, threads: int, channels: Sequence[str]) -> None:
    assert isinstance(line.senders, Brokered)  # noqa: S101  (the setting says so)
    broker: Broker = line.senders.broker
    click.echo(_("正在从消息队列接活；按 Ctrl+C 停止。"))
    broker.work(
        partial(sending, line.dispatcher, seconds=SLICE),
        threads=threads,
        channels=channels or list(broker.queues),
        stop=line.dispatcher.stopping.set,
    )
    line.stop()
