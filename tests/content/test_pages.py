"""content.pages: published pages as bytes, counted each time, never one visitor's for another."""

import gzip
import threading
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pytest

from content import pages
from content.pages import Generation, PageCache, PageFacts
from core.database import Database
from core.settings import Settings
from tests import factories
from tracking.attribution import PageKeys

LONG = "页" * 600


class Site:
    """A small application: pages that are marked, pages that are not, and how often each was rendered."""

    def __init__(self) -> None:
        self.rendered: list[str] = []
        self.seen: list[dict[str, Any]] = []
        self.status = "200 OK"
        self.slow = 0.0
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self.cookie = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.rendered.append(path)
        self.seen.append(dict(environ))
        self.entered.set()
        self.go_on.wait(30)
        time.sleep(self.slow)
        if path.startswith("/p/"):
            pages.mark(environ, PageFacts(PageKeys(piece=path[3:]), cache=not path.endswith("live")))
        headers = [("Content-Type", "text/html; charset=utf-8"), ("X-Kept", "1")]
        if self.cookie:
            headers.append(("Set-Cookie", "session=of-one-visitor"))
        start_response(self.status, headers)
        words = f"{path} {environ.get('HTTP_COOKIE', '')} {environ.get('QUERY_STRING', '')} {LONG}"
        return [words.encode()]


class Counter:
    """Counts visits, and gives each visitor a cookie."""

    def __init__(self) -> None:
        self.visits: list[tuple[str, str]] = []

    def visit(self, environ: dict[str, Any], keys: PageKeys) -> list[tuple[str, str]]:
        self.visits.append((keys.piece, environ.get("QUERY_STRING", "")))
        return [("Set-Cookie", f"sp_v={len(self.visits)}")]


class Visitor:
    """Asks the cache as a server would."""

    def __init__(self, *, largest: int = pages.LARGEST) -> None:
        self.site, self.counter, self.generation = Site(), Counter(), 1
        self.cache = PageCache(self.site, self.counter, lambda: self.generation, largest=largest)

    def ask(self, path: str, *, method: str = "GET", query: str = "", **more: str) -> "Answer":
        environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, **more}
        answer = Answer()
        answer.body = b"".join(self.cache(environ, answer.start))
        return answer


class Answer:
    """What came back."""

    body = b""
    status = ""
    headers: list[tuple[str, str]]

    def start(self, status: str, headers: list[tuple[str, str]], _exc: Any = None) -> None:
        self.status, self.headers = status, headers

    def __getitem__(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()


def test_a_page_is_rendered_once_and_counted_each_time(visitor: Visitor) -> None:
    answers = [visitor.ask("/p/a") for _ in range(3)]
    assert visitor.site.rendered == ["/p/a"]
    assert visitor.counter.visits == [("a", "")] * 3
    assert {answer.body for answer in answers} == {answers[0].body}
    assert [answer["Set-Cookie"] for answer in answers] == ["sp_v=1", "sp_v=2", "sp_v=3"]
    assert answers[0]["X-Kept"] == "1"
    assert answers[0]["Vary"] == "Cookie, Accept-Encoding"
    assert "no-cache" in answers[0]["Cache-Control"]
    assert int(answers[0]["Content-Length"]) == len(answers[0].body)


def test_what_is_not_marked_is_handed_through_and_not_counted(visitor: Visitor) -> None:
    for _ in range(3):
        answer = visitor.ask("/form", HTTP_COOKIE="sp_session=mine")
    assert b"sp_session=mine" in answer.body
    assert visitor.counter.visits == []
    assert len(visitor.site.rendered) == 4  # the first time it was tried without the visitor's cookies


def test_the_session_of_a_visitor_never_reaches_a_kept_page(visitor: Visitor) -> None:
    first = visitor.ask("/p/a", HTTP_COOKIE="sp_session=mine; sp_elder=1; sp_lang=en")
    assert b"sp_session" not in first.body
    assert all("sp_session" not in seen.get("HTTP_COOKIE", "") for seen in visitor.site.seen)
    assert b"sp_lang=en; sp_elder=1" in first.body


def test_an_answer_that_sets_a_cookie_is_not_kept(visitor: Visitor) -> None:
    visitor.site.cookie = True
    visitor.ask("/p/a")
    visitor.ask("/p/a")
    assert visitor.site.rendered.count("/p/a") > 2
    assert len(visitor.counter.visits) == 2


def test_language_and_elder_mode_are_pages_of_their_own(visitor: Visitor) -> None:
    for cookies in ("", "sp_v=7", "sp_lang=zh", "sp_lang=en", "a=b; sp_elder=1", "sp_lang=en; sp_elder=1"):
        visitor.ask("/p/a", HTTP_COOKIE=cookies)
        visitor.ask("/p/a", HTTP_COOKIE=cookies)
    assert len(visitor.site.rendered) == 5  # sp_v is nobody's business


def test_a_language_nobody_knows_and_a_name_that_only_ends_alike_change_nothing(visitor: Visitor) -> None:
    visitor.ask("/p/a")
    visitor.ask("/p/a", HTTP_COOKIE="sp_lang=<script>; xsp_elder=1; sp_elder=2")
    assert len(visitor.site.rendered) == 1


@pytest.mark.parametrize("query", ["a=token", "utm_source=x&utm_medium=y", "a=t&utm_campaign=z"])
def test_attribution_changes_nothing_on_the_page_but_is_counted(visitor: Visitor, query: str) -> None:
    visitor.ask("/p/a")
    answer = visitor.ask("/p/a", query=query)
    assert visitor.site.rendered == ["/p/a"]
    assert b"token" not in answer.body
    assert visitor.counter.visits[-1] == ("a", query)


def test_any_other_query_is_rendered_anew_and_counted(visitor: Visitor) -> None:
    visitor.ask("/p/a")
    visitor.ask("/p/a", query="lang=en")
    visitor.ask("/p/a", query="lang=en")
    assert len(visitor.site.rendered) == 3
    assert len(visitor.counter.visits) == 3


def test_a_page_not_to_be_kept_is_counted(visitor: Visitor) -> None:
    visitor.ask("/p/live")
    visitor.ask("/p/live")
    assert len(visitor.counter.visits) == 2


def test_unchanged_is_answered_in_a_word_and_counted(visitor: Visitor) -> None:
    etag = visitor.ask("/p/a")["ETag"]
    for known in (etag, f'W/"x", {etag}', "*"):
        answer = visitor.ask("/p/a", HTTP_IF_NONE_MATCH=known)
        assert (answer.status, answer.body) == ("304 Not Modified", b"")
        assert answer["ETag"] == etag
        assert not answer["Content-Length"]
    assert visitor.ask("/p/a", HTTP_IF_NONE_MATCH='"other"').status == "200 OK"
    assert len(visitor.counter.visits) == 5


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip, br", True),
        ("br;q=1.0, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("br", False),
    ],
)
def test_gzip_is_negotiated(visitor: Visitor, accepted: str, packed: bool) -> None:
    plain = visitor.ask("/p/a")
    answer = visitor.ask("/p/a", HTTP_ACCEPT_ENCODING=accepted)
    assert (answer["Content-Encoding"] == "gzip") is packed
    assert (gzip.decompress(answer.body) if packed else answer.body) == plain.body
    assert (answer["ETag"] == plain["ETag"]) is not packed
    again = visitor.ask("/p/a", HTTP_ACCEPT_ENCODING=accepted, HTTP_IF_NONE_MATCH=answer["ETag"])
    assert again.status == "304 Not Modified"
    assert again["ETag"] == answer["ETag"]


def test_head_has_the_headers_of_get_and_is_not_counted(visitor: Visitor) -> None:
    head = visitor.ask("/p/a", method="HEAD")
    get = visitor.ask("/p/a")
    assert head.body == b""
    assert (head["ETag"], head["Content-Length"]) == (get["ETag"], get["Content-Length"])
    assert len(visitor.counter.visits) == 1


def test_what_somebody_posts_goes_through(visitor: Visitor) -> None:
    visitor.ask("/p/a")
    visitor.ask("/p/a", method="POST")
    assert len(visitor.site.rendered) == 2
    assert len(visitor.counter.visits) == 1


def test_an_error_is_neither_kept_nor_counted(visitor: Visitor) -> None:
    visitor.site.status = "500 Internal Server Error"
    assert visitor.ask("/p/a").status.startswith("500")
    assert visitor.counter.visits == []
    visitor.site.status = "200 OK"
    assert visitor.ask("/p/a").status == "200 OK"
    before = len(visitor.site.rendered)
    visitor.ask("/p/a")
    assert len(visitor.site.rendered) == before
    assert len(visitor.counter.visits) == 2


def test_a_new_generation_renders_anew(visitor: Visitor) -> None:
    visitor.ask("/p/a")
    visitor.ask("/form")
    visitor.generation = 2
    visitor.ask("/p/a")
    visitor.ask("/p/a")
    assert visitor.site.rendered.count("/p/a") == 2


def test_a_page_rendered_while_the_generation_changed_is_not_kept(visitor: Visitor) -> None:
    visitor.site.entered.clear()
    visitor.site.go_on.clear()
    thread = threading.Thread(target=visitor.ask, args=("/p/a",))
    thread.start()
    assert visitor.site.entered.wait(30)
    visitor.generation = 2
    visitor.cache._forget(2)  # as the next request of anybody does
    visitor.site.go_on.set()
    thread.join()
    visitor.ask("/p/a")
    assert visitor.site.rendered.count("/p/a") == 2


def race(visitor: Visitor) -> int:
    visitor.site.slow = 0.1
    start = threading.Barrier(12)

    def work() -> None:
        start.wait()
        visitor.ask("/p/a")

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(visitor.site.rendered)


def test_however_many_ask_at_once_it_is_rendered_once(visitor: Visitor) -> None:
    assert race(visitor) == 1
    assert len(visitor.counter.visits) == 12


class NoTurn:
    """A lock that lets everybody in."""

    def __enter__(self) -> None: ...
    def __exit__(self, *_args: object) -> None: ...


class NoTurns(dict[Any, Any]):
    """Gives everybody a turn at once."""

    def setdefault(self, _key: Any, _default: Any = None) -> NoTurn:
        return NoTurn()


def test_the_race_is_real_without_the_turn(visitor: Visitor) -> None:
    visitor.cache._filling = NoTurns()
    assert race(visitor) > 1


def test_memory_is_bounded_and_the_least_used_goes() -> None:
    visitor = Visitor(largest=9_000)
    for path in ("/p/a", "/p/b"):
        visitor.ask(path)
    visitor.ask("/p/a")
    visitor.ask("/p/c")
    visitor.ask("/p/d")
    rendered = len(visitor.site.rendered)
    visitor.ask("/p/d")
    assert len(visitor.site.rendered) == rendered
    visitor.ask("/p/b")
    assert len(visitor.site.rendered) == rendered + 1
    assert visitor.cache._bytes <= 9_000


def test_a_bump_is_seen_at_once_here_and_when_it_is_due_elsewhere(
    database: Database, settings: Settings
) -> None:
    here = Generation(database, settings.zone, seconds=3600)
    elsewhere = Generation(database, settings.zone, seconds=3600)
    before, there = here(), elsewhere()
    with database.transaction() as session:
        pages.bump(session)
        pages.bump(session)
        assert here() == before
    elsewhere._seen = pages._changes_here  # as another process, which learns of it only by asking
    assert here() != before
    assert elsewhere() == there
    elsewhere._due_at -= 3601
    assert elsewhere() == here()


def test_a_bump_that_is_rolled_back_changes_nothing(database: Database, settings: Settings) -> None:
    here = Generation(database, settings.zone, seconds=0)
    before = here()
    with pytest.raises(RuntimeError), database.transaction() as session:
        pages.bump(session)
        raise RuntimeError
    assert here() == before


def test_a_changed_outlet_is_a_new_generation(database: Database, settings: Settings, now: datetime) -> None:
    here = Generation(database, settings.zone, seconds=0)
    before = here()
    with database.transaction() as session:
        factories.tree(session, now)
    assert here() != before


def test_without_the_database_the_last_answer_stands(settings: Settings, tmp_path: Any) -> None:
    broken = Generation(Database(f"sqlite:///{tmp_path}/none/none.db"), settings.zone, seconds=0)
    assert broken() == broken() == 0
