"""Posts forms over HTTP/1.1 from many connections kept open; says how long each took and what was answered."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Posted:
    """Milliseconds of each request, answers by status, and the seconds of all together."""

    took: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def p95(self) -> float:
        """The slowest one in twenty, in milliseconds."""
        return sorted(self.took)[int(len(self.took) * 0.95)]

    @property
    def p99(self) -> float:
        """The slowest one in a hundred, in milliseconds."""
        return sorted(self.took)[int(len(self.took) * 0.99)]


def post_all(
    port: int, lines: Sequence[tuple[str, str]], in_flight: int, headers: Mapping[str, str]
) -> Posted:
    """Post (path, body) pairs in their order, at most so many at once; every one is answered or an error."""
    return asyncio.run(_all(port, lines, in_flight, headers))


async def _all(
    port: int, lines: Sequence[tuple[str, str]], in_flight: int, headers: Mapping[str, str]
) -> Posted:
    posted, waiting = Posted(), iter(lines)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    begun = time.perf_counter()
    await asyncio.gather(*(_one_connection(port, waiting, head, posted) for _ in range(in_flight)))
    posted.seconds = time.perf_counter() - begun
    return posted


async def _one_connection(port: int, waiting: "object", head: str, posted: Posted) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for path, body in waiting:  # type: ignore[attr-defined]
        data = body.encode()
        begun = time.perf_counter()
        writer.write(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}Content-Length: {len(data)}\r\n\r\n".encode()
            + data
        )
        status, length = 0, 0
        while (line := await reader.readline()) not in (b"\r\n", b""):
            if not status:
                status = int(line.split()[1])
            elif line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        await reader.readexactly(length)
        posted.took.append((time.perf_counter() - begun) * 1000)
        posted.statuses[status] += 1
    writer.close()
