"""Many pages as PDF or pictures from one browser: the system's Chromium, started once and spoken to over a pipe.

A start takes longer than printing ten plaques, so thousands share one, and `press` keeps one warm. The pipe (DevTools protocol, messages that
end with NUL) opens no port, and the browser ends when the pipe is closed, also by a kill of this process. Pages are
handed over as text, no name resolves there, it is told to be offline, and scripts of pages are switched off.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from core.errors import Conflict
from core.i18n import mark
from tracking import paper

_SECONDS = 60.0
# also what is not in the window: a picture that is drawn late would be missing
_DRAWN = "Promise.all([document.fonts.ready, ...[...document.images].map(one => one.decode().catch(() => 0))]).then(() => 1)"
_INCH, _NICE = 25.4, 10
_FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "about:blank",
)


MISSING = mark("这台机器没有安装 Chromium，不能生成 PDF；可以只要 SVG。")


def installed() -> bool:
    """Whether this machine can print."""
    return bool(paper.chromium())


class Printer:
    """One browser with one page: `with Printer() as printer: printer.pdf(html, 420, 297)`. Not for several threads.

    Its profile lies below `within`, so that what a kill leaves behind is cleared with that folder.
    """

    def __init__(self, within: Path | None = None) -> None:
        self._within = within

    def __enter__(self) -> "Printer":
        """Start the browser; Conflict where there is none or it does not answer."""
        self._number, self._rest, self._session = 0, b"", ""
        self._folder = Path(tempfile.mkdtemp(prefix="printing-", dir=self._within))
        self._start()
        try:
            target = self._ask("Target.createTarget", url="about:blank")["targetId"]
            self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            self._ask("Emulation.setScriptExecutionDisabled", value=True)
            self._ask("Network.enable")
            self._ask(
                "Network.emulateNetworkConditions",
                offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1,
            )  # fmt: skip
            self._frame = self._ask("Page.getFrameTree")["frameTree"]["frame"]["id"]
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the browser and take its folder away."""
        self.close()

    def pdf(self, html: str, width: float, height: float) -> bytes:
        """One document as PDF on sheets of `width` × `height` millimetres; Conflict when the browser fails."""
        self._ask("Page.setDocumentContent", frameId=self._frame, html=html)
        printed = self._ask(
            "Page.printToPDF",
            paperWidth=width / _INCH,
            paperHeight=height / _INCH,
            marginTop=0,
            marginBottom=0,
            marginLeft=0,
            marginRight=0,
            printBackground=True,
        )
        return base64.b64decode(printed["data"])

    def show(self, html: str, width: int, height: int, *, scale: float = 1, media: str = "screen") -> None:
        """Lay a document out in a window of `width` × `height` CSS pixels of `scale` pixels each, its pictures drawn."""
        self._ask("Emulation.setEmulatedMedia", media=media)
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=scale, mobile=False,
        )  # fmt: skip
        self._ask("Page.setDocumentContent", frameId=self._frame, html=html)
        self.look(_DRAWN)

    def look(self, question: str) -> Any:
        """What an expression of our own says about the document that is shown, as plain data."""
        found = self._ask("Runtime.evaluate", expression=question, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise _broken()
        return found["result"].get("value")

    def shot(self, top: float, height: float, width: float) -> bytes:
        """A stretch of the document that is shown, in CSS pixels from its upper left corner, as PNG."""
        clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
        taken = self._ask(
            "Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True, optimizeForSpeed=True
        )  # fmt: skip
        return base64.b64decode(taken["data"])

    def close(self) -> None:
        """The browser and its children; what has ended is gone already."""
        for end in (self._write, self._read):
            with suppress(OSError):
                os.close(end)
        with suppress(ProcessLookupError):
            os.killpg(self._process, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._process, 0)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        browser = paper.chromium()
        if not browser:
            raise Conflict(MISSING)
        # who runs as root has no sandbox to give; what is printed is our own drawing, without scripts
        flags = [*_FLAGS[:-1], *(("--no-sandbox",) if os.geteuid() == 0 else ()), _FLAGS[-1]]
        theirs_in, self._write = _pipe()
        self._read, theirs_out = _pipe()
        nothing = os.open(os.devnull, os.O_RDWR)
        # the protocol wants its ends at 3 and 4; of our own files and words of the environment nothing goes along
        ends = [
            (os.POSIX_SPAWN_DUP2, one, at)
            for at, one in enumerate((nothing, nothing, nothing, theirs_in, theirs_out))
        ]
        try:
            self._process = os.posix_spawn(
                browser,
                [browser, f"--user-data-dir={self._folder}", *flags],
                {"PATH": os.defpath, "HOME": str(self._folder), "LANG": "C.UTF-8"},
                file_actions=ends,
                setsid=True,
            )
        finally:
            for end in (theirs_in, theirs_out, nothing):
                os.close(end)
        with suppress(OSError):  # pages come first; what it starts from now on takes this from it
            os.setpriority(os.PRIO_PGRP, self._process, _NICE)

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        said = {"id": self._number, "method": method, "params": params}
        if self._session:
            said["sessionId"] = self._session
        until = time.monotonic() + _SECONDS
        try:
            self._send(json.dumps(said).encode() + b"\0", until)
            while True:
                answer = json.loads(self._message(until))
                if answer.get("id") == self._number:
                    break
        except OSError as error:
            raise _broken() from error
        if "result" not in answer:
            raise _broken()
        found: dict[str, Any] = answer["result"]
        return found

    def _send(self, data: bytes, until: float) -> None:
        while data:
            if not _ready(self._write, select.POLLOUT, until):
                raise _broken()
            data = data[os.write(self._write, data[:4096]) :]

    def _message(self, until: float) -> bytes:
        parts = [self._rest]
        while b"\0" not in parts[-1]:
            if not _ready(self._read, select.POLLIN, until):
                raise _broken()
            part = os.read(self._read, 1 << 20)
            if not part:
                raise _broken()
            parts.append(part)
        message, _nul, self._rest = b"".join(parts).partition(b"\0")
        return message


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are numbered above those that the browser is given."""
    ends = os.pipe()
    try:
        read, write = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 16) for end in ends)
    finally:
        for end in ends:
            os.close(end)
    return read, write


def _broken() -> Conflict:
    return Conflict(mark("Chromium 没有做出来，请再试一次。"))


def _ready(end: int, what: int, until: float) -> bool:
    """Whether a pipe is ready before a moment; poll, because select knows no descriptor above 1023."""
    asked = select.poll()
    asked.register(end, what)
    return bool(asked.poll(max(0.0, until - time.monotonic()) * 1000))
