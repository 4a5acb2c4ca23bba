"""Pushing by part of the tree: a province plans for itself, sees nothing of another, and guesses no numbers."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from campaign.contacts import ContactList
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from scheduler import cutting, planner
from scheduler.models import Plan, Push
from tests import entering, factories
from tests.scheduler.audience_cast import ZONE, account, approve, people, plan, send_now
from webapp.create_app import create_app
from webapp.runtime import build

OURS, THEIRS, ALL = "浙江提醒", "四川提醒", "全国提醒"
_PLACES = {OURS: factories.PROVINCE, THEIRS: factories.OUTSIDE_PROVINCE, ALL: ""}
PAGES = ("/desk/plans/{}", "/desk/plans/{}/mail", "/desk/pushes/{}", "/desk/pushes/{}/progress")
ACTS = (
    "/desk/plans/{}", "/desk/plans/{}/submit", "/desk/plans/{}/take-back", "/desk/plans/{}/activate",
    "/desk/plans/{}/end", "/desk/pushes/{}/pause", "/desk/pushes/{}/cancel", "/desk/pushes/{}/uncertain",
)  # fmt: skip


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """Three plans with a push each: of a province, of another one, of the whole institution."""
    runtime, now = build(settings), clock.now()
    with runtime.service(Database).transaction() as session:
        factories.cast(session, now)
        for login, name, role in (
            ("zhao.push", "赵推送", "push_operator"),
            ("qian.look", "钱看看", "branch_manager"),
        ):
            factories.person(session, login, name, role, now, at=factories.PROVINCE)
        for name, place in _PLACES.items():
            number = people(session, runtime.service(Vault), 2, now, name)
            session.get_one(ContactList, number).outlet_code = place
            session.flush()
            made = plan(session, number, now, name=name, outlet_code=place)
            send_now(session, made, now)
            (push,) = planner.fire(session, made.id or 0, zone=ZONE, now=now)
            cutting.cut(session, push.id or 0, batch_sizes={"email": 50}, now=now)
        account(session, "https://ours.example/", now, name="浙江网关", outlet_code=factories.PROVINCE)
        account(
            session, "https://theirs.example/", now, name="四川网关", outlet_code=factories.OUTSIDE_PROVINCE
        )
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    runtime.close()


@pytest.fixture
def operator(app: Flask) -> FlaskClient:
    return entering.client(app, "zhao.push")


def _numbers(app: Flask) -> dict[str, tuple[int, int]]:
    with app.extensions["signpost"][Database].reading() as session:
        rows = session.exec(select(Plan.name, Plan.id, Push.id).join(Push, Push.plan_id == Plan.id))  # type: ignore[arg-type]
        return {name: (plan_id or 0, push_id or 0) for name, plan_id, push_id in rows}


def test_lists_hold_only_what_is_theirs(operator: FlaskClient) -> None:
    for path in ("/desk/plans", "/desk/plans?q=提醒", "/desk/plans?export=csv"):
        page = operator.get(path).get_data().decode("utf-8-sig")
        assert OURS in page and THEIRS not in page and ALL not in page, path


def test_what_lies_outside_is_answered_like_what_does_not_exist(app: Flask, operator: FlaskClient) -> None:
    numbers = _numbers(app)
    for paths, ask in ((PAGES, operator.get), (ACTS, operator.post)):
        for path in paths:
            which = 1 if "pushes" in path else 0
            missing = ask(path.format(999))
            assert missing.status_code == 404
            for name in (THEIRS, ALL):
                answer = ask(path.format(numbers[name][which]))
                assert (answer.status_code, _text(answer.text)) == (404, _text(missing.text)), path
    for path in PAGES:
        assert operator.get(path.format(numbers[OURS][1 if "pushes" in path else 0])).status_code == 200, path


def _text(page: str) -> str:
    """A page without what differs from answer to answer: its own address, tokens."""
    return re.sub(r'(value|href|content)="[^"]*"', "", page)


def test_the_form_offers_lists_accounts_and_places_of_the_province(operator: FlaskClient) -> None:
    page = operator.get("/desk/plans/new").text
    assert "浙江网关" in page and "四川网关" not in page
    assert OURS in page and THEIRS not in page and ALL not in page
    assert "浙江省分公司" in page and "四川省分公司" not in page


def _form(app: Flask, **more: str) -> dict[str, str]:
    with app.extensions["signpost"][Database].reading() as session:
        lists = {row.name: str(row.id) for row in session.exec(select(ContactList))}
    chosen = lists[more.pop("list", OURS)]
    return {
        "name": "试试", "list_id": chosen, "route": "email:", "first_at": "2099-09-15T15:00", "subject": "a",
        "body": "b", "rhythm": "", "stale_hours": "6", "outlet_code": factories.PROVINCE,
    } | more  # fmt: skip


def test_a_form_cannot_reach_beyond_the_province(app: Flask, operator: FlaskClient) -> None:
    assert operator.post("/desk/plans/new", data=_form(app)).status_code == 303
    for more in (
        {"outlet_code": ""}, {"outlet_code": factories.OUTSIDE_PROVINCE}, {"list": THEIRS}, {"list": ALL},
        {"route": "webhook:2"}, {"outlet_code": "nowhere"},
    ):  # fmt: skip
        answer = operator.post("/desk/plans/new", data=_form(app, **more))
        assert answer.status_code in (400, 403), more
    with app.extensions["signpost"][Database].reading() as session:
        assert len(list(session.exec(select(Plan).where(Plan.name == "试试")))) == 1


def test_several_plans_are_started_and_paused_after_a_preview(app: Flask, operator: FlaskClient) -> None:
    numbers = _numbers(app)
    with app.extensions["signpost"][Database].transaction() as session:
        chosen = session.exec(select(ContactList.id).where(ContactList.name == OURS)).one() or 0
        for name, ready in (("甲", True), ("乙", False)):
            made = plan(
                session,
                chosen,
                clock.now(),
                name=name,
                outlet_code=factories.PROVINCE,
                first_at="2099-09-15T15:00",
            )
            if ready:
                approve(session, made, clock.now())
            numbers[name] = (made.id or 0, 0)
    ticked = [str(numbers[name][0]) for name in ("甲", "乙", THEIRS)]
    page = operator.post("/desk/plans/several", data={"action": "activate", "pick": ticked}).text
    assert (
        "将要变化的 1 项" in page
        and "2099-09-15 15:00 第一次推送" in page
        and "还没有经过另一位同事批准" in page
    )
    assert THEIRS not in page and "不在您负责的范围内" in page
    sure = {"pick": ticked, "confirm": "1", "back": "/desk/plans"}
    page = operator.post(
        "/desk/plans/several", data=sure | {"action": "activate"}, follow_redirects=True
    ).text
    assert "已启动 1 份计划" in page
    page = operator.post("/desk/plans/several", data=sure | {"action": "pause"}, follow_redirects=True).text
    assert "已暂停 1 份计划" in page
    for wrong in ({"action": "end", "pick": ticked}, {"action": "pause"}):
        assert operator.post("/desk/plans/several", data=wrong).status_code == 400
    assert entering.client(app, "qian.look").post("/desk/plans/several", data=sure).status_code == 403


def test_who_may_only_look_finds_nothing_to_press(app: Flask) -> None:
    looker = entering.client(app, "qian.look")
    plan_id, push_id = _numbers(app)[OURS]
    for path in (f"/desk/plans/{plan_id}", f"/desk/pushes/{push_id}"):
        page = looker.get(path)
        main = page.text[page.text.index("<main") : page.text.index("</main>")]
        assert page.status_code == 200 and 'method="post"' not in main, path
    assert looker.get("/desk/plans/new").status_code == 403
    assert looker.post(f"/desk/plans/{plan_id}/end").status_code == 403
    assert looker.post(f"/desk/pushes/{push_id}/cancel").status_code == 403
