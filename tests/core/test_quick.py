"""What makes the tests quick changes nothing of what they see: copies of the database, forked processes, passwords."""

import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session, func, select

from core.database import Database
from institution import audit, passwords
from institution.models import Outlet
from tests import factories, forked, servers


def _look(session: Session) -> tuple[int, int, int]:
    """Outlets, records, and the number that the next account gets."""
    records = session.execute(text("SELECT count(*) FROM audit_record")).scalar_one()
    outlets = session.exec(select(func.count()).select_from(Outlet)).one()
    account = factories.staff(session, factories.EDITOR, datetime.fromisoformat("2026-09-15T06:30Z"))
    audit.settle(session)
    return outlets, records, account.id or 0


@pytest.mark.parametrize(
    "spoil", ["", "CREATE TABLE left_behind (id INTEGER)", "ALTER TABLE outlet ADD odd TEXT"]
)
def test_every_copy_is_as_new(
    database_template: servers.Template, tmp_path: Path, now: datetime, spoil: str
) -> None:
    seen = []
    for turn in ("first", "second"):
        (home := tmp_path / turn).mkdir()
        with database_template.copy(home) as url:
            database = Database(url)
            with database.transaction() as session:
                seen.append(_look(session))
                factories.tree(session, now)
                if spoil:
                    session.execute(text(spoil))
            database.close()
    assert seen == [(0, 0, 1)] * 2


def test_a_forked_process_has_its_own_pipes_environment_and_end() -> None:
    program = "import os, sys; print(os.environ['MINE'], sys.argv[1:]); sys.stdout.flush(); print('oh', file=sys.stderr); sys.exit(3)"
    done = forked.run(
        [sys.executable, "-c", program, "a"], env={"MINE": "路标"}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "路标 ['a']\n", "oh\n")
    with forked.Popen(
        [sys.executable, "-c", "print(input(), flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("here\n")
        process.stdin.flush()
        assert process.stdout.readline() == "here\n" and process.poll() is None
        process.kill()
        assert process.wait(20) == -signal.SIGKILL


def test_passwords_are_hashed_by_the_same_rule(real_passwords: None) -> None:
    assert passwords.hashed("seven bridges").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_passwords_of_other_tests_cost_next_to_nothing() -> None:
    assert passwords.hashed("seven bridges").startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert passwords.matches(passwords.hashed("seven bridges"), "seven bridges")
    assert not passwords.matches(passwords.hashed("seven bridges"), "eight bridges")
