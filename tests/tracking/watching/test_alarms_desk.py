"""The pages of alarms through HTTP: the list, one alarm, what was done about it, a day tried, mail."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from core import clock
from core.database import Database
from core.settings import Settings
from institution.models import Outlet
from tests import entering, factories
from tests.factories import BRANCH_MANAGER, OUTLET_A, OUTLET_STAFF, OUTSIDE_OUTLET, OUTSIDER
from tests.tracking.watching.days import visit, weeks
from tracking.insight_models import ReachAnnotation
from tracking.store import ReachStore
from tracking.watching import alarms, looking, watch
from tracking.watching.models import ReachAlarm
from webapp.create_app import create_app
from webapp.runtime import Runtime, build


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    """Yesterday a code in 浙江 brought nobody and a page in 四川 nine hundred; both stand on the desk."""
    runtime = build(settings.model_copy(update={"holidays": ""}))
    now = clock.now()
    day = clock.today(settings.zone) - timedelta(days=1)
    store, database = runtime.service(ReachStore), runtime.service(Database)
    visit(store, OUTLET_A, "outlet", weeks(9, [40] * 7, until=day, but={day: 0}))
    visit(store, OUTSIDE_OUTLET, "web", weeks(9, [40] * 7, until=day, but={day: 900}))
    visit(store, "", "web", weeks(9, [5_000] * 7, until=day))
    with database.transaction() as session:
        factories.tree(session, now)
        for login in (BRANCH_MANAGER, OUTSIDER, OUTLET_STAFF):
            factories.staff(session, login, now)
        factories.person(session, "ma.lead", "马主管", "campaign_manager", now)
        alarms.settle(session, looking.look(store, session, runtime.service(Settings), day), now)
    yield runtime
    runtime.close()


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return entering.client(app, BRANCH_MANAGER)


def number_of(runtime: Runtime, kind: str) -> int:
    """The alarm about the outlet."""
    with runtime.service(Database).reading() as session:
        query = select(ReachAlarm).where(ReachAlarm.kind == kind, ReachAlarm.level == "outlet")
        return session.exec(query).one().id or 0


def main(client: FlaskClient, path: str) -> str:
    return client.get(path).text.split("<main", 1)[1]


def test_each_sees_their_part(app: Flask, client: FlaskClient) -> None:
    own = main(client, "/desk/reach/alarms")
    assert "西湖文三路柜面" in own and "没有人访问" in own and "锦江" not in own
    whole = main(entering.client(app, "ma.lead"), "/desk/reach/alarms")
    assert "西湖文三路柜面" in whole and "锦江春熙路柜面" in whole
    assert "触达预警" in main(client, "/desk") and "锦江" not in main(client, "/desk")


@pytest.mark.parametrize("path", ["?state=lasting", "?kind=silence", "?state=all&sort=-expected"])
def test_the_list_narrows(client: FlaskClient, path: str) -> None:
    assert "西湖文三路柜面" in main(client, f"/desk/reach/alarms{path}")


@pytest.mark.parametrize("path", ["?state=handled", "?kind=spike"])
def test_the_list_says_when_nothing_fits(client: FlaskClient, path: str) -> None:
    assert "没有这样的预警" in main(client, f"/desk/reach/alarms{path}")


def test_the_export_holds_what_the_list_holds(app: Flask, client: FlaskClient) -> None:
    own = client.get("/desk/reach/alarms?export=csv").get_data(as_text=True)
    assert OUTLET_A in own and OUTSIDE_OUTLET not in own
    assert client.get("/desk/reach/alarms?export=xlsx").data[:2] == b"PK"


def test_one_alarm_shows_its_days_and_is_taken_care_of(client: FlaskClient, runtime: Runtime) -> None:
    number = number_of(runtime, "silence")
    page = main(client, f"/desk/reach/alarms/{number}")
    assert "<svg" in page and "最近十二周" in page and "柜面" in page
    form = {"cause": "broken", "note": "码被撕了，补贴一张", "annotate": "1", "quiet_until": ""}
    wrong = client.post(f"/desk/reach/alarms/{number}/handle", data=form | {"note": ""})
    assert wrong.status_code == 400 and "写明情况" in wrong.text and "码被撕了" not in wrong.text
    assert client.post(f"/desk/reach/alarms/{number}/handle", data=form).status_code == 302
    assert "没有待处理的预警" in main(client, "/desk/reach/alarms") or "还没有看过" in main(
        client, "/desk/reach/alarms"
    )
    assert "触达预警" not in main(client, "/desk")
    done = main(client, f"/desk/reach/alarms/{number}")
    assert "码被撕了，补贴一张" in done and "陈负责" in done
    with runtime.service(Database).reading() as session:
        (note,) = session.exec(select(ReachAnnotation)).all()
    assert (note.outlet_code, note.kind, note.text) == (OUTLET_A, "outage", "码被撕了，补贴一张")


def test_who_only_reads_reads(app: Flask, runtime: Runtime) -> None:
    staff, number = entering.client(app, OUTLET_STAFF), number_of(runtime, "silence")
    assert "记下" not in main(staff, f"/desk/reach/alarms/{number}")
    given = {"cause": "real", "note": "x"}
    assert staff.post(f"/desk/reach/alarms/{number}/handle", data=given).status_code == 403
    assert staff.get(f"/desk/reach/alarms/{number_of(runtime, 'spike')}").status_code == 404


def test_a_day_is_tried_without_being_entered(app: Flask, client: FlaskClient, runtime: Runtime) -> None:
    day = clock.today(runtime.service(Settings).zone) - timedelta(days=1)
    tried = main(client, f"/desk/reach/alarms/try?day={day}")
    assert "西湖文三路柜面" in tried and "锦江" not in tried
    assert "没有什么不寻常" in main(client, f"/desk/reach/alarms/try?day={day - timedelta(days=3)}")
    for wrong, why in ((str(day + timedelta(days=1)), "已经过完"), ("2026-13-01", "日期")):
        answer = client.get(f"/desk/reach/alarms/try?day={wrong}")
        assert answer.status_code == 400 and why in answer.text
    with runtime.service(Database).reading() as session:
        assert alarms.last_watched(session) is None


def test_a_closed_outlet_is_left_out_of_what_is_tried(client: FlaskClient, runtime: Runtime) -> None:
    day = clock.today(runtime.service(Settings).zone) - timedelta(days=1)
    with runtime.service(Database).transaction() as session:
        row = session.get_one(Outlet, OUTLET_A)
        row.closed_on = day
        session.add(row)
    assert "没有什么不寻常" in main(client, f"/desk/reach/alarms/try?day={day}")


def test_mail_is_asked_for_and_given_up(client: FlaskClient, runtime: Runtime) -> None:
    for wanted in (True, True, False, False):
        assert client.post("/desk/reach/alarms/mail", data={"wanted": int(wanted)}).status_code == 302
        said = main(client, "/desk/reach/alarms")
        assert ("不再寄给我" in said) == wanted and ("还没有设置邮件服务器" in said) == wanted
    with runtime.service(Database).reading() as session:
        assert not watch.is_reader(session, 1)
