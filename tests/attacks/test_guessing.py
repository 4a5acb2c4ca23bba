"""Guessed identifiers: what lies outside one's part of the tree is answered exactly like what does not exist."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session, select

from campaign.models import Campaign
from content.models import Piece
from core.database import Database
from institution import granting, people
from institution.approval_models import Approval
from scheduler.models import ChannelAccount, Plan, Push
from tests import browser, entering, factories
from webapp.runtime import Runtime

MISSING = {"int": "987654", "text": "no-such-thing"}


@pytest.fixture(scope="module")
def outside(runtime: Runtime) -> dict[str, str]:
    """Everything on the site now belongs to the other province; the numbers of the things by kind."""
    with runtime.service(Database).transaction() as session:
        for table in (Campaign, Piece, Plan, Push, ChannelAccount, Approval):
            for row in session.exec(select(table)):
                row.outlet_code = factories.OUTSIDE_PROVINCE
                session.add(row)
        outsider = people.by_login(session, factories.OUTSIDER)
        administrator = people.by_login(session, factories.ADMINISTRATOR)
        assert outsider is not None and administrator is not None
        return {
            "outlets/<>": factories.OUTSIDE_OUTLET,
            "campaigns/<>": browser.CAMPAIGN,
            "pieces/<>": session.exec(select(Piece.key)).first() or "",
            "plans/<>": _first(session, Plan),
            "pushes/<>": _first(session, Push),
            "channels/<>": _first(session, ChannelAccount),
            "approvals/<>": _first(session, Approval),
            "staff/<>": str(outsider.id),
            "audience/<>": "1",
            "me/sessions/<>": str(entering.begun(session, administrator).session.id),
        }


def _first(session: Session, table: type) -> str:
    return str(session.exec(select(table.id)).first())  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def insider(open_app: Flask, runtime: Runtime) -> FlaskClient:
    """Somebody with every role, but in one province only."""
    with runtime.service(Database).transaction() as session:
        found = people.by_login(session, factories.BRANCH_MANAGER)
        assert found is not None
        granting.set_grants(session, found, [("administrator", factories.PROVINCE)])
    return entering.client(open_app, factories.BRANCH_MANAGER)


def _routes(app: Flask) -> list[tuple[str, str, str, str]]:
    """Method, pattern with <> for its first argument, the kind of that argument, the rule."""
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/desk/") or "token" in rule.rule or "<" not in rule.rule:
            continue
        first = re.search(r"<(int:)?[^>]+>", rule.rule)
        assert first is not None
        pattern = rule.rule[: first.start()] + "<>" + rule.rule[first.end() :]
        pattern = re.sub(r"<any\((\w+)[^>]*>", r"\1", pattern)
        pattern = re.sub(r"<int:[^>]+>", "1", pattern)
        for method in sorted({"GET", "POST"} & (rule.methods or set())):
            found.append((method, pattern, "int" if first[1] else "text", rule.rule))
    return found


def test_outside_is_answered_like_missing(
    open_app: Flask, insider: FlaskClient, outside: dict[str, str]
) -> None:
    tried = 0
    for method, pattern, kind, rule in _routes(open_app):
        for stem, number in outside.items():
            if not pattern.removeprefix("/desk/").startswith(stem):
                continue
            theirs = insider.open(pattern.replace("<>", number, 1), method=method)
            nothing = insider.open(pattern.replace("<>", MISSING[kind], 1), method=method)
            assert theirs.status_code == nothing.status_code == 404, (method, rule, theirs.status_code)
            assert _bare(theirs.text, number) == _bare(nothing.text, MISSING[kind]), rule
            tried += 1
    assert tried > 35


def _bare(page: str, number: str) -> str:
    """The page without the token of its form and the address that was asked for."""
    page = re.sub(r'(name="csrf_token" value=|nonce=|name="csrf-token" content=)"[^"]*"', "", page)
    return page.replace(f"/{number}", "/#").replace("/1", "/#")


def test_control_the_administrator_of_the_whole_meets_them(
    administrator: FlaskClient, outside: dict[str, str]
) -> None:
    for stem in (
        "outlets/<>",
        "campaigns/<>",
        "pieces/<>",
        "plans/<>",
        "pushes/<>",
        "staff/<>",
        "approvals/<>",
    ):
        assert administrator.get("/desk/" + stem.replace("<>", outside[stem])).status_code == 200, stem


@pytest.mark.parametrize(
    "page", ["outlets", "campaigns", "pieces", "plans", "staff", "channels", "approvals", "audience"]
)
def test_lists_searches_and_exports_keep_quiet(
    insider: FlaskClient, outside: dict[str, str], page: str
) -> None:
    words = ("四川", "锦江", "罗负责", "金融教育宣传周", "先停一停", "九月提醒", "客服系统网关", "老客户")
    for path in (f"/desk/{page}", f"/desk/{page}?export=csv", f"/desk/{page}?q=四川&text=锦江"):
        answer = insider.get(path)
        assert answer.status_code == 200, path
        rows = re.sub(r'value="[^"]*"', "", answer.text)
        assert not [word for word in words if word in rows], path
    for word in words:
        assert insider.get("/desk/search.json", query_string={"q": word}).text.count("/desk/") == 0
