"""Scripts smuggled in through every text field, every address and every stored text: nothing comes out alive."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import escape
from sqlalchemy import ColumnElement, String, Table, UniqueConstraint, text
from sqlmodel import AutoString, Session, SQLModel
from werkzeug.test import TestResponse

from core.cells import neutral, plain
from core.database import Database
from tests import browser, entering, factories
from tests.attacks.sniffing import ATTRIBUTE, FRAGMENTS, PROBE, Form, sniff
from webapp.runtime import Runtime

PAYLOADS = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=8).map("".join)
# An address that runs, out of either quote, out of the elements that hold text alone, an element, a template's field: in
# one, so that every page is asked once.
STORED = f"javascript:'\" {ATTRIBUTE}=1></title></textarea></script><{PROBE} {ATTRIBUTE}=1>{{{{7919*7919}}}}"
OFTEN = settings(
    deadline=None,
    max_examples=2,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
# Texts that people write. Keys, hashes, ciphertext and enumerations are not typed into a page.
TYPED = {
    "name", "title", "reason", "opinion", "note", "address", "phone", "hours", "plaque_number", "province", "city",
    "county", "subject_line", "body", "source", "agent", "sender", "fault", "tag", "tag_en", "slogan", "slogan_en",
    "heading", "heading_en", "summary", "summary_en", "name_en", "text_version", "evidence", "label",
}  # fmt: skip
SKIPPED = {"audit_record", "piece_revision", "revision"}  # the database refuses changes there


def test_control_the_sniffer_finds_what_is_not_escaped() -> None:
    for raw in (
        f"<p><{PROBE}>",
        f'<p title="" {ATTRIBUTE}="1">',
        '<a href="java\nscript:x">',
        "<script>x</script>",
        *(
            place % STORED
            for place in ("<p>%s", '<p title="%s">', "<p title='%s'>", "<textarea>%s", "<title>%s")
        ),
        f'<a href="{escape(STORED)}">',
    ):
        assert sniff(raw).found, raw
    assert not sniff('<p title="&quot; onx=1">&lt;xss-probe&gt;</p><script src="/a.js"></script>').found


def desk_pages(client: FlaskClient, more: Sequence[str] = ()) -> Iterator[tuple[str, TestResponse]]:
    """The pages of the desk with their answers, found by following every link from the first one, and `more`."""
    found: set[str] = set()
    waiting = ["/desk", "/desk/audit", "/desk/channels", "/desk/approvals/paths", "/desk/privacy"]
    waiting += ["/desk/approvals/stand-ins", "/desk/search?q=a", "/desk/approvals", *more]
    kinds: dict[str, int] = {}
    while waiting:
        path = waiting.pop(0)
        # the pages of a room's parts are made by one hand for all rooms
        kind = re.sub(r"/pieces/[\w-]+/room(/\w+)?(/[\w-]+)?", r"/pieces/#/room\1", path)
        kind = re.sub(r"\d+|=[^&]*", "#", kind)
        if path in found or kinds.get(kind, 0) >= 2:
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
        answer = client.get(path)
        found.add(path)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            for link in sniff(answer.text).links:
                target = urlsplit(link)
                if not target.netloc and target.path.startswith("/desk") and "sign-in" not in target.path:
                    waiting.append(target.path + (f"?{target.query}" if target.query else ""))
        yield path, answer


@pytest.fixture(scope="module")
def forms(open_app: Flask) -> list[tuple[str, Form]]:
    """Every form of the desk with the page it stands on, once per shape."""
    client = entering.client(open_app, factories.ADMINISTRATOR)
    seen: dict[object, tuple[str, Form]] = {}
    for path, answer in desk_pages(client):
        if answer.mimetype != "text/html":
            continue
        for form in sniff(answer.text).forms:
            action = form.action or path
            seen.setdefault(_shape(urlsplit(action).path, form), (path, form))
    return list(seen.values())


def _shape(action: str, form: Form) -> tuple[str, str, tuple[str, ...]]:
    """What makes two forms one. Those of a room are made by one hand from its models: once."""
    part = re.match(r"(.*/room/)", action)
    fields = () if part else tuple(sorted(form.fields))
    return (part[1] if part else re.sub(r"\d+", "#", action), form.method, fields)


def test_the_forms_are_found(forms: list[tuple[str, Form]]) -> None:
    actions = {urlsplit(form.action or path).path for path, form in forms}
    for part in (
        "/desk/outlets/new",
        "/desk/campaigns/new",
        "/desk/pieces/new",
        "/desk/staff/new",
        "/desk/plans/new",
    ):
        assert any(action.startswith(part.removesuffix("/new")) for action in actions), part
    assert len(forms) > 25


def test_nothing_typed_into_any_form_comes_back_alive(open_app: Flask, forms: list[tuple[str, Form]]) -> None:
    client = entering.client(open_app, factories.ADMINISTRATOR)
    for path, form in forms:
        action = form.action or path
        if "sign-out" in action or "/sessions/" in action or "second-factor" in action:
            continue
        # All at once, then each text in a form that is otherwise right: what is checked later is reached too.
        for given_fields in _filled(form, STORED, 1 if "/room/" in action else 6):
            answer = _send(client, action, form.method, given_fields)
            assert answer.status_code < 500, (action, given_fields)
            _assert_clean(answer, action)


def _filled(form: Form, payload: str, alone: int) -> list[dict[str, str]]:
    """The payload in all fields, and in each of the first `alone` by itself."""
    names = [name for name in form.fields if name != "csrf_token"]
    every = {**form.fixed, **form.fields, **dict.fromkeys(names, payload)}
    return [every, *({**form.fixed, **form.fields, name: payload} for name in names[:alone])]


def _send(client: FlaskClient, action: str, method: str, values: dict[str, str]) -> TestResponse:
    if method == "get":
        return client.get(urlsplit(action).path, query_string=values)
    return client.post(action, data=values, follow_redirects=True)


def _assert_clean(answer: TestResponse, where: str) -> None:
    if answer.mimetype == "text/html":
        assert sniff(answer.text).found == [], where


@OFTEN
@given(payload=PAYLOADS)
def test_nothing_in_an_address_comes_back_alive(open_app: Flask, payload: str) -> None:
    client = entering.client(open_app, factories.ADMINISTRATOR)
    paths = [
        "/desk/outlets",
        "/desk/pieces",
        "/desk/staff",
        "/desk/audit",
        "/desk/reach",
        "/desk/search",
        "/o",
        "/",
    ]
    names = (
        "q",
        "text",
        "sort",
        "page",
        "province",
        "kind",
        "next",
        "lang",
        "person",
        "within",
        "by",
        "back",
    )
    for path in paths:
        answer = client.get(path, query_string=dict.fromkeys(names, payload))
        assert answer.status_code < 500, path
        _assert_clean(answer, path)
    for prefix in (
        "/desk/outlets/",
        "/p/",
        "/o/",
        "/c/",
        "/u/",
        "/review/",
        "/desk/invitation/",
        "/",
        "/desk/",
    ):
        answer = client.get(prefix + payload.replace("?", "").replace("#", ""))
        assert answer.status_code < 500, prefix
        _assert_clean(answer, prefix)


def test_nothing_stored_comes_out_alive_anywhere(open_app: Flask, runtime: Runtime) -> None:
    """Every text that people write holds the payload, whatever let it in; every page and file is read."""
    client = entering.client(open_app, factories.ADMINISTRATOR)
    kept = _poison(runtime, STORED)
    try:
        pages = ["/", "/o", f"/o/{factories.OUTLET_A}", f"/c/{browser.CAMPAIGN}"]
        pages += ["/events", "/library", "/help", "/sitemap.xml", "/feed.xml", "/desk/search.json?q=a"]
        seen = shown = 0
        for path, answer in desk_pages(client, pages):
            assert answer.status_code < 500, path
            _assert_clean(answer, path)
            seen += 1
            shown += str(escape(STORED)).encode() in answer.data
            if (answer.mimetype or "").endswith("xml"):
                assert f"<{PROBE}" not in answer.text, path
        assert seen > 50
        assert shown > 10  # it stood there to be read, as text
    finally:
        _restore(runtime, kept)


Kept = list[tuple[Table, list[ColumnElement[bool]], dict[str, object]]]
# What was decided and said of a review never changes; here it must, to see how it is shown.
_GUARDS = {"approval_final", "revision_step_fixed"}


def _without_guards(session: Session, guards: list[str]) -> None:
    asked = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    for name, sql in session.connection().execute(asked).all():
        if name in _GUARDS:
            guards.append(sql)
            session.connection().execute(text(f"DROP TRIGGER {name}"))


def _columns() -> list[tuple[str, str, int]]:
    found = []
    for table in SQLModel.metadata.sorted_tables:
        for column in table.columns:
            typed = column.name in TYPED and issubclass(type(column.type), (String, AutoString))
            if typed and not column.unique and table.name not in SKIPPED:
                found.append((table.name, column.name, column.type.length or 200))  # type: ignore[attr-defined]
    return found


def _poison(runtime: Runtime, payload: str) -> tuple[Kept, list[str]]:
    """Write the payload into every typed text of every table, past all checks; returns what stood there."""
    kept: Kept = []
    guards: list[str] = []
    with runtime.service(Database).transaction() as session:
        _without_guards(session, guards)
        for name, column, length in _columns():
            table = SQLModel.metadata.tables[name]
            key = list(table.primary_key.columns)
            rows = session.connection().execute(table.select()).mappings().all()
            unique = any(
                isinstance(one, UniqueConstraint) and column in one.columns for one in table.constraints
            )
            for number, row in enumerate(rows):
                mine = [one == row[one.name] for one in key]
                kept.append((table, mine, {column: row[column]}))
                end = f" {number}" if unique else ""
                values = {column: payload[: length - len(end)] + end}
                session.connection().execute(table.update().where(*mine).values(values))
    return kept, guards


def _restore(runtime: Runtime, before: tuple[Kept, list[str]]) -> None:
    kept, guards = before
    with runtime.service(Database).transaction() as session:
        for table, mine, values in kept:
            session.connection().execute(table.update().where(*mine).values(values))
        for sql in guards:
            session.connection().execute(text(sql))


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_no_exported_cell_is_a_formula(open_app: Flask, runtime: Runtime, form: str) -> None:
    client = entering.client(open_app, factories.ADMINISTRATOR)
    kept = _poison(runtime, "=HYPERLINK(1)")
    try:
        exports = [
            f"/desk/{name}?export={form}"
            for name in (
                "outlets",
                "staff",
                "pieces",
                "plans",
                "approvals",
                "campaigns",
                "channels",
                "audience",
            )
        ]
        seen = 0
        for path in exports:
            answer = client.get(path)
            if answer.mimetype == "text/csv":
                assert not re.search(r'(?:^|,)"?[=+@]', answer.text, re.MULTILINE), path
                seen += "'=HYPERLINK" in answer.text
        assert seen >= (3 if form == "csv" else 0)
    finally:
        _restore(runtime, kept)
    assert plain(neutral("=HYPERLINK(1)")) == "=HYPERLINK(1)"
