"""The README's table of settings is exactly the settings class."""

from core.settings import PREFIX, Settings
from tests.house.sources import ROOT
from webapp.settings_table import settings_table


def test_the_readme_lists_every_setting_as_it_is() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert settings_table() in readme, "run: python -m webapp.settings_table"


def test_every_setting_has_a_default_and_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert not field.is_required(), name
        assert field.description, name
        assert f"`{PREFIX}{name.upper()}`" in settings_table()
