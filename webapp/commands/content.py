"""`signpost content`: a folder of pieces in, a folder of pieces out; checked by rules (`content_check`)."""

from pathlib import Path

import click

from content import library
from content.library import Loaded
from core import clock
from core.database import Database
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import people
from webapp.commands import content_check, plain_errors, runtime

# Whoever runs the command line has the machine; what is imported still needs a second person's approval.
_IMPORTER = ("system.import", mark("命令行导入"))


@click.group()
def content() -> None:
    """导入、导出、检查内容。"""


content.add_command(content_check.check)
content.add_command(content_check.due)


@content.command("import")
@click.argument("folder", type=click.Path(path_type=Path))
@plain_errors
def import_folder(folder: Path) -> None:
    """把文件夹里的内容导入为草稿；有一处不对就什么都不导入。"""
    made = runtime()
    now = clock.now()
    with made.service(Database).transaction() as session:
        by = people.system_account(session, _IMPORTER[0], _(_IMPORTER[1]), now).id or 0
        loaded = library.load_folder(session, made.service(Settings).files_dir, folder, by=by, now=now)
    _report(loaded)


@content.command("export")
@click.argument("folder", type=click.Path(path_type=Path))
@plain_errors
def export_folder(folder: Path) -> None:
    """把每篇内容的最新一版导出到一个新文件夹；再导入不会产生新版本。"""
    made = runtime()
    settings = made.service(Settings)
    with made.service(Database).reading() as session:
        keys = library.save_folder(session, settings.files_dir, folder, institution=settings.institution_name)
    print(_("已导出 %(count)s 篇内容到 %(folder)s。", count=len(keys), folder=str(folder)))


def _report(loaded: Loaded) -> None:
    for key in loaded.created:
        print(_("新建：%(key)s", key=key))
    for key in loaded.changed:
        print(_("新版本：%(key)s", key=key))
    counts = {
        "created": len(loaded.created),
        "changed": len(loaded.changed),
        "unchanged": len(loaded.unchanged),
    }
    print(_("新建 %(created)s 篇，新版本 %(changed)s 篇，没有变化 %(unchanged)s 篇。", **counts))
    for name in loaded.unused:
        print(_("没有内容用到的图片，未导入：%(name)s", name=name))
