"""One fsync for all who wait: lines written while the disk was busy share the next call.

Whoever finds nobody at it calls fsync for everything written so far, the others wait for that one or for the
one after it, whichever began after their own write. So a disk that takes 5 ms answers 200 writers a second
when they come one by one, and as many times more as there are threads that write at once.
"""

import os
import threading


class NotSynced(OSError):
    """The disk did not confirm: what waited may be on it or not, and nobody may say that it is."""


class GroupSync:
    """The syncing of one file that only grows. Places are sizes of the file after a write, in bytes."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._turn = threading.Condition()
        self._written = self._synced = 0
        self._busy = False
        self._failed: OSError | None = None

    def wait(self, place: int) -> None:
        """Return once an fsync that began after the write up to `place` has ended; NotSynced if one failed."""
        with self._turn:
            self._written = max(self._written, place)
            while self._synced < place:
                if self._failed:
                    raise NotSynced(self._failed.errno, "the disk did not confirm what was written")
                if self._busy:
                    self._turn.wait()
                else:
                    self._sync()

    def finish(self) -> None:
        """Sync what is left before the file is closed; afterwards nobody uses it. OSError: not now."""
        with self._turn:
            while self._busy:
                self._turn.wait()
            os.fsync(self._file)
            self._synced = 0 if self._failed else 1 << 62  # who was refused once is not told otherwise
            self._turn.notify_all()

    def _sync(self) -> None:
        """Called with the turn held, which is let go of while the disk works.

        A failed fsync is the end of this file: the kernel may forget what it could not write, and the next
        call would then succeed without it.
        """
        upto, self._busy = self._written, True
        self._turn.release()
        try:
            os.fsync(self._file)
            failed = None
        except OSError as error:
            failed = error
        finally:
            self._turn.acquire()
        self._busy = False
        if failed:
            self._failed = failed
        else:
            self._synced = max(self._synced, upto)
        self._turn.notify_all()
