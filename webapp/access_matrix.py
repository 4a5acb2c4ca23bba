"""Who may do what, as a table: every route of the desk, the permission it declares, the roles that hold it."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask

from institution.powers import ROLES, allowed

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ANYBODY = "public"


@dataclass(frozen=True, slots=True)
class Entry:
    """A route: what it needs, whether it looks at where its thing belongs, which roles get through there.

    `placed` False is a route without a thing: a list, which narrows itself to the person's part of the tree.
    """

    methods: tuple[str, ...]
    rule: str
    permission: str
    placed: bool
    roles: frozenset[str]


def entries(app: Flask) -> Iterator[Entry]:
    """Every route of the desk, by address."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: (one.rule, sorted(one.methods or ()))):
        if not rule.rule.startswith("/desk"):
            continue
        view = app.view_functions[rule.endpoint]
        permission = getattr(view, "permission", "")
        yield Entry(
            methods=tuple(method for method in _METHODS if method in (rule.methods or ())),
            rule=rule.rule,
            permission=permission,
            placed=getattr(view, "at", None) is not None,
            roles=frozenset(role for role in ROLES if permission == ANYBODY or permission in allowed(role)),
        )
