"""What roles allow, and in which part of the tree: pure of Flask, so that jobs and commands can ask too.

A grant is a role for a part of the tree: the node `outlet_code` and everything below it; WHOLE is the whole
institution, also while there is no tree yet. Default is no: an unknown role and an unknown node allow nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, false, or_, true
from sqlmodel import Session, col, select

from core.errors import NotAllowed
from core.i18n import gettext, mark
from institution.models import Outlet

WHOLE = ""

PERMISSIONS = {
    "desk.view": mark("打开工作台"),
    "outlet.view": mark("查看网点"),
    "outlet.edit": mark("维护网点"),
    "base.edit": mark("维护教育宣传基地"),
    "campaign.view": mark("查看活动期"),
    "campaign.edit": mark("维护活动期"),
    "event.view": mark("查看活动场次"),
    "event.edit": mark("排定活动场次"),
    "registration.view": mark("查看报名"),
    "registration.edit": mark("办理报名"),
    "registration.contact": mark("查看与导出报名人的联系方式"),
    "content.view": mark("查看内容"),
    "content.edit": mark("编写与提交内容"),
    "content.approve": mark("审查内容"),
    "content.publish": mark("发布内容"),
    "content.withdraw": mark("紧急撤下内容"),
    "audience.view": mark("查看名单"),
    "audience.edit": mark("维护名单"),
    "audience.reopen": mark("重新启用已关闭的地址"),
    "push.view": mark("查看推送"),
    "push.edit": mark("制定推送计划"),
    "push.approve": mark("批准推送"),
    "push.run": mark("启动与停止推送"),
    "channel.edit": mark("维护渠道账号"),
    "return.view": mark("查看活动回执"),
    "return.file": mark("填报活动回执"),
    "return.verify": mark("核实活动回执"),
    "reach.view": mark("查看触达报告"),
    "reach.import": mark("导入触达数据"),
    "reach.define": mark("提出触达定义"),
    "reach.approve": mark("批准触达定义与导入"),
    "link.edit": mark("维护短链接"),
    "reach.edit": mark("设定触达目标与批注，处理触达预警"),
    "report.edit": mark("设置定期触达报告"),
    "staff.edit": mark("管理账号"),
    "approval.edit": mark("设置审批流程"),
    "token.edit": mark("管理接口令牌"),
    "audit.view": mark("查阅操作记录"),
    "privacy.request": mark("申请导出或删除个人信息"),
    "privacy.approve": mark("批准导出或删除个人信息"),
}
_VIEWS = frozenset(one for one in PERMISSIONS if one.endswith(".view"))
_READER = frozenset({"desk.view", "outlet.view", "campaign.view", "content.view"})
ROLES: dict[str, tuple[str, frozenset[str]]] = {
    "administrator": (mark("管理员"), frozenset(PERMISSIONS)),
    "campaign_manager": (
        mark("总公司活动主管"),
        _READER
        | {
            "base.edit",
            "campaign.edit",
            "event.view",
            "event.edit",
            "registration.view",
            "content.edit",
            "content.publish",
            "content.withdraw",
            "audience.view",
            "push.view",
            "push.edit",
            "push.approve",
            "return.view",
            "reach.view",
            "reach.import",
            "reach.define",
            "link.edit",
            "reach.edit",
            "report.edit",
        },
    ),
    "editor": (
        mark("编辑"),
        _READER
        | {
            "content.edit",
            "content.publish",
            "content.withdraw",
            "campaign.edit",
            "reach.view",
            "link.edit",
        },
    ),
    "reviewer": (
        mark("消保审查"),
        _READER
        | {
            "content.approve",
            "content.withdraw",
            "push.view",
            "push.approve",
            "privacy.approve",
            "reach.view",
            "reach.approve",
        },
    ),
    "push_operator": (
        mark("推送专员"),
        _READER
        | {"audience.view", "audience.edit", "push.view", "push.edit", "push.run", "reach.view", "link.edit"},
    ),
    "complaint_handler": (mark("投诉处理"), _READER | {"privacy.request"}),
    "analyst": (
        mark("分析"),
        _READER | {"reach.view", "reach.edit", "reach.import", "report.edit"},
    ),
    "branch_manager": (
        mark("分支机构负责人"),
        _READER
        | {
            "outlet.edit",
            "base.edit",
            "campaign.edit",
            "event.view",
            "event.edit",
            "registration.view",
            "registration.edit",
            "registration.contact",
            "content.edit",
            "content.withdraw",
            "audience.view",
            "push.view",
            "return.view",
            "return.file",
            "return.verify",
            "reach.view",
            "reach.import",
            "link.edit",
            "reach.edit",
            "report.edit",
            "staff.edit",
        },
    ),
    "outlet_staff": (
        mark("网点人员"),
        _READER
        | {
            "base.edit",
            "return.view",
            "return.file",
            "reach.view",
            "event.view",
            "event.edit",
            "registration.view",
            "registration.edit",
        },
    ),
    "auditor": (mark("审计"), _VIEWS),
}
# Who publishes, sends or administers shows a second factor at sign-in.
STRONG = frozenset(
    {
        "content.publish", "content.withdraw", "push.run", "push.approve", "channel.edit", "staff.edit", "approval.edit",
        "privacy.request", "privacy.approve", "audit.view", "reach.approve", "token.edit", "registration.contact",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of the tree: the nodes `tops` and everything below them. Empty: nothing at all."""

    tops: frozenset[str]

    @property
    def whole(self) -> bool:
        """Whether this is the whole institution."""
        return WHOLE in self.tops

    def covers(self, session: Session, code: str, *, above: bool = False) -> bool:
        """Whether a thing that belongs to node `code` lies in this part.

        A thing of WHOLE lies only in the whole institution; `above` also allows what belongs to a node over
        this part (read what head office made for all).
        """
        if self.whole:
            return True
        if above and self.tops and (code == WHOLE or any(code in _line(session, top) for top in self.tops)):
            return True
        return bool(code) and not self.tops.isdisjoint(_line(session, code))

    def condition(self, column: object, *, above: bool = False) -> ColumnElement[bool]:
        """The same as a condition on a column of node codes, for lists."""
        if self.whole:
            return true()
        if not self.tops:
            return false()
        inside = col(column).in_(select(_below(self.tops)))
        if not above:
            return inside
        return or_(inside, col(column) == WHOLE, col(column).in_(select(_above(self.tops))))


def _below(tops: Iterable[str]) -> ColumnElement[str]:
    # without a name of its own: one statement may ask for several parts of the tree
    base = select(Outlet.code).where(col(Outlet.code).in_(sorted(tops))).cte(recursive=True)
    step = select(Outlet.code).join(base, col(Outlet.parent_code) == base.c.code)
    return base.union(step).c.code


def _above(tops: Iterable[str]) -> ColumnElement[str]:
    base = (
        select(Outlet.code, Outlet.parent_code).where(col(Outlet.code).in_(sorted(tops))).cte(recursive=True)
    )
    step = select(Outlet.code, Outlet.parent_code).join(base, col(Outlet.code) == base.c.parent_code)
    return base.union(step).c.code


def _line(session: Session, code: str) -> set[str]:
    """This node and all above it; empty for a node that does not exist."""
    return set(session.scalars(select(_above([code]))))


@dataclass(frozen=True, slots=True)
class Powers:
    """The grants of one person: pairs of role and node."""

    grants: tuple[tuple[str, str], ...] = ()

    @property
    def permissions(self) -> frozenset[str]:
        """All that this person may do somewhere."""
        return frozenset().union(*(allowed(role) for role, _code in self.grants))

    @property
    def strong(self) -> bool:
        """Whether these powers need a second factor at sign-in."""
        return not self.permissions.isdisjoint(STRONG)

    def may(self, permission: str) -> bool:
        """Whether this person holds the permission in some part of the tree."""
        return any(permission in allowed(role) for role, _code in self.grants)

    def scope(self, permission: str) -> Scope:
        """The part of the tree in which this person holds the permission."""
        if permission not in PERMISSIONS:
            raise ValueError(f"unknown permission {permission}")
        return Scope(frozenset(code for role, code in self.grants if permission in allowed(role)))

    def check(self, session: Session, permission: str, code: str) -> None:
        """NotAllowed unless the permission is held where a thing belongs or is to belong."""
        if not self.scope(permission).covers(session, code):
            raise NotAllowed(
                mark("您在这个机构没有“%(name)s”的权限，请联系管理员。"),
                field="outlet_code",
                name=gettext(PERMISSIONS[permission]),
            )

    def includes(self, session: Session, other: "Powers") -> bool:
        """Whether every permission of `other` is held here too, wherever it is held there.

        Nobody gives, resets or closes what is stronger than themselves.
        """
        return all(
            self.scope(permission).covers(session, code)
            for role, code in other.grants
            for permission in allowed(role)
        )


def allowed(role: str) -> frozenset[str]:
    """What a role allows; an unknown one nothing."""
    return ROLES[role][1] if role in ROLES else frozenset()
