"""Accounts on the desk: only administrators, never against oneself."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core.database import Database
from institution import people
from tests.factories import ADMINISTRATOR, EDITOR

Enter = Callable[[str], FlaskClient]


def number_of(app: Flask, login: str) -> int:
    with app.extensions["signpost"].service(Database).reading() as session:
        account = people.by_login(session, login)
        assert account and account.id
        return account.id


@pytest.mark.parametrize("path", ["/desk/staff", "/desk/staff/new", "/desk/staff/1", "/desk/staff/1/reset"])
def test_others_may_not_look_at_accounts(entered: Enter, path: str) -> None:
    answer = entered(EDITOR).get(path)
    assert answer.status_code == 403 and "管理账号" in answer.get_data(as_text=True)


def test_a_closed_account_is_out_at_once_and_can_come_back(
    app: Flask, entered: Enter, administrator: FlaskClient
) -> None:
    editor, number = entered(EDITOR), number_of(app, EDITOR)
    saved = administrator.post(f"/desk/staff/{number}", data={"name": "林编辑", "roles": ["editor"]})
    assert saved.status_code == 302
    assert editor.get("/desk").status_code == 302
    administrator.post(f"/desk/staff/{number}", data={"name": "林编辑", "roles": ["analyst"], "active": "1"})
    assert entered(EDITOR).get("/desk").status_code == 200


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"name": "王", "roles": ["administrator"]}, "停用自己"),
        ({"name": "王", "roles": ["editor"], "active": "1"}, "自己的管理员角色"),
        ({"name": "王", "active": "1"}, "至少选一个角色"),
        ({"name": " ", "roles": ["administrator"], "active": "1"}, "填写姓名"),
        ({"name": "王", "roles": ["emperor"], "active": "1"}, "至少选一个角色"),
    ],
)
def test_a_change_that_would_lock_out_or_means_nothing_is_refused(
    app: Flask, administrator: FlaskClient, data: dict[str, object], words: str
) -> None:
    number = number_of(app, ADMINISTRATOR)
    answer = administrator.post(f"/desk/staff/{number}", data=data)
    assert answer.status_code == 400 and words in answer.get_data(as_text=True)
    assert administrator.get("/desk/staff").status_code == 200


def test_a_reset_asks_first_and_ends_the_sessions(
    app: Flask, entered: Enter, administrator: FlaskClient
) -> None:
    editor, number = entered(EDITOR), number_of(app, EDITOR)
    assert "林编辑" in administrator.get(f"/desk/staff/{number}/reset").get_data(as_text=True)
    assert editor.get("/desk").status_code == 200
    assert "一次性密码" in administrator.post(f"/desk/staff/{number}/reset").get_data(as_text=True)
    assert editor.get("/desk").status_code == 302


def test_a_taken_login_keeps_what_was_typed(administrator: FlaskClient) -> None:
    answer = administrator.post(
        "/desk/staff/new", data={"login": EDITOR, "name": "另一人", "roles": ["analyst"]}
    )
    text = answer.get_data(as_text=True)
    assert answer.status_code == 400 and "已有人使用" in text and 'value="另一人"' in text
