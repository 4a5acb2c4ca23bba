"""`signpost token`: made, listed and ended from the command line; the token itself is said once."""

from datetime import datetime

from core.database import Database
from institution import api_tokens
from institution.api_tokens import COLLECT
from tests import factories
from tests.factories import PROVINCE
from tests.webapp.conftest import Run


def test_a_token_is_made_listed_and_ended(run: Run, database: Database, now: datetime) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
    made = run("token", "make", "屏幕", "--purpose", COLLECT, "--node", PROVINCE, "--days", "9")
    text = made.stdout.strip()
    assert made.exit_code == 0 and text.startswith("spt_")
    listed = run("token", "list").stdout
    assert "屏幕\treach.collect\t浙江省分公司" in listed and text not in listed
    assert run("token", "end", text[: api_tokens._SHOWN] + "…").exit_code == 0
    assert "已失效" in run("token", "list").stdout


def test_what_is_wrong_is_one_sentence(run: Run) -> None:
    made = run("token", "make", "屏幕", "--purpose", COLLECT, "--node", "000")
    assert made.exit_code == 1 and "没有编号为“000”的机构" in made.stderr
    assert run("token", "end", "spt_??").exit_code == 1
