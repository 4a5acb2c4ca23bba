"""`signpost room`, as typed; it leaves the installation alone."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from webapp.commands.room import room

SAMPLE = Path(__file__).parent / "rooms" / "a-call"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where an installation would be."""
    monkeypatch.setenv("SIGNPOST_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*words: object) -> Result:
    return CliRunner().invoke(room, [str(word) for word in words])


def stuck(folder: Path) -> Path:
    """The sample without the photograph on which the code stands."""
    made = folder / "a-call"
    made.mkdir()
    for path in SAMPLE.iterdir():
        text = path.read_text(encoding="utf-8")
        (made / path.name).write_text(
            text.replace("then: {note: wedding}", "then: {mark: seen}"), encoding="utf-8"
        )
    return made


def test_a_good_room(home: Path) -> None:
    result = run("check", SAMPLE)
    assert result.exit_code == 0, result.output
    assert "safe" in result.stdout and "答对“先后”" in result.stdout and "没有问题" in result.stdout
    assert not home.exists()


def test_a_bad_room_is_told_with_its_lock_and_what_is_missing(home: Path, tmp_path: Path) -> None:
    result = run("check", stuck(tmp_path))
    assert result.exit_code == 1
    assert "drawer" in result.stderr and "wedding" in result.stderr and "没有问题" not in result.stdout


def test_the_report_for_programs(home: Path, tmp_path: Path) -> None:
    good, bad = run("check", SAMPLE, "--json"), run("check", stuck(tmp_path), "--json")
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert json.loads(good.stdout)["good"] is True and json.loads(good.stdout)["complete"] is True
    faults = json.loads(bad.stdout)["faults"]
    assert {"needs", "dead_end", "unreached_clue"} <= {fault["kind"] for fault in faults}
    assert any(fault["lock"] == "drawer" and fault["missing"] == ["wedding"] for fault in faults)


def test_a_file_that_cannot_be_read(home: Path, tmp_path: Path) -> None:
    (tmp_path / "room.yaml").write_text("key: 1\n", encoding="utf-8")
    plain, data = run("check", tmp_path / "room.yaml"), run("check", tmp_path / "room.yaml", "--json")
    assert plain.exit_code == data.exit_code == 1
    assert "room.yaml" in plain.stderr and json.loads(data.stdout)["good"] is False
    assert run("check", tmp_path / "nothing").exit_code == 1


def test_a_bound_is_kept(home: Path) -> None:
    result = run("check", SAMPLE, "--bound", 3)
    assert result.exit_code == 1 and "3" in result.stderr


def test_the_schema(home: Path, tmp_path: Path) -> None:
    printed, written = run("schema"), run("schema", "--to", tmp_path / "room.schema.json")
    assert printed.exit_code == written.exit_code == 0
    assert json.loads(printed.stdout) == json.loads(
        (tmp_path / "room.schema.json").read_text(encoding="utf-8")
    )
    assert "scenes" in json.loads(printed.stdout)["properties"]
