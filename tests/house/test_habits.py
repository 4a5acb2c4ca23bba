"""Sizes, docstrings, package documents, and that nothing of a workplace is in the repository."""

import ast
import re
import subprocess

import pytest

from tests.house.sources import PACKAGES, ROOT, Source, sources

LONGEST_FILE, LONGEST_FUNCTION, LONGEST_DOCUMENT = 300, 40, 15


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.name)
def test_a_file_and_its_functions_are_short_enough(source: Source) -> None:
    assert source.text.count("\n") <= LONGEST_FILE
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{node.name}: {length} lines"


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.name)
def test_every_module_and_public_function_says_what_it_is(source: Source) -> None:
    assert ast.get_docstring(source.tree), "the module has no docstring"
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_document_says_what_it_is_for_and_the_flow_through_it(package: str) -> None:
    source = next(source for source in sources() if source.name == package)
    document = ast.get_docstring(source.tree) or ""
    assert len(source.tree.body) == 1, "a package's __init__ is its document and nothing else"
    assert document.count("\n") < LONGEST_DOCUMENT
    for part in ("esponsible for", "ay import", "flow"):
        assert part in document, f"the document of {package} lacks “{part}”"


def _imports_in_functions(source: Source) -> list[str]:
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef):
            found += [
                f"{source.name}.{node.name}"
                for child in ast.walk(node)
                if isinstance(child, ast.Import | ast.ImportFrom)
            ]
    return found


def test_no_import_hides_in_a_function() -> None:
    assert [name for source in sources() for name in _imports_in_functions(source)] == []


def _tracked_texts() -> list[tuple[str, str]]:
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    texts = []
    for name in names:
        try:
            texts.append((name, (ROOT / name).read_text(encoding="utf-8")))
        except (UnicodeDecodeError, FileNotFoundError):
            continue
    return texts


def test_the_repository_names_no_package_index_and_no_machine() -> None:
    foreign = re.compile(
        r"py[p]i\.org|pythonhoste[d]|npmj[s]|deb\.debia[n]|(?<![\w.])/wor[k]/|/hom[e]/\w+/|/roo[t]/"
    )
    assert [name for name, text in _tracked_texts() if foreign.search(text)] == []
