"""Accounts on the desk: seen within one's part of the tree, changed within one's powers, never against oneself."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import col, select

from core.database import Database
from core.privacy import Vault
from institution import granting, people, sessions
from institution.audit_models import AuditRecord
from institution.models import Staff
from tests import entering, factories
from tests.factories import (
    ADMINISTRATOR,
    BRANCH_MANAGER,
    COUNTY,
    EDITOR,
    OUTLET_A,
    OUTLET_STAFF,
    OUTSIDE_PROVINCE,
    OUTSIDER,
    PROVINCE,
)

Enter = Callable[[str], FlaskClient]


@pytest.fixture
def branches(app: Flask, now: datetime) -> Flask:
    """The cast with the people of two provinces and an outlet."""
    with app.extensions["signpost"][Database].transaction() as session:
        for login in (BRANCH_MANAGER, OUTLET_STAFF, OUTSIDER):
            factories.staff(session, login, now)
        factories.person(session, "both.sides", "两边", "analyst", now, at=PROVINCE)
        both = people.by_login(session, "both.sides")
        assert both
        granting.set_grants(session, both, [("analyst", PROVINCE), ("analyst", OUTSIDE_PROVINCE)])
        factories.person(session, "strong.here", "强者", "administrator", now, at=PROVINCE)
    return app


def number_of(app: Flask, login: str) -> int:
    with app.extensions["signpost"].service(Database).reading() as session:
        account = people.by_login(session, login)
        assert account and account.id
        return account.id


def grants_of(app: Flask, login: str) -> set[tuple[str, str]]:
    with app.extensions["signpost"].service(Database).reading() as session:
        return set(sessions.powers_of(session, number_of(app, login)).grants)


def rows(*pairs: tuple[str, str], **more: str) -> dict[str, str]:
    """The form of an account with these roles."""
    form = {"rows": str(len(pairs)), "name": "某人", "active": "1"}
    for at, (role, node) in enumerate(pairs):
        form |= {f"role{at}": role, f"node{at}": node}
    return form | more


def records(app: Flask, action: str) -> list[AuditRecord]:
    with app.extensions["signpost"].service(Database).reading() as session:
        query = select(AuditRecord).where(AuditRecord.action == action).order_by(col(AuditRecord.id))
        return list(session.exec(query))


@pytest.mark.parametrize(
    "path", ["/desk/staff", "/desk/staff/new", "/desk/staff/1", "/desk/staff/1/reset", "/desk/staff/import"]
)
def test_others_may_not_look_at_accounts(entered: Enter, path: str) -> None:
    answer = entered(EDITOR).get(path)
    assert answer.status_code == 403 and "管理账号" in answer.get_data(as_text=True)


def test_the_list_is_that_of_ones_part_of_the_tree(branches: Flask) -> None:
    seen = entering.client(branches, BRANCH_MANAGER).get("/desk/staff").get_data(as_text=True)
    for login in (BRANCH_MANAGER, OUTLET_STAFF, "strong.here"):
        assert login in seen
    for login in (ADMINISTRATOR, EDITOR, OUTSIDER, "both.sides"):
        assert login not in seen
    everybody = entering.client(branches, ADMINISTRATOR).get("/desk/staff").get_data(as_text=True)
    assert all(login in everybody for login in (ADMINISTRATOR, EDITOR, OUTSIDER, "both.sides"))


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_export_holds_what_the_filter_holds(branches: Flask, form: str) -> None:
    client = entering.client(branches, ADMINISTRATOR)
    text = client.get(f"/desk/staff?export={form}&role=branch_manager").get_data()
    if form == "csv":
        assert OUTSIDER in text.decode() and EDITOR not in text.decode()
    assert text[:2] == (b"PK" if form == "xlsx" else b"\xef\xbb")
    inside = entering.client(branches, BRANCH_MANAGER).get("/desk/staff?export=csv").get_data(as_text=True)
    assert OUTSIDER not in inside and OUTLET_STAFF in inside


@pytest.mark.parametrize(
    ("query", "found", "absent"),
    [
        ("q=陈", BRANCH_MANAGER, OUTSIDER),
        ("q=luo.out", OUTSIDER, BRANCH_MANAGER),
        (f"node={PROVINCE}", OUTLET_STAFF, OUTSIDER),
        ("role=outlet_staff", OUTLET_STAFF, BRANCH_MANAGER),
        ("state=open&q=wu", OUTLET_STAFF, EDITOR),
        ("sort=-login&q=%25", "没有找到", EDITOR),
        ("node_typed=nowhere", "没有找到", EDITOR),
    ],
)
def test_filters(branches: Flask, query: str, found: str, absent: str) -> None:
    text = entering.client(branches, ADMINISTRATOR).get(f"/desk/staff?{query}").get_data(as_text=True)
    table = text.split("<main", 1)[1]
    assert found in table and absent not in table


@pytest.mark.parametrize("login", [ADMINISTRATOR, EDITOR, OUTSIDER, "both.sides"])
@pytest.mark.parametrize(
    ("method", "tail"),
    [
        ("get", ""),
        ("post", ""),
        ("get", "/reset"),
        ("post", "/reset"),
        ("post", "/invite"),
        ("post", "/second-factor"),
        ("post", "/sessions/end"),
        ("post", "/sessions/1/end"),
    ],
)
def test_an_account_outside_answers_like_one_that_is_not_there(
    branches: Flask, login: str, method: str, tail: str
) -> None:
    client = entering.client(branches, BRANCH_MANAGER)
    outside = client.open(f"/desk/staff/{number_of(branches, login)}{tail}", method=method)
    missing = client.open(f"/desk/staff/999999{tail}", method=method)
    assert outside.status_code == missing.status_code == 404
    numbers = re.compile(r"\d+|csrf_token\" value=\"[^\"]+")
    assert numbers.sub("", outside.get_data(as_text=True)) == numbers.sub("", missing.get_data(as_text=True))


def test_a_branch_manager_makes_people_within_their_part_and_powers(branches: Flask) -> None:
    client = entering.client(branches, BRANCH_MANAGER)
    form = rows(("outlet_staff", OUTLET_A), ("analyst", COUNTY), login="new.one")
    assert "一次性密码" in client.post("/desk/staff/new", data=form).get_data(as_text=True)
    assert grants_of(branches, "new.one") == {("outlet_staff", OUTLET_A), ("analyst", COUNTY)}


@pytest.mark.parametrize(
    "pair",
    [
        ("administrator", PROVINCE),  # stronger than they are
        ("editor", COUNTY),  # publishes, which a branch manager may not
        ("outlet_staff", OUTSIDE_PROVINCE),  # elsewhere
        ("outlet_staff", ""),  # everywhere
        ("branch_manager", factories.HEAD_OFFICE),  # above
    ],
)
def test_nobody_gives_what_they_do_not_hold(branches: Flask, pair: tuple[str, str]) -> None:
    client = entering.client(branches, BRANCH_MANAGER)
    made = client.post("/desk/staff/new", data=rows(pair, login="too.much"))
    assert made.status_code == 400 and "超出了您自己的权限" in made.get_data(as_text=True)
    number = number_of(branches, OUTLET_STAFF)
    before = grants_of(branches, OUTLET_STAFF)
    changed = client.post(f"/desk/staff/{number}", data=rows(*sorted(before), pair))
    assert changed.status_code == 400 and grants_of(branches, OUTLET_STAFF) == before


@pytest.mark.parametrize("tail", ["", "/reset", "/invite", "/second-factor", "/sessions/end"])
def test_nobody_touches_who_is_stronger_though_inside(branches: Flask, tail: str) -> None:
    client, number = entering.client(branches, BRANCH_MANAGER), number_of(branches, "strong.here")
    answer = client.post(f"/desk/staff/{number}{tail}", data=rows(("outlet_staff", PROVINCE)))
    assert answer.status_code in (400, 403), tail
    assert grants_of(branches, "strong.here") == {("administrator", PROVINCE)}
    shown = client.get(f"/desk/staff/{number}").get_data(as_text=True)
    assert "超出了您自己的权限" in shown and "重置密码" not in shown.split("<main", 1)[1]


def test_nobody_raises_themselves(branches: Flask) -> None:
    client, number = entering.client(branches, BRANCH_MANAGER), number_of(branches, BRANCH_MANAGER)
    before = grants_of(branches, BRANCH_MANAGER)
    client.post(f"/desk/staff/{number}", data=rows(("branch_manager", PROVINCE), ("outlet_staff", PROVINCE)))
    assert grants_of(branches, BRANCH_MANAGER) == before
    refused = client.post(f"/desk/staff/{number}", data=rows(("branch_manager", PROVINCE), active=""))
    assert refused.status_code == 400 and "停用自己" in refused.get_data(as_text=True)


def test_a_closed_account_is_out_at_once_and_can_come_back(
    app: Flask, entered: Enter, administrator: FlaskClient
) -> None:
    editor, number = entered(EDITOR), number_of(app, EDITOR)
    saved = administrator.post(f"/desk/staff/{number}", data=rows(("editor", ""), active=""))
    assert saved.status_code == 302
    assert editor.get("/desk").status_code == 302
    administrator.post(f"/desk/staff/{number}", data=rows(("analyst", "")))
    assert entered(EDITOR).get("/desk").status_code == 200
    assert [one.subject for one in records(app, "staff.close")] == [EDITOR]
    change = records(app, "staff.change")[-1]
    assert change.before["grants"] == ["editor@*"] and change.after["grants"] == ["analyst@*"]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (rows(), "至少选一个角色"),
        (rows(("emperor", "")), "至少选一个角色"),
        (rows(("editor", "424242")), "没有编号为"),
        (rows(("editor", ""), node0_typed="不存在的机构"), "没有找到"),
        (rows(("editor", ""), name=" "), "填写姓名"),
        (rows(("editor", ""), email="not an address"), "邮箱地址不对"),
    ],
)
def test_a_change_that_means_nothing_is_refused_and_keeps_what_was_typed(
    app: Flask, administrator: FlaskClient, form: dict[str, str], words: str
) -> None:
    answer = administrator.post(
        f"/desk/staff/{number_of(app, EDITOR)}", data=form | {"email": form.get("email", "x@y.example")}
    )
    text = answer.get_data(as_text=True)
    assert answer.status_code == 400 and words in text
    assert form.get("email", "x@y.example") in text


def test_rows_of_roles_come_and_go_without_a_script(app: Flask, administrator: FlaskClient) -> None:
    form = rows(("editor", PROVINCE), name="新人", login="new.one")
    more = administrator.post("/desk/staff/new", data=form | {"more": "1"}).get_data(as_text=True)
    assert 'name="role1"' in more and 'value="新人"' in more and 'name="rows" value="2"' in more
    two = rows(("editor", PROVINCE), ("analyst", ""), name="新人", login="new.one")
    less = administrator.post("/desk/staff/new", data=two | {"drop": "0"}).get_data(as_text=True)
    assert 'name="rows" value="1"' in less and 'value="analyst" selected' in less


def test_a_taken_login_keeps_what_was_typed(administrator: FlaskClient) -> None:
    answer = administrator.post("/desk/staff/new", data=rows(("analyst", ""), login=EDITOR, name="另一人"))
    text = answer.get_data(as_text=True)
    assert answer.status_code == 400 and "已有人使用" in text and 'value="另一人"' in text


def test_an_address_is_stored_encrypted_and_kept_out_of_the_audit_log(
    app: Flask, administrator: FlaskClient
) -> None:
    number = number_of(app, EDITOR)
    administrator.post(f"/desk/staff/{number}", data=rows(("editor", ""), email="Lin@Example.com"))
    runtime = app.extensions["signpost"]
    with runtime[Database].reading() as session:
        sealed = session.exec(select(Staff.email).where(Staff.id == number)).one()
    assert sealed and "example" not in sealed and runtime[Vault].decrypt(sealed) == "lin@example.com"
    assert "lin@example.com" in administrator.get(f"/desk/staff/{number}").get_data(as_text=True)
    assert "example.com" not in " ".join(one.model_dump_json() for one in records(app, "staff.change"))


def test_two_who_change_the_same_account_see_both_versions(app: Flask, administrator: FlaskClient) -> None:
    number = number_of(app, EDITOR)
    page = administrator.get(f"/desk/staff/{number}").get_data(as_text=True)
    found = re.search(r'name="base" value="([^"]+)"', page)
    assert found
    administrator.post(f"/desk/staff/{number}", data=rows(("editor", ""), name="先改"))
    late = administrator.post(
        f"/desk/staff/{number}", data=rows(("editor", ""), ("analyst", PROVINCE), name="后改", base=found[1])
    )
    text = late.get_data(as_text=True)
    assert late.status_code == 409 and "先改" in text and "后改" in text and "浙江省分公司" in text
    base = re.search(r'name="base" value="([^"]+)"', text)
    assert base
    chosen = {
        "name": "后改",
        "email": "",
        "active": "1",
        "grants": ["editor@", f"analyst@{PROVINCE}"],
        "base": base[1],
    }
    assert administrator.post(f"/desk/staff/{number}", data=chosen).status_code == 302
    assert grants_of(app, EDITOR) == {("editor", ""), ("analyst", PROVINCE)}


def test_a_reset_asks_first_and_ends_the_sessions(
    app: Flask, entered: Enter, administrator: FlaskClient
) -> None:
    editor, number = entered(EDITOR), number_of(app, EDITOR)
    assert "林编辑" in administrator.get(f"/desk/staff/{number}/reset").get_data(as_text=True)
    assert editor.get("/desk").status_code == 200
    assert "一次性密码" in administrator.post(f"/desk/staff/{number}/reset").get_data(as_text=True)
    assert editor.get("/desk").status_code == 302


def test_several_are_closed_after_a_preview_and_only_who_may_be(branches: Flask) -> None:
    client = entering.client(branches, BRANCH_MANAGER)
    numbers = {
        login: str(number_of(branches, login))
        for login in (OUTLET_STAFF, OUTSIDER, BRANCH_MANAGER, "strong.here")
    }
    form = {"pick": list(numbers.values()), "action": "close"}
    text = client.post("/desk/staff/bulk", data=form).get_data(as_text=True)
    assert "吴柜员" in text and "罗负责" not in text and "停用自己" in text and "超出了您自己的权限" in text
    assert records(branches, "staff.close") == []
    client.post("/desk/staff/bulk", data=form | {"confirm": "1"})
    assert [one.subject for one in records(branches, "staff.close")] == [OUTLET_STAFF]
    assert client.post("/desk/staff/bulk", data={"action": "close"}).status_code == 302


def test_an_administrator_sees_and_ends_the_sessions_of_others(
    app: Flask, administrator: FlaskClient
) -> None:
    one, other = entering.client(app, EDITOR), entering.client(app, EDITOR)
    number = number_of(app, EDITOR)
    page = administrator.get(f"/desk/staff/{number}").get_data(as_text=True)
    ends = re.findall(rf"/desk/staff/{number}/sessions/\d+/end", page)
    assert len(ends) == 2
    administrator.post(ends[0])
    assert sorted(client.get("/desk").status_code for client in (one, other)) == [200, 302]
    administrator.post(f"/desk/staff/{number}/sessions/end")
    assert {client.get("/desk").status_code for client in (one, other)} == {302}
    mine = number_of(app, ADMINISTRATOR)
    foreign = administrator.post(f"/desk/staff/{mine}/sessions/{ends[0].split('/')[-2]}/end")
    assert foreign.status_code == 404
