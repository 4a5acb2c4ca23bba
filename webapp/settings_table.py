"""The README's table of settings, made from the settings class (`python -m webapp.settings_table`)."""

import re
from pathlib import Path

from core.settings import PREFIX, Settings

README = Path(__file__).resolve().parent.parent / "README.md"
_BETWEEN = re.compile(r"(<!-- settings -->\n).*?(<!-- /settings -->)", re.DOTALL)


def settings_table() -> str:
    """One row a setting: name, default, meaning."""
    rows = ["| Setting | Default | Meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, "") else f"`{field.default}`"
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


def main() -> None:
    """Write the table into the README between its two marks."""
    text = README.read_text(encoding="utf-8")
    README.write_text(_BETWEEN.sub(lambda m: m[1] + settings_table() + "\n" + m[2], text), encoding="utf-8")


if __name__ == "__main__":
    main()
