"""A real nginx with deploy/nginx.conf: its lines, taken, are the events that our own collector would have kept."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from core.errors import Conflict, Invalid
from core.settings import Settings
from tests import servers
from tests.tracking.writing import LINK, PAGE, PHONE, WritePath
from tracking.drain import Drain
from tracking.edge import EdgeLines
from tracking.edge_take import EdgeTaker
from tracking.events import COLUMNS, are_drop_lines, are_lines, is_line
from tracking.spool import DROPS, REJECTED
from tracking.store import ReachStore

CONFIG = Path(__file__).resolve().parent.parent.parent / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
needs_nginx = pytest.mark.skipif(not Path(NGINX).exists(), reason="nginx is not installed")
DAY = date(2026, 9, 15)


class Edge:
    """A running nginx: its port and its log."""

    def __init__(self, folder: Path, zone: str) -> None:
        self.port, self.log, self.folder = servers.free_port(), folder / "signpost-edge.log", folder
        self.zone = zone
        folder.chmod(0o755)
        text = CONFIG.read_text(encoding="utf-8")
        for old, new in (
            ("listen 80;", f"listen 127.0.0.1:{self.port};"),
            ("worker_processes auto;", "worker_processes 1; daemon off;" + ("user root;" if os.geteuid() == 0 else "")),
            ("/var/log/nginx", str(folder)),
            ("/run/", f"{folder}/"),
            ("access_log off;", f"access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; "
             f"fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;"),
        ):  # fmt: skip
            assert old in text, old
            text = text.replace(old, new)
        (folder / "nginx.conf").write_text(text, encoding="utf-8")

    @contextmanager
    def running(self) -> Iterator["Edge"]:
        command = [NGINX, "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder)]
        with (self.folder / "start.log").open("wb") as log:
            self.process = subprocess.Popen(command, stderr=log, env={**os.environ, "TZ": self.zone})
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                        break
                assert self.process.poll() is None, (self.folder / "start.log").read_text()
                time.sleep(0.05)
            yield self
        finally:
            self.process.terminate()
            self.process.wait(20)

    def post(self, query: str, method: str = "POST", body: str = "", **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, f"/r?{query}", body, {"User-Agent": PHONE} | named)
        status = connection.getresponse().status
        connection.close()
        return status

    def rotate(self) -> Path:
        """Rename the log and have nginx open a new one."""
        old = self.log.rename(self.log.with_suffix(".log.1"))
        self.process.send_signal(signal.SIGUSR1)
        for _ in range(200):
            if self.log.exists():
                break
            time.sleep(0.02)
        time.sleep(0.1)
        return old


@pytest.fixture
def path(settings: Settings) -> WritePath:
    return WritePath(settings)


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    folder = tmp_path / "edge"
    folder.mkdir()
    with Edge(folder, "Asia/Shanghai").running() as edge:
        yield edge


def taker(path: WritePath, zone: str = "Asia/Shanghai") -> EdgeTaker:
    lines = EdgeLines(path.attributions, ZoneInfo(zone))
    return EdgeTaker(path.spool, lines, path.settings.home / "edge", lambda: DAY)


@needs_nginx
def test_what_nginx_writes_is_what_our_collector_keeps(path: WritePath, edge: Edge) -> None:
    token, other = path.attributions.sign(LINK), path.attributions.seal(PAGE)
    said = path.beacon
    asked: list[tuple[str, dict[str, str]]] = [
        (said("engaged", token), {"Cookie": "sp_v=00000000000000ff"}),
        (said("completed"), {"Cookie": f"sp_lang=en; sp_a={token}; sp_v=fedcba9876543210"}),
        (said("shared"), {"Cookie": f"sp_a={other}; sp_v=00000000000000ff"}),
        (said("engaged", "forged"), {"Cookie": "sp_v=00000000000000ff"}),
        (said("engaged", "-"), {"Cookie": "sp_v=00000000000000ff"}),
        (said("engaged", "%E4%BC%AA"), {"Cookie": "sp_v=00000000000000ff"}),
        (said(), {"User-Agent": "curl/8.0", "Cookie": "sp_v=00000000000000ff"}),
        (said(), {"User-Agent": "Slackbot-LinkExpanding 1.0"}),
        (said(), {"Sec-Purpose": "prefetch;prerender"}),
        ("k=engaged&p=invented&a=", {}),
        ("k=engaged&p=in%09vented&a=", {}),
        (said("visited"), {}),
        ("", {}),
        ("%FF%00", {}),
        (said() + "%0A", {}),
        (said() + "&k=shared", {}),
        ("a=&p=x&k=engaged", {}),
    ]  # fmt: skip
    for query, headers in asked:
        assert edge.post(query, **headers) == 204
        environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        path.post(query, **environ)
    own, own_drops = path.events(), path.drops()
    for file in path.spool.folder.glob("*.tsv"):
        file.unlink()
    done = taker(path).take(edge.log)
    assert (done.bad, done.other_days, done.unfinished) == (0, 0, 0)
    same = ("kind", "quantity", "visitor", "campaign", "piece", "outlet", "channel", "audience", "place")
    assert [[one[name] for name in same] for one in path.events()] == [
        [one[name] for name in same] for one in own
    ]
    assert path.drops() == own_drops
    assert {one["source"] for one in path.events()} == {"edge"} and len(
        {one["id"] for one in path.events()}
    ) == 5
    for file in path.spool.folder.glob("*.tsv"):
        fits = are_drop_lines if file.name.startswith(DROPS) else are_lines
        assert fits(file.read_bytes())


@needs_nginx
def test_nginx_logs_fourteen_columns_no_address_and_only_what_it_kept(path: WritePath, edge: Edge) -> None:
    assert edge.post(path.beacon(), Cookie="sp_v=x\ty", User_Agent="M\x7f o\\z") == 204
    assert edge.post(path.beacon(), body="xx") == 413
    assert edge.post(path.beacon(), "GET") == 405
    (line,) = edge.log.read_bytes().splitlines(keepends=True)
    columns = line.decode().rstrip("\n").split("\t")
    assert len(columns) == len(COLUMNS) and b"127.0.0.1" not in line
    assert columns[5] == "x" and columns[12] == "M"
    at = datetime.strptime(columns[1], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - at).total_seconds()) < 20
    assert not is_line(line), "a line of an edge must not be fit for the store as it is"


@needs_nginx
@pytest.mark.parametrize(
    ("zone", "wrong"), [("Pacific/Kiritimati", "Etc/GMT+12"), ("Etc/GMT+12", "Pacific/Kiritimati")]
)
def test_the_day_is_the_institutions(path: WritePath, tmp_path: Path, zone: str, wrong: str) -> None:
    """Two zones that never have the same date: so the day is certainly not that of UTC in one of them."""
    folder = tmp_path / "edge"
    folder.mkdir()
    with Edge(folder, zone).running() as edge:
        assert edge.post(path.beacon()) == 204
    day = edge.log.read_text().split("\t")[2]
    assert day == datetime.now(ZoneInfo(zone)).date().isoformat()
    assert taker(path, zone).take(edge.log).other_days == 0
    assert [one["day"] for one in path.events()] == [day]
    other = WritePath(path.settings.model_copy(update={"home": tmp_path / "other"}))
    assert taker(other, wrong).take(edge.log).other_days == 1  # and then the day is computed again
    assert [one["day"] for one in other.events()] == [datetime.now(ZoneInfo(wrong)).date().isoformat()]


@needs_nginx
def test_through_rotation_each_line_is_taken_once(path: WritePath, edge: Edge, store: ReachStore) -> None:
    drain, hand = Drain(path.spool, store), taker(path)
    for number in range(1, 4):
        assert edge.post(path.beacon(), Cookie=f"sp_v={number:016x}") == 204
    assert hand.take(edge.log).events == 3  # while nginx goes on writing to it
    assert edge.post(path.beacon(), Cookie=f"sp_v={4:016x}") == 204
    old = edge.rotate()
    assert edge.post(path.beacon(), Cookie=f"sp_v={5:016x}") == 204
    drain.run_once()
    assert [hand.take(old).events, hand.take(edge.log).events] == [1, 1]
    copy = old.with_name("copied.log")
    shutil.copyfile(old, copy)
    assert [hand.take(one).events for one in (old, copy, edge.log)] == [0, 0, 0]
    drain.run_once()
    assert store.query("SELECT visitor, count() FROM reach_event GROUP BY visitor ORDER BY visitor") == [
        (number, 1) for number in range(1, 6)
    ]


def lines(path: WritePath, count: int, **other: str) -> list[str]:
    """Lines as nginx writes them."""
    said = {
        "at": "2026-09-15 06:30:00.123", "day": "2026-09-15", "kind": "engaged", "quantity": "1",
        "visitor": "x00000000000000ff", "campaign": "", "piece": path.attributions.seal(PAGE), "outlet": "",
        "channel": "", "source": "edge", "batch": "edge-1", "audience": PHONE, "place": "",
    } | other  # fmt: skip
    return ["\t".join([f"{number:032x}", *said.values()]) + "\n" for number in range(1, count + 1)]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_death_beside_the_deposit_neither_loses_nor_doubles(
    path: WritePath, store: ReachStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    log, drain = tmp_path / "edge.log", Drain(path.spool, store)
    log.write_text("".join(lines(path, 3)))
    deposit = path.spool.deposit

    def dying(name: str, content: object) -> None:
        if moment == "after":
            deposit(name, content)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(path.spool, "deposit", dying)
        with pytest.raises(KeyboardInterrupt):
            taker(path).take(log)
    drain.run_once()
    with log.open("a") as more:  # meanwhile nginx went on
        more.write("".join(lines(path, 4)[3:]))
    taker(path).take(log)
    drain.run_once()
    assert store.query("SELECT id, count() FROM reach_event GROUP BY id ORDER BY id") == [
        (f"edge-1-{number:032x}", 1) for number in range(1, 5)
    ]


def test_without_the_noted_range_the_same_death_doubles(
    path: WritePath, store: ReachStore, tmp_path: Path
) -> None:
    """The control: whoever forgets how far a growing file was taken counts its beginning again."""
    log, drain = tmp_path / "edge.log", Drain(path.spool, store)
    log.write_text("".join(lines(path, 3)))
    taker(path).take(log)
    drain.run_once()
    for note in (path.settings.home / "edge").glob("*.json"):
        note.unlink()
    with log.open("a") as more:
        more.write("".join(lines(path, 4)[3:]))
    taker(path).take(log)
    drain.run_once()
    assert store.query("SELECT max(n) FROM (SELECT count() AS n FROM reach_event GROUP BY id)") == [(2,)]


def test_bad_lines_are_set_aside_and_counted_and_the_rest_is_kept(path: WritePath, tmp_path: Path) -> None:
    good = lines(path, 2)
    bad = [
        good[0].replace("\tedge\t", "\tpage\t"), good[0].replace("\t1\t", "\t900\t"), good[0].replace("x00", "00"),
        good[0][:-1] + "x\n", good[0].replace("2026-09-15 06:30", "2026-09-31 06:30"), "\n", "GET / HTTP/1.1\n",
    ]  # fmt: skip
    log = tmp_path / "edge.log"
    log.write_bytes("".join([good[0], *bad, good[1]]).encode() + b"\xff\xfe\n" + b"torn")
    done = taker(path).take(log)
    assert (done.events, done.bad, done.unfinished) == (2, len(bad) + 1, 4)
    (aside,) = (path.spool.folder / REJECTED).iterdir()
    assert aside.read_bytes() == "".join(bad).encode() + b"\xff\xfe\n"
    assert path.drops() == {"rejected_line": len(bad) + 1}
    assert len(path.events()) == 2


def test_a_plain_attribution_in_the_columns_is_not_believed(path: WritePath, tmp_path: Path) -> None:
    log = tmp_path / "edge.log"
    forged = (
        lines(path, 1, campaign="gold-month") + lines(path, 2, piece="full-surrender", outlet="33010601")[1:]
    )
    log.write_text("".join(forged))
    assert taker(path).take(log).events == 1
    (event,) = path.events()
    assert (event["campaign"], event["outlet"], event["channel"]) == (PAGE.campaign, "", "direct")
    assert path.drops() == {"forged_attribution": 1, "forged_keys": 1}


def test_a_file_that_is_gone_or_was_cut_is_said(path: WritePath, tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        taker(path).take(tmp_path / "nothing")
    log = tmp_path / "edge.log"
    log.write_text("".join(lines(path, 3)))
    taker(path).take(log)
    log.write_text("".join(lines(path, 1)))
    with pytest.raises(Conflict):
        taker(path).take(log)
    log.write_text("half a line")
    assert taker(path).take(log).unfinished == 11


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 13), st.text(max_size=30)), max_size=3))
def test_no_column_of_an_edge_reaches_the_store_unseen(
    path: WritePath, changes: list[tuple[int, str]]
) -> None:
    columns = lines(path, 1)[0].rstrip("\n").split("\t")
    for at, text in changes:
        columns[at] = text
    line = ("\t".join(columns) + "\n").encode("utf-8", "surrogatepass")
    read = EdgeLines(path.attributions, ZoneInfo("Asia/Shanghai")).read(line, "edge-x")
    for event in read.events:
        assert (event.piece, event.campaign, event.outlet) == (PAGE.piece, PAGE.campaign, "")
        assert event.kind in ("engaged", "completed", "shared") and event.quantity == 1
