"""ClickHouse's HTTP interface in front of the embedded engine: a process of its own, as a server is.

    python -m tests.tracking.http_front FOLDER PORT [CLUSTER]

User `signpost`, password in FRONT_PASSWORD. With CLUSTER it plays a cluster of one shard: a real Distributed table
over a local shard. Statements that change tables must say ON CLUSTER, as only then would all servers do them; the
front takes that and the replication away, which the engine in a library cannot do. It ends with its stdin.
"""

import base64
import gzip
import json
import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import lz4.frame  # type: ignore[import-untyped]
from backports import zstd
from chdb.state.sqlitelike import Connection

USER = "signpost"
# What the HTTP interface itself takes; everything else in the address is a setting.
_RESERVED = {
    "database", "query", "default_format", "query_id", "session_id", "session_timeout", "session_check", "role",
    "wait_end_of_query", "client_protocol_version", "compress", "decompress", "enable_http_compression",
    "send_progress_in_http_headers", "http_headers_progress_interval_ms", "buffer_size", "quota_key", "user",
    "password",
}  # fmt: skip
_DECODE: dict[str, Callable[[bytes], Any]] = {
    "lz4": lz4.frame.decompress, "zstd": zstd.decompress, "gzip": gzip.decompress,
}  # fmt: skip
_INSERT = re.compile(rb"\s*(INSERT\s+INTO\s+.*?)\s+FORMAT\s+(\w+)[ \t]*(?:\n|$)", re.IGNORECASE | re.DOTALL)
_CHANGES = re.compile(r"\s*(CREATE|ALTER|DROP|TRUNCATE)\b", re.IGNORECASE)
_ON_CLUSTER = re.compile(r"\s+ON CLUSTER '[^']*'")
_REPLICATED = re.compile(r"Replicated(\w*MergeTree)\('[^']*', '\{replica\}'(?:, )?([^)]*)\)")
_WINDOW = re.compile(
    r"\breplicated_deduplication_window = (\d+), replicated_deduplication_window_seconds = \d+"
)
_CODE = re.compile(r"Code: (\d+)")
_CONFIG = """<clickhouse><tcp_port>{port}</tcp_port><zookeeper><implementation>testkeeper</implementation></zookeeper>
<macros><shard>01</shard><replica>one</replica></macros><remote_servers><{name}><shard>
<internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>{port}</port></replica>
</shard></{name}></remote_servers></clickhouse>"""


def engine(folder: Path, cluster: str) -> str:
    """The address of an engine of this folder; as the one shard of a cluster it keeps a configuration there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not cluster:
        return str(folder / "data")
    config = folder / "config.xml"
    config.write_text(_CONFIG.format(name=cluster, port=9000), encoding="utf-8")  # nobody listens there
    return f"{folder / 'data'}?config-file={config}"


def alone(sql: str) -> str:
    """A statement to all servers of a cluster as the one server of it would run it, without replication."""
    if _CHANGES.match(sql) and not _ON_CLUSTER.search(sql):
        raise RuntimeError("Code: 36. DB::Exception: this would change one server only")
    sql = _ON_CLUSTER.sub("", sql)
    return _WINDOW.sub(r"non_replicated_deduplication_window = \1", _REPLICATED.sub(_plain, sql))


def _plain(found: re.Match[str]) -> str:
    return f"{found[1]}({found[2]})" if found[2] else found[1]


class Front(BaseHTTPRequestHandler):
    """One request: a query, its settings and parameters in the address, data or the query in the body."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    address = ""
    cluster = ""
    password = ""

    def do_GET(self) -> None:
        self._send(200, b"Ok.\n", {})

    def do_POST(self) -> None:
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = (
            self.rfile.read(int(self.headers["Content-Length"]))
            if "Content-Length" in self.headers
            else self._chunks()
        )
        body = _DECODE.get(self.headers.get("Content-Encoding", ""), bytes)(body)
        try:
            self._sign_in(asked)
            answer, form = self._answer(asked, body)
        except Exception as error:
            code = found[1] if (found := _CODE.search(str(error))) else "1002"
            known = {"X-ClickHouse-Exception-Code": code}
            self._send(403 if code == "516" else 500, str(error).encode(), known)
            return
        known = {
            "X-ClickHouse-Format": form,
            "X-ClickHouse-Timezone": "UTC",
            "X-ClickHouse-Summary": json.dumps({}),
        }
        if asked.get("enable_http_compression") == "1" and "lz4" in self.headers.get("Accept-Encoding", ""):
            answer, known["Content-Encoding"] = lz4.frame.compress(answer), "lz4"
        self._send(200, answer, known)

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _sign_in(self, asked: dict[str, str]) -> None:
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        user = self.headers.get("X-ClickHouse-User") or asked.get("user", "")
        key = self.headers.get("X-ClickHouse-Key") or asked.get("password", "")
        if base64.b64decode(given).decode() != f"{USER}:{self.password}" and (user, key) != (
            USER,
            self.password,
        ):
            raise PermissionError("Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)")

    def _answer(self, asked: dict[str, str], body: bytes) -> tuple[bytes, str]:
        whole = asked.get("query", "").encode() + (b"\n" if asked.get("query") and body else b"") + body
        connection = Connection(self.address)
        try:
            if asked.get("database"):
                connection.query(f"USE `{asked['database']}`")
            for name, value in asked.items():
                if name not in _RESERVED:
                    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
                    connection.query(f"SET {name} = '{quoted}'")
            insert = _INSERT.match(whole)
            if insert:
                return self._insert(connection, insert[1].decode(), insert[2].decode(), whole[insert.end() :])
            sql = alone(whole.decode()) if self.cluster else whole.decode()
            form = (
                found[1]
                if (found := re.search(r"FORMAT\s+(\w+)\s*$", sql))
                else asked.get("default_format", "TabSeparated")
            )
            return connection.query(sql, form).bytes() or b"", form
        finally:
            connection.close()

    @staticmethod
    def _insert(connection: Connection, insert: str, form: str, data: bytes) -> tuple[bytes, str]:
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            connection.query(f"{insert} FROM INFILE '{file.name}' FORMAT {form}")
        return b"", form

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: Any) -> None:
        pass


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main(folder: str, port: str, cluster: str = "") -> None:
    """Serve until stdin closes."""
    Front.address, Front.cluster = engine(Path(folder), cluster), cluster
    Front.password = os.environ["FRONT_PASSWORD"]
    held = Connection(Front.address)
    held.query("SELECT 1")
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Front)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
