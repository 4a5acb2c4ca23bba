"""`signpost`: every command, one line each; a command's module is imported only when it is called."""

import importlib
from typing import NamedTuple

import click

from core.i18n import gettext as _
from core.i18n import mark


class _Entry(NamedTuple):
    module: str
    attribute: str
    help: str


COMMANDS = {
    "setup": _Entry(
        "webapp.commands.server", "setup", mark("建库、首个账号、起步内容库，加 --demo 载入示范机构")
    ),
    "serve": _Entry("webapp.commands.server", "serve", mark("启动网站，连同定时任务与落库")),
    "doctor": _Entry("webapp.commands.doctor", "doctor", mark("说明本机装了什么、缺什么、各有何用")),
    "outlets": _Entry("webapp.commands.outlets", "outlets", mark("导入、导出、查看网点")),
    "content": _Entry("webapp.commands.content", "content", mark("导入、导出、检查内容")),
    "room": _Entry("webapp.commands.room", "room", mark("核对密室探索：有没有死路，写房间文件的格式")),
    "audience": _Entry("webapp.commands.push", "audience", mark("导入联系人名单")),
    "push": _Entry("webapp.commands.push", "push", mark("查看与推进推送")),
    "worker": _Entry("webapp.commands.worker", "worker", mark("只发推送：让别的机器帮忙，或从消息队列接活")),
    "sandbox": _Entry("webapp.commands.sandbox", "sandbox", mark("推送平台的替身：看推送到了手机上是什么样")),
    "reach": _Entry("webapp.commands.reach", "reach", mark("触达报告与触达库")),
    "links": _Entry("webapp.commands.links", "links", mark("短链接、二维码与统计图片")),
    "demo": _Entry("webapp.commands.demo", "demo", mark("载入或清除示范机构")),
    "audit": _Entry("webapp.commands.audit_log", "audit", mark("核对、查看、导出操作记录")),
    "access": _Entry("webapp.commands.access", "access", mark("谁能做什么：角色、权限、页面的对照表")),
    "privacy": _Entry("webapp.commands.privacy", "privacy", mark("个人信息：更换密钥、保存期限")),
    "token": _Entry("webapp.commands.token", "token", mark("管理接口令牌")),
    "staff": _Entry("webapp.commands.staff", "staff", mark("管理员工账号")),
}


class _Lazy(click.Group):
    """A group that imports a command's module only when the command is called: starting costs little."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which somebody needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = getattr(importlib.import_module(entry.module), entry.attribute)
        assert isinstance(command, click.Command)  # noqa: S101  (the table above is wrong otherwise)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their sentences without importing any."""
        with formatter.section(_("命令")):
            formatter.write_dl([(name, _(entry.help)) for name, entry in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="signpost")
def main() -> None:
    """Signpost (路标): consumer education, and proof of whom it reached."""
