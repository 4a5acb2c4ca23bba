"""Posts forms over HTTP/1.1 from many connections kept open; says how long each took and what was answered."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
    port: int,
    lines: Sequence[tuple[str, str]],
    in_flight: int,
    headers: Mapping[str, str],
    *,
    per_second: float = 0.0,
) -> Posted:
    """Post (path, body) pairs in their order, at most so many at once; every one is answered or an error.

    `{n}` in a header is the number of the connection. With `per_second` each has its time, and is late from then on.
    """
    return asyncio.run(_all(port, lines, in_flight, headers, per_second))


async def _all(
    port: int,
    lines: Sequence[tuple[str, str]],
    in_flight: int,
    headers: Mapping[str, str],
    per_second: float,
) -> Posted:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    posted, begun = Posted(), time.perf_counter()
    gap = 1 / per_second if per_second else 0.0
    waiting = iter([(begun + number * gap if gap else 0.0, *line) for number, line in enumerate(lines)])
    numbered = (head.replace("{n}", str(number)) for number in range(in_flight))
    await asyncio.gather(*(_one_connection(port, waiting, each, posted) for each in numbered))
    posted.seconds = time.perf_counter() - begun
    return posted


async def _one_connection(
    port: int, waiting: Iterator[tuple[float, str, str]], head: str, posted: Posted
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for due, path, body in waiting:
        data = body.encode()
        if due:
            await asyncio.sleep(due - time.perf_counter())
        begun = due or time.perf_counter()
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
