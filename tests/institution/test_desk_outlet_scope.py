"""Outlets within one's part of the tree: lists, pages, forms, imports and bulk acts of a branch manager."""

import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import col, select

from core.database import Database
from institution import audit_chain, outlets
from institution.audit_models import AuditRecord
from institution.models import Outlet
from tests import entering, factories
from tests.factories import (
    ADMINISTRATOR,
    BRANCH_MANAGER,
    CITY,
    COUNTY,
    HEAD_OFFICE,
    OUTLET_A,
    OUTLET_B,
    OUTSIDE_OUTLET,
    OUTSIDE_PROVINCE,
    OUTSIDER,
    PROVINCE,
)

FORM = {
    "name": "西湖文三路柜面", "kind": "outlet", "parent_code": COUNTY, "province": "浙江省", "city": "杭州市",
    "county": "西湖区", "address": "杭州市西湖区示例路 1 号", "longitude": "120.1", "latitude": "30.3",
    "hours": "周一至周五 9:00–17:00", "as_of": "2026-05-01",
}  # fmt: skip
Branch = Callable[[str], FlaskClient]


@pytest.fixture
def branch(app: Flask) -> FlaskClient:
    """The browser of the branch manager of PROVINCE."""
    with app.extensions["signpost"].service(Database).transaction() as session:
        for login in (BRANCH_MANAGER, OUTSIDER):
            factories.staff(session, login, session.get_one(Outlet, PROVINCE).updated_at)
    return entering.client(app, BRANCH_MANAGER)


def text(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return answer.get_data(as_text=True)


def stands(app: Flask, code: str) -> Outlet | None:
    with app.extensions["signpost"].service(Database).reading() as session:
        return outlets.find(session, code)


def records(app: Flask) -> list[AuditRecord]:
    with app.extensions["signpost"].service(Database).reading() as session:
        query = select(AuditRecord).where(AuditRecord.kind == "outlet").order_by(col(AuditRecord.id))
        return list(session.exec(query))


def test_list_file_and_pages_hold_only_ones_own_part(branch: FlaskClient) -> None:
    shown = text(branch, "/desk/outlets")
    assert (
        "西湖文三路柜面" in shown
        and "锦江" not in shown
        and "四川" not in shown
        and 'name="province"' not in shown
    )
    assert "没有符合条件的网点" in text(branch, "/desk/outlets?q=锦江&province=四川省")
    file = branch.get("/desk/outlets?export=csv").get_data().decode("utf-8-sig")
    assert (
        OUTLET_A in file
        and OUTSIDE_OUTLET not in file
        and HEAD_OFFICE + "," not in file.replace(f",{HEAD_OFFICE},", "")
    )
    assert f'href="/desk/outlets/{HEAD_OFFICE}"' not in text(branch, f"/desk/outlets/{PROVINCE}")
    outside = [
        text(branch, f"/desk/outlets/{code}{end}", 404)
        for code in (OUTSIDE_OUTLET, HEAD_OFFICE)
        for end in ("", "/edit")
    ]
    missing = text(branch, "/desk/outlets/none", 404)
    assert {page.count("锦江") + page.count("总公司") for page in outside} == {0}
    tokens = re.compile(r'name="csrf_token" value="[^"]+"')  # signed anew each second
    assert tokens.sub("", outside[0].replace(OUTSIDE_OUTLET, "none")) == tokens.sub("", missing)


def test_the_list_is_sorted_by_its_address(branch: FlaskClient) -> None:
    def order(path: str) -> list[str]:
        return [
            part.split('"')[0] for part in text(branch, path).split('scope="row"><a href="/desk/outlets/')[1:]
        ]

    assert order("/desk/outlets") == [PROVINCE, CITY, COUNTY, OUTLET_A, OUTLET_B]
    assert order("/desk/outlets?sort=-code") == [OUTLET_B, OUTLET_A, COUNTY, CITY, PROVINCE]
    assert order("/desk/outlets?sort=-kind")[-1] == PROVINCE
    assert 'aria-sort="descending"' in text(branch, "/desk/outlets?sort=-code")


def test_an_outlet_outside_is_neither_edited_nor_taken_nor_given_away(
    app: Flask, branch: FlaskClient
) -> None:
    before = stands(app, OUTSIDE_OUTLET)
    assert branch.post(f"/desk/outlets/{OUTSIDE_OUTLET}/edit", data=FORM).status_code == 404
    away = branch.post(f"/desk/outlets/{OUTLET_A}/edit", data=FORM | {"parent_code": OUTSIDE_PROVINCE})
    nowhere = branch.post(f"/desk/outlets/{OUTLET_A}/edit", data=FORM | {"parent_code": "999999"})
    assert away.status_code == nowhere.status_code == 400
    said = [re.sub(r'csrf_token" value="[^"]+', "", one.get_data(as_text=True)) for one in (away, nowhere)]
    assert said[0].replace(OUTSIDE_PROVINCE, "999999") == said[1]  # but for the token, which holds the second
    new = branch.post("/desk/outlets/new", data=FORM | {"code": "51010499", "parent_code": OUTSIDE_PROVINCE})
    assert new.status_code == 400 and stands(app, "51010499") is None
    taken = branch.post("/desk/outlets/new", data=FORM | {"code": OUTSIDE_OUTLET})
    assert taken.status_code == 400 and "锦江" not in taken.get_data(as_text=True)
    assert branch.post("/desk/outlets/new", data=FORM | {"code": "33010677"}).status_code == 302
    assert stands(app, OUTSIDE_OUTLET) == before and stands(app, OUTLET_A).parent_code == COUNTY  # type: ignore[union-attr]


ROWS = {
    "an outlet outside": (f"{OUTSIDE_OUTLET},改名,柜面,{OUTSIDE_PROVINCE}", "不在您负责的范围内"),
    "taken from outside": (f"{OUTSIDE_OUTLET},改名,柜面,{COUNTY}", "不在您负责的范围内"),
    "given away": (f"{OUTLET_A},文三,柜面,{OUTSIDE_PROVINCE}", f"没有编号为 {OUTSIDE_PROVINCE} 的上级"),
    "new outside": (f"51010499,新柜面,柜面,{OUTSIDE_PROVINCE}", f"没有编号为 {OUTSIDE_PROVINCE} 的上级"),
    "new under nothing": ("51010499,新柜面,柜面,", "请填上级编号"),
    "the head office": (f"{HEAD_OFFICE},我的总公司,总公司,", "不在您负责的范围内"),
    "a head office": ("900000,我的总公司,总公司,", "请填上级编号"),
    "new under new outside": (
        f"510299,新县,县支公司,{OUTSIDE_PROVINCE}\n51029901,新柜面,柜面,510299",
        "的上级",
    ),
    "a ring of new": ("77,甲,县支公司,78\n78,乙,市,77", "的上级"),
}


@pytest.mark.parametrize("name", ROWS)
def test_an_import_touches_only_nodes_inside(app: Flask, branch: FlaskClient, name: str) -> None:
    rows, rule = ROWS[name]
    content = f"编号,名称,级别,上级编号\n{rows}\n{OUTLET_B},古荡新名,柜面,{COUNTY}\n".encode()
    answer = branch.post(
        "/desk/outlets/import", data={"file": (io.BytesIO(content), "x.csv"), "as_of": "2026-06-01"}
    )
    address = answer.headers["Location"]
    shown = text(branch, address)
    assert rule in shown and "锦江" not in shown and "历史里" not in shown
    path = address.partition("?")[0]
    assert branch.post(path, data={"as_of": "2026-06-01"}).status_code == 400
    before = stands(app, OUTSIDE_OUTLET)
    assert branch.post(path, data={"as_of": "2026-06-01", "skip_bad": "1"}).status_code == 302
    assert stands(app, OUTLET_B).name == "古荡新名"  # type: ignore[union-attr]
    assert (
        stands(app, OUTSIDE_OUTLET) == before
        and stands(app, "51010499") is None
        and stands(app, "77") is None
    )


def test_an_import_within_moves_adds_and_leaves_one_record(app: Flask, branch: FlaskClient) -> None:
    rows = f"330199,新县,县支公司,{CITY}\n33019901,新柜面,柜面,330199\n{OUTLET_A},文三,柜面,330199\n"
    content = f"编号,名称,级别,上级编号\n{rows}".encode()
    data = {"file": (io.BytesIO(content), "x.csv"), "as_of": "2026-06-01"}
    path = branch.post("/desk/outlets/import", data=data).headers["Location"].partition("?")[0]
    assert branch.post(path, data={"as_of": "2026-06-01"}).status_code == 302
    (one,) = records(app)
    assert (one.action, one.actor, one.outlet_code, one.note) == (
        "outlet.import",
        "陈负责",
        "330199",
        "2026-06-01",
    )
    assert one.after["added"] == 2 and one.after["moved"] == 1
    assert f"{OUTLET_A} name: 西湖文三路柜面 → 文三; parent_code: {COUNTY} → 330199" in one.after["changes"]


def test_a_form_leaves_one_record_and_nothing_when_nothing_changed(app: Flask, branch: FlaskClient) -> None:
    assert branch.post(f"/desk/outlets/{OUTLET_A}/edit", data=FORM).status_code == 302
    assert records(app) == []
    branch.post(f"/desk/outlets/{OUTLET_A}/edit", data=FORM | {"phone": "0571-88001234", "name": "文三"})
    branch.post(
        f"/desk/outlets/{OUTLET_A}/edit",
        data=FORM | {"phone": "0571-88001234", "name": "文三", "closed_on": "2026-07-01"},
    )
    edited, closed = records(app)
    assert (edited.action, edited.subject, edited.outlet_code, edited.via) == (
        "outlet.edit",
        OUTLET_A,
        OUTLET_A,
        "desk",
    )
    assert edited.before == {"name": "西湖文三路柜面", "phone": ""}
    assert edited.after == {"name": "文三", "phone": "0571-88001234"}
    assert closed.action == "outlet.close" and closed.after == {"closed_on": "2026-07-01"}
    assert audit_chain.verify(app.extensions["signpost"].service(Database)).fault is None


def test_who_was_overtaken_sees_both_versions_and_decides(app: Flask, branch: FlaskClient) -> None:
    path = f"/desk/outlets/{OUTLET_A}/edit"
    base = text(branch, path).split('name="base" value="')[1].split('"')[0]
    administrator = entering.client(app, ADMINISTRATOR)
    administrator.post(path, data=FORM | {"phone": "0571-11111111"})
    mine = FORM | {"hours": "每天 8:00–20:00", "phone": "0571-22222222", "base": base}
    answer = branch.post(path, data=mine)
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 409 and "王管理" in shown
    assert "0571-11111111" in shown and "0571-22222222" in shown and "每天 8:00–20:00" in shown
    assert stands(app, OUTLET_A).phone == "0571-11111111"  # type: ignore[union-attr]
    newer = shown.split('name="base" value="')[1].split('"')[0]
    assert branch.post(path, data=mine | {"base": newer}).status_code == 302
    outlet = stands(app, OUTLET_A)
    assert outlet and (outlet.phone, outlet.hours) == ("0571-22222222", "每天 8:00–20:00")


def bulk(client: FlaskClient, act: str, *codes: str, **more: str) -> tuple[int, str]:
    answer = client.post("/desk/outlets/several", data={"action": act, "pick": list(codes), **more})
    return answer.status_code, answer.get_data(as_text=True)


def test_a_bulk_act_asks_shows_and_then_does_it_as_one_act(app: Flask, branch: FlaskClient) -> None:
    status, shown = bulk(branch, "hours", OUTLET_A, OUTLET_B)
    assert status == 200 and 'name="value"' in shown and shown.count('name="pick"') == 2
    assert bulk(branch, "hours", OUTLET_A, value=" ")[0] == 400
    status, shown = bulk(branch, "hours", OUTLET_A, OUTLET_B, OUTSIDE_OUTLET, value="每天 8:00–20:00")
    assert (
        "周一至周五 9:00–17:00 → 每天 8:00–20:00" in shown
        and "不在您负责的范围内" in shown
        and "锦江" not in shown
    )
    assert records(app) == []
    assert (
        bulk(branch, "hours", OUTLET_A, OUTLET_B, OUTSIDE_OUTLET, value="每天 8:00–20:00", confirm="1")[0]
        == 302
    )
    hours = {code: getattr(stands(app, code), "hours", "") for code in (OUTLET_A, OUTLET_B, OUTSIDE_OUTLET)}
    assert hours == {OUTLET_A: "每天 8:00–20:00", OUTLET_B: "每天 8:00–20:00", OUTSIDE_OUTLET: FORM["hours"]}
    (one,) = records(app)
    assert (one.action, one.outlet_code, one.after["edited"]) == ("outlet.bulk", COUNTY, 2)


def test_closing_several_warns_of_what_stays_open_below(app: Flask, branch: FlaskClient) -> None:
    _status, shown = bulk(branch, "close", COUNTY, OUTLET_A, value="2026-05-01")
    assert "还有 2 个在营的下级" in shown and "danger" in shown
    bulk(branch, "close", OUTLET_A, value="2026-05-01", confirm="1")
    assert str(getattr(stands(app, OUTLET_A), "closed_on", "")) == "2026-05-01"
    assert "恢复营业" in bulk(branch, "reopen", OUTLET_A, OUTLET_B)[1]
    bulk(branch, "reopen", OUTLET_A, OUTLET_B, confirm="1")
    assert [one.action for one in records(app)] == ["outlet.close", "outlet.reopen"]
    assert bulk(branch, "close", OUTLET_A, value="morgen")[0] == 400
    assert bulk(branch, "reopen")[0] == 302, "nothing ticked is said in a flash"
    assert bulk(branch, "explode", OUTLET_A)[0] == 302


def test_who_may_only_look_ticks_nothing(app: Flask, branch: FlaskClient) -> None:
    reviewer = entering.client(app, factories.REVIEWER)
    assert 'name="pick"' not in text(reviewer, "/desk/outlets") and 'name="pick"' in text(
        branch, "/desk/outlets"
    )
    assert bulk(reviewer, "reopen", OUTLET_A)[0] == 403
