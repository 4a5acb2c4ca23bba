"""`signpost staff` as an operator runs it."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
from click.testing import CliRunner, Result
from sqlmodel import col, select

from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution import people, second_factor, sessions
from institution.audit_models import AuditRecord
from tests import entering, factories
from tests.factories import EDITOR, OUTLET_A
from webapp import commands
from webapp.cli import main

Run = Callable[..., Result]


@pytest.fixture
def run(
    settings: Settings, database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """Run `signpost` on an installation with the cast."""
    with database.transaction() as session:
        factories.cast(session, now)
    monkeypatch.setenv("SIGNPOST_HOME", str(settings.home))
    monkeypatch.setenv("SIGNPOST_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("SIGNPOST_SECRET_KEY", "test-secret-of-no-value")
    commands.runtime.cache_clear()
    yield lambda *words: CliRunner().invoke(main, [str(word) for word in words])
    commands.runtime().close()
    commands.runtime.cache_clear()


def test_an_account_gets_its_roles_where_they_are_for(run: Run, database: Database) -> None:
    made = run(
        "staff", "add", "li.ming", "--name", "李明", "--role", f"outlet_staff@{OUTLET_A}", "--role", "analyst"
    )
    assert made.exit_code == 0 and "一次性密码" in made.output
    assert "网点人员（西湖文三路柜面）" in run("staff", "list").output
    assert run("staff", "add", "x.y", "--name", "甲", "--role", "emperor").exit_code == 1
    assert run("staff", "add", "x.y", "--name", "甲", "--role", "editor@424242").exit_code == 1
    with database.reading() as session:
        record = session.exec(select(AuditRecord).order_by(col(AuditRecord.id).desc())).first()
    assert record and (record.action, record.subject, record.via) == ("staff.add", "li.ming", "command")


def test_a_list_is_imported_all_or_none(run: Run, database: Database, tmp_path: Path) -> None:
    file, codes = tmp_path / "staff.csv", tmp_path / "codes.csv"
    file.write_text("登录名,姓名,角色\none,甲,编辑\ntwo,乙,皇帝\n", encoding="utf-8")
    bad = run("staff", "import", file)
    assert bad.exit_code == 1 and "第 3 行“角色”" in bad.output
    file.write_text("登录名,姓名,角色\none,甲,编辑\ntwo,乙,分析\n", encoding="utf-8")
    assert "新增 2 个账号" in run("staff", "import", file, "--dry-run").output
    with database.reading() as session:
        assert people.by_login(session, "one") is None
    assert run("staff", "import", file, "--codes", codes).exit_code == 0
    assert re.search(r"one,甲,[a-z2-9-]{19}", codes.read_text(encoding="utf-8-sig"))
    assert codes.stat().st_mode & 0o077 == 0
    assert "2 个不变" in run("staff", "import", file).output


def test_an_invitation_is_printed_where_no_mail_goes_out(run: Run) -> None:
    assert re.search(r"http\S+/desk/invitation/[\w-]{43}", run("staff", "invite", EDITOR).output)
    assert run("staff", "invite", "nobody").exit_code == 1


def test_sessions_are_listed_and_ended_and_a_lost_telephone_is_forgotten(
    run: Run, database: Database, settings: Settings
) -> None:
    secret, now = second_factor.new_secret(), datetime.now(UTC)
    vault = Vault(Keys(b"test-secret-of-no-value"))
    with database.transaction() as session:
        account = people.by_login(session, EDITOR)
        assert account
        entering.begun(session, account)
        second_factor.turn_on(session, vault, account, secret, pyotp.TOTP(secret).at(now), now=now)
    assert "127.0.0.1" in run("staff", "sessions", EDITOR).output
    assert "1 台设备已退出登录" in run("staff", "sessions", EDITOR, "--end").output
    assert run("staff", "second-factor-reset", EDITOR).exit_code == 0
    with database.reading() as session:
        account = people.by_login(session, EDITOR)
        assert account and account.second_factor is None
        assert not sessions.running(session, account.id or 0, now)
