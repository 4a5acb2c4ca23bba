"""A provider that says whatever a test wants it to say, correctly signed or not."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwk, jwt

CLIENT = "signpost"


@dataclass
class Liar:
    """What it publishes and answers. `claims` go into the next token; `sign` may be replaced."""

    port: int = 0
    key: jwk.RSAKey = field(default_factory=lambda: jwk.RSAKey.generate_key(2048, auto_kid=True))
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256"})
    signer: Any = None
    about: dict[str, Any] = field(default_factory=dict)
    raw_token: str | None = None
    userinfo: dict[str, Any] = field(default_factory=dict)
    verifiers: list[str] = field(default_factory=list)
    fail: bool = False

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def discovery(self) -> dict[str, Any]:
        ends = {
            "authorization_endpoint": "/authorize",
            "token_endpoint": "/token",
            "jwks_uri": "/jwks",
            "userinfo_endpoint": "/userinfo",
        }
        found = {"issuer": self.issuer, **{name: self.issuer + path for name, path in ends.items()}}
        return {**found, **self.about}

    def token(self) -> str:
        signer = self.signer or self.key
        header = {"kid": self.key.kid, **self.header}
        if self.raw_token is not None:
            return self.raw_token
        return jwt.encode(header, self.claims, signer, algorithms=[header["alg"]])

    def answer(self, path: str) -> dict[str, Any]:
        if path == "/jwks":
            return {"keys": [self.key.as_dict(private=False)]}
        if path == "/token":
            return {"access_token": "at", "token_type": "Bearer", "id_token": self.token()}
        return self.userinfo if path == "/userinfo" else self.discovery()


@contextmanager
def serve() -> Iterator[Liar]:
    """A liar on loopback."""
    liar = Liar()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(liar.answer(self.path)).encode()
            self.send_response(500 if liar.fail else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            liar.verifiers.append(sent)
            self.do_GET()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    liar.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield liar
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
