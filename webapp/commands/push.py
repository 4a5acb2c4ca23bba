"""`signpost audience` and `signpost push`: import people who agreed, see and move on what goes out."""

import sys
import time
from pathlib import Path

import click

from campaign import audience as people
from campaign import audience_rows
from campaign.audience_columns import BadRow
from campaign.contact_imports import register
from campaign.contact_imports.carrying import Imports
from campaign.contact_imports.models import CHECKED, DONE, ContactImport
from campaign.contact_imports.reading import look
from core import clock
from core.database import Database
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import outlets
from institution.powers import WHOLE
from scheduler import plans, pushes
from scheduler.jobs import Outgoing
from scheduler.models import PLAN_NAMES, PUSH_NAMES, DeliveryState, PlanState, PushState
from webapp.commands import plain_errors, runtime

_SHOWN = 50
_PAUSE = 0.5  # seconds


@click.group(help=mark("导入联系人名单"))
def audience() -> None:
    """Contact lists."""


@click.group(help=mark("查看与推进推送"))
def push() -> None:
    """Plans and pushes."""


@audience.command("import", help=mark("从 CSV 或 XLSX 导入；有一行不对就什么都不导入，除非 --skip-bad"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--list", "list_name", required=True, help=mark("名单的名字，没有就新建"))
@click.option("--at", "outlet_code", default=WHOLE, help=mark("名单归属的机构编号，不填就是整个机构"))
@click.option("--dry-run", is_flag=True, help=mark("只检查，不导入"))
@click.option("--skip-bad", is_flag=True, help=mark("导入没有错的行，有错的写到输入文件旁边"))
@plain_errors
def import_file(file: Path, list_name: str, outlet_code: str, dry_run: bool, skip_bad: bool) -> None:
    """Import a contact file; exit code 1 when it has bad rows and nothing was applied."""
    objects = runtime()
    at_work = objects.service(Imports)
    with objects.service(Database).reading() as session:
        if outlet_code != WHOLE:
            outlets.get(session, outlet_code)
    with file.open("rb") as data:
        look(data)
        folder, size = at_work.save(data)
    one = ContactImport(
        outlet_code=outlet_code, list_name=list_name, folder=folder, bytes=size, preview=dry_run, skip_bad=skip_bad,
        asked_at=clock.now(),
    )  # fmt: skip
    with objects.service(Database).transaction() as session:
        register.ask(session, one)
    _carry(objects.service(Database), at_work, one.id or 0, file, skip_bad=skip_bad and not dry_run)


def _carry(database: Database, at_work: Imports, number: int, file: Path, *, skip_bad: bool) -> None:
    """Do it here and now (or wait for a server that was quicker), and say what came of it."""
    while not at_work.carry(number):
        with database.reading() as session:
            if not register.get(session, number).moving:
                break
        time.sleep(_PAUSE)
    with database.reading() as session:
        one = register.get(session, number)
    if fault := at_work.fault(one):
        raise fault
    bad = at_work.staged(one).faults() if one.bad else []
    _report(one, bad)
    if bad and skip_bad:
        beside = file.with_name(f"{file.stem}.rejected.csv")
        beside.write_bytes(audience_rows.rejected_csv(at_work.staged(one).header(), bad))
        click.echo(_("有错的行写在 %(path)s") % {"path": beside})
    if one.state == CHECKED:
        with database.transaction() as session:
            register.cancel(session, number, now=clock.now())
    at_work.discard(one.folder)
    if bad and one.state != DONE:
        sys.exit(1)


@audience.command("list", help=mark("列出名单和人数"))
@plain_errors
def list_lists() -> None:
    """All lists with their sizes."""
    with runtime().service(Database).reading() as session:
        for row in people.lists(session):
            click.echo(f"{row.size:>10,}  {row.name}  {row.place}")


@push.command("status", help=mark("列出计划和最近的推送"))
@plain_errors
def status() -> None:
    """Plans with their state, pushes with their progress."""
    zone = runtime().service(Settings).zone
    with runtime().service(Database).reading() as session:
        for plan in plans.everything(session):
            at = (
                plan.next_due_at if plan.follows_id is None else None
            )  # a follow-up waits for what it follows
            due = at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else "—"
            click.echo(
                _("计划 %(id)s  %(name)s  %(state)s  下一次 %(due)s")
                % {
                    "id": plan.id,
                    "name": plan.name,
                    "state": _(PLAN_NAMES[PlanState(plan.state)]),
                    "due": due,
                }
            )
        for found, _name in pushes.latest(session, 20):
            progress = pushes.progress(session, found.id or 0, clock.now())
            click.echo(_line(progress))
            if found.reason:
                click.echo(f"    {_(found.reason)}")


@push.command("run-once", help=mark("触发到期的计划，发出能发的，计入触达，然后结束"))
@plain_errors
def run_once() -> None:
    """Plan, send and count once in this process; safe beside a running server."""
    line = runtime().service(Outgoing)
    try:
        click.echo(_("发出 %(count)s 批") % {"count": line.run_once()})
    finally:
        line.stop()


def _line(progress: pushes.Progress) -> str:
    return _(
        "推送 %(id)s  %(name)s  %(state)s  共 %(total)s  已送达 %(sent)s  失败 %(failed)s  结果不明 %(uncertain)s"
    ) % {
        "id": progress.push.id,
        "name": progress.plan_name,
        "state": _(PUSH_NAMES[PushState(progress.push.state)]),
        "total": progress.push.total,
        "sent": progress.count(DeliveryState.sent),
        "failed": progress.count(DeliveryState.failed),
        "uncertain": progress.count(DeliveryState.uncertain),
    }


def _report(one: ContactImport, bad: list[BadRow]) -> None:
    for row in bad[:_SHOWN]:
        where = _("第 %(line)s 行，%(column)s：%(rule)s")
        click.echo(where % {"line": row.line, "column": row.column or "—", "rule": row.rule}, err=True)
    if len(bad) > _SHOWN:
        click.echo(_("……另有 %(count)s 行") % {"count": len(bad) - _SHOWN}, err=True)
    counts = _(
        "共 %(rows)s 行：新增 %(added)s，更新 %(changed)s，不变 %(unchanged)s，有误 %(bad)s，早先已退订 %(refused)s"
    )
    click.echo(counts % one.model_dump())
    click.echo(_("已导入。") if one.state == DONE else _("没有导入。"))
