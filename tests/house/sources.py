"""Our own source files, parsed once."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("webapp", "scheduler", "campaign", "content", "tracking", "institution", "core")


@dataclass(frozen=True)
class Source:
    """One module: its dotted name, path, text and syntax tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.name.split(".")[0]

    def imports(self) -> set[str]:
        """Every module named in an import, wherever it stands."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        return found


def parse(name: str, path: Path, text: str) -> Source:
    """A source from its text."""
    return Source(name, path, text, ast.parse(text))


@cache
def sources() -> tuple[Source, ...]:
    """All modules of the packages, migrations' versions left out (they are generated)."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "versions" in path.parts:
                continue
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found.append(parse(name, path, path.read_text(encoding="utf-8")))
    return tuple(found)
