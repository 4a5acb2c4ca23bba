"""Addresses of data centres, where programs live and people do not: a list that the institution loads.

The file: one range a line, a network (`192.0.2.0/24`, `2001:db8::/32`) or a single address; what follows a space,
a comma or a tab is a note, what follows `#` is a remark. It ships empty: whose ranges count is the
institution's to say (the large clouds publish theirs). Kept under home, with the list before it for `undo`.
"""

import ipaddress
import os
import re
import secrets
import socket
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.errors import Conflict, Invalid
from core.i18n import gettext as _
from core.i18n import mark

log = structlog.get_logger()
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
DATA_CENTRE = "data_centre"
WIDEST = {4: 8, 6: 16}  # a shorter prefix would take a good part of all people for programs
_FILE, _BEFORE = "ranges.txt", "ranges.before.txt"
_MOST = 4 * 1024 * 1024  # bytes of a list; the largest cloud's has 200 kB
_END = re.compile(r"[\s,;，；]")


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that is no range: its number, what stands there, and the rule (a msgid)."""

    line: int
    text: str
    rule: str

    @property
    def sentence(self) -> str:
        """Line, text and rule in the language in force."""
        return _("第 %(line)s 行“%(text)s”：%(rule)s", line=self.line, text=self.text, rule=_(self.rule))


@dataclass(frozen=True, slots=True)
class Reading:
    """A list that was read: its networks with overlaps joined, how many lines said one, and the faults."""

    networks: tuple[Network, ...]
    lines: int
    faults: tuple[Fault, ...]


def read(data: bytes) -> Reading:
    """The ranges in a file; Invalid when it is no text at all."""
    if len(data) > _MOST:
        raise Invalid(mark("文件太大：地址段清单不超过 4 MB。"), field="file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(mark("读不出这个文件：请另存为 UTF-8 的文本再试。"), field="file") from error
    networks: list[Network] = []
    faults: list[Fault] = []
    for number, line in enumerate(text.splitlines(), 1):
        said = _END.split(line.partition("#")[0].strip(), maxsplit=1)[0]
        if not said:
            continue
        rule, network = _network(said)
        if network is None:
            faults.append(Fault(number, said[:60], rule))
        else:
            networks.append(network)
    return Reading(tuple(_joined(networks)), len(networks), tuple(faults))


def _network(said: str) -> tuple[str, Network | None]:
    try:
        network = ipaddress.ip_network(said)
    except ValueError as error:
        if "host bits" in str(error):
            return mark("斜线后面的位数与地址不符，请写成网段的第一个地址。"), None
        return mark("不是地址段，请写成 192.0.2.0/24 或 2001:db8::/32。"), None
    if network.prefixlen < WIDEST[network.version]:
        return mark("范围太大，会把许多真人当成机器。"), None
    if any(_overlap(network, one) for one in _INSIDE):
        return mark("这是内网地址，网点里的人会被当成机器。"), None
    return "", network


_INSIDE: tuple[Network, ...] = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
            "fc00::/7", "fe80::/10", "::1/128",
        ),
    )
)  # fmt: skip


def _overlap(one: Network, other: Network) -> bool:
    if isinstance(one, ipaddress.IPv4Network):
        return isinstance(other, ipaddress.IPv4Network) and one.overlaps(other)
    return isinstance(other, ipaddress.IPv6Network) and one.overlaps(other)


def _joined(networks: Iterable[Network]) -> Iterator[Network]:
    known = list(networks)
    yield from ipaddress.collapse_addresses(one for one in known if isinstance(one, ipaddress.IPv4Network))
    yield from ipaddress.collapse_addresses(one for one in known if isinstance(one, ipaddress.IPv6Network))


def load(folder: Path, data: bytes) -> Reading:
    """Put a list in force; Invalid, and nothing is changed, while one line is no range."""
    found = read(data)
    if found.faults:
        raise Invalid(
            mark("%(count)s 行不是地址段，清单没有更换。第一处：%(first)s"),
            field="file",
            count=len(found.faults),
            first=found.faults[0].sentence,
        )
    folder.mkdir(parents=True, exist_ok=True)
    current = folder / _FILE
    _write(folder / _BEFORE, current.read_bytes() if current.exists() else b"")
    _write(current, "".join(f"{one}\n" for one in found.networks).encode())
    return found


def undo(folder: Path) -> Reading:
    """Put the list before this one in force again; a second undo takes the first one back."""
    current, before = folder / _FILE, folder / _BEFORE
    if not before.exists():
        raise Conflict(mark("没有更早的地址段清单可以恢复。"))
    old, new = current.read_bytes() if current.exists() else b"", before.read_bytes()
    _write(before, old)
    _write(current, new)
    return read(new)


def in_force(folder: Path) -> Reading:
    """The list in force; an empty one before any was loaded."""
    path = folder / _FILE
    return read(path.read_bytes() if path.exists() else b"")


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    with temporary.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def packed(address: str) -> bytes:
    """An address as 4 or 16 bytes, an IPv4 address within IPv6 as 4; b"" for what is none."""
    try:
        if ":" not in address:
            return socket.inet_aton(address) if address.count(".") == 3 else b""
        found = socket.inet_pton(socket.AF_INET6, address)
    except OSError:
        return b""
    return found[12:] if found.startswith(_MAPPED) else found


_MAPPED = b"\0" * 10 + b"\xff\xff"


@dataclass(frozen=True, slots=True)
class _Table:
    """First and last addresses of disjoint ranges, sorted, as bytes: they compare as numbers do."""

    firsts: Sequence[bytes] = ()
    lasts: Sequence[bytes] = ()

    @classmethod
    def of(cls, networks: Iterable[Network]) -> "_Table":
        spans = sorted((one[0].packed, one[-1].packed) for one in networks)
        return cls([first for first, _last in spans], [last for _first, last in spans])

    def __contains__(self, address: bytes) -> bool:
        at = bisect_right(self.firsts, address)
        return at > 0 and address <= self.lasts[at - 1]


class DataCentres:
    """The list in force, in memory; `refresh` looks whether another one was loaded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[int, int] | None = None
        self._tables: dict[int, _Table] = {}
        self.refresh()

    def __contains__(self, address: bytes) -> bool:
        """Whether a packed address lies in a data centre."""
        table = self._tables.get(len(address))
        return table is not None and address in table

    def refresh(self) -> None:
        """Read the list if its file is another than before; one that cannot be read leaves the known one."""
        try:
            status = (self._folder / _FILE).stat()
        except FileNotFoundError:
            self._seen, self._tables = None, {}
            return
        seen = (status.st_ino, status.st_mtime_ns)
        if seen == self._seen:
            return
        try:
            networks = in_force(self._folder).networks
        except (Invalid, OSError) as error:
            log.error("reach_ranges_not_read", error=type(error).__name__)
            return
        sizes = {one.max_prefixlen // 8 for one in networks}
        self._tables = {
            size: _Table.of(one for one in networks if one.max_prefixlen // 8 == size) for size in sizes
        }
        self._seen = seen
