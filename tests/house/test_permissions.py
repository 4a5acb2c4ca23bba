"""Every staff route declares its permission, every public write says that it is one; the check works."""

from collections.abc import Iterator

import pytest
from flask import Flask

from core.settings import Settings
from institution import access, powers
from webapp.create_app import create_app
from webapp.runtime import build

WRITES = {"POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    runtime = build(settings)
    yield create_app(runtime)
    runtime.close()


def undeclared(app: Flask) -> list[str]:
    """Routes that lack a declaration: of the desk any, elsewhere those that take writes."""
    found = []
    for rule in app.url_map.iter_rules():
        permission = getattr(app.view_functions[rule.endpoint], "permission", None)
        writes = bool(WRITES & (rule.methods or set()))
        if permission is None and (rule.rule.startswith("/desk") or writes):
            found.append(rule.rule)
        if (
            permission == "public"
            and rule.rule.startswith("/desk")
            and not rule.endpoint.startswith("staff.")
        ):
            found.append(rule.rule)
    return found


def test_every_route_declares_what_it_needs(app: Flask) -> None:
    assert undeclared(app) == []


def test_a_route_without_a_declaration_is_found() -> None:
    bare = Flask("bare")
    bare.add_url_rule("/desk/secret", "secret", lambda: "")
    bare.add_url_rule("/write", "write", lambda: "", methods=["POST"])
    bare.add_url_rule("/read", "read", lambda: "")
    assert sorted(undeclared(bare)) == ["/desk/secret", "/write"]


# Arguments that name no thing of the institution's: what somebody uploaded is found for its owner alone.
OWN = {"token", "form", "ending"}


def unplaced(app: Flask) -> list[str]:
    """Routes of the desk about one thing that do not say how to find where it belongs."""
    return [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/desk")
        and set(rule.arguments) - OWN
        and getattr(app.view_functions[rule.endpoint], "permission", "public") != "public"
        and getattr(app.view_functions[rule.endpoint], "at", None) is None
    ]


def test_every_route_about_a_thing_says_where_it_belongs(app: Flask) -> None:
    assert unplaced(app) == []


def test_a_route_that_does_not_say_where_is_found() -> None:
    bare = Flask("bare")

    def thing(number: str) -> str:
        """Something by its number."""
        return number

    bare.add_url_rule("/desk/things/<number>", "thing", access.requires("desk.view")(thing))
    bare.add_url_rule("/desk/own/<number>", "own", access.requires("desk.view", at=access.SHARED)(thing))
    assert unplaced(bare) == ["/desk/things/<number>"]


def test_nobody_gets_in_without_signing_in(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        permission = getattr(app.view_functions[rule.endpoint], "permission", "public")
        if permission == "public" or "GET" not in (rule.methods or set()):
            continue
        address = rule.rule
        for name in rule.arguments:
            converter = (
                "int:" if f"<int:{name}>" in address else "path:" if f"<path:{name}>" in address else ""
            )
            address = address.replace(f"<{converter}{name}>", "1")
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert "/desk/sign-in" in answer.headers["Location"], address


def test_every_permission_is_held_by_some_role_and_every_role_names_known_ones() -> None:
    held = frozenset().union(*(permissions for _name, permissions in powers.ROLES.values()))
    assert held == frozenset(powers.PERMISSIONS)
