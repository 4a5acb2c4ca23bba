"""`signpost content check` and `due`, as typed: what is printed, and with which exit status."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from content.check import overruling
from core import clock
from core.database import Database
from core.settings import Settings
from tests.content import pieces
from tests.content.check.test_pictures import jpeg
from webapp.commands.content import content

CLEAN = pieces.text("clean")
URGING = pieces.text("urging", body="## 讲座\n\n名额有限。\n")
PROMISING = pieces.text("promising", body="## 产品\n\n我们的产品保本。\n")


def run(command: CliRunner, *words: object) -> Result:
    return command.invoke(content, [str(word) for word in words])


@pytest.mark.parametrize(
    ("texts", "status", "strict"),
    [((CLEAN,), 0, 0), ((CLEAN, URGING), 0, 1), ((CLEAN, URGING, PROMISING), 2, 2)],
    ids=["clean", "warning", "error"],
)
def test_the_exit_status_says_how_bad_it_is(
    command: CliRunner, tmp_path: Path, texts: tuple[str, ...], status: int, strict: int
) -> None:
    folder = pieces.folder(tmp_path / "in", *texts)
    assert run(command, "check", folder).exit_code == status
    assert run(command, "check", folder, "--strict").exit_code == strict


def test_findings_name_file_line_and_way_out_and_programs_get_json(
    command: CliRunner, tmp_path: Path
) -> None:
    folder = pieces.folder(tmp_path / "in", PROMISING)
    table = run(command, "check", folder).output
    assert "promising.md:9:6" in table
    assert "return-promise" in table
    one = json.loads(run(command, "check", folder, "--json").output)["findings"][0]
    assert (one["file"], one["rule"], one["severity"], one["line"]) == (
        "promising.md",
        "return-promise",
        "error",
        9,
    )
    assert PROMISING[one["offset"] : one["offset"] + one["length"]] == "保本"


def test_a_fault_of_form_is_an_error_and_the_other_files_are_still_checked(
    command: CliRunner, tmp_path: Path
) -> None:
    folder = pieces.folder(tmp_path / "in", URGING, CLEAN.replace("kind: article", "kind: novel"))
    (folder / "broken.md").write_bytes(b"\xff\xfe no front matter")
    answer = run(command, "check", folder, "--json")
    assert answer.exit_code == 2
    rules = {(one["file"], one["rule"]) for one in json.loads(answer.output)["findings"]}
    assert {("clean.md", "form"), ("broken.md", "form"), ("urging.md", "urgency")} <= rules


def test_a_photo_with_a_place_is_an_error(command: CliRunner, tmp_path: Path) -> None:
    body = "/// picture | media/door.jpg\n    alt: 柜面的玻璃门，门口有一把伞\n///\n"
    for gps, status in ((True, 2), (False, 0)):
        folder = pieces.folder(
            tmp_path / str(gps), pieces.text("door", body=body), pictures={"media/door.jpg": jpeg(gps=gps)}
        )
        assert run(command, "check", folder).exit_code == status


def test_links_between_files_of_the_folder_are_followed(command: CliRunner, tmp_path: Path) -> None:
    linking = pieces.text("linking", body="见[另一篇](/p/clean)。\n")
    assert run(command, "check", pieces.folder(tmp_path / "both", CLEAN, linking)).exit_code == 0
    assert run(command, "check", pieces.folder(tmp_path / "alone", linking)).exit_code == 2


def test_a_folder_that_is_none_is_said_in_a_sentence(command: CliRunner, tmp_path: Path) -> None:
    answer = run(command, "check", tmp_path / "nowhere")
    assert answer.exit_code == 2
    assert "没有这个文件夹" in answer.stderr


def test_without_a_folder_the_site_is_checked_with_the_reasons_that_were_given(
    command: CliRunner, database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        editor.system = True  # of the product's own texts a warning does not stop the first start
        revision = pieces.saved(session, URGING, editor.id or 0, now)
        pieces.onward(session, revision, editor, reviewer, now)
        pieces.saved(session, pieces.text("draft", body="保本。\n"), editor.id or 0, now)
    assert run(command, "check", "--strict").exit_code == 1
    assert "urging:9:1" in run(command, "check").output
    with database.transaction() as session:
        editor.system = False
        again = pieces.saved(session, URGING.replace("讲座", "课堂"), editor.id or 0, now)
        today = clock.today(Settings().zone)
        mark = overruling.findings(session, again, today)[0].mark
        overruling.overrule(
            session, again, mark, reason="只有四十个座位", by=editor.id or 0, now=now, on=today
        )
        pieces.onward(session, again, editor, reviewer, now)
    answer = run(command, "check", "--strict")
    assert answer.exit_code == 0
    assert "只有四十个座位" in answer.output


def test_what_falls_due_is_printed(command: CliRunner, database: Database, now: datetime) -> None:
    assert "没有到期" in run(command, "due").output
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        pieces.to_the_site(session, pieces.text(more="review_by: 2026-01-31\n"), editor, reviewer, now)
    assert "2026-01-31" in run(command, "due").output
    assert json.loads(run(command, "due", "--json").output)[0]["key"] == "stop-first"
