"""Who may do what: roles are sets of permissions, every staff route declares the one it needs."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user

from core.errors import NotAllowed
from core.http import reading
from core.i18n import mark
from institution.models import Staff

P = ParamSpec("P")
R = TypeVar("R", bound=ResponseReturnValue)

PERMISSIONS = {
    "desk.view": mark("打开工作台"),
    "outlet.edit": mark("维护网点"),
    "campaign.edit": mark("维护活动期"),
    "content.edit": mark("编写与提交内容"),
    "content.approve": mark("审查内容"),
    "content.publish": mark("发布与撤下内容"),
    "audience.edit": mark("维护名单"),
    "push.edit": mark("制定推送计划"),
    "push.run": mark("启动与停止推送"),
    "reach.view": mark("查看触达报告"),
    "staff.edit": mark("管理账号"),
}
ROLES: dict[str, tuple[str, frozenset[str]]] = {
    "administrator": (mark("管理员"), frozenset(PERMISSIONS)),
    "editor": (
        mark("编辑"),
        frozenset({"desk.view", "content.edit", "content.publish", "campaign.edit", "reach.view"}),
    ),
    "reviewer": (mark("消保审查"), frozenset({"desk.view", "content.approve", "reach.view"})),
    "push_operator": (
        mark("推送专员"),
        frozenset({"desk.view", "audience.edit", "push.edit", "push.run", "reach.view"}),
    ),
    "outlet_manager": (mark("网点管理"), frozenset({"desk.view", "outlet.edit", "reach.view"})),
    "analyst": (mark("分析"), frozenset({"desk.view", "reach.view"})),
}


class SignedIn(UserMixin):  # type: ignore[misc]
    """The person behind a request."""

    def __init__(self, staff: Staff) -> None:
        self.staff = staff
        self.id = staff.id or 0
        self.permissions = permissions_of(staff)

    def get_id(self) -> str:
        """Account and session epoch: a changed password ends the sessions begun before it."""
        return f"{self.staff.id}:{self.staff.session_epoch}"

    def may(self, permission: str) -> bool:
        """Whether this person holds the permission."""
        return permission in self.permissions


def permissions_of(staff: Staff) -> frozenset[str]:
    """The union of what the account's roles allow; an unknown role allows nothing."""
    return frozenset().union(*(ROLES[role][1] for role in staff.roles if role in ROLES))


def load_signed_in(identifier: str) -> SignedIn | None:
    """The person of a session cookie, None when the account was closed or its sessions ended."""
    number, _, epoch = identifier.partition(":")
    if not number.isdigit() or not epoch.isdigit():
        return None
    with reading() as session:
        staff = session.get(Staff, int(number))
    if staff is None or not staff.active or staff.system or staff.session_epoch != int(epoch):
        return None
    return SignedIn(staff)


def login_manager() -> LoginManager:
    """Flask-Login set up for our accounts."""
    manager = LoginManager()
    manager.session_protection = "basic"  # "strong" signs out a phone whose address changes
    manager.user_loader(load_signed_in)
    return manager


def signed_in() -> SignedIn:
    """The person behind this request; 401 when nobody is signed in."""
    if not current_user.is_authenticated:
        abort(401)
    return cast(SignedIn, current_user._get_current_object())


def requires(permission: str) -> Callable[[Callable[P, R]], Callable[P, ResponseReturnValue]]:
    """Declare the permission of a staff route. Default is no: a house test finds a route without one."""
    if permission not in PERMISSIONS:
        raise ValueError(f"unknown permission {permission}")

    def decorate(view: Callable[P, R]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if not current_user.is_authenticated:
                return redirect(url_for("staff.sign_in", next=request.full_path.rstrip("?")))
            person = signed_in()
            if person.staff.must_change_password:
                return redirect(url_for("staff.change_password"))
            if not person.may(permission):
                raise NotAllowed(
                    mark("您的账号没有“%(name)s”的权限，请联系管理员。"), name=PERMISSIONS[permission]
                )
            return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Declare that a route outside the desk takes writes from anybody (sign-in, beacon, unsubscribe)."""
    view.permission = "public"  # type: ignore[attr-defined]
    return view
