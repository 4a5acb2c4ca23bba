"""Collects the sentences of pages and code into the English catalogue (`python -m webapp.catalogue`).

Chinese sentences are the msgids; what has no English yet stays empty, and a house test names it.
"""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from core.i18n import CATALOGUES

ROOT = Path(__file__).resolve().parent.parent
PO = CATALOGUES / "en" / "LC_MESSAGES" / "messages.po"
PACKAGES = ("core", "institution", "tracking", "content", "campaign", "scheduler", "webapp")
_METHODS = [
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2"),
    ("**/templates/**.xml", "jinja2"),
    ("**/templates/**.txt", "jinja2"),
]
_KEYWORDS = {"_": None, "gettext": None, "mark": None}


def sentences() -> Iterator[str]:
    """Every sentence marked for translation, each once, in the order of the alphabet."""
    found: set[str] = set()
    for package in PACKAGES:
        for _path, _line, message, _comments, _context in extract_from_dir(
            ROOT / package, method_map=_METHODS, keywords=_KEYWORDS
        ):
            # Sentences are Chinese; a key within a marked expression (_(NAMES["key"])) is none.
            if isinstance(message, str) and not message.isascii():
                found.add(message)
    yield from sorted(found)


def read() -> Catalog:
    """The English catalogue as it is."""
    if not PO.exists():
        return Catalog(locale="en")
    with PO.open("rb") as file:
        return read_po(file, locale="en")


def update() -> list[str]:
    """Write the catalogue with exactly today's sentences; returns those that have no English."""
    old = read()
    new = Catalog(locale="en", project="Signpost", fuzzy=False)
    missing = []
    for sentence in sentences():
        known = old.get(sentence)
        english = str(known.string) if known is not None and known.string else ""
        new.add(sentence, english)
        if not english:
            missing.append(sentence)
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, new, width=110, omit_header=False, sort_output=True)
    _without_dates()
    return missing


def _without_dates() -> None:
    """Dates in the header would make every run a change."""
    kept = [
        line
        for line in PO.read_text(encoding="utf-8").splitlines(keepends=True)
        if "-Date:" not in line and "FULL NAME" not in line and "EMAIL@" not in line
    ]
    PO.write_text("".join(kept), encoding="utf-8")


if __name__ == "__main__":
    lacking = update()
    print("\n".join(lacking))  # noqa: T201  (a command line prints)
    print(f"{len(lacking)} sentences without English")  # noqa: T201  (the same)
