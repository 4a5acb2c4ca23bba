"""webapp.limiting and webapp.shielding: how much, how often, and what a browser is told."""

import gc
import io
from collections.abc import Iterator
from datetime import datetime

import pytest
from flask import Flask
from limits import parse
from limits.errors import StorageError
from limits.storage import MemoryStorage

from core.database import Database
from core.settings import Settings
from tests import entering, factories
from webapp import limiting
from webapp.counting import CountingMemory
from webapp.create_app import create_app
from webapp.limiting import Limiter, network
from webapp.runtime import build


@pytest.fixture
def app(settings: Settings, now: datetime) -> Iterator[Flask]:
    runtime = build(settings)
    with runtime.service(Database).transaction() as session:
        factories.cast(session, now)
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    runtime.close()


def tighten(app: Flask, **rates: str) -> None:
    limiter: Limiter = app.extensions["signpost_limiter"]
    limiter.rates.update({kind.replace("_", "-"): parse(rate) for kind, rate in rates.items()})


def test_too_many_tries_are_told_when_to_come_back(app: Flask) -> None:
    tighten(app, sign_in="3/minute")
    client = app.test_client()
    for _try in range(3):
        assert client.post("/desk/sign-in", data={"login": "x", "password": "y"}).status_code != 429
    answer = client.post("/desk/sign-in", data={"login": "x", "password": "y"})
    assert answer.status_code == 429 and 1 <= int(answer.headers["Retry-After"]) <= 60
    assert "太频繁" in answer.text
    elsewhere = client.post(
        "/desk/sign-in", data={"login": "x"}, environ_base={"REMOTE_ADDR": "198.51.100.7"}
    )
    assert elsewhere.status_code != 429
    assert client.get("/desk/sign-in").status_code == 200


def test_people_behind_one_address_do_not_hinder_each_other(app: Flask) -> None:
    tighten(app, write="2/minute", export="1/minute")
    one = entering.client(app, factories.ADMINISTRATOR)
    other = entering.client(app, factories.EDITOR)
    assert [one.post("/desk/nothing-here").status_code for _try in range(3)] == [404, 404, 429]
    assert other.post("/desk/nothing-here").status_code == 404
    assert one.get("/desk/outlets?export=csv").status_code == 200
    assert one.get("/desk/outlets?export=csv").status_code == 429
    assert one.get("/desk/outlets").status_code == 200


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_large_bodies_come_only_from_who_is_signed_in(app: Flask) -> None:
    big = b"x" * (limiting.LARGEST_FORM + 1)
    stranger = app.test_client()
    assert stranger.post("/desk/sign-in", data={"file": (io.BytesIO(big), "a.csv")}).status_code == 413
    assert stranger.post("/elder", data={"on": big.decode()}).status_code == 413
    insider = entering.client(app, factories.ADMINISTRATOR)
    upload = {"file": (io.BytesIO(big), "a.csv"), "as_of": ""}
    assert insider.post("/desk/outlets/import", data=upload).status_code not in (413, 500)
    assert insider.post("/desk/outlets/import", data={"x": big.decode()}).status_code == 413
    huge = {"file": (io.BytesIO(b"x" * (limiting.LARGEST_UPLOAD + 1)), "a.csv")}
    assert insider.post("/desk/outlets/import", data=huge).status_code == 413
    gc.collect()  # the test client leaves the spool of a large upload open


def test_too_many_fields_headers_or_letters_are_refused(app: Flask) -> None:
    client = app.test_client(use_cookies=False)
    fields = "&".join(f"a{number}=" for number in range(limiting.MOST_FIELDS + 1))
    form = "application/x-www-form-urlencoded"
    assert client.post("/desk/sign-in", data=fields, content_type=form).status_code == 413
    parts = {f"a{number}": "" for number in range(limiting.MOST_PARTS + 200)}
    many = client.post("/desk/sign-in", data=parts, content_type="multipart/form-data")
    assert many.status_code == 413
    assert client.get("/?q=" + "x" * 9000).status_code == 414
    assert client.get("/", headers={"Cookie": "a=" + "x" * 20_000}).status_code == 431
    assert client.get("/", headers=[(f"X-H{number}", "1") for number in range(120)]).status_code == 431


def test_a_store_of_rates_that_is_down_does_not_close_the_site(app: Flask) -> None:
    class Down:
        def hit(self, *args: object) -> bool:
            raise StorageError(OSError("gone"))

    limiter = Limiter(Down(), limiting.RATES)  # type: ignore[arg-type]
    assert limiter.wait("write", "somebody") == 0


def test_addresses_are_counted_by_customer() -> None:
    assert network("2001:db8:1:2:3::9") == network("2001:db8:1:2::1") != network("2001:db8:1:3::1")
    assert network("192.0.2.1") != network("192.0.2.2")
    assert network("nonsense") == network("") == "unknown"


@pytest.mark.parametrize("path", ["/", "/desk/sign-in", "/nothing", "/desk"])
def test_every_answer_defends_its_user(app: Flask, path: str) -> None:
    headers = app.test_client().get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "default-src 'self'" in policy and "form-action 'self'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in headers
    if path.startswith("/desk"):
        assert headers["Cache-Control"] == "no-store"


def test_behind_tls_cookies_are_bound_to_this_host(settings: Settings, now: datetime) -> None:
    runtime = build(settings.model_copy(update={"public_url": "https://edu.example.com"}))
    with runtime.service(Database).transaction() as session:
        factories.cast(session, now)
    answer = create_app(runtime).test_client().get("/desk/sign-in", base_url="https://edu.example.com")
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if "session" in one)
    assert cookie.startswith("__Host-sp_session=")
    assert "Domain" not in cookie
    for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert flag in cookie
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    runtime.close()


def test_registrations_without_proof_of_work_are_fewer(app: Flask) -> None:
    tighten(app, register_plain="2/minute", register="5/minute")
    client = app.test_client()
    plain = [client.post("/e/nothing", data={"proof": ""}).status_code for _try in range(3)]
    assert 429 not in plain[:2] and plain[2] == 429
    assert client.post("/e/nothing", data={"proof": "7"}).status_code != 429


@pytest.mark.parametrize(
    ("kind", "same"), [(CountingMemory, True), (MemoryStorage, False)], ids=["ours", "control"]
)
def test_counting_in_memory_starts_no_thread_for_a_request(kind: type[MemoryStorage], same: bool) -> None:
    store = kind()
    first = store.timer
    first.join()
    for _hit in range(3):
        store.incr("somebody", 60)
    assert (store.timer is first) is same
    assert store.get("somebody") == 3


def test_counting_in_memory_forgets_what_is_over() -> None:
    store = CountingMemory()
    store.incr("gone", 0)
    store.incr("stays", 60)
    store._due = 0.0
    store.incr("stays", 60)
    assert set(store.storage) == {"stays"}
