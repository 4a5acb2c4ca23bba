"""docs/content.md says what the code does."""

import re
from pathlib import Path

from content.frontmatter import FrontMatter
from content.rendering.grammar import SPECS
from tests.content import pieces

TEXT = (Path(__file__).parents[2] / "docs/content.md").read_text(encoding="utf-8")


def named(heading: str) -> set[str]:
    """The names in the first column, up to the argument, of the table under a heading."""
    section = TEXT.split(f"## {heading}", 1)[1].split("\n## ", 1)[0]
    rows = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_the_example_is_good() -> None:
    example = TEXT.split("````\n", 2)[1]
    assert pieces.draft(example).key == "pause-first"


def test_every_field_and_every_block_is_in_its_table() -> None:
    english = {"title_en", "summary_en"}  # beside their Chinese, in the same row
    assert named("Front matter") | english == set(FrontMatter.model_fields)
    assert named("Blocks") == set(SPECS)
