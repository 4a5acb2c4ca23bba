"""A sandbox whose inbox outlives it: what arrived is written to a file as it comes, and read again at the start."""

import json
from pathlib import Path

from scheduler.sandbox.core import Arrived, Sandbox


class Kept(Sandbox):
    """The sandbox of the demo institution. Its file holds invented people's messages only, a line each."""

    def __init__(self, file: Path, *, latency: float = 0.0) -> None:
        super().__init__(latency=latency)
        self._file = file
        for one in _read(file):
            self.arrived.append(one)
            self.total[one.app] += 1
        if file.exists() and len(self.arrived) == self.arrived.maxlen:
            file.write_text("".join(_line(one) for one in self.arrived), "utf-8")

    def accept(self, message: Arrived) -> None:
        """A message has reached somebody; it is in the inbox also after the next start."""
        with self.lock:
            super().accept(message)
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(_line(self.arrived[-1]))


def _line(one: Arrived) -> str:
    return json.dumps(one, ensure_ascii=False) + "\n"


def _read(file: Path) -> list[Arrived]:
    """What the file holds; a line that was cut off by a crash is left out."""
    found = []
    for line in file.read_text("utf-8", "replace").splitlines() if file.exists() else ():
        try:
            found.append(Arrived(*json.loads(line)))
        except (ValueError, TypeError):
            continue
    return found
