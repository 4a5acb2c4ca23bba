"""The starter library passes its own check: no error, and no warning without a reason."""

from datetime import date
from pathlib import Path

from content.check.folder import check_folder

FOLDER = Path(__file__).parents[3] / "webapp" / "starter" / "pieces"


def test_the_starter_library_is_clean() -> None:
    found = [one for one in check_folder(FOLDER, date(2026, 11, 26)) if one.is_open]
    assert found == []
