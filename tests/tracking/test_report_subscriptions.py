"""Report subscriptions on the desk and by link: who may set up, see, change, leave; nothing gets out of a part."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from flask import Flask
from sqlmodel import select

from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution import people
from institution.audit_models import AuditRecord
from institution.letter_models import Letter
from institution.models import Staff
from tests import entering, factories
from tests.factories import BRANCH_MANAGER, EDITOR, OUTSIDER, PROVINCE
from tracking import subscriptions
from tracking.report_readers import LeaveLinks
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

FORM = {"name": "浙江周报", "outlet_code": PROVINCE, "span": "week", "by": "outlet", "by2": "", "compare": "year", "rhythm": "weekly",
        "weekday": "0", "month_day": "1", "days_after": "3", "hour": "8", "locale": "zh", "recipients": BRANCH_MANAGER}  # fmt: skip
LIST = "/desk/reach/reports"


@pytest.fixture
def runtime(settings: Settings, now: datetime) -> Iterator[Runtime]:
    mailing = {"smtp_host": "127.0.0.1", "smtp_port": 9, "mail_from": "r@example.com"}
    runtime = build(settings.model_copy(update=mailing))
    with runtime.service(Database).transaction() as session:
        factories.cast(session, now)
        for login in (BRANCH_MANAGER, OUTSIDER):
            one = factories.staff(session, login, now)
            one.email = runtime.service(Vault).encrypt(f"{login}@example.com")
    yield runtime
    runtime.close()


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def on(runtime: Runtime) -> list[str]:
    with runtime.service(Database).reading() as session:
        return [one.login for one in subscriptions.recipients(session, 1)]


def test_made_seen_changed_paused_deleted_and_brought_back(runtime: Runtime, app: Flask) -> None:
    client = entering.client(app, BRANCH_MANAGER)
    assert "还没有定期报告" in client.get(LIST).text
    assert client.post(f"{LIST}/new", data=FORM).status_code == 303
    page = client.get(f"{LIST}/1").text
    assert "浙江周报" in page and "还没有发送过" in page
    assert "还没有触达" in client.get(f"{LIST}/1/mail").text
    assert "style-src 'self'" in client.get(f"{LIST}/1/mail").headers["Content-Security-Policy"]
    wrong = client.post(f"{LIST}/1", data=FORM | {"hour": "99", "base": base(page)})
    assert wrong.status_code == 400 and "请选几点发送" in wrong.text
    assert client.post(f"{LIST}/1", data=FORM | {"hour": "9", "base": base(page)}).status_code == 303
    assert client.post(f"{LIST}/1", data=FORM | {"hour": "7", "base": base(page)}).status_code == 409, (
        "overtaken"
    )
    for action, state in (
        ("pause", "paused"),
        ("resume", "active"),
        ("delete", "deleted"),
        ("restore", "paused"),
    ):
        assert client.post(f"{LIST}/1/{action}").status_code == 303
        with runtime.service(Database).reading() as session:
            assert subscriptions.get(session, 1).state == state
    with runtime.service(Database).reading() as session:
        words = [one.action for one in session.exec(select(AuditRecord).where(AuditRecord.kind == "report"))]
    assert words == [f"report.{word}" for word in ("make", "change", "pause", "resume", "delete", "restore")]


def base(page: str) -> str:
    return page.partition('name="base" value="')[2].partition('"')[0]


def test_nobody_sets_up_for_another_part_or_names_its_people(app: Flask) -> None:
    client = entering.client(app, BRANCH_MANAGER)
    for wrong in ({"outlet_code": factories.OUTSIDE_PROVINCE}, {"outlet_code": ""}, {"recipients": OUTSIDER},
                  {"recipients": EDITOR}, {"recipients": "nobody-at-all"}, {"recipients": ""}):  # fmt: skip
        assert client.post(f"{LIST}/new", data=FORM | wrong).status_code == 400, wrong
    foreign, unknown = (
        client.post(f"{LIST}/new", data=FORM | {"recipients": name}).text.count("没有这些在用的账号")
        for name in (OUTSIDER, "nobody-at-all")
    )
    assert foreign == unknown > 0
    assert entering.client(app, EDITOR).get(f"{LIST}/new").status_code == 403


def test_what_another_part_set_up_is_as_if_it_did_not_exist(app: Flask) -> None:
    entering.client(app, BRANCH_MANAGER).post(f"{LIST}/new", data=FORM)
    other = entering.client(app, OUTSIDER)
    assert "浙江" not in other.get(LIST).text
    for path in ("", "/mail"):
        assert other.get(f"{LIST}/1{path}").status_code == other.get(f"{LIST}/99{path}").status_code == 404
    for path in ("", "/pause", "/delete", "/test", "/leave", "/again/1"):
        assert other.post(f"{LIST}/1{path}", data=FORM).status_code == 404, path


def test_a_test_is_sent_to_oneself_and_noted(runtime: Runtime, app: Flask) -> None:
    client = entering.client(app, BRANCH_MANAGER)
    client.post(f"{LIST}/new", data=FORM)
    assert client.post(f"{LIST}/1/test").status_code == 303
    with runtime.service(Database).reading() as session:
        letter = session.exec(select(Letter)).one()
        assert letter.once and letter.to_index == runtime.service(Vault).index(
            "email", f"{BRANCH_MANAGER}@example.com"
        )
        assert "浙江" not in letter.sealed
    assert "试发" in client.get(f"{LIST}/1").text


def test_leaving_by_the_desk_and_by_the_link_of_the_mail(runtime: Runtime, app: Flask) -> None:
    client = entering.client(app, BRANCH_MANAGER)
    client.post(f"{LIST}/new", data=FORM)
    with runtime.service(Database).reading() as session:
        me = people.by_login(session, BRANCH_MANAGER)
        assert me is not None
        links = LeaveLinks(runtime.service(Keys))
        mine, foreign = links.path(1, me.id or 0), links.path(1, 1)
    anybody = app.test_client()
    assert "没有点按钮之前" in anybody.get(mine).text and on(runtime) == [BRANCH_MANAGER], (
        "looking changes nothing"
    )
    for wrong in (mine[:-1], mine.replace("1-", "2-", 1), "/reports/leave/1-1.x", "/reports/leave/x"):
        assert anybody.post(wrong).status_code == 404 and on(runtime) == [BRANCH_MANAGER]
    assert anybody.post(foreign).status_code == 200 and on(runtime) == [BRANCH_MANAGER], (
        "nobody leaves for others"
    )
    app.config["WTF_CSRF_ENABLED"] = True
    assert anybody.post(mine, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert on(runtime) == []
    app.config["WTF_CSRF_ENABLED"] = False
    assert client.post(f"{LIST}/1/leave").status_code == 404, "who is not on cannot leave"
    with runtime.service(Database).transaction() as session:
        found = session.exec(select(Staff).where(Staff.login == BRANCH_MANAGER)).one()
        subscriptions._set_recipients(session, 1, [found.id or 0], found.created_at)
    assert client.post(f"{LIST}/1/leave").status_code == 303 and on(runtime) == []
