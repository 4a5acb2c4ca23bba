"""The platform and the mail server that `bench.push` sends to, each in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.load import free_port

_HTTP = """
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm, wbufsize = "HTTP/1.1", True, -1
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(float(sys.argv[2]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "12")
        self.end_headers()
        self.wfile.write(b'{"taken": 1}')
    def log_message(self, *args):
        pass
class Server(ThreadingHTTPServer):
    request_queue_size, daemon_threads = 256, True
server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
sys.stdout.write("ready\\n"), sys.stdout.flush()
server.serve_forever()
"""
_MAIL = """
import socketserver, sys
class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    def handle(self):
        self.wfile.write(b"220 bench\\r\\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go\\r\\n")
                while self.rfile.readline() != b".\\r\\n":
                    pass
            elif word == b"EHLO":
                self.wfile.write(b"250-bench\\r\\n250-PIPELINING\\r\\n250 8BITMIME\\r\\n")
                continue
            self.wfile.write(b"221 bye\\r\\n" if word == b"QUIT" else b"250 ok\\r\\n")
class Server(socketserver.ThreadingTCPServer):
    request_queue_size, daemon_threads, allow_reuse_address = 256, True, True
server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
sys.stdout.write("ready\\n"), sys.stdout.flush()
server.serve_forever()
"""


@contextmanager
def platform(latency: float) -> Iterator[str]:
    """The address of a platform that answers every call after so many seconds."""
    with _running(_HTTP, str(latency)) as port:
        yield f"http://127.0.0.1:{port}/send"


@contextmanager
def mail_server() -> Iterator[int]:
    """The port of a mail server that takes whatever comes and keeps nothing."""
    with _running(_MAIL) as port:
        yield port


@contextmanager
def _running(text: str, *more: str) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-c", text, str(port), *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield port
        finally:
            process.kill()
