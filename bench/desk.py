"""The ten most used desk pages of the demo institution, on one worker; and what being signed in costs a request.

Each page is fetched by an administrator and by a branch manager over one connection, in turn. The overhead is
the difference of two posts that each commit one small write: one through session, permission, place and audit
record, one through none of them (rates are not counted: so many posts would be refused), measured in pairs.
Ends with `RESULT {"p95_ms": the worst page, "overhead_ms": …}`.
"""

import argparse
import http.client
import itertools
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import text

from bench import desk_fill
from bench.load import Server, folder, serve
from content.pages import Generation, PageCache
from core import clock
from core.database import Database
from core.http import transaction
from core.settings import Settings
from institution import access, audit, outlets
from tracking.collector import Collector
from tracking.recorder import Recorder
from webapp import background
from webapp.affinity import Roaming
from webapp.create_app import create_app
from webapp.runtime import build

PAGES = (
    "/desk",
    "/desk/approvals",
    "/desk/campaigns",
    "/desk/pieces",
    "/desk/pieces/full-surrender",
    "/desk/plans",
    "/desk/audience",
    "/desk/outlets",
    "/desk/outlets/{outlet}",
    "/desk/reach",
)
ALSO = ("/desk/staff", "/desk/audit", "/desk/search.json?q=33")
PEOPLE = ("bench.admin", "bench.branch")
_WRITE, _NUMBERS = text("UPDATE outlet SET hours = :hours WHERE code = :code"), itertools.count()


def build_probe() -> Callable[..., Any]:
    """The application as it is served, with two routes more: the same write, guarded and bare."""
    runtime = build(Settings())
    app = create_app(runtime)
    for name, view in (("probe_guarded", _guarded), ("probe_bare", _bare)):
        app.add_url_rule(f"/desk/{name}/<code>", name, view, methods=["POST"])
        app.extensions["csrf"].exempt(app.view_functions[name])
    background.start(runtime)
    roaming, recorder = Roaming(app), runtime.service(Recorder)
    line = Collector(PageCache(roaming, recorder, runtime.service(Generation)), recorder)
    roaming.settle()
    return line


def _write(session: Any, code: str) -> None:
    # something else every time: a write that changes nothing leaves SQLite nothing to bring to the disk
    session.execute(_WRITE, {"code": code, "hours": str(next(_NUMBERS))})


@access.requires("outlet.edit", at=lambda _session, given: str(given["code"]))
def _guarded(code: str) -> str:
    with transaction() as session:
        _write(session, code)
        audit.record(
            session,
            "outlet.edit",
            "outlet",
            code,
            before={"hours": "9"},
            after={"hours": "10"},
            outlet_code=code,
        )
    return ""


@access.public
def _bare(code: str) -> str:
    with transaction() as session:
        _write(session, code)
    return ""


def _cookies(settings: Settings) -> tuple[dict[str, str], str]:
    """A signed session cookie for each person; and an outlet of the branch."""
    runtime = build(settings)
    app, now = create_app(runtime), clock.now()
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    with runtime.service(Database).transaction() as session:
        people = desk_fill.work(session, now)
    with runtime.service(Database).transaction() as session:
        tokens = {login: desk_fill.token(session, number, now) for login, number in people.items()}
        outlet = max(outlets.subtree(session, desk_fill.BRANCH), key=len)
    name = app.config["SESSION_COOKIE_NAME"]
    cookies = {
        login: f"{name}={signer.dumps({'_user_id': token, '_fresh': True, '_permanent': True})}"
        for login, token in tokens.items()
    }
    runtime.close()
    return cookies, outlet


class Visitor:
    """One connection with one cookie."""

    def __init__(self, server: Server, cookie: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self._headers = {"Cookie": cookie, "Accept": "text/html"}

    def ask(self, method: str, path: str) -> float:
        """Milliseconds until the whole answer is there; it must be a 200."""
        begun = time.perf_counter()
        self._connection.request(method, path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        took = (time.perf_counter() - begun) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status} {answer.getheader('Location') or ''}")
        return took


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _pages(people: dict[str, Visitor], outlet: str, rounds: int) -> float:
    """Measure every page in turn; prints a line for each and returns the worst p95 of the ten."""
    times: dict[tuple[str, str], list[float]] = {}
    for number in range(rounds + 2):
        for page in (*PAGES, *ALSO):
            for login, visitor in people.items():
                if login == "bench.branch" and page == "/desk/audit":
                    continue
                took = visitor.ask("GET", page.format(outlet=outlet))
                if number > 1:  # the first two fill caches, as the first visitors of the day do
                    times.setdefault((page, login), []).append(took)
    for (page, login), seen in times.items():
        print(f"{page:<32}{login:<14}p50 {statistics.median(seen):7.1f} ms   p95 {_p95(seen):7.1f} ms")
    return max(_p95(seen) for (page, _login), seen in times.items() if page in PAGES)


def _overhead(visitor: Visitor, outlet: str, rounds: int) -> float:
    """The median of the differences between each guarded write and the bare one next to it.

    Pairs, because what else the machine does changes slowly and hits both of a pair alike; which of the two
    goes first changes every time.
    """
    seen: dict[str, list[float]] = {"bare": [], "guarded": []}
    for number in range(rounds):
        for kind in ("bare", "guarded") if number % 2 else ("guarded", "bare"):
            seen[kind].append(visitor.ask("POST", f"/desk/probe_{kind}/{outlet}"))
    more = [guarded - bare for bare, guarded in zip(seen["bare"], seen["guarded"], strict=True)]
    bare, guarded = (statistics.median(seen[kind]) for kind in ("bare", "guarded"))
    low, middle, high = statistics.quantiles(more, n=4)
    print(f"a write {bare:.2f} ms; signed in, allowed there and on record {guarded:.2f} ms")
    print(f"of {rounds} pairs the difference {middle:.2f} ms (half of them {low:.2f} to {high:.2f})")
    return middle


def main() -> None:
    """Load, serve, measure, print the result."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=60)
    arguments.add_argument("--scale", type=int, default=100)
    arguments.add_argument("--home", type=Path, help="keep the filled installation here and use it again")
    chosen = arguments.parse_args()
    with folder() as scratch:
        home = chosen.home or scratch / "home"
        settings = Settings(_env_file=None, home=home)
        if not (home / "signpost.db").exists():
            home.mkdir(parents=True, exist_ok=True)
            desk_fill.institution(settings, chosen.scale)
        cookies, outlet = _cookies(settings)
        server = serve("bench.desk:build_probe", {"SIGNPOST_HOME": str(home), "SIGNPOST_RATE_STORAGE": ""})
        try:
            people = {login: Visitor(server, cookie) for login, cookie in cookies.items()}
            worst = _pages(people, outlet, chosen.rounds)
            overhead = _overhead(people["bench.admin"], outlet, chosen.rounds * 8)
        finally:
            server.stop()
    print("RESULT " + json.dumps({"p95_ms": round(worst, 1), "overhead_ms": round(overhead, 2)}))


if __name__ == "__main__":
    main()
