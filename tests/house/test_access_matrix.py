"""Every route of the desk × every role × a thing inside and one outside of the part of the tree.

What is expected comes from the table of roles and from nothing else: no permission is 403, a thing outside is
the same 404 as one that does not exist, and a list never holds a word of another province.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from sqlmodel import Session, select
from werkzeug.routing import Rule

from core import clock
from core.database import Database
from core.settings import Settings
from institution.audit_models import AuditHead
from institution.powers import ROLES, allowed
from tests import entering, factories, servers
from tests.house.planted import Planted, Spot, plant, with_record
from webapp.create_app import create_app
from webapp.runtime import build

# What an address names beside things: files of one's own, forms of files.
FREE = {"token", "form", "ending"}
INSIDE, OUTSIDE = "钱塘里", "蜀锦外"


@dataclass(frozen=True)
class Ground:
    """An institution with one thing of every kind in two provinces."""

    app: Flask
    inside: Planted
    outside: Planted


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Ground]:
    """Planted once: nothing below changes anything, which is what the tests show."""
    home = tmp_path_factory.mktemp("matrix")
    with database_template.copy(home) as url:
        # every route is asked within a minute, which is more than one person may
        settings = Settings(_env_file=None, home=home, database_url=url, second_factor="off", rate_storage="")
        yield from _planted(settings)


def _planted(settings: Settings) -> Iterator[Ground]:
    runtime = build(settings)
    now = clock.now()
    with runtime.service(Database).transaction() as session:
        factories.tree(session, now)
        inside, outside = (
            plant(Spot(runtime, session, place, outlet, key, word, now))
            for place, outlet, key, word in (
                (factories.PROVINCE, factories.OUTLET_A, "inside", INSIDE),
                (factories.OUTSIDE_PROVINCE, factories.OUTSIDE_OUTLET, "outside", OUTSIDE),
            )
        )
        for role in ROLES:
            factories.person(session, f"role.{role}", "某人", role, now, at=factories.PROVINCE)
    with runtime.service(Database).reading() as session:
        inside = with_record(session, inside, factories.PROVINCE)
        outside = with_record(session, outside, factories.OUTSIDE_PROVINCE)
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    yield Ground(app, inside, outside)
    runtime.close()


def routes(app: Flask) -> list[Rule]:
    """The routes of the desk that need a permission."""
    return [
        rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/desk") and permission(app, rule) != "public"
    ]


def permission(app: Flask, rule: Rule) -> str:
    return str(getattr(app.view_functions[rule.endpoint], "permission", ""))


def things(rule: Rule) -> set[str]:
    return set(rule.arguments) - FREE


def address(app: Flask, rule: Rule, planted: Planted) -> str:
    """The address of a route for the things of a place."""
    arguments = planted.of(rule.endpoint) if things(rule) else {}
    with app.test_request_context():
        given = {name: arguments[name] for name in things(rule)}
        given |= {name: "csv" if name != "token" else "A" * 22 for name in set(rule.arguments) & FREE}
        return url_for(rule.endpoint, **given)


def ask(client: FlaskClient, method: str, path: str) -> tuple[int, str]:
    answer = client.open(path, method=method)
    text = (
        answer.get_data(as_text=True)
        if (answer.mimetype or "").startswith(("text", "application/json"))
        else ""
    )
    return answer.status_code, text


def head(app: Flask) -> int:
    """The number of the newest audit record: what is refused leaves it as it was."""
    with app.extensions["signpost"][Database].reading() as session:
        return int(session.exec(select(AuditHead.last)).one())


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_may_not_do_is_refused_wherever_it_is(ground: Ground, role: str) -> None:
    client, before = entering.client(ground.app, f"role.{role}"), head(ground.app)
    wrong = []
    for rule in routes(ground.app):
        if permission(ground.app, rule) in allowed(role):
            continue
        for method in sorted({"GET", "POST"} & (rule.methods or set())):
            for planted in (ground.inside, ground.outside):
                status, text = ask(client, method, address(ground.app, rule, planted))
                if status != 403 or planted.word in text:
                    wrong.append(f"{method} {rule.rule} {planted.word}: {status}")
    assert wrong == []
    assert head(ground.app) == before, "what was refused left a trace"


@pytest.mark.parametrize("role", ROLES)
def test_what_lies_outside_is_answered_like_what_does_not_exist(ground: Ground, role: str) -> None:
    client, before = entering.client(ground.app, f"role.{role}"), head(ground.app)
    wrong = []
    for rule in routes(ground.app):
        if permission(ground.app, rule) not in allowed(role) or not things(rule):
            continue
        for method in sorted({"GET", "POST"} & (rule.methods or set())):
            status, text = ask(client, method, address(ground.app, rule, ground.outside))
            if status != 404 or OUTSIDE in text:
                wrong.append(f"{method} {rule.rule}: {status}")
    assert wrong == []
    assert head(ground.app) == before, "what lies outside was changed"


@pytest.mark.parametrize("role", ROLES)
def test_what_lies_inside_opens_and_lists_hold_nothing_else(ground: Ground, role: str) -> None:
    client, wrong = entering.client(ground.app, f"role.{role}"), []
    for rule in routes(ground.app):
        if permission(ground.app, rule) not in allowed(role) or "GET" not in (rule.methods or set()):
            continue
        if "token" in rule.arguments:
            continue  # an upload is its owner's alone
        status, text = ask(client, "GET", address(ground.app, rule, ground.inside))
        if rule.endpoint in LATER:
            assert status in (200, 302, 400, 404, 409), rule.rule
        elif status not in (200, 302):
            wrong.append(f"{rule.rule}: {status}")
        if OUTSIDE in text or "四川" in text:
            wrong.append(f"{rule.rule} shows another province")
    assert wrong == []


# Pages that exist only at a later point in the life of their thing.
LATER = {
    "returns.edit": "what waits to be verified cannot be written on",
    "content_desk.ask_withdraw": "what is not published cannot be withdrawn",
    "content_desk.compare": "one revision cannot be compared",
    "privacy.take": "only what was approved is handed out",
    "approvals.item": "a request opens for who asked, decides or may read everything",
    "approvals.preview": "the same",
    "audience_desk.rejected_rows": "only an import with bad rows has any",
    "base_desk.one_plaque": "a plaque is no CSV",
    "base_desk.take_plaques": "only a finished archive is handed out",
    "pictures_desk.png": "pictures are handed out once they are drawn",
    "pictures_desk.slices": "the same",
    "pictures_desk.poster": "the same",
    "posters_desk.take": "only a finished archive is handed out",
    "tracking_desk.download": "a report is of a period",
    "keeping_desk.show": "how collecting stands is the whole institution's matter; these roles are of a province",
    "keeping_desk.look": "the same",
}


def test_the_words_are_really_there_for_who_sees_everything(ground: Ground) -> None:
    """The control: without it a list that is always empty would pass."""
    with ground.app.extensions["signpost"][Database].transaction() as session:
        everything(session)
    client = entering.client(ground.app, "sees.all")
    for path in (
        "/desk/api-tokens", "/desk/approvals?view=open", "/desk/audience", "/desk/audit?q=" + OUTSIDE, "/desk/campaigns",
        "/desk/channels", "/desk/links", "/desk/pieces", "/desk/plans", "/desk/privacy", "/desk/staff",
        "/desk/reach/imports", "/desk/reach/imports/new", "/desk/returns", f"/desk/search?q={OUTSIDE}",
    ):  # fmt: skip
        status, text = ask(client, "GET", path)
        assert (status, OUTSIDE in text) == (200, True), path


def everything(session: Session) -> None:
    factories.person(session, "sees.all", "总管", "administrator", clock.now())
