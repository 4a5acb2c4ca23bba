"""docs/collecting.md: its examples are run as they stand against a served site, and its numbers are those of the code."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core import clock
from core.database import Database
from core.settings import Settings
from institution import api_tokens
from institution.api_tokens import COLLECT
from tests import factories, servers
from tracking import batch_door, batch_lines, link_door, links
from tracking.events import KINDS
from tracking.links import Aim
from tracking.recorder import Recorder
from tracking.spool import Spool
from webapp.limiting import RATES
from webapp.runtime import Runtime, build
from webapp.wsgi import compose

TEXT = (Path(__file__).resolve().parent.parent.parent / "docs" / "collecting.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@dataclass
class Shell:
    """A shell beside a served site."""

    runtime: Runtime
    folder: Path
    named: dict[str, str]

    def run(self, number: int) -> str:
        """What an example of the page prints."""
        done = subprocess.run(
            ["bash", "-euc", EXAMPLES[number]], cwd=self.folder, env={**os.environ, **self.named},
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.decode()


@pytest.fixture
def shell(settings: Settings, tmp_path: Path) -> Iterator[Shell]:
    port, now = servers.free_port(), clock.now()
    address = f"http://127.0.0.1:{port}"
    runtime = build(settings.model_copy(update={"public_url": address}))
    with runtime.service(Database).transaction() as session:
        factories.tree(session, now)
        _row, token = api_tokens.make(
            session, name="App", purposes=[COLLECT], outlet_code=factories.PROVINCE, days=9, by=None, now=now
        )
        code = links.make(session, Aim("/help"), factories.OUTLET_A, by=None, now=now).code
    with servers.listening(compose(runtime), port):
        yield Shell(runtime, tmp_path, {"SITE": address, "TOKEN": token, "CODE": code})
    runtime.close()


@needs_curl
def test_the_examples_do_what_the_page_says(shell: Shell) -> None:
    assert len(EXAMPLES) == 4
    assert json.loads(shell.run(0)) == {"kept": 2, "unattributed": 0}
    error = json.loads(shell.run(1))["error"]
    assert [(one["line"], one["field"], one["rule"]) for one in error["lines"]] == [
        (1, "kind", "kind"),
        (1, "at", "time"),
    ]
    assert (error["status"], error["faults"]) == (422, 2) and error["message"].isascii()
    assert shell.run(2) == "GIF"
    assert re.fullmatch(r"302 http://127.0.0.1:\d+/help\?a=[\w-]+\n", shell.run(3))
    drops = shell.runtime.service(Recorder).waiting_drops()
    assert {reason: count for (_day, reason), count in drops.items()} == {"forged_keys": 1}
    (kept,) = shell.runtime.service(Spool).folder.glob("batch-*.tsv")
    assert kept.read_text().count("\t33010601\t") == 2


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    assert (batch_lines.MOST_LINES, batch_lines.MOST_BYTES) == (500, 512 * 1024)
    assert batch_lines.MOST_QUANTITY == 100_000
    assert (batch_lines.OLDEST.total_seconds(), batch_lines.NEWEST.total_seconds()) == (48 * 3600, 300)
    assert batch_door.REMEMBERED_SECONDS == link_door.REMEMBERED_SECONDS == 15
    assert RATES["batch"].amount == 600 and len(links.ALPHABET) == 29 and links.LENGTH == 8
    for name in [*batch_lines._FIELDS, *KINDS]:
        assert f"`{name}`" in TEXT, name
