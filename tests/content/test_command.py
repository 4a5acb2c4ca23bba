"""`signpost content import` and `export`, as typed."""

from pathlib import Path

from click.testing import CliRunner, Result
from sqlmodel import select

from content.models import Revision
from core.database import Database
from tests.content import pieces
from webapp.commands.content import content


def run(command: CliRunner, *words: object) -> Result:
    return command.invoke(content, [str(word) for word in words])


def test_a_folder_goes_in_and_comes_out(command: CliRunner, database: Database, tmp_path: Path) -> None:
    folder = pieces.folder(tmp_path / "in", pieces.text(), pictures={"media/unused.svg": pieces.SVG})
    first = run(command, "import", folder)
    assert first.exit_code == 0, first.output
    assert "stop-first" in first.output
    assert "media/unused.svg" in first.output
    assert run(command, "import", folder).exit_code == 0
    out = run(command, "export", tmp_path / "out")
    assert out.exit_code == 0, out.output
    assert (tmp_path / "out/stop-first.md").read_bytes() == pieces.text().encode()
    with database.reading() as session:
        revision = session.exec(select(Revision)).one()
    assert revision.state == "draft"


def test_a_wrong_file_is_named_and_nothing_is_kept(
    command: CliRunner, database: Database, tmp_path: Path
) -> None:
    folder = pieces.folder(tmp_path / "in", pieces.text(), pieces.text("wrong", more="colour: red\n"))
    result = run(command, "import", folder)
    assert result.exit_code == 1
    assert "wrong.md" in result.stderr
    assert "colour" in result.stderr
    with database.reading() as session:
        assert session.exec(select(Revision)).first() is None
