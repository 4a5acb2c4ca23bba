"""The engine of escape rooms stays small and pure: no database, no web, no clock, no chance, no files."""

import pytest

from tests.house.sources import Source, sources

# What decides when somebody plays. Reading, proof, and what is shown (`view`) stand on it and are not in it.
ENGINE = ("codes", "deeds", "judging", "game", "state", "rules")
MOST = 600
PURE = {
    "collections.abc",
    "typing",
    "zlib",
    "json",
    "base64",
    "re",
    "unicodedata",
    "core.errors",
    "core.i18n",
}
MODULES = [source for source in sources() if source.name.startswith("content.escape_room")]


def _engine() -> list[Source]:
    return [source for source in MODULES if source.name.rpartition(".")[2] in ENGINE]


def test_the_engine_is_small() -> None:
    assert len(_engine()) == len(ENGINE)
    assert sum(source.text.count("\n") for source in _engine()) <= MOST


@pytest.mark.parametrize("source", _engine(), ids=lambda source: source.name)
def test_the_engine_is_pure(source: Source) -> None:
    ours = "content.escape_room."
    foreign = {
        name for name in source.imports() if not name.startswith(ours) and name != "content.escape_room"
    }
    assert {
        name for name in foreign if not any(name == one or name.startswith(one + ".") for one in PURE)
    } == set()
    within = {name.removeprefix(ours).split(".")[0] for name in source.imports() if name.startswith(ours)}
    assert within <= {*ENGINE, "format", "locks", "texts", "conditions"}


@pytest.mark.parametrize("source", MODULES, ids=lambda source: source.name)
def test_nothing_of_a_room_knows_a_database_the_web_or_a_clock(source: Source) -> None:
    banned = (
        "sqlmodel",
        "sqlalchemy",
        "flask",
        "core.database",
        "core.clock",
        "time",
        "random",
        "tracking",
        "institution",
    )
    assert [name for name in source.imports() if name.split(".")[0] in banned or name in banned] == []
