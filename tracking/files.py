"""What the spool asks of the file system: locks that die with their process, and renames that last."""

import fcntl
import os
import secrets
from pathlib import Path

OPEN, SEALED = ".open", ".tsv"


def owned(path: Path, file: int) -> bool:
    """Lock the file if nobody holds it, and make sure that the path still means this file."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return path.stat().st_ino == os.fstat(file).st_ino
    except (BlockingIOError, FileNotFoundError):
        return False


def seal(path: Path, file: int) -> None:
    """Bring the content to the disk, then give it the name under which it is shipped."""
    os.fsync(file)
    path.rename(path.with_suffix(SEALED))
    sync_folder(path.parent)


def write_durably(path: Path, content: bytes) -> None:
    """A whole file on the disk under its name, or none."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
