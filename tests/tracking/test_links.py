"""Short links: lead to pages of this site with a signed attribution, count once where they lead, end when ended."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, col, select
from werkzeug.test import Client, TestResponse

from core import clock
from core.database import Database
from core.errors import Conflict, Invalid
from core.settings import Settings
from core.signing import Keys
from institution.audit_models import AuditRecord
from institution.powers import WHOLE, Scope
from tests import entering, factories
from tests.factories import BRANCH_MANAGER, OUTLET_A, OUTLET_B, OUTSIDE_OUTLET, OUTSIDER, PROVINCE
from tests.tracking.writing import PHONE
from tracking import links
from tracking.attribution import Attribution, Attributions
from tracking.link_door import LinkDoor
from tracking.link_models import ShortLink
from tracking.links import Aim
from tracking.spool import Spool
from webapp.create_app import create_app
from webapp.doors import doors
from webapp.runtime import Runtime, build
from webapp.wsgi import compose

ATTRIBUTIONS = Attributions(Keys(b"of the tests"))
EVERYTHING = Scope(frozenset({WHOLE}))
TODAY = clock.today(Settings(_env_file=None).zone)


@pytest.fixture
def runtime(settings: Settings, now: datetime) -> Iterator[Runtime]:
    runtime = build(settings)
    with runtime.service(Database).transaction() as session:
        factories.cast(session, now)
        for login in (BRANCH_MANAGER, OUTSIDER):
            factories.staff(session, login, now)
    yield runtime
    runtime.close()


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def session(runtime: Runtime) -> Iterator[Session]:
    with Session(runtime.service(Database).engine, expire_on_commit=False) as session:
        yield session


def make(session: Session, aim: Aim | None = None, node: str = OUTLET_A) -> ShortLink:
    made = links.make(session, aim or Aim(), node, by=None, now=clock.now())
    session.commit()
    return made


def everything(session: Session) -> list[ShortLink]:
    """All links; the lock is let go of, for the desk writes beside this session."""
    found = list(session.exec(select(ShortLink)))
    session.expunge_all()
    session.rollback()
    return found


def follow(runtime: Runtime, path: str, method: str = "GET", agent: str = PHONE) -> TestResponse:
    """Ask the whole line, as a browser does."""
    return Client(compose(runtime)).open(path, method=method, headers={"User-Agent": agent})


def counted(runtime: Runtime) -> list[list[str]]:
    spool = runtime.service(Spool)
    spool.close()
    files = [file for file in spool.sealed() if file.name.startswith("seg-")]
    return [line.split("\t") for file in files for line in file.read_text("utf-8").splitlines()]


def test_it_leads_to_its_page_and_is_counted_once_there(runtime: Runtime, session: Session) -> None:
    made = make(session, Aim("/help", "gold-month", "poster"))
    first = follow(runtime, f"/s/{made.code}")
    assert (first.status_code, first.data, first.headers["Cache-Control"]) == (302, b"", "no-store")
    assert "Set-Cookie" not in first.headers and counted(runtime) == []
    second = follow(runtime, first.headers["Location"])
    assert second.status_code == 200
    (event,) = counted(runtime)
    assert (event[3], event[6], event[8], event[9]) == ("visited", "gold-month", OUTLET_A, "poster")


@pytest.mark.parametrize("agent", ["Slackbot-LinkExpanding 1.0", "curl/8.0", PHONE])
def test_heads_and_robots_are_redirected_and_counted_by_nobody(
    runtime: Runtime, session: Session, agent: str
) -> None:
    made = make(session, Aim("/help"))
    method = "HEAD" if agent is PHONE else "GET"
    answer = follow(runtime, f"/s/{made.code}", method, agent)
    assert answer.status_code == 302
    assert follow(runtime, answer.headers["Location"], method, agent).status_code == 200
    assert counted(runtime) == []


def test_a_query_stays_and_a_chinese_path_travels(runtime: Runtime, session: Session) -> None:
    made = make(session, Aim("/o?province=浙江省&page=2"))
    location = follow(runtime, f"/s/{made.code}").headers["Location"]
    path, _and, token = location.rpartition("&a=")
    assert path == "/o?province=%E6%B5%99%E6%B1%9F%E7%9C%81&page=2"
    assert runtime.service(Attributions).read(token) == Attribution("", OUTLET_A, "qr")


def test_capitals_are_read_too(runtime: Runtime, session: Session) -> None:
    assert follow(runtime, f"/s/{make(session).code.upper()}").status_code == 302


def test_what_never_was_gets_a_page_that_leads_on(runtime: Runtime) -> None:
    for code in ("22222222", "x", "x" * 500, "2222222%09", "..%2Fdesk"):
        answer = follow(runtime, f"/s/{code}")
        assert answer.status_code == 404 and 'href="/library"' in answer.text, code


def test_what_is_over_says_so(runtime: Runtime, session: Session) -> None:
    ended, expired = make(session), make(session, Aim(valid_until=TODAY - timedelta(days=1)))
    links.end(session, ended, clock.now())
    session.commit()
    for one in (ended, expired):
        answer = follow(runtime, f"/s/{one.code}")
        assert answer.status_code == 410 and "已经过期或停用" in answer.text
    last_day = make(session, Aim(valid_until=TODAY))
    assert follow(runtime, f"/s/{last_day.code}").status_code == 302


def test_flask_alone_redirects_as_well(app: Flask, session: Session) -> None:
    made = make(session, Aim("/help"))
    answer = app.test_client().get(f"/s/{made.code}")
    assert answer.status_code == 302 and answer.headers["Location"].startswith("/help?a=")


def _asked(door: LinkDoor, code: str) -> str:
    said: list[str] = []
    environ = {"PATH_INFO": f"/s/{code}", "REQUEST_METHOD": "GET"}
    door(environ, lambda status, _headers, _error=None: said.append(status) or print)  # type: ignore[func-returns-value]
    return said[0]


def test_a_remembered_link_needs_no_database_and_an_ended_one_is_soon_forgotten(
    runtime: Runtime, session: Session
) -> None:
    made = make(session)

    def below(_environ: object, start_response: Callable[..., object]) -> list[bytes]:
        start_response("410 Gone", [])
        return []

    database, attributions = runtime.service(Database), runtime.service(Attributions)
    slow, quick = (LinkDoor(below, database, attributions, lambda: TODAY, age) for age in (60.0, 0.0))
    assert _asked(slow, made.code) == _asked(quick, made.code) == "302 Found"
    links.end(session, made, clock.now())
    session.commit()
    assert _asked(slow, made.code) == "302 Found"  # still remembered: the control of the next line
    assert _asked(quick, made.code) == "410 Gone"


@pytest.mark.parametrize(
    "path",
    [
        "", "help", "//evil.example", "/\\evil.example", "https://evil.example/", "/desk", "/desk/staff", "/s/x",
        "/r", "/r/p.gif", "/internal/reach", "/static/x", "/a b", "/a\nb", "/a\tb", "/x#y", "/x?a=token",
        "/x?y=1&a=token", "/../desk", "/x/../desk", "/" + "x" * 300, "/\x00", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_it_leads_nowhere_else(session: Session, path: str) -> None:
    with pytest.raises(Invalid) as caught:
        make(session, Aim(path))
    assert caught.value.field == "path"


@given(st.text(max_size=40).map(lambda text: "/" + text))
def test_no_path_breaks_out_of_the_header(path: str) -> None:
    try:
        links.check(Aim(path))
    except Invalid:
        return
    link = ShortLink(code="x", path=path, channel="qr", made_at=clock.now())
    assert re.fullmatch(r"/(?!/)[!-~]*[?&]a=[\w-]+", links.target(link, ATTRIBUTIONS))


@pytest.mark.parametrize(
    ("aim", "field"),
    [
        (Aim(campaign="Gold Month"), "campaign"),
        (Aim(channel="微信"), "channel"),
        (Aim(channel=""), "channel"),
        (Aim(note="x" * 121), "note"),
        (Aim(note="a\nb"), "note"),
    ],
)
def test_what_is_wrong_is_named(session: Session, aim: Aim, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        make(session, aim)
    assert caught.value.field == field


def test_codes_are_random_and_have_no_letters_to_mistake(session: Session) -> None:
    codes = {make(session).code for _ in range(50)}
    assert len(codes) == 50
    assert all(re.fullmatch(r"[2-9a-z]{8}", code) and not set(code) & set("01ilouv") for code in codes)


def test_each_outlet_gets_one_and_again_changes_nothing(session: Session) -> None:
    codes = [one.code for one in links.outlets_of(session, PROVINCE, EVERYTHING)]
    assert codes == [OUTLET_A, OUTLET_B]
    given = {"node": PROVINCE, "by": None, "today": TODAY, "now": clock.now()}
    assert links.for_outlets(session, Aim(), codes, **given) == 2  # type: ignore[arg-type]
    assert links.for_outlets(session, Aim(note="又来"), codes, **given) == 0  # type: ignore[arg-type]
    assert links.for_outlets(session, Aim(campaign="c"), codes, **given) == 2  # type: ignore[arg-type]
    found = links.of_outlets(session, Aim(), codes, TODAY)
    links.end(session, found[OUTLET_A], clock.now())
    assert links.for_outlets(session, Aim(), codes, **given) == 1  # type: ignore[arg-type]
    with pytest.raises(Conflict):
        links.for_outlets(session, Aim(valid_until=date(2020, 1, 1)), codes, **given)  # type: ignore[arg-type]
    session.commit()
    actions = session.exec(
        select(AuditRecord.action, AuditRecord.subject).order_by(col(AuditRecord.id))
    ).all()
    assert actions[-4:] == [
        ("link.make", PROVINCE), ("link.make", PROVINCE), ("link.end", found[OUTLET_A].code), ("link.make", PROVINCE),
    ]  # fmt: skip


def test_the_code_of_an_outlet_is_its_short_link_where_there_is_one(
    app: Flask, session: Session, settings: Settings
) -> None:
    client = app.test_client()
    before = client.get(f"/o/{OUTLET_A}/qr.svg").data
    made = make(session)
    after = client.get(f"/o/{OUTLET_A}/qr.svg").data
    assert after.decode() == links.qr_svg(f"{settings.public_url}/s/{made.code}") != before.decode()
    assert len(after) < len(before)
    assert client.get(f"/o/{OUTLET_B}/qr.svg").data != after


def test_on_the_desk_links_are_made_printed_and_ended(app: Flask, session: Session) -> None:
    client = entering.client(app, BRANCH_MANAGER)
    form = {"path": "/help", "outlet_code": OUTLET_A, "channel": "poster", "note": "展架", "campaign": ""}
    assert client.post("/desk/links/new", data=form).status_code == 302
    (made,) = everything(session)
    page = client.get("/desk/links").text
    assert made.code in page and "展架" in page and "西湖文三路柜面" in page
    assert client.get(f"/desk/links/{made.code}/qr.svg").data.startswith(b"<svg")
    assert made.code in client.get("/desk/links?export=csv").text
    assert client.post(f"/desk/links/{made.code}/end").status_code == 302
    assert "已停用" in client.get("/desk/links").text
    assert made.code not in client.get("/desk/links").text
    assert made.code in client.get("/desk/links?all=1").text


def test_the_sheet_has_a_code_for_every_outlet_of_the_branch(app: Flask, session: Session) -> None:
    client = entering.client(app, BRANCH_MANAGER)
    answer = client.post("/desk/links/outlets", data={"path": "/", "outlet_code": PROVINCE})
    assert answer.status_code == 302
    sheet = client.get(answer.headers["Location"]).text
    for one in everything(session):
        assert f"/s/{one.code}" in sheet
    assert sheet.count("<svg width") + sheet.count("<svg xmlns") >= 2 and "西湖古荡柜面" in sheet
    assert entering.client(app, OUTSIDER).get(answer.headers["Location"]).text.count("/s/") == 0


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"path": "//evil.example"}, "本站的一个地址"),
        ({"path": "/", "valid_until": "soon"}, "2026-03-15"),
        ({"path": "/", "valid_until": "2020-01-01"}, "已经过去"),
        ({"path": "/", "outlet_code": OUTSIDE_OUTLET}, "没有"),
        ({"path": "/", "outlet_code": ""}, "没有"),
    ],
)
def test_a_faulty_form_comes_back(app: Flask, session: Session, form: dict[str, str], sentence: str) -> None:
    client = entering.client(app, BRANCH_MANAGER)
    for path in ("/desk/links/new", "/desk/links/outlets"):
        answer = client.post(path, data={"outlet_code": OUTLET_A} | form)
        assert answer.status_code == 400 and sentence in answer.text, path
    assert everything(session) == []


def test_the_doors_let_the_rest_through(runtime: Runtime) -> None:
    seen: list[str] = []

    def below(environ: dict[str, str], start_response: Callable[..., object]) -> list[bytes]:
        seen.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return []

    client: Client = Client(doors(runtime, below))
    for path in ("/", "/s", "/r", "/r/batch/x", "/p/s/x"):
        assert client.get(path).status_code == 200
    assert seen == ["/", "/s", "/r", "/r/batch/x", "/p/s/x"]


def test_links_of_elsewhere_are_not_listed(app: Flask, session: Session) -> None:
    made = make(session, node=OUTSIDE_OUTLET)
    client = entering.client(app, BRANCH_MANAGER)
    assert made.code not in client.get("/desk/links?all=1").text
    assert client.post(f"/desk/links/{made.code}/end").status_code == 404
    assert client.get("/desk/links/22222222/qr.svg").status_code == 404
