"""The door of batches of a test: tokens of the named tree, a hand-held clock, and requests to give it."""

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from core.database import Database
from core.signing import Keys
from institution import api_tokens
from institution.api_tokens import COLLECT
from tests import factories
from tests.tracking.writing import AFTERNOON, WritePath
from tracking.batch_door import BatchDoor, TokenMemory
from tracking.batches import Batches

NOW = datetime.fromtimestamp(AFTERNOON, UTC)


@dataclass
class Batching:
    """A batch door over the write path of a test."""

    path: WritePath
    database: Database
    now: datetime = NOW
    rate: int = 0
    waited: list[str] = field(default_factory=list)
    known: str = ""
    door: BatchDoor = field(init=False)
    batches: Batches = field(init=False)

    def __post_init__(self) -> None:
        with self.database.transaction() as session:
            factories.tree(session, self.now)
        self.batches = Batches(
            database=self.database,
            recorder=self.path.recorder,
            attributions=self.path.attributions,
            keys=Keys(b"of the tests"),
            zone=self.path.settings.zone,
            clock=lambda: self.now,
        )
        self.door = BatchDoor(
            _below, self.batches, TokenMemory(self.database, lambda: self.now, 0.5), self._wait, "zh"
        )

    def _wait(self, who: str) -> int:
        self.waited.append(who)
        return self.rate

    def token(self, node: str = "", purposes: tuple[str, ...] = (COLLECT,), name: str = "App") -> str:
        """A new token."""
        with self.database.transaction() as session:
            _row, text = api_tokens.make(
                session, name=name, purposes=purposes, outlet_code=node, days=30, by=None, now=self.now
            )
        return text

    def line(self, **more: Any) -> dict[str, Any]:
        """A line that is good: visited, one minute ago."""
        return {"kind": "visited", "at": "2026-09-15T14:29:00+08:00"} | more

    def post(self, token: str, *lines: Any, key: str = "k-1", **environ: Any) -> tuple[int, dict[str, Any]]:
        """Post lines; the status and the JSON of the answer."""
        return self.post_body(token, b"\n".join(json.dumps(line).encode() for line in lines), key, **environ)

    def post_body(
        self, token: str, body: bytes, key: str = "k-1", **environ: Any
    ) -> tuple[int, dict[str, Any]]:
        """Post a body as it is."""
        status, _headers, said = self.ask(token, body, key, **environ)
        return status, said

    def ask(
        self, token: str, body: bytes, key: str = "k-1", **environ: Any
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Post a body; status, headers and JSON of the answer."""
        request: dict[str, Any] = {"REQUEST_METHOD": "POST", "PATH_INFO": "/r/batch", "QUERY_STRING": ""}
        request |= {"HTTP_AUTHORIZATION": f"Bearer {token}", "HTTP_IDEMPOTENCY_KEY": key}
        request |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)} | environ
        said: list[Any] = []

        def start_response(status: str, headers: Any, _error: Any = None) -> Any:
            said.extend((status, headers))

        content = b"".join(self.door(request, start_response))
        headers = dict(said[1])
        assert headers.get("Content-Length") == str(len(content))
        return int(said[0][:3]), headers, json.loads(content)


def _below(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"{}"]
