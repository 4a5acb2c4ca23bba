"""Addresses are put together by code that is compiled when the first is asked for, and are what they were."""

from typing import Any

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.routing import BuildError, Map, Rule

from webapp.routing import Route

RULES: list[tuple[str, str, dict[str, Any]]] = [
    ("/o/<code>", "one", {}),
    ("/o/<code>/<int:number>", "two", {}),
    ("/list", "list", {"defaults": {"page": 1}}),
    ("/list/<int:page>", "list", {}),
]
ASKED: list[tuple[str, dict[str, Any]]] = [("one", {"code": "a b/ü"}), ("two", {"code": "x", "number": 7}), ("list", {"page": 1}), ("list", {"page": 2}),
         ("one", {"code": "x", "self": "me", "more": ["1", "2"]})]  # fmt: skip


@pytest.mark.parametrize("twice", [1, 2])
def test_they_are_werkzeugs(twice: int) -> None:
    mine = Map([Route(rule, endpoint=end, **more) for rule, end, more in RULES]).bind("h")
    theirs = Map([Rule(rule, endpoint=end, **more) for rule, end, more in RULES]).bind("h")
    for endpoint, values in ASKED * twice:
        assert mine.build(endpoint, dict(values)) == theirs.build(endpoint, dict(values))
    assert mine.match("/o/x/7") == theirs.match("/o/x/7")
    with pytest.raises(BuildError):
        mine.build("two", {"code": "x"})
    with pytest.raises(NotFound):
        mine.match("/o/x/y")


def test_nothing_is_compiled_before_an_address_is_asked_for() -> None:
    made = Map([route := Route("/o/<code>", endpoint="one")])
    early = route._build_unknown
    made.bind("h").build("one", {"code": "x"})
    assert route._build_unknown is not early
