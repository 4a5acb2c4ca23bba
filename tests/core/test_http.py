"""core.http: open redirects are refused."""

import pytest

from core.http import safe_target


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        None,
        "/a\nSet-Cookie: x",
    ],
)
def test_a_target_elsewhere_is_refused(target: str | None) -> None:
    assert safe_target(target, "/home") == "/home"


def test_a_path_of_this_site_is_kept() -> None:
    assert safe_target("/desk/outlets?page=2", "/") == "/desk/outlets?page=2"
