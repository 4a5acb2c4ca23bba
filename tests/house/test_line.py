"""The line of packages and the contracts on who may import what, with proof that a breach is caught."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, ROOT, Source, parse, sources

# Who alone may import what (design §2); a name ending in a dot stands for everything below it.
ONLY = {
    "flask": (
        "*.views",
        "*.desk",
        "*.desk.",
        "*_views",
        "*_desk",
        "institution.access",
        "core.http",
        "webapp.",
    ),
    "apscheduler": ("scheduler.runner",),
    "markdown": ("content.rendering", "content.rendering."),
    "clickhouse_connect": ("tracking.engine",),
    "requests": ("scheduler.channels.",),
    "authlib": ("institution.oidc",),
    "pyotp": ("institution.second_factor",),
    "celery": ("scheduler.broker",),
    "kombu": ("scheduler.broker",),
}


def _allowed(name: str, patterns: tuple[str, ...]) -> bool:
    package, _, rest = name.partition(".")
    for pattern in patterns:
        wanted = pattern.replace("*", package, 1) if pattern.startswith("*.") else pattern
        if pattern.startswith("*_") and rest.split(".")[0].endswith(pattern[1:]):
            return True
        if name == wanted or (wanted.endswith(".") and (name + ".").startswith(wanted)):
            return True
    return False


def breaches(source: Source) -> list[str]:
    """What a module imports although only others may."""
    found = []
    for imported in source.imports():
        top = imported.split(".")[0]
        top = "flask" if top in ("flask_login", "flask_wtf") else top
        if top in ONLY and not _allowed(source.name, ONLY[top]):
            found.append(f"{source.name} imports {imported}")
    return found


def test_only_the_named_modules_import_flask_and_the_engines() -> None:
    assert [line for source in sources() for line in breaches(source)] == []


@pytest.mark.parametrize("library", ONLY)
def test_a_forbidden_import_is_caught(library: str) -> None:
    source = parse("content.lifecycle", Path("content/lifecycle.py"), f"def f():\n    import {library}\n")
    assert breaches(source)


def test_channels_do_not_know_each_other() -> None:
    shared = {"scheduler.channels.base", "scheduler.channels", "scheduler.channels.registry"}
    for source in sources():
        if not source.name.startswith("scheduler.channels.") or source.name in shared:
            continue
        others = {name for name in source.imports() if name.startswith("scheduler.channels.")}
        assert all(name.startswith("scheduler.channels.base") for name in others), source.name


def test_only_settings_read_the_environment_and_only_the_clock_asks_the_time() -> None:
    for source in sources():
        if source.name != "core.settings":
            assert "os.environ" not in source.text and "os.getenv" not in source.text, source.name
        if source.name != "core.clock":
            for call in ("datetime.now(", "date.today(", "datetime.utcnow(", "datetime.today("):
                assert call not in source.text, f"{source.name} calls {call}"


def _lint(folder: Path) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("lint-imports")
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        [program, "--no-cache"], cwd=folder, capture_output=True, text=True, env=environment, check=False
    )


def test_the_line_holds_and_a_deliberate_violation_is_caught(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("*.svg", "__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    good = _lint(tmp_path)
    assert good.returncode == 0, good.stdout
    with (tmp_path / "core" / "clock.py").open("a", encoding="utf-8") as module:
        module.write("\nfrom institution import people  # noqa\n")
    bad = _lint(tmp_path)
    assert bad.returncode != 0
    assert "core" in bad.stdout and "institution" in bad.stdout


def _targets(source: Source, known: set[str]) -> set[str]:
    """The modules an import is about: `from package import module` is about the module, not its package."""
    named = {name for name in source.imports() if name in known and name != source.name}
    return {name for name in named if not any(other.startswith(name + ".") for other in named)}


def test_no_circles_among_the_modules_of_a_package() -> None:
    known = {source.name: source for source in sources()}
    edges = {name: _targets(source, set(known)) for name, source in known.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join((*trail[trail.index(name) :], name))
        if name in done:
            return
        for target in edges[name]:
            visit(target, (*trail, name))
        done.add(name)

    for name in edges:
        visit(name, ())
