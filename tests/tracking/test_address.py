"""What an address of a reach server says, and what is told of a wrong one without repeating it."""

import pytest

from core.errors import Invalid
from tracking import address
from tracking.address import Address


def test_an_address_with_everything() -> None:
    found = address.read("clickhouses://us%40er:p%2Fw@db.example:9443/reach?cluster=main&quorum=auto")
    assert found == Address("db.example", 9443, "us@er", "p/w", True, "reach", "main", "auto")
    assert (found.layout.cluster, found.layout.database) == ("main", "reach")
    assert found.settings["insert_quorum"] == "auto"
    assert found.settings["select_sequential_consistency"] == 1
    assert "p/w" not in repr(found)
    assert "us@er" not in found.shown


def test_an_address_with_little() -> None:
    found = address.read("clickhouse://db")
    assert found == Address("db", 8123, "default", "", False, "default")
    assert found.settings == {}, "a single server needs none"
    assert address.read("clickhouses://db").port == 8443


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("postgresql://u:secret@h/d", "开头"),
        ("clickhouse://u:secret@h:99999/d", "端口"),
        ("clickhouse://u:secret@h/d`; DROP", "库名"),
        ("clickhouse://u:secret@h/d?cluster=a'b", "问号"),
        ("clickhouse://u:secret@h/d?clustre=main", "问号"),
        ("clickhouse://u:secret@h/d?quorum=many", "问号"),
    ],
)
def test_a_wrong_address_is_refused_by_part_and_not_repeated(url: str, part: str) -> None:
    with pytest.raises(Invalid, match=part) as refused:
        address.read(url)
    assert "secret" not in str(refused.value)
