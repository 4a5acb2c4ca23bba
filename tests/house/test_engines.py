"""What is left out on PostgreSQL is named once, exists, and never what races, is killed, or is asked there by name."""

import re

from tests import engines

FILES = {engines.name_of(path): path for path in engines.ROOT.rglob("test_*.py")}
NAMES = [name for names in engines.SAME.values() for name in names]
# Where two act at once, or one is killed, the engines differ most.
RACES = re.compile(r"threading\.Barrier|\.kill\(|SIGKILL")


def test_every_name_is_that_of_a_file_and_stands_there_once() -> None:
    assert len(NAMES) == len(set(NAMES))
    for name in NAMES:
        assert name in FILES or (name.endswith("/") and any(one.startswith(name) for one in FILES)), name
    for name, tests in engines.ASKED.items():
        text = FILES[name].read_text(encoding="utf-8")
        for test in tests:
            assert f"def {test.partition('[')[0]}" in text, test


def test_no_race_is_left_out_as_a_page() -> None:
    pages = next(iter(engines.SAME.values()))
    for name in pages:
        for one, path in FILES.items():
            if one == name or (name.endswith("/") and one.startswith(name)):
                assert not RACES.search(path.read_text(encoding="utf-8")), one
