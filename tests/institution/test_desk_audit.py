"""The audit log on the desk: searched, filtered, read, written out, within one's part; nobody changes it."""

import csv
import io
import json
import re
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlmodel import col, select, text

from core.database import Database
from institution import audit, audit_chain, audit_log, audit_output
from institution.audit import Actor
from institution.audit_log import EVERYTHING, Filter
from institution.audit_models import AuditRecord
from tests import entering, factories
from tests.factories import ADMINISTRATOR, CITY, EDITOR, OUTLET_A, OUTSIDE_OUTLET, PROVINCE

DONE = "test.done"
audit.declare({DONE: "测试动作"})
LIN = Actor(7, "林编辑", "desk", "192.0.2.1")
AUDITOR, BRANCH_AUDITOR = "gao.auditor", "he.auditor"


@pytest.fixture
def database(app: Flask) -> Database:
    found: Database = app.extensions["signpost"].service(Database)
    return found


@pytest.fixture
def written(database: Database, now: datetime) -> dict[str, int]:
    """Records by name → number: inside, outside, of the whole institution."""
    with database.transaction() as session:
        factories.person(session, AUDITOR, "高审计", "auditor", now)
        factories.person(session, BRANCH_AUDITOR, "何审计", "auditor", now, at=PROVINCE)
    with audit.acting(LIN), database.transaction() as session:
        made = {
            "inside": audit.record(
                session, DONE, "outlet", OUTLET_A, before={"name": "旧名字"}, after={"name": "新名字"},
                outlet_code=OUTLET_A, note="=1+1 更名",
            ),
            "outside": audit.record(session, DONE, "outlet", OUTSIDE_OUTLET, after={"name": "春熙"}, outlet_code=OUTSIDE_OUTLET),
            "whole": audit.record(session, DONE, "piece", "fraud", after={"title": "<b>骗局</b>"}),
        }  # fmt: skip
    return {name: one["id"] for name, one in made.items()}


@pytest.fixture
def auditor(app: Flask, written: dict[str, int]) -> FlaskClient:
    return entering.client(app, AUDITOR)


@pytest.fixture
def branch(app: Flask, written: dict[str, int]) -> FlaskClient:
    return entering.client(app, BRANCH_AUDITOR)


def page(client: FlaskClient, query: str = "", status: int = 200) -> str:
    answer = client.get(f"/desk/audit{query}")
    assert answer.status_code == status, query
    return answer.get_data(as_text=True)


def numbers(client: FlaskClient, query: str) -> list[int]:
    return [
        int(part.split('"')[0])
        for part in page(client, query).split('class="brief"><a href="/desk/audit/')[1:]
    ]


def test_the_auditor_reads_all_and_a_branch_auditor_their_nodes(
    auditor: FlaskClient, branch: FlaskClient, written: dict[str, int]
) -> None:
    assert set(written.values()) <= set(numbers(auditor, ""))
    shown = page(branch)
    assert numbers(branch, "?action=test.done") == [written["inside"]]
    assert OUTSIDE_OUTLET not in shown and "骗局" not in shown and "链头" not in shown
    assert "链头" in page(auditor)
    assert "新名字" in page(branch, f"/{written['inside']}")

    def refused(path: str) -> str:
        """What the branch auditor gets at *path*, without the address and the token (signed anew each second)."""
        shown = page(branch, path, 404).replace(path, "/999999")
        return re.sub(r'name="csrf_token" value="[^"]+"', "", shown)

    missing = refused("/999999")
    for name in ("outside", "whole"):
        assert refused(f"/{written[name]}") == missing


def test_who_may_not_read_it_does_not(app: Flask, written: dict[str, int]) -> None:
    editor = entering.client(app, EDITOR)
    for query in ("", "/1", "/export?form=csv"):
        assert editor.get(f"/desk/audit{query}").status_code == 403


def test_the_auditor_changes_nothing(app: Flask, auditor: FlaskClient, database: Database) -> None:
    """Every writing route of the desk refuses the auditor, but for what concerns their own account."""
    own = {"/desk/sign-out", "/desk/password", "/desk/sign-in"}
    allowed = []
    for rule in app.url_map.iter_rules():
        if (
            "POST" in (rule.methods or ())
            and rule.rule.startswith("/desk")
            and not rule.arguments
            and rule.rule not in own
        ):
            permission = getattr(app.view_functions[rule.endpoint], "permission", "public")
            if permission.endswith((".edit", ".run", ".publish", ".approve", ".request")):
                allowed += [rule.rule] * (auditor.post(rule.rule).status_code != 403)
    assert allowed == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?q=新名字", ["inside"]),
        ("?q=更名 林编辑", ["inside"]),
        ("?q=%25", []),
        ("?q=\\u", []),
        ("?person=林&kind=outlet", ["outside", "inside"]),
        ("?kind=piece&subject=fraud", ["whole"]),
        ("?staff=7&action=test.done", ["whole", "outside", "inside"]),
        ("?staff=8", []),
        (f"?node={CITY}&action=test.done", ["inside"]),
        (f"?node_typed={CITY}&action=test.done", ["inside"]),
        ("?since=2000-01-01&action=test.done", ["whole", "outside", "inside"]),
        ("?until=2000-01-01", []),
    ],
)
def test_the_address_filters(
    auditor: FlaskClient, written: dict[str, int], query: str, names: list[str]
) -> None:
    assert numbers(auditor, query) == [written[name] for name in names]


@pytest.mark.parametrize("query", ["?since=gestern", "?node_typed=nowhere"])
def test_a_filter_that_cannot_be_is_said_and_kept(auditor: FlaskClient, query: str) -> None:
    shown = page(auditor, query, 400)
    assert 'role="alert"' in shown and ("gestern" in shown or "nowhere" in shown)


def test_a_branch_auditor_cannot_ask_for_a_node_outside(branch: FlaskClient) -> None:
    outside, missing = page(branch, f"?node={OUTSIDE_OUTLET}", 400), page(branch, "?node=99", 400)
    assert outside.count("不在您负责的范围内") == missing.count("不在您负责的范围内") == 1


def test_a_record_shows_both_sides_and_hides_no_markup(auditor: FlaskClient, written: dict[str, int]) -> None:
    shown = page(auditor, f"/{written['inside']}")
    for words in ("旧名字", "新名字", "林编辑", "192.0.2.1", "西湖文三路柜面", "未被改动", "=1+1 更名"):
        assert words in shown
    assert "&lt;b&gt;骗局" in page(auditor, f"/{written['whole']}")


def test_a_record_that_was_changed_says_so(
    auditor: FlaskClient, database: Database, written: dict[str, int]
) -> None:
    with database.transaction() as session:
        on = "" if database.is_sqlite else " ON audit_record"
        session.connection().execute(text(f"DROP TRIGGER audit_record_immutable{on}"))
        statement = text("UPDATE audit_record SET note = 'x' WHERE id = :id")
        session.connection().execute(statement, {"id": written["inside"]})
    assert "与链不符" in page(auditor, f"/{written['inside']}")
    fault = audit_chain.verify(database).fault
    assert fault is not None and fault.number == written["inside"]


def test_older_pages_follow_by_number(auditor: FlaskClient, database: Database) -> None:
    for _ in range(3):
        with database.transaction() as session:
            for number in range(40):
                audit.record(session, DONE, "many", number)
    first = numbers(auditor, "?kind=many")
    second = numbers(auditor, f"?kind=many&before={first[-1]}")
    third = numbers(auditor, f"?kind=many&before={second[-1]}")
    assert [len(each) for each in (first, second, third)] == [50, 50, 20]
    assert first + second + third == sorted(first + second + third, reverse=True)
    assert f"before={first[-1]}" in page(auditor, "?kind=many") and "共 120 条" in page(auditor, "?kind=many")


def test_a_count_ends_where_nobody_counts_on(
    database: Database, written: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "COUNTED", 2)
    with database.reading() as session:
        found = audit_log.listing(session, EVERYTHING, Filter(action=DONE), size=1)
    assert found.total == 3 and found.is_more and found.older == found.records[-1].id


def test_the_file_is_what_the_filter_shows_and_is_recorded_itself(
    auditor: FlaskClient, database: Database, written: dict[str, int]
) -> None:
    answer = auditor.get("/desk/audit/export?form=csv&action=test.done&kind=outlet")
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert [row[0] for row in rows] == ["序号", str(written["inside"]), str(written["outside"])]
    assert rows[1][5] == "测试动作" and rows[1][11] == "'=1+1 更名"
    assert "audit.csv" in answer.headers["Content-Disposition"]
    with database.reading() as session:
        one = session.exec(select(AuditRecord).order_by(col(AuditRecord.id).desc())).first()
    assert one is not None and (one.action, one.actor) == ("audit.export", "高审计")
    assert one.after == {"form": "csv", "filter": {"action": DONE, "kind": "outlet"}}


def test_json_lines_can_be_checked_by_any_program(auditor: FlaskClient, written: dict[str, int]) -> None:
    lines = auditor.get("/desk/audit/export?form=jsonl").get_data().decode().splitlines()
    previous = ""
    for line in lines:
        fields = json.loads(line)
        assert fields["previous"] == previous
        fields["at"] = datetime.fromisoformat(fields["at"])
        previous = fields.pop("hash")
        assert audit.digest(fields) == previous
    assert len(lines) >= max(written.values())


def test_a_sheet_holds_the_branch_alone_and_is_refused_when_too_long(
    branch: FlaskClient, written: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = branch.get("/desk/audit/export?form=xlsx&action=test.done").get_data()
    rows = list(load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True))  # type: ignore[union-attr]
    assert [row[0] for row in rows[1:]] == [written["inside"]]
    monkeypatch.setattr(audit_output, "LONGEST_SHEET", 0)
    assert branch.get("/desk/audit/export?form=xlsx").status_code == 400
    assert branch.get("/desk/audit/export?form=exe").status_code == 400


def test_an_empty_log_says_what_will_stand_there(app: Flask, branch: FlaskClient) -> None:
    assert "没有符合条件的记录" in page(branch, "?q=nothing")
    assert entering.client(app, ADMINISTRATOR).get("/desk/audit").status_code == 200
