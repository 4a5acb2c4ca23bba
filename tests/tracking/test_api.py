"""The JSON API: answers that fit its own description, scopes that hold, tokens that cannot be tried, ETags, limits."""

import csv
import io
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from limits import parse
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from core import clock
from core.database import Database
from core.settings import Settings
from institution import api_tokens
from institution.api_tokens import COLLECT, READ
from tests import factories, servers
from tests.factories import OUTLET_A, OUTSIDE_OUTLET, OUTSIDE_PROVINCE, PROVINCE
from tests.tracking.rows import event, ship
from tracking import api_description, dimensions
from tracking.store import ReachStore
from webapp import api_limiting
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "api.md"
YEAR = "from=2023-01-01&to=2023-12-31"


class Told:
    """A site with reach of two provinces, and tokens to read it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.app: Flask = create_app(runtime)
        self.client: FlaskClient = self.app.test_client()
        self.national = self.token()
        self.provincial = self.token(PROVINCE)

    def token(self, node: str = "", *, purpose: str = READ) -> str:
        with self.runtime.service(Database).transaction() as session:
            return api_tokens.make(
                session, name="test", purposes=[purpose], outlet_code=node, days=9, by=None, now=clock.now()
            )[1]

    def get(self, path: str, token: str | None = None, **headers: str) -> TestResponse:
        shown = {"Authorization": f"Bearer {token or self.national}", **headers}
        return self.client.get(f"/api/v1/{path}", headers=shown)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Told]:
    home = tmp_path_factory.mktemp("api")
    with database_template.copy(home) as url:
        runtime = build(Settings(_env_file=None, home=home, database_url=url, secret_key="of-no-value"))
        with runtime.service(Database).transaction() as session:
            factories.tree(session, clock.now())
            for key in ("of-inside", "of-outside", "of-nobody"):
                dimensions.describe(session, "campaign", key, f"名{key}")
        both = [
            event(f"{year}-09-05", outlet=outlet, visitor=v, campaign=campaign, audience="elders")
            for year, visitors in ((2022, 2), (2023, 3))
            for v in range(1, visitors + 1)
            for outlet, campaign in ((OUTLET_A, "of-inside"), (OUTSIDE_OUTLET, "of-outside"))
        ]
        ship(runtime.service(ReachStore), "s1", both)
        yield Told(runtime)
        runtime.close()


@pytest.fixture(autouse=True)
def fresh_rates(request: pytest.FixtureRequest) -> None:
    """Every test counts from nothing."""
    if "told" in request.fixturenames:
        limiter = request.getfixturevalue("told").app.extensions["signpost_limiter"]
        limiter.strategy.storage.reset()
        limiter.rates.update(api_limiting.RATES)


def document(told: Told) -> dict[str, Any]:
    asked = told.client.get("/api/v1/openapi.json", environ_base={"REMOTE_ADDR": "203.0.113.5"})
    found: dict[str, Any] = asked.get_json()
    return found


def fits(told: Told, answer: TestResponse, shape: str) -> Any:
    """The answer's JSON, if it has the described shape."""
    described = document(told)
    schema = {"$ref": f"#/components/schemas/{shape}", "components": described["components"]}
    found = answer.get_json()
    assert [fault.message for fault in Draft202012Validator(schema).iter_errors(found)] == []
    return found


def test_the_description_is_openapi_and_names_every_route_and_no_other(told: Told) -> None:
    described = document(told)
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    routes = {
        re.sub(r"<(\w+)>", r"{\1}", rule.rule).removeprefix("/api/v1")
        for rule in told.app.url_map.iter_rules()
        if rule.endpoint.startswith("reach_api.")
    }
    assert set(described["paths"]) == routes
    written = DOCUMENT.read_text(encoding="utf-8")
    for parameter in api_description.REACH:
        assert f"`{parameter.name}`" in written, parameter.name


QUESTIONS = [
    "by=branch", "by=outlet,channel", "by=day&compare=none&people=false", "by=kind", "by=audience", "by=place,week",
    "by=campaign&base=2022-09-01/2022-09-30", "by=month&compare=previous", "by=hour&from=2023-09-01&to=2023-09-30",
    "by=piece&where=channel=web;campaign=of-inside,of-outside", "by=province,quarter&compare=weekdays&lang=en",
    "by=channel&where=campaign=of-inside", "",
]  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("node", ["national", "provincial"])
def test_answers_fit_the_description(told: Told, question: str, node: str) -> None:
    days = "" if "from=" in question else YEAR + "&"
    answer = told.get(f"reach?{days}{question}", getattr(told, node))
    assert answer.status_code == 200, answer.text
    found = fits(told, answer, "Report")
    assert found["total"]["gross"] == sum(row["gross"] for row in found["rows"]) > 0


def test_a_shape_that_is_not_described_would_be_noticed(told: Told) -> None:
    answer = told.get(f"reach?{YEAR}")
    found = answer.get_json()
    del found["total"]["people"]
    schema = {"$ref": "#/components/schemas/Report", "components": document(told)["components"]}
    assert list(Draft202012Validator(schema).iter_errors(found))


def test_the_figures_are_those_of_the_desk(told: Told) -> None:
    found = told.get(f"reach?{YEAR}&by=outlet").get_json()
    row = next(row for row in found["rows"] if row["key"] == OUTLET_A)
    assert (row["gross"], row["gross_before"], row["growth"], row["people"]) == (3, 2, 0.5, 3)
    assert found["definition"]["id"] == "2023-1"
    written = told.get(f"reach?{YEAR}&by=outlet&format=csv")
    assert written.mimetype == "text/csv"
    lines = list(csv.reader(io.StringIO(written.get_data().decode("utf-8-sig"))))
    assert lines[-1][2] == str(found["total"]["gross"]) == "6"
    without = told.get(f"reach?{YEAR}&people=false").get_json()["total"]
    assert (without["people"], without["gross"]) == (None, 6)


def test_definitions_and_dimensions_fit_too(told: Told) -> None:
    found = fits(told, told.get("reach/definitions"), "Definitions")
    assert found["definitions"][0]["id"] == "2023-1"
    for name in api_description.DIMENSIONS:
        found = fits(told, told.get(f"reach/dimensions/{name}?on=2023-12-31"), "Dimension")
        assert found["rows"] or name in ("place", "piece"), name
    rows = told.get("reach/dimensions/outlet").get_json()["rows"]
    assert {"key": OUTLET_A, "name": "西湖文三路柜面", "kind": "outlet", "parent": factories.COUNTY} in rows
    assert fits(told, told.get("reach/dimensions/colour"), "Error")["error"]["status"] == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "from"), ("from=yesterday&to=2023-01-01", "from"), ("from=2023-02-01&to=2023-01-01", "to"),
        (f"{YEAR}&by=colour", "by"), (f"{YEAR}&by=outlet,branch", "by"), (f"{YEAR}&compare=month", "compare"),
        (f"{YEAR}&form=csv", "form"), (f"{YEAR}&by=day&by=month", "by"), (f"{YEAR}&format=exe", "format"),
        (f"{YEAR}&where=outlet={OUTLET_A}", "where"), (f"{YEAR}&people=yes", "people"), (f"{YEAR}&by=hour", "to"),
        (f"{YEAR}&base=2022-01-01", "base"), (f"{YEAR}&within=nowhere", "within"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_in_one_shape(told: Told, query: str, field: str) -> None:
    answer = told.get(f"reach?{query}")
    assert answer.status_code in (400, 404)
    error = fits(told, answer, "Error")["error"]
    assert error["field"] == field and error["message"]


# tokens


def test_without_a_valid_token_nothing_is_said(told: Told) -> None:
    with told.runtime.service(Database).transaction() as session:
        ended, text = api_tokens.make(
            session, name="x", purposes=[READ], outlet_code="", days=9, by=None, now=clock.now()
        )
        api_tokens.end(session, ended, clock.now())
    for shown in ("", "Bearer", "Bearer ", f"Basic {told.national}", f"Bearer {told.national[:-1]}", f"Bearer {text}",
                  f"bearer{told.national}", f"Bearer {told.national} {told.national}", "Bearer spt_" + "A" * 9000):  # fmt: skip
        for path in (f"reach?{YEAR}", "reach/definitions", "reach/dimensions/outlet"):
            answer = told.client.get(f"/api/v1/{path}", headers={"Authorization": shown})
            assert (
                answer.status_code in (401, 429)
                and answer.headers.get("WWW-Authenticate", "Bearer") == "Bearer"
            )
            assert fits(told, answer, "Error")["error"]["status"] == answer.status_code
            assert "西湖" not in answer.text
    assert told.client.get(f"/api/v1/reach?{YEAR}&token={told.national}").status_code in (401, 429)


def test_a_token_for_collecting_reads_nothing(told: Told) -> None:
    answer = told.get(f"reach?{YEAR}", told.token(purpose=COLLECT))
    assert answer.status_code == 403 and "用途" in answer.get_json()["error"]["message"]


@pytest.mark.parametrize(
    "code", [OUTSIDE_PROVINCE, OUTSIDE_OUTLET, factories.HEAD_OFFICE, "nowhere", "' OR 1=1"]
)
def test_another_part_of_the_tree_is_answered_like_what_does_not_exist(told: Told, code: str) -> None:
    answer = told.get(f"reach?{YEAR}&within={code}", told.provincial)
    assert answer.status_code == 404
    nowhere = told.get(f"reach?{YEAR}&within=nobody", told.provincial)
    assert answer.text.replace(code, "nobody") == nowhere.text


@pytest.mark.parametrize(
    "question",
    [
        "by=outlet", "by=branch", "by=province", "by=campaign", "by=channel,outlet", "by=outlet&where=channel=web",
        "by=outlet&where=campaign=of-outside", "by=outlet&base=2022-09-01/2022-09-30", "by=county,day&format=csv",
        "by=outlet&within=", f"by=outlet&within={PROVINCE}", f"by=outlet&within={OUTLET_A}",
    ],
)  # fmt: skip
def test_no_question_gets_out_of_the_tokens_part(told: Told, question: str) -> None:
    answer = told.get(f"reach?{YEAR}&{question}", told.provincial)
    assert answer.status_code == 200
    for foreign in (OUTSIDE_OUTLET, OUTSIDE_PROVINCE, "四川", "锦江"):
        assert foreign not in answer.text
    if answer.mimetype == "application/json":
        expected = 0 if "of-outside" in question else 3
        assert answer.get_json()["total"]["gross"] == expected
    assert told.get(f"reach?{YEAR}&{question}").status_code == 200


def test_dimensions_of_a_part_do_not_tell_what_others_prepare(told: Told) -> None:
    def keys(name: str, token: str) -> set[str]:
        return {
            row["key"] for row in told.get(f"reach/dimensions/{name}?on=2023-12-31", token).get_json()["rows"]
        }

    assert keys("campaign", told.national) == {"of-inside", "of-outside", "of-nobody"}
    assert keys("campaign", told.provincial) == {"of-inside"}
    assert OUTSIDE_OUTLET in keys("outlet", told.national)
    assert keys("outlet", told.provincial) == {OUTLET_A, factories.OUTLET_B}
    assert keys("province", told.provincial) == {PROVINCE}


def test_an_etag_of_one_part_opens_nothing_of_another(told: Told) -> None:
    etag = told.get(f"reach?{YEAR}&by=channel").headers["ETag"]
    answer = told.get(f"reach?{YEAR}&by=channel", told.provincial, **{"If-None-Match": etag})
    assert answer.status_code == 200 and answer.headers["ETag"] != etag
    refused = told.client.get(f"/api/v1/reach?{YEAR}&by=channel", headers={"If-None-Match": etag})
    assert refused.status_code == 401


def test_a_nearly_right_token_takes_as_long_as_a_wrong_one(told: Told) -> None:
    """What is looked up is a hash: the first letters being right shows in nothing but chance."""
    near, far = told.national[:-1] + "_", "spt_" + "Q" * 43
    told.app.extensions["signpost_limiter"].rates["api-refused"] = parse("100000/minute")
    told.app.extensions["signpost_limiter"].rates["api"] = parse("100000/minute")
    times: dict[str, list[float]] = {near: [], far: []}
    for _turn in range(60):
        for token, taken in times.items():
            begun = perf_counter()
            assert told.get("reach/definitions", token).status_code == 401
            taken.append(perf_counter() - begun)
    assert 0.5 < median(times[near]) / median(times[far]) < 2


def test_guessing_is_slowed_down_and_a_token_has_its_rate(told: Told) -> None:
    rates = told.app.extensions["signpost_limiter"].rates
    rates.update({"api-refused": parse("5/minute"), "api": parse("7/minute")})
    statuses = [told.get("reach/definitions", f"spt_{n}" + "A" * 42).status_code for n in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    elsewhere = {"environ_base": {"REMOTE_ADDR": "198.51.100.7"}}
    shown = {"Authorization": f"Bearer {told.national}"}
    answers = [told.client.get("/api/v1/reach/definitions", headers=shown, **elsewhere) for _n in range(9)]
    assert [answer.status_code for answer in answers] == [200] * 7 + [429] * 2
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert fits(told, answers[-1], "Error")["error"]["status"] == 429
    other = {"Authorization": f"Bearer {told.provincial}"}
    assert told.client.get("/api/v1/reach/definitions", headers=other, **elsewhere).status_code == 200


# asking again


def test_an_unchanged_answer_is_304_until_an_event_comes_or_a_name_changes(told: Told) -> None:
    path = f"reach?{YEAR}&by=campaign"
    first = told.get(path)
    etag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"

    def again() -> int:
        return told.get(path, **{"If-None-Match": etag}).status_code

    assert told.get(path).headers["ETag"] == etag and again() == 304
    assert told.get(path, **{"If-None-Match": etag}).get_data() == b""
    assert told.get(path + "&format=csv", **{"If-None-Match": etag}).status_code == 200
    assert told.get(path + "&lang=en", **{"If-None-Match": etag}).status_code == 200
    store = told.runtime.service(ReachStore)
    ship(store, "elsewhere", [event("2019-05-05", visitor=9)])
    assert again() == 304, "an event of other days changes nothing"
    with told.runtime.service(Database).transaction() as session:
        dimensions.describe(session, "campaign", "of-nobody", "新名")
    assert again() == 200, "a name changed"
    etag = told.get(path).headers["ETag"]
    store.ship("drops-2", b"2023-03-15\tbot\t412\tr\n")
    assert again() == 200, "more was left out"
    etag = told.get(path).headers["ETag"]
    ship(store, "base", [event("2022-05-05", visitor=9, outlet=OUTSIDE_OUTLET)])
    assert again() == 200, "an event of the base came"


def test_no_site_of_others_may_read_and_no_cookie_is_set(told: Told) -> None:
    answer = told.get(f"reach?{YEAR}", Origin="https://elsewhere.example")
    assert not [name for name, _value in answer.headers if name.lower().startswith("access-control")]
    assert "Set-Cookie" not in answer.headers
    assert told.client.post(
        "/api/v1/reach", headers={"Authorization": f"Bearer {told.national}"}
    ).status_code in (400, 405)
    assert fits(told, told.get("nothing"), "Error")["error"]["status"] == 404


# the document


def test_every_example_of_the_document_works(told: Told, tmp_path: Path) -> None:
    examples = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 5
    server = make_server("127.0.0.1", 0, told.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    given = {**os.environ, "SIGNPOST": f"http://127.0.0.1:{server.port}", "TOKEN": told.national}
    try:
        said = [
            subprocess.run(
                ["bash", "-euc", one], cwd=tmp_path, env=given, capture_output=True, text=True, check=False
            )
            for one in examples
        ]
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
    assert [(one.returncode, one.stderr) for one in said] == [(0, "")] * 5
    assert '"total"' in said[0].stdout and '"2023-1"' in said[2].stdout and "330000" in said[3].stdout
    assert (tmp_path / "reach.csv").read_text(encoding="utf-8-sig").startswith("编号,")
    assert said[4].stdout.strip() == "304"
