"""Signing in through Canaille: a real provider, its own process, its own forms."""

from dataclasses import replace
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from sqlmodel import select

from core.database import Database
from core.settings import Settings
from institution import oidc_entry, people, sessions
from institution.models import Staff, StaffSession
from institution.oidc import Identity, Provider
from institution.oidc_models import StaffIdentity
from tests import factories
from tests.oidc.conftest import BACK, Browser
from webapp.create_app import create_app
from webapp.runtime import build


@pytest.fixture(autouse=True)
def tree(app: Flask, database: Database, now: datetime) -> None:
    """The tree and the cast stand in the database."""
    with database.transaction() as session:
        factories.cast(session, now)


def account(database: Database, login: str) -> Staff | None:
    with database.reading() as session:
        return people.by_login(session, login)


def grants(database: Database, login: str) -> set[tuple[str, str]]:
    with database.reading() as session:
        found = people.by_login(session, login)
        assert found is not None
        return set(sessions.powers_of(session, found.id or 0).grants)


def test_a_person_of_a_mapped_group_enters_with_its_roles(browser: Browser, database: Database) -> None:
    answer = browser.come_back(browser.vouch(browser.leave("/desk/outlets?q=1"), "fang"))
    assert answer.status_code == 302 and answer.location == "/desk/outlets?q=1"
    assert browser.site.get("/desk").status_code == 200
    made = account(database, "fang")
    assert made is not None and made.name == "立方" and made.password_hash is None
    assert grants(database, "fang") == {("editor", factories.PROVINCE), ("analyst", "")}
    with database.reading() as session:
        identity = session.exec(select(StaffIdentity)).one()
        begun = session.exec(select(StaffSession)).one()
    assert identity.staff_id == made.id and identity.subject == "fang"
    assert begun.second_factor_at is None  # Canaille says amr=pwd: a password alone


def test_the_second_time_opens_the_same_account_and_groups_are_kept_up(
    browser: Browser, app: Flask, database: Database, oidc_settings: Settings
) -> None:
    browser.come_back(browser.vouch(browser.leave(), "fang"))
    changed = oidc_settings.model_copy(
        update={"oidc_roles": '{"editors": [["analyst", ""], ["nonsense", ""]]}'}
    )
    other = build(changed)
    again = Browser(create_app(other))
    again.come_back(again.vouch(again.leave(), "fang"))
    assert grants(database, "fang") == {("analyst", "")}
    with database.reading() as session:
        assert len(session.exec(select(StaffIdentity)).all()) == 1
    other.close()


def test_nobody_enters_without_a_mapped_group(browser: Browser, database: Database) -> None:
    answer = browser.come_back(browser.vouch(browser.leave(), "gast"))
    assert answer.location.startswith("/desk/sign-in")
    assert "还没有对应的角色" in browser.site.get(answer.location).text
    assert account(database, "gast") is None
    assert browser.site.get("/desk").status_code == 302


def test_a_login_of_the_same_name_is_not_taken_over(
    browser: Browser, database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        victim, _password = people.add(
            session, login="fang", name="方老师", roles=["administrator"], now=now, email="fang@example.com"
        )
    browser.come_back(browser.vouch(browser.leave(), "fang"))
    assert grants(database, "fang") == {("administrator", "")}
    assert grants(database, "fang-2") == {("editor", factories.PROVINCE), ("analyst", "")}
    with database.reading() as session:
        assert session.exec(select(StaffIdentity.staff_id)).one() != victim.id


def test_a_closed_account_stays_closed(browser: Browser, database: Database) -> None:
    browser.come_back(browser.vouch(browser.leave(), "fang"))
    with database.transaction() as session:
        found = people.by_login(session, "fang")
        assert found is not None
        found.active = False
        session.add(found)
    other = Browser(browser.site.application)
    answer = other.come_back(other.vouch(other.leave(), "fang"))
    assert "已停用" in other.site.get(answer.location).text
    assert other.site.get("/desk").status_code == 302


def test_who_left_the_mapped_groups_loses_roles_and_sessions(
    browser: Browser, database: Database, now: datetime
) -> None:
    browser.come_back(browser.vouch(browser.leave(), "fang"))
    with database.reading() as session:
        issuer = session.exec(select(StaffIdentity.issuer)).one()
    gone = Identity(issuer, "fang", "fang", "立方", ("unmapped",), False)
    with database.transaction() as session:
        entry = oidc_entry.admit(session, gone, {}, now)
        assert entry.account is None
    assert grants(database, "fang") == set()
    assert browser.site.get("/desk").status_code == 302
    with database.transaction() as session:
        back = oidc_entry.admit(session, replace(gone, groups=("g",)), {"g": [("analyst", "")]}, now)
        assert back.account is not None


def test_a_code_works_once_and_only_with_its_verifier(oidc_settings: Settings, app: Flask) -> None:
    """The provider's own guards: a replayed code, and a code without the verifier it was bound to."""
    provider, browser = Provider(oidc_settings), Browser(app)
    url, started = provider.start(BACK)
    answer = dict(_query(browser.vouch(url, "fang")))
    stolen = replace(started, verifier="x" * 64)
    with pytest.raises(Exception, match="统一登录没有成功"):
        provider.finish(stolen.as_json(), answer, BACK)
    assert provider.finish(started.as_json(), answer, BACK).subject == "fang"
    with pytest.raises(Exception, match="统一登录没有成功"):
        provider.finish(started.as_json(), answer, BACK)


def test_the_answer_of_one_browser_is_nothing_in_another(browser: Browser, app: Flask) -> None:
    """Sign-in forgery: an attacker's own answer handed to a victim signs nobody in."""
    back = browser.vouch(browser.leave(), "fang")
    victim = Browser(app)
    assert victim.come_back(back).location.startswith("/desk/sign-in")
    victim.leave()
    assert victim.come_back(back).location.startswith("/desk/sign-in")
    assert victim.site.get("/desk").status_code == 302


def _query(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query)
