"""The one place where a request is let through: who is signed in, which permission, in which part of the tree.

Every staff route declares its permission; a route about one thing also declares how to find the node of the
tree that the thing belongs to (`at`; `SHARED` for what belongs to the whole institution). Lists narrow
themselves by `signed_in().scope(permission)`. What lies outside is answered like what does not exist.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user
from sqlmodel import Session

from core import clock
from core.database import Database
from core.errors import NotAllowed, NotFound
from core.http import reading, service, transaction
from core.i18n import gettext, mark
from core.settings import Settings
from institution import audit, sessions
from institution.audit import Actor
from institution.powers import PERMISSIONS, WHOLE, Powers, Scope
from institution.sessions import Loaded

P = ParamSpec("P")
R = TypeVar("R", bound=ResponseReturnValue)
Locator = Callable[[Session, Mapping[str, Any]], str | Sequence[str]]


def SHARED(_session: Session, _arguments: Mapping[str, Any]) -> str:
    """Locator of what belongs to the whole institution."""
    return WHOLE


class SignedIn(UserMixin):  # type: ignore[misc]
    """The person behind a request, with their session and powers."""

    def __init__(self, loaded: Loaded, token: str = "") -> None:
        self.staff = loaded.staff
        self.session = loaded.session
        self.powers: Powers = loaded.powers
        self.id = loaded.staff.id or 0
        self._token = token

    def get_id(self) -> str:
        """What the cookie holds: the session's token."""
        return self._token

    def may(self, permission: str) -> bool:
        """Whether this person holds the permission in some part of the tree."""
        return self.powers.may(permission)

    def scope(self, permission: str) -> Scope:
        """The part of the tree in which this person holds the permission."""
        return self.powers.scope(permission)

    def may_at(self, session: Session, permission: str, code: str) -> bool:
        """Whether this person holds the permission for a thing of this node."""
        return self.scope(permission).covers(session, code)

    def check(self, session: Session, permission: str, code: str) -> None:
        """NotAllowed unless the permission is held for this node: for what a form wants to put somewhere."""
        self.powers.check(session, permission, code)


def load_signed_in(token: str) -> SignedIn | None:
    """The person of a session cookie, None when the session ended or the account was closed."""
    now = clock.now()
    loaded = sessions.load(service(Database), token, now)
    if loaded is None:
        return None
    if now - loaded.session.seen_at > sessions.SEEN_EVERY:
        with transaction() as session:
            sessions.seen(session, loaded.session.id or 0, now)
    return SignedIn(loaded, token)


def login_manager() -> LoginManager:
    """Flask-Login set up for our sessions."""
    manager = LoginManager()
    manager.session_protection = None  # our sessions are rows; an address that changes is a phone on its way
    manager.user_loader(load_signed_in)
    return manager


def signed_in() -> SignedIn:
    """The person behind this request; 401 when nobody is signed in."""
    if not current_user.is_authenticated:
        abort(401)
    return cast(SignedIn, current_user._get_current_object())


def is_staff() -> bool:
    """Whether somebody of the staff is behind this request: for public answers that show them more."""
    return bool(current_user.is_authenticated)


def requires(
    permission: str, *, at: Locator | None = None, above: bool = False
) -> Callable[[Callable[P, R]], Callable[P, ResponseReturnValue]]:
    """Declare the permission of a staff route, and where the thing it is about belongs.

    `at(session, url_arguments)` gives the node, or several that must all be held (none: the whole institution;
    NotFound when there is no such thing); `above` also lets through what belongs to a node over the person's
    part, for reading. Default is no: house tests find a route without a permission, and a route with
    arguments without `at`.
    """
    if permission not in PERMISSIONS:
        raise ValueError(f"unknown permission {permission}")

    def decorate(view: Callable[P, R]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if not current_user.is_authenticated:
                return redirect(url_for("staff.sign_in", next=_here() or None))
            person = signed_in()
            step = unfinished(person)
            if step is not None:
                return redirect(url_for(step, next=_here() or None))
            if not person.may(permission):
                raise NotAllowed(
                    mark("您的账号没有“%(name)s”的权限，请联系管理员。"),
                    name=gettext(PERMISSIONS[permission]),
                )
            if at is not None:  # asked of head office too: a locator may also look at whose the thing is
                _check_place(person.scope(permission), at, above=above)
            with audit.acting(actor_of(person)):
                return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        guarded.at = at  # type: ignore[attr-defined]
        return guarded

    return decorate


def unfinished(person: SignedIn) -> str | None:
    """The endpoint of the step that signing in still lacks; None when this person is in.

    Until then nothing else works: who has a second factor shows it, a one-time password is changed, and who
    publishes, sends or administers sets a second factor up. `second_factor=off` asks nobody for one.
    """
    asked, shown = second_factor_asked(), person.session.second_factor_at is not None
    if asked and person.staff.second_factor and not shown:
        return "staff.second_factor"
    if person.staff.must_change_password:
        return "staff.change_password"
    if asked and person.powers.strong and not shown and not person.staff.second_factor:
        return "staff.set_up_second_factor"
    return None


def second_factor_asked() -> bool:
    """Whether this installation asks for second factors at all."""
    return service(Settings).second_factor == "required"


def _here() -> str:
    """Where a person wanted to go, for afterwards; a form is not sent again."""
    return request.full_path.rstrip("?") if request.method == "GET" else ""


def actor_of(person: SignedIn) -> Actor:
    """The person as the audit log names them."""
    return Actor(person.id, person.staff.name, "desk", request.remote_addr or "")


def _check_place(scope: Scope, at: Locator, *, above: bool) -> None:
    """One answer for what does not exist and for what lies outside: nobody can try numbers."""
    with reading() as session:
        try:
            found = at(session, request.view_args or {})
            codes = [found] if isinstance(found, str) else found or [WHOLE]
            inside = all(scope.covers(session, code, above=above) for code in codes)
        except NotFound:
            inside = False
    if not inside:
        raise NotFound(mark("没有找到这一项，或者它不在您负责的范围内。"))


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Declare that a route outside the desk takes writes from anybody (sign-in, beacon, unsubscribe)."""
    view.permission = "public"  # type: ignore[attr-defined]
    return view
