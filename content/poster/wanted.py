"""Which pictures are wanted, as small files beside those that are there: asked for, how far, given up, what went wrong."""

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

STEPS = 4
_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Want:
    """A revision whose pictures somebody waits for; `step` of STEPS are done, `fault` says why it ended."""

    digest: str
    key: str
    number: int
    elder: bool = False
    step: int = 0
    fault: str = ""

    @property
    def share(self) -> float:
        """How much is made, 0 to 1."""
        return self.step / STEPS


def put(root: Path, want: Want) -> None:
    """Ask for it, or note how far it is."""
    target = _file(root, want.digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(f".{secrets.token_hex(4)}")
    fresh.write_text(json.dumps(asdict(want)), "utf-8")
    fresh.rename(target)


def find(root: Path, digest: str) -> Want | None:
    """What is wanted under this name."""
    try:
        return Want(**json.loads(_file(root, digest).read_text("utf-8")))
    except (FileNotFoundError, ValueError):
        return None


def waiting(root: Path) -> Iterator[Want]:
    """All that is to be made, the oldest first."""
    folder = root / "wanted"
    files = [(path.stat().st_mtime, path) for path in folder.glob("*.json")] if folder.is_dir() else []
    for _at, path in sorted(files):
        want = find(root, path.stem)
        if want is not None and not want.fault:
            yield want


def moved(root: Path, want: Want, step: int) -> bool:
    """Note a step; False when nobody wants it any more."""
    if not _file(root, want.digest).exists():
        return False
    put(root, replace(want, step=step))
    return True


def failed(root: Path, want: Want, fault: str) -> None:
    """Note why it could not be made; it is tried again when somebody asks again."""
    put(root, replace(want, fault=fault))


def clear(root: Path) -> None:
    """Forget what went wrong more than a day ago."""
    folder = root / "wanted"
    for path in folder.iterdir() if folder.is_dir() else ():
        if time.time() - path.stat().st_mtime > _DAY:
            path.unlink(missing_ok=True)


def drop(root: Path, digest: str) -> None:
    """It is there, or nobody wants it any more."""
    _file(root, digest).unlink(missing_ok=True)


def _file(root: Path, digest: str) -> Path:
    return root / "wanted" / f"{digest}.json"
