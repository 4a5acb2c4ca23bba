"""Forged requests: no write of the desk happens without the token of the very session."""

import re

import pytest
from flask import Flask
from werkzeug.routing import Rule

from core.database import Database
from tests import entering, factories
from webapp.blueprints import _CSRF_EXEMPT
from webapp.runtime import Runtime


def _path(rule: Rule) -> str:
    """The rule with something in the place of every argument."""
    text = re.sub(r"<int:[^>]+>", "1", rule.rule)
    text = re.sub(r"<any\((\w+)[^>]*\):[^>]+>", r"\1", text)
    return re.sub(r"<[^>]+>", "x", text)


def _writes(app: Flask) -> list[Rule]:
    return [
        rule
        for rule in app.url_map.iter_rules()
        if {"POST", "PUT", "PATCH", "DELETE"} & (rule.methods or set())
    ]


def test_every_write_without_a_token_is_refused(app: Flask) -> None:
    client = entering.client(app, factories.ADMINISTRATOR)
    rules = [rule for rule in _writes(app) if rule.rule.startswith(("/desk", "/review"))]
    assert len(rules) > 40
    for rule in rules:
        for form in ({}, {"csrf_token": ""}, {"csrf_token": "forged"}):
            assert client.post(_path(rule), data=form).status_code == 400, rule.rule


def test_the_token_of_another_session_is_refused(app: Flask) -> None:
    attacker, victim = app.test_client(), entering.client(app, factories.ADMINISTRATOR)
    page = attacker.get("/desk/sign-in").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    assert victim.post("/desk/sign-out", data={"csrf_token": token[1]}).status_code == 400
    assert victim.get("/desk").status_code == 200


def test_control_the_right_token_is_taken(app: Flask) -> None:
    client = entering.client(app, factories.ADMINISTRATOR)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/desk").text)
    assert token is not None
    assert client.post("/desk/sign-out", data={"csrf_token": token[1]}).status_code == 302


def test_nothing_but_what_is_named_is_exempt(app: Flask, runtime: Runtime) -> None:
    """What is exempt lies outside the desk, and each has a reason in `webapp.blueprints`."""
    exempt = {name.rpartition(".")[2] for name in _CSRF_EXEMPT}
    outside = [rule for rule in _writes(app) if not rule.rule.startswith("/desk")]
    refused = {rule.endpoint for rule in outside if app.test_client().post(_path(rule)).status_code == 400}
    for rule in outside:
        assert rule.endpoint in refused or rule.endpoint.rpartition(".")[2] in exempt, rule.rule
    assert not any(".desk" in name or "_desk" in name for name in _CSRF_EXEMPT)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"])
def test_no_other_method_writes(app: Flask, runtime: Runtime, method: str) -> None:
    client = entering.client(app, factories.ADMINISTRATOR)
    with runtime.service(Database).reading() as session:
        before = session.connection().exec_driver_sql("SELECT last FROM audit_head").scalar()
    for rule in _writes(app):
        if rule.rule.startswith("/desk") and "GET" not in (rule.methods or set()):
            client.open(_path(rule), method=method)
    with runtime.service(Database).reading() as session:
        assert session.connection().exec_driver_sql("SELECT last FROM audit_head").scalar() == before
