"""The desk of events: who may, what is asked before it is done, what leaves a record, and that exports are masked."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlmodel import Session, col, select

from campaign.events import month, occurrences, planning, series
from campaign.events.models import Occurrence
from campaign.registration import feedback, registering
from campaign.registration.entry import Wanted
from campaign.registration.models import CANCELLED, CONFIRMED, PENDING, WAITING, Notice, Registration
from core import clock
from core.cells import to_csv
from core.database import Database
from core.privacy import Vault
from institution.audit_models import AuditRecord
from tests import factories
from tests.campaign.conftest import Desk, token
from tests.campaign.events import making, site
from tests.campaign.events.making import FORM, ZONE, all_of, party
from tests.campaign.events.site import Planted
from webapp.runtime import Runtime

SERIES = "/desk/events/series/tuesday"
STAFF, BRANCH, OUTSIDER = factories.OUTLET_STAFF, factories.BRANCH_MANAGER, factories.OUTSIDER
MANAGER = "gu.manager"


@pytest.fixture(scope="module")
def planted(runtime: Runtime) -> Iterator[Planted]:
    with runtime.service(Database).transaction() as session:
        for login in (STAFF, BRANCH, OUTSIDER):
            factories.staff(session, login, clock.now())
        factories.person(session, MANAGER, "顾主管", "campaign_manager", clock.now())
        made = site.fill(session, runtime.service(Vault), clock.now())
    yield made


def post(client: FlaskClient, path: str, **data: object) -> tuple[int, str]:
    answer = client.post(path, data={"csrf_token": token(client, "/desk/events"), **data})
    return answer.status_code, answer.location or answer.text


def fresh(
    runtime: Runtime, planted: Planted, code: str = factories.OUTLET_A, **changed: object
) -> Occurrence:
    """An occurrence that no other test uses, with two seats."""
    with runtime.service(Database).transaction() as session:
        free = [
            one for one in all_of(session, planted.series)
            if one.outlet_code == code and one.taken == 0 and one.version == 1 and one.starts_at > clock.now() + timedelta(days=5)
        ]  # fmt: skip
        one = free[-1]
        one.capacity, one.version = 2, 2
        for name, value in changed.items():
            setattr(one, name, value)
        session.add(one)
    return one


def registered(runtime: Runtime, one: Occurrence, count: int, **more: object) -> list[Registration]:
    with runtime.service(Database).transaction() as session:
        where = occurrences.get(session, one.id or 0)
        return [
            party(session, runtime.service(Vault), where, 100 + each, clock.now(), **more)
            for each in range(count)
        ]


def states(runtime: Runtime, one: Occurrence) -> list[str]:
    with runtime.service(Database).reading() as session:
        query = select(Registration.state).where(Registration.occurrence_id == one.id)
        return list(session.exec(query.order_by(col(Registration.id))))


def records(runtime: Runtime, action: str) -> list[AuditRecord]:
    with runtime.service(Database).reading() as session:
        return list(
            session.exec(
                select(AuditRecord).where(AuditRecord.action == action).order_by(col(AuditRecord.id))
            )
        )


def test_each_sees_what_is_theirs(desk: Desk, planted: Planted) -> None:
    page = f"/desk/events/o/{planted.next.id}"
    for login, status in (
        (STAFF, 200),
        (BRANCH, 200),
        (OUTSIDER, 404),
        (MANAGER, 200),
        (factories.EDITOR, 403),
    ):
        assert desk(login).get(page).status_code == status, login
    assert "西湖文三路" not in desk(OUTSIDER).get("/desk/events/occurrences").text
    assert "西湖古荡" not in desk(STAFF).get(f"/desk/events/occurrences?month={planted.next.day:%Y-%m}").text
    assert desk(STAFF).get(f"/desk/events/load?node={factories.OUTLET_B}").status_code == 404
    assert desk(STAFF).get(f"{SERIES}/plan?node={factories.PROVINCE}").status_code == 404
    assert desk(STAFF).get(f"/desk/events/o/{planted.online.id}").status_code == 404, (
        "online belongs to head office"
    )
    assert 'id="series"' not in desk(BRANCH).get(SERIES).text, "head office's series is shown and not changed"
    assert post(desk(BRANCH), SERIES, **FORM)[0] == 404


def test_names_and_numbers_are_masked_and_plain_ones_leave_a_record(
    desk: Desk, planted: Planted, runtime: Runtime
) -> None:
    page = f"/desk/events/o/{planted.next.id}"
    text = desk(BRANCH).get(page).text
    assert "张0" not in text and "13800000000" not in text
    before = len(records(runtime, "registration.read"))
    plain = desk(BRANCH).get(f"{page}?plain=1").text
    assert "张0" in plain and "13800000000" in plain
    assert len(records(runtime, "registration.read")) == before + 1
    for login in (STAFF, MANAGER):
        assert desk(login).get(f"{page}?plain=1").status_code == 403, login


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_is_masked_unless_one_may_and_always_recorded(
    desk: Desk, planted: Planted, runtime: Runtime, form: str
) -> None:
    path = f"/desk/events/o/{planted.next.id}/export.{form}"
    before = len(records(runtime, "registration.export"))
    answer = desk(STAFF).get(path)
    assert answer.status_code == 200
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
        assert len(rows) == 3 and "138" in rows[0]["手机"]
        assert not [row for row in rows if "0000000" in row["手机"] or row["姓名"].startswith("张0")]
    assert b"13800000000" not in answer.data
    assert desk(STAFF).get(f"{path}?plain=1").status_code == 403
    assert desk(MANAGER).get(f"{path}?plain=1").status_code == 403
    whole = desk(BRANCH).get(f"{path}?plain=1")
    if form == "csv":
        assert "13800000000" in whole.data.decode("utf-8-sig")
    made = records(runtime, "registration.export")[before:]
    assert [one.after for one in made] == [{"count": 3, "plain": False}, {"count": 3, "plain": True}]
    assert "13800000000" not in desk(STAFF).get(f"/desk/events/o/{planted.next.id}/print").text


def test_a_branch_plans_its_outlets_and_no_others(desk: Desk, planted: Planted, runtime: Runtime) -> None:
    with runtime.service(Database).transaction() as session:
        making.tuesdays(
            session, clock.now(), "weekly", first_on=planted.next.day.isoformat(), name="每周一课"
        )
    first = month.next_month(planted.next.day.replace(day=1), 3)
    path, chosen = "/desk/events/series/weekly/plan", f"{first:%Y-%m}"
    page = desk(BRANCH).get(f"{path}?month={chosen}").text
    assert "补上这" in page
    status, target = post(desk(BRANCH), path, month=chosen)
    assert (status, chosen in target) == (303, True)
    assert "没有空缺" in desk(BRANCH).get(f"{path}?month={chosen}").text
    with runtime.service(Database).reading() as session:
        found = all_of(session, series.get(session, "weekly"))
        lacking = planning.gaps(
            session, series.get(session, "weekly"), [factories.OUTSIDE_OUTLET], first, month.last_of(first), zone=ZONE,
            country="CN", now=clock.now(),
        )  # fmt: skip
    assert found and factories.OUTSIDE_OUTLET not in {one.outlet_code for one in found}
    assert lacking.count > 0
    count = len(found)
    assert post(desk(BRANCH), path, month=chosen)[0] == 303
    with runtime.service(Database).reading() as session:
        assert len(all_of(session, series.get(session, "weekly"))) == count, "again makes nothing"


def test_a_series_is_made_changed_and_two_who_change_it_see_both(desk: Desk, planted: Planted) -> None:
    manager, other = desk(MANAGER), desk(factories.ADMINISTRATOR)
    assert post(manager, "/desk/events/new", **FORM | {"code": "spring", "minutes": "3"})[0] == 400
    status, target = post(manager, "/desk/events/new", **FORM | {"code": "spring", "name": "春天小课"})
    assert (status, target.endswith("/series/spring/plan")) == (303, True)
    path = "/desk/events/series/spring"
    base = manager.get(path).text.split('name="base" value="')[1].split('"')[0]
    assert post(other, path, **FORM | {"name": "夏天小课", "base": base})[0] == 303
    status, text = post(manager, path, **FORM | {"name": "秋天小课", "base": base})
    assert status == 409 and "夏天小课" in text and "秋天小课" in text
    assert "秋天" not in manager.get(path).text


def test_the_preview_says_which_days_are_left_out(desk: Desk, planted: Planted) -> None:
    manager = desk(MANAGER)
    query = {"rule": "FREQ=DAILY", "first_on": "2027-01-30"}
    text = manager.get("/desk/events/preview", query_string=query).text
    assert "春节" in text or "不办" in text
    assert "RRULE" in manager.get("/desk/events/preview?rule=FREQ=HOURLY&first_on=2027-01-30").text


def test_moving_and_calling_off_tell_everybody(desk: Desk, planted: Planted, runtime: Runtime) -> None:
    one = fresh(runtime, planted)
    rows = registered(runtime, one, 3)
    staff, path = desk(STAFF), f"/desk/events/o/{one.id}"
    text = staff.get(path).text
    assert "有 3 份报名，会一一告诉他们" in text
    day = (one.day + timedelta(days=1)).isoformat()
    moved = {
        "day": day,
        "starts": "15:00",
        "minutes": "60",
        "outlet_code": factories.OUTLET_A,
        "place": "二楼",
    }
    assert post(staff, f"{path}/move", **moved)[0] == 303
    status, text = post(staff, f"{path}/move", **moved | {"outlet_code": factories.OUTLET_B})
    assert status == 400 and "您在这个机构没有" in text
    assert post(staff, f"{path}/call-off", reason="")[0] == 400
    assert post(staff, f"{path}/call-off", reason="停电")[0] == 303
    with runtime.service(Database).reading() as session:
        notices = session.exec(
            select(Notice).where(col(Notice.registration_id).in_([row.id for row in rows]))
        ).all()
    assert sorted(each.kind for each in notices) == ["called_off"] * 3 + ["moved"] * 3
    assert "停电" in staff.get(path).text


def test_a_stale_form_moves_nothing(desk: Desk, planted: Planted, runtime: Runtime) -> None:
    one = fresh(runtime, planted)
    staff, path = desk(STAFF), f"/desk/events/o/{one.id}"
    base = staff.get(path).text.split('name="base" value="')[1].split('"')[0]
    assert post(desk(BRANCH), f"{path}/capacity", capacity="5")[0] == 303
    form = {
        "day": (one.day + timedelta(days=1)).isoformat(),
        "starts": "15:00",
        "minutes": "60",
        "base": base,
    }
    assert post(staff, f"{path}/move", outlet_code=factories.OUTLET_A, **form)[0] == 303
    with runtime.service(Database).reading() as session:
        assert occurrences.get(session, one.id or 0).day == one.day


def test_more_seats_and_fewer_than_confirmed(desk: Desk, planted: Planted, runtime: Runtime) -> None:
    one = fresh(runtime, planted)
    registered(runtime, one, 3)
    assert states(runtime, one) == [CONFIRMED, CONFIRMED, WAITING]
    staff, path = desk(STAFF), f"/desk/events/o/{one.id}/capacity"
    status, text = post(staff, path, capacity="1")
    assert status == 400 and "不能少于" in text
    assert post(staff, path, capacity="3")[0] == 303
    assert states(runtime, one)[2] == "offered"


def test_registrations_are_decided_in_bulk_after_a_look(
    desk: Desk, planted: Planted, runtime: Runtime
) -> None:
    one = fresh(runtime, planted, approval=True)
    with runtime.service(Database).transaction() as session:
        where = occurrences.get(session, one.id or 0)
        where.opens_at = clock.now() - timedelta(days=1)
        rows = [_by_itself(runtime, session, where, each) for each in range(3)]
    staff, path = desk(STAFF), f"/desk/events/o/{one.id}/parties"
    picked = [str(row.id) for row in rows[:2]]
    status, text = post(staff, path, action="approve", pick=picked)
    assert status == 200 and "将要变化的 2 项" in text
    assert states(runtime, one) == [PENDING] * 3, "a look changes nothing"
    assert post(staff, path, action="approve", pick=picked, confirm="1")[0] == 303
    assert post(staff, path, action="reject", pick=str(rows[2].id), confirm="1", reason="")[0] == 400
    assert states(runtime, one)[2] == PENDING
    assert post(staff, path, action="reject", pick=str(rows[2].id), confirm="1", reason="名额有限")[0] == 303
    assert states(runtime, one) == [CONFIRMED, CONFIRMED, "rejected"]
    stranger = str(registered(runtime, fresh(runtime, planted, factories.OUTLET_B), 1)[0].id)
    assert post(staff, path, action="approve", pick=stranger, confirm="1")[0] == 404


def _by_itself(runtime: Runtime, session: Session, where: Occurrence, number: int) -> Registration:
    wanted = Wanted(
        name=f"李{number}", phone=f"139{number:08d}", request_key=f"self-{where.id}-{number}", agreed=True
    )
    return registering.register(session, runtime.service(Vault), where.id or 0, wanted, now=clock.now())


def test_what_people_say_afterwards_stands_on_the_page_without_who_said_it(
    desk: Desk, planted: Planted, runtime: Runtime
) -> None:
    page = f"/desk/events/o/{planted.past.id}"
    assert "还没有人回答" in desk(MANAGER).get(page).text
    assert "参加的人怎么说" not in desk(MANAGER).get(f"/desk/events/o/{planted.next.id}").text
    with runtime.service(Database).transaction() as session:
        where, vault = occurrences.get(session, planted.past.id or 0), runtime.service(Vault)
        early = where.starts_at - timedelta(hours=1)
        for each, (useful, words) in enumerate((("5", "讲得慢一点更好"), ("4", ""), ("2", "<b>声音小</b>"))):
            one = party(session, vault, where, 300 + each, early)
            marks = {"understood": "5", "useful": useful, "again": "3", "words": words}
            feedback.give(session, vault, one.id or 0, marks, now=clock.now())
    text = desk(MANAGER).get(page).text
    said = text[text.index('id="felt"') :]
    assert (
        "3 份回答" in said and "讲得慢一点更好" in said and "&lt;b&gt;声音小" in said and "张30" not in said
    )
    assert re.findall(r"<b>([\d.]+)</b>", said) == ["5.0", "3.7", "3.0"]


def test_one_is_promoted_or_taken_out_with_a_reason(desk: Desk, planted: Planted, runtime: Runtime) -> None:
    one = fresh(runtime, planted)
    rows = registered(runtime, one, 4)
    staff = desk(STAFF)
    assert post(staff, f"/desk/events/r/{rows[0].id}", action="take_out", reason=" ")[0] == 400
    assert post(staff, f"/desk/events/r/{rows[0].id}", action="take_out", reason="来电取消")[0] == 303
    assert states(runtime, one) == [CANCELLED, CONFIRMED, "offered", WAITING], "the place goes on at once"
    assert post(desk(BRANCH), f"/desk/events/o/{one.id}/capacity", capacity="3")[0] == 303
    assert post(staff, f"/desk/events/r/{rows[3].id}", action="promote", reason="坐轮椅，路远")[0] == 303
    assert states(runtime, one)[3] == CONFIRMED
    assert records(runtime, "registration.promote")[-1].note == "坐轮椅，路远"
    assert desk(OUTSIDER).get(f"/desk/events/r/{rows[0].id}").status_code == 404


def test_an_elder_is_registered_at_the_counter_once(desk: Desk, planted: Planted, runtime: Runtime) -> None:
    one = fresh(runtime, planted)
    staff, path = desk(STAFF), f"/desk/events/o/{one.id}/register"
    assert "念给本人听" in staff.get(path).text
    form = {"name": "王奶奶", "phone": "13912345678", "minors": "1", "request_key": f"counter-{one.id}"}
    status, text = post(staff, path, **form)
    assert status == 400 and "王奶奶" in text, "what was typed stays"
    for _twice in range(2):
        assert post(staff, path, agreed="1", **form)[0] == 303
    with runtime.service(Database).reading() as session:
        (made,) = session.exec(select(Registration).where(Registration.occurrence_id == one.id)).all()
    assert (made.state, made.via, made.size, made.minors) == (CONFIRMED, "staff", 2, 1)
    assert made.staff_id is not None and len(records(runtime, "registration.add")) >= 1


def test_a_message_is_counted_before_it_goes_and_goes_once(
    desk: Desk, planted: Planted, runtime: Runtime
) -> None:
    one = fresh(runtime, planted)
    rows = registered(runtime, one, 1, email="a@example.com") + _more(runtime, one)
    staff, path = desk(STAFF), f"/desk/events/o/{one.id}/message"
    status, text = post(staff, path, group="placed", text="请走南门")
    assert status == 200 and "发给 2 份报名" in text and "1 份有邮箱" in text
    assert _messages(runtime, rows) == []
    assert post(staff, path, group="placed", text=" ")[0] == 400
    assert post(staff, path, group="placed", text="请走南门", confirm="1")[0] == 303
    assert _messages(runtime, rows) == ["请走南门"] * 2
    assert post(staff, path, group="placed", text="请走南门", confirm="1")[0] == 400
    assert _messages(runtime, rows) == ["请走南门"] * 2


def _more(runtime: Runtime, one: Occurrence) -> list[Registration]:
    with runtime.service(Database).transaction() as session:
        where = occurrences.get(session, one.id or 0)
        return [party(session, runtime.service(Vault), where, 777, clock.now())]


def _messages(runtime: Runtime, rows: list[Registration]) -> list[str]:
    with runtime.service(Database).reading() as session:
        query = select(Notice.text_sealed).where(
            col(Notice.registration_id).in_([row.id for row in rows]), Notice.kind == "message"
        )
        return [runtime.service(Vault).decrypt(one) for one in session.exec(query)]


def test_who_was_called_is_noted(desk: Desk, planted: Planted, runtime: Runtime) -> None:
    one = fresh(runtime, planted)
    row = registered(runtime, one, 1)[0]
    with runtime.service(Database).transaction() as session:
        notice = Notice(
            registration_id=row.id or 0, kind="called_off", state="by_hand", created_at=clock.now()
        )
        session.add(notice)
        session.flush()
    staff, path = desk(STAFF), f"/desk/events/o/{one.id}"
    assert "要打电话告诉的 1 位" in staff.get(path).text
    other = fresh(runtime, planted)
    post(staff, f"/desk/events/o/{other.id}/told", notice=str(notice.id))
    assert "要打电话告诉的 1 位" in staff.get(path).text, "only at its own occurrence"
    assert post(staff, f"{path}/told", notice=str(notice.id))[0] == 303
    assert "要打电话告诉的" not in staff.get(path).text
    with runtime.service(Database).reading() as session:
        found = session.get_one(Notice, notice.id)
    assert (found.state, found.channel, found.settled_by is not None) == ("sent", "phone", True)


def test_who_may_call_sees_the_numbers_to_be_called_and_no_others(
    desk: Desk, planted: Planted, runtime: Runtime
) -> None:
    one = fresh(runtime, planted)
    called, other = registered(runtime, one, 2)
    numbers = [runtime.service(Vault).decrypt(row.phone_sealed) for row in (called, other)]
    with runtime.service(Database).transaction() as session:
        session.add(
            Notice(registration_id=called.id or 0, kind="offered", state="by_hand", created_at=clock.now())
        )
    path, before = f"/desk/events/o/{one.id}", len(records(runtime, "registration.read"))
    assert numbers[0] not in desk(STAFF).get(path).text
    shown = desk(STAFF).get(f"{path}?calls=1").text
    assert numbers[0] in shown and numbers[1] not in shown
    assert [row.after for row in records(runtime, "registration.read")[before:]] == [
        {"count": 1, "plain": True}
    ]
    assert desk(MANAGER).get(f"{path}?calls=1").status_code == 403
    assert desk(OUTSIDER).get(f"{path}?calls=1").status_code == 404
    assert len(records(runtime, "registration.read")) == before + 1


def test_a_file_is_looked_at_first_and_applied_whole(desk: Desk, planted: Planted, runtime: Runtime) -> None:
    branch = desk(BRANCH)
    day = (planted.next.day + timedelta(days=40)).isoformat()
    heads = ["系列代号", "网点编号", "日期", "开始时间"]
    good, bad = (
        ["tuesday", factories.OUTLET_A, day, "16:00"],
        ["tuesday", factories.OUTSIDE_OUTLET, day, "16:00"],
    )

    def send(*rows: list[str]) -> tuple[int, str]:
        return post(branch, "/desk/events/import", file=(io.BytesIO(to_csv(heads, rows)), "场次.csv"))

    status, text = send(good, bad)
    assert (
        status == 200
        and "网点编号" in text
        and "/desk/events/import/" not in text.split("<main")[1].replace("import/template", "")
    )
    status, text = send(good)
    target = text.split('action="/desk/events/import/')[1].split('"')[0]
    assert desk(OUTSIDER).post(
        f"/desk/events/import/{target}", data={"csrf_token": token(desk(OUTSIDER), "/desk/events")}
    ).status_code in (400, 404)
    assert post(branch, f"/desk/events/import/{target}")[0] == 303
    assert post(branch, f"/desk/events/import/{target}")[0] == 303, "again makes nothing"
    with runtime.service(Database).reading() as session:
        found = [one for one in all_of(session, planted.series) if one.starts_at.astimezone(ZONE).hour == 16]
    assert len(found) == 1
    assert send()[0] in (200, 400)


def test_how_full_and_how_many_came_can_be_sorted_and_taken_away(desk: Desk, planted: Planted) -> None:
    branch = desk(BRANCH)
    path = f"/desk/events/occurrences?month={planted.next.day:%Y-%m}"
    text = branch.get(f"{path}&sort=-taken").text
    rows = list(
        csv.DictReader(io.StringIO(branch.get(f"{path}&sort=-taken&export=csv").data.decode("utf-8-sig")))
    )
    assert [int(row["已报"]) for row in rows] == sorted((int(row["已报"]) for row in rows), reverse=True)
    assert 'aria-sort="descending"' in text
    assert branch.get(f"{path}&state=full").status_code == 200
    load = branch.get(f"/desk/events/load?month={planted.next.day:%Y-%m}").text
    assert "杭州中心支公司" in load and "四川" not in load
    deeper = branch.get(f"/desk/events/load?month={planted.next.day:%Y-%m}&node={factories.COUNTY}").text
    assert "西湖文三路柜面" in deeper


def test_a_door_is_opened_used_and_ended(
    desk: Desk, client: FlaskClient, planted: Planted, runtime: Runtime
) -> None:
    staff, path = desk(STAFF), f"/desk/events/o/{planted.next.id}/door"
    status, page = post(staff, path, label="东门")
    found = re.search(r'value="[^"]+/door/#([\w-]+)"', page)
    assert status == 200 and found and "东门" in page
    assert found[1] not in staff.get(path).text, "nobody sees it again"
    headers = {"X-Door-Key": found[1]}
    shown = client.post("/door/list", headers=headers)
    assert shown.status_code == 200 and shown.json is not None and len(shown.json["parties"]) >= 3
    assert client.post("/door/list", headers={"X-Door-Key": "x"}).status_code == 410
    number = re.search(r"/door/(\d+)/end", page)
    other = fresh(runtime, planted, factories.OUTLET_B)
    assert number and post(desk(OUTSIDER), f"{path}/{number[1]}/end")[0] == 404
    assert post(desk(BRANCH), f"/desk/events/o/{other.id}/door/{number[1]}/end")[0] == 404
    assert post(staff, f"{path}/{number[1]}/end")[0] == 303
    for route in ("list", "scans"):
        assert client.post(f"/door/{route}", json=[], headers=headers).status_code == 410
