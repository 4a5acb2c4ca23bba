"""Lists of accounts as files: previewed, all or none, each fault with its row and column; invitations."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import func, select

from core.cells import to_xlsx
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from institution import invitations, people, sessions
from institution.audit_models import AuditRecord
from institution.letter_models import Letter
from institution.models import Staff
from tests import entering, factories
from tests.factories import (
    ADMINISTRATOR,
    BRANCH_MANAGER,
    EDITOR,
    OUTLET_A,
    OUTLET_B,
    OUTSIDE_PROVINCE,
    PROVINCE,
)

Enter = Callable[[str], FlaskClient]
HEAD = "登录名,姓名,邮箱,角色,机构编号\n"
GOOD = (
    HEAD
    + f"zhang.san,张三,zhang@example.com,编辑,\nli.si,李四,,分支机构负责人,{PROVINCE}\nli.si,李四,,outlet_staff,{OUTLET_A}\n"
)


def uploaded(client: FlaskClient, text: str | bytes) -> str:
    """Upload a file; returns the address of its preview."""
    data = text if isinstance(text, bytes) else text.encode()
    answer = client.post("/desk/staff/import", data={"file": (io.BytesIO(data), "staff.csv")})
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return str(answer.headers["Location"])


def logins(app: Flask) -> set[str]:
    with app.extensions["signpost"][Database].reading() as session:
        return set(session.exec(select(Staff.login)))


def grants_of(app: Flask, login: str) -> set[tuple[str, str]]:
    with app.extensions["signpost"][Database].reading() as session:
        account = people.by_login(session, login)
        assert account
        return set(sessions.powers_of(session, account.id or 0).grants)


def test_a_preview_writes_nothing_and_the_codes_are_shown_once(
    app: Flask, administrator: FlaskClient
) -> None:
    before, path = logins(app), uploaded(administrator, GOOD)
    preview = administrator.get(path).get_data(as_text=True)
    assert "张三" in preview and "新增 2 个账号" in preview and logins(app) == before
    done = administrator.post(path, data={"deliver": "page"}).get_data(as_text=True)
    codes = dict(re.findall(r'<th scope="row">([\w.]+)</th>.*?<code>([a-z2-9-]{19})</code>', done))
    assert set(codes) == {"zhang.san", "li.si"}
    assert grants_of(app, "li.si") == {("branch_manager", PROVINCE), ("outlet_staff", OUTLET_A)}
    answer = app.test_client().post("/desk/sign-in", data={"login": "li.si", "password": codes["li.si"]})
    assert answer.headers["Location"].startswith("/desk/password")
    again = administrator.get(path).get_data(as_text=True)
    assert "没有什么要变的" in again


def test_an_import_leaves_one_record_without_addresses(app: Flask, administrator: FlaskClient) -> None:
    with app.extensions["signpost"][Database].reading() as session:
        count = session.exec(select(func.count()).select_from(AuditRecord)).one()
    administrator.post(uploaded(administrator, GOOD), data={"deliver": "page"})
    with app.extensions["signpost"][Database].reading() as session:
        records = list(session.exec(select(AuditRecord).where(AuditRecord.id > count)))
    assert [one.action for one in records] == ["staff.import"]
    assert records[0].after["added"]["zhang.san"] == ["editor@*"]
    assert "example.com" not in records[0].model_dump_json()


def test_the_codes_can_be_a_file(administrator: FlaskClient) -> None:
    answer = administrator.post(uploaded(administrator, GOOD), data={"deliver": "csv"})
    assert answer.mimetype == "text/csv" and "zhang.san,张三," in answer.get_data().decode("utf-8-sig")


def test_xlsx_is_read_too_and_the_example_is_a_good_file(administrator: FlaskClient) -> None:
    rows = [line.split(",") for line in GOOD.strip().split("\n")]
    path = uploaded(administrator, to_xlsx(rows[0], rows[1:]))
    assert "新增 2 个账号" in administrator.get(path).get_data(as_text=True)
    for form in ("csv", "xlsx"):
        example = administrator.get(f"/desk/staff/example?export={form}").get_data()
        assert "新增 2 个账号" in administrator.get(uploaded(administrator, example)).get_data(as_text=True)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("bad login!,甲,,编辑,", "第 4 行“登录名”"),
        ("wang.wu,,,编辑,", "第 4 行“姓名”"),
        ("wang.wu,王五,nowhere,编辑,", "第 4 行“邮箱”"),
        ("wang.wu,王五,,皇帝,", "第 4 行“角色”：没有“皇帝”这个角色"),
        ("wang.wu,王五,,编辑,424242", "第 4 行“机构编号”：没有编号为“424242”的机构"),
        ("li.si,别人,,编辑,", "第 4 行“姓名”：与第 3 行"),
    ],
)
def test_one_fault_and_nobody_is_imported(
    app: Flask, administrator: FlaskClient, row: str, told: str
) -> None:
    before = logins(app)
    path = uploaded(administrator, "\n".join(GOOD.split("\n")[:3]) + "\n" + row + "\n")
    assert told in administrator.get(path).get_data(as_text=True)
    assert administrator.post(path, data={"deliver": "page"}).status_code == 400
    assert logins(app) == before


@pytest.mark.parametrize("text", ["", "姓名,角色\n甲,编辑\n", "登录名,登录名,姓名,角色\n", "\x00\x01"])
def test_a_file_that_is_none_says_why(administrator: FlaskClient, text: str) -> None:
    data = {"file": (io.BytesIO(text.encode()), "staff.csv")}
    answer = administrator.post("/desk/staff/import", data=data)
    assert answer.status_code == 400 and 'class="error"' in answer.get_data(as_text=True)


def test_a_branch_manager_imports_only_within_their_part_and_powers(app: Flask, now: datetime) -> None:
    with app.extensions["signpost"][Database].transaction() as session:
        factories.staff(session, BRANCH_MANAGER, now)
    client = entering.client(app, BRANCH_MANAGER)
    good = uploaded(client, HEAD + f"one,甲,,outlet_staff,{OUTLET_A}\n")
    for bad in (
        f"one,甲,,outlet_staff,{OUTSIDE_PROVINCE}",
        "one,甲,,outlet_staff,",
        f"one,甲,,editor,{OUTLET_B}",
        f"{EDITOR},林,,outlet_staff,{OUTLET_A}",
    ):
        path = uploaded(client, HEAD + bad + "\n")
        assert "超出了您自己的权限" in client.get(path).get_data(as_text=True), bad
        assert client.post(path, data={"deliver": "page"}).status_code == 400
    assert grants_of(app, EDITOR) == {("editor", "")} and "one" not in logins(app)
    assert client.post(good, data={"deliver": "page"}).status_code == 200 and "one" in logins(app)
    assert entering.client(app, ADMINISTRATOR).get(good).status_code == 404  # an upload is its owner's alone


def test_what_the_file_says_of_somebody_known_replaces_their_roles(
    app: Flask, administrator: FlaskClient
) -> None:
    path = uploaded(
        administrator, HEAD + f"{EDITOR},林编辑,,分析,{PROVINCE}\n{ADMINISTRATOR},王管理,,编辑,\n"
    )
    # nobody changes their own roles by a file either
    assert "第 3 行“角色”：不能修改自己的角色" in administrator.get(path).get_data(as_text=True)
    assert administrator.post(path, data={}).status_code == 400
    assert grants_of(app, EDITOR) == {("editor", "")}
    path = uploaded(administrator, HEAD + f"{EDITOR},林编辑,,分析,{PROVINCE}\n")
    assert administrator.post(path, data={}).status_code == 302
    assert grants_of(app, EDITOR) == {("analyst", PROVINCE)}


def test_an_upload_lies_encrypted_on_the_disk(app: Flask, administrator: FlaskClient) -> None:
    uploaded(administrator, GOOD)
    folder: Path = app.extensions["signpost"][Settings].home / "uploads"
    assert all(b"zhang" not in one.read_bytes() for one in folder.iterdir())


# Invitations


@pytest.fixture
def token(app: Flask) -> str:
    """An invitation of somebody new."""
    now = datetime.now(UTC)
    with app.extensions["signpost"][Database].transaction() as session:
        account, _code = people.add(session, login="new.one", name="新人", roles=["analyst"], now=now)
        return invitations.invite(session, account, by=None, now=now, hours=1)


CHOSEN = {"new": "a quiet pond at noon", "again": "a quiet pond at noon"}


def test_an_invitation_sets_the_password_and_works_once(app: Flask, token: str) -> None:
    client, path = app.test_client(), f"/desk/invitation/{token}"
    assert "新人" in client.get(path).get_data(as_text=True) and client.get(path).status_code == 200
    assert client.post(path, data=CHOSEN | {"again": "x"}).status_code == 400
    assert client.post(path, data={"new": "short", "again": "short"}).status_code == 400
    assert client.post(path, data=CHOSEN).headers["Location"] == "/desk"
    assert client.get("/desk").status_code == 200
    other = app.test_client()
    assert other.get(path).status_code == 404 and other.post(path, data=CHOSEN).status_code == 404
    assert (
        other.post("/desk/sign-in", data={"login": "new.one", "password": CHOSEN["new"]}).status_code == 302
    )


@pytest.mark.parametrize("ended", ["late", "closed", "again", "reset", "wrong"])
def test_an_invitation_that_ended_opens_nothing_and_does_not_say_why(
    app: Flask, token: str, ended: str
) -> None:
    now = datetime.now(UTC)
    with app.extensions["signpost"][Database].transaction() as session:
        account = people.by_login(session, "new.one")
        assert account
        if ended == "late":
            found, _account = invitations.opened(session, token, now)
            found.expires_at = now - timedelta(seconds=1)
            session.add(found)
        elif ended == "closed":
            people.close(session, account, by=None, now=now)
        elif ended == "again":
            invitations.invite(session, account, by=None, now=now, hours=1)
        elif ended == "reset":
            people.reset_password(session, account, now=now)
    path = f"/desk/invitation/{token if ended != 'wrong' else token[:-2] + 'xx'}"
    answer = app.test_client().get(path)
    assert answer.status_code == 404 and "已经用过、过期或被撤回" in answer.get_data(as_text=True)
    assert app.test_client().post(path, data=CHOSEN).status_code == 404


def test_the_token_is_stored_as_a_hash(app: Flask, token: str) -> None:
    with app.extensions["signpost"][Database].reading() as session:
        found, _account = invitations.opened(session, token, datetime.now(UTC))
    assert token not in found.model_dump_json()


@pytest.mark.parametrize("mail", [True, False])
def test_an_invitation_goes_by_mail_or_is_shown(app: Flask, administrator: FlaskClient, mail: bool) -> None:
    runtime = app.extensions["signpost"]
    if mail:
        sender = {"smtp_host": "127.0.0.1", "mail_from": "edu@example.com"}
        runtime._made[Settings] = runtime[Settings].model_copy(update=sender)
    form = {
        "login": "new.one",
        "name": "新人",
        "email": "new@example.com",
        "rows": "1",
        "role0": "analyst",
        "node0": "",
        "deliver": "invite",
    }
    answer = administrator.post("/desk/staff/new", data=form)
    with runtime[Database].reading() as session:
        sent = list(session.exec(select(Letter)))
    if not mail:
        link = re.search(r"/desk/invitation/[\w-]{43}", answer.get_data(as_text=True))
        assert link and sent == [] and app.test_client().get(link[0]).status_code == 200
        return
    assert answer.status_code == 302 and len(sent) == 1
    text = runtime[Vault].decrypt(sent[0].sealed)
    link = re.search(r"/desk/invitation/[\w-]{43}", text)
    assert link and "new.one" in text and app.test_client().get(link[0]).status_code == 200
