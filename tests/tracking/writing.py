"""A write path of a test: recorder over a spool of its own, a hand-held clock, and requests to give it."""

from dataclasses import dataclass, field
from typing import Any

from core.settings import Settings
from core.signing import Keys
from tracking.attribution import Attribution, Attributions, PageKeys
from tracking.collector import Collector
from tracking.events import COLUMNS, DROP_COLUMNS
from tracking.recorder import Recorder
from tracking.spool import DROPS, Spool

PHONE = (
    "Mozilla/5.0 (Linux; Android 13; V2244A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160117 MicroMessenger/8.0.49.2600(0x28003133) "
    "WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64"
)
PAGE = PageKeys(piece="full-surrender", campaign="gold-month-2026")
LINK = Attribution("rights-day-2026", "33010601", "wechat")
AFTERNOON = 1_789_453_800.0  # 2026-09-15 14:30 in Beijing


@dataclass
class WritePath:
    """Everything between a request and a line in the spool."""

    settings: Settings
    now: float = AFTERNOON
    spool: Spool = field(init=False)
    attributions: Attributions = field(init=False)
    recorder: Recorder = field(init=False)
    collector: Collector = field(init=False)

    def __post_init__(self) -> None:
        self.spool = Spool(self.settings.spool_dir, 60)
        self.attributions = Attributions(Keys(b"of the tests"))
        self.recorder = Recorder(self.spool, self.attributions, self.settings, lambda: self.now)
        self.collector = Collector(_below, self.recorder)

    def get(self, query: str = "", cookies: str = "", **environ: str) -> dict[str, str]:
        """View the page; the cookies that it sets."""
        request = {"REQUEST_METHOD": "GET", "PATH_INFO": "/p/x", "QUERY_STRING": query}
        request |= {"HTTP_USER_AGENT": PHONE, "REMOTE_ADDR": "203.0.113.7", "HTTP_COOKIE": cookies, **environ}
        headers = self.recorder.visit(request, PAGE)
        assert {name for name, _ in headers} <= {"Set-Cookie"}
        return dict(value.split(";")[0].split("=", 1) for _, value in headers)

    def post(self, query: str, path: str = "/r", **environ: Any) -> str:
        """Post a beacon; the status of the answer."""
        request = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "QUERY_STRING": query, "CONTENT_LENGTH": "0"}
        request |= {"HTTP_USER_AGENT": PHONE, "REMOTE_ADDR": "203.0.113.7"} | environ
        said: list[str] = []

        def start_response(status: str, _headers: Any, _error: Any = None) -> Any:
            said.append(status)

        content = self.collector(request, start_response)
        assert b"".join(content) in (b"", b"the page")
        return said[0]

    def beacon(self, kind: str = "engaged", token: str = "") -> str:
        """What the page says behind the address."""
        return f"k={kind}&p={self.attributions.seal(PAGE)}&a={token}"

    def events(self) -> list[dict[str, str]]:
        """The events that the spool holds, by column, oldest first."""
        return [dict(zip(COLUMNS, row, strict=True)) for row in self._rows(drops=False)]

    def drops(self) -> dict[str, int]:
        """The drops that the spool holds, by reason."""
        self.recorder.flush_drops()
        found: dict[str, int] = {}
        for row in self._rows(drops=True):
            drop = dict(zip(DROP_COLUMNS, row, strict=True))
            found[drop["reason"]] = found.get(drop["reason"], 0) + int(drop["quantity"])
        return found

    def _rows(self, *, drops: bool) -> list[list[str]]:
        self.spool.close()
        chosen = [path for path in self.spool.sealed() if path.name.startswith(DROPS) == drops]
        return [line.split("\t") for path in chosen for line in path.read_text("utf-8").splitlines()]


def _below(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response(f"200 {environ['PATH_INFO']}", [])
    return [b"the page"]
