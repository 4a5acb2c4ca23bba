"""Ranges of data centres: read with every fault, put in force whole, undone; matched like the slow way does."""

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from core.errors import Conflict, Invalid
from tracking import ranges
from tracking.ranges import DataCentres, packed

LIST = (
    "# 某云\n198.51.100.0/24, 北京\n203.0.113.7\t一台机器\n2001:db8:5::/48  # 另一朵云\n\n198.51.100.128/25\n"
)


def test_a_list_is_read_with_notes_and_remarks_and_overlaps_are_joined() -> None:
    found = ranges.read(LIST.encode("utf-8-sig"))
    assert found.faults == ()
    assert found.lines == 4
    assert [str(one) for one in found.networks] == ["198.51.100.0/24", "203.0.113.7/32", "2001:db8:5::/48"]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("192.0.2.1/24", "斜线后面的位数"),
        ("某云", "不是地址段"),
        ("300.1.1.1", "不是地址段"),
        ("0.0.0.0/0", "范围太大"),
        ("::/0", "范围太大"),
        ("10.1.0.0/16", "内网地址"),
        ("fd00:1::/32", "内网地址"),
        ("127.0.0.1", "内网地址"),
    ],
)
def test_a_line_that_is_no_range_is_named_and_nothing_changes(tmp_path: Path, line: str, rule: str) -> None:
    ranges.load(tmp_path, LIST.encode())
    (fault,) = ranges.read(f"{LIST}{line} 备注\n".encode()).faults
    assert (fault.line, fault.text) == (7, line)
    assert rule in fault.sentence
    with pytest.raises(Invalid, match="第 7 行"):
        ranges.load(tmp_path, f"{LIST}{line}\n".encode())
    assert len(ranges.in_force(tmp_path).networks) == 3


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="UTF-8"):
        ranges.load(tmp_path, b"\xff\xfe\x00")
    with pytest.raises(Invalid, match="4 MB"):
        ranges.load(tmp_path, b"#" * (5 * 1024 * 1024))


def test_undo_brings_the_list_before_back_and_again_the_newer_one(tmp_path: Path) -> None:
    with pytest.raises(Conflict):
        ranges.undo(tmp_path)
    ranges.load(tmp_path, b"198.51.100.0/24\n")
    ranges.load(tmp_path, b"203.0.113.0/24\n")
    assert [str(one) for one in ranges.undo(tmp_path).networks] == ["198.51.100.0/24"]
    assert [str(one) for one in ranges.in_force(tmp_path).networks] == ["198.51.100.0/24"]
    assert [str(one) for one in ranges.undo(tmp_path).networks] == ["203.0.113.0/24"]


def test_the_first_list_can_be_undone_to_none(tmp_path: Path) -> None:
    ranges.load(tmp_path, b"198.51.100.0/24\n")
    assert ranges.undo(tmp_path).networks == ()


def test_a_running_process_sees_another_list_at_its_next_look(tmp_path: Path) -> None:
    centres = DataCentres(tmp_path)
    assert packed("198.51.100.9") not in centres
    ranges.load(tmp_path, LIST.encode())
    assert packed("198.51.100.9") not in centres
    centres.refresh()
    assert packed("198.51.100.9") in centres
    assert packed("2001:db8:5::9") in centres
    assert packed("::ffff:198.51.100.9") in centres, "an IPv4 address within IPv6"
    assert packed("198.51.101.0") not in centres
    ranges.undo(tmp_path)
    centres.refresh()
    assert packed("198.51.100.9") not in centres


def test_a_list_spoiled_on_the_disk_leaves_the_known_one(tmp_path: Path) -> None:
    ranges.load(tmp_path, LIST.encode())
    centres = DataCentres(tmp_path)
    (tmp_path / "ranges.txt").write_bytes(b"\xff\xfe")
    centres.refresh()
    assert packed("198.51.100.9") in centres


def test_what_is_no_address_lies_nowhere(tmp_path: Path) -> None:
    ranges.load(tmp_path, LIST.encode())
    centres = DataCentres(tmp_path)
    for text in ("", "unix:", "1.2.3", "not an address", "::1%eth0", "198.51.100.9:443"):
        assert packed(text) not in centres, text


V4 = st.integers(0x0B000000, 0x63FFFFFF)  # 11.0.0.0 to 99.255.255.255: nothing of it is private


@examples(max_examples=40, deadline=None)
@given(spans=st.lists(st.tuples(V4, st.integers(8, 32)), max_size=8), asked=st.lists(V4, min_size=1))
def test_it_finds_exactly_what_asking_each_network_finds(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[int, int]], asked: list[int]
) -> None:
    networks = [ipaddress.ip_network((number, prefix), strict=False) for number, prefix in spans]
    edges = [int(edge) + step for one in networks for edge in (one[0], one[-1]) for step in (-1, 0, 1)]
    folder = tmp_path_factory.mktemp("ranges")
    ranges.load(folder, "".join(f"{one}\n" for one in networks).encode())
    centres = DataCentres(folder)
    for number in (*asked, *edges):
        address = ipaddress.IPv4Address(number)
        assert (packed(str(address)) in centres) == any(address in one for one in networks), address


def test_the_list_that_ships_is_empty_and_says_how() -> None:
    shipped = Path(__file__).resolve().parents[2] / "webapp" / "starter" / "ranges.txt"
    found = ranges.read(shipped.read_bytes())
    assert (found.networks, found.faults) == ((), ())
