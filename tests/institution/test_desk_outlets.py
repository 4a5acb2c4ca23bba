"""Outlets on the desk: list, page, form, import by upload."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core.database import Database
from core.settings import Settings
from institution import outlets
from tests import entering, factories
from tests.factories import (
    ADMINISTRATOR,
    BRANCH_MANAGER,
    CITY,
    COUNTY,
    EDITOR,
    HEAD_OFFICE,
    OUTLET_A,
    OUTLET_B,
    OUTSIDE_OUTLET,
)

Enter = Callable[[str], FlaskClient]
FORM = {
    "name": "西湖文三路柜面", "kind": "outlet", "parent_code": COUNTY, "province": "浙江省", "city": "杭州市",
    "county": "西湖区", "as_of": "2026-05-01",
}  # fmt: skip


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_the_list_is_filtered_by_its_address(administrator: FlaskClient) -> None:
    assert "锦江春熙路柜面" in text(administrator, "/desk/outlets")
    shown = text(administrator, "/desk/outlets?q=文三&province=浙江省&kind=outlet&state=open")
    assert "西湖文三路柜面" in shown and "古荡" not in shown and "锦江" not in shown
    assert "没有符合条件的网点" in text(administrator, "/desk/outlets?state=closed")
    assert "没有符合条件的网点" in text(administrator, "/desk/outlets?q=%25")


def test_the_download_is_what_the_filter_shows(administrator: FlaskClient) -> None:
    answer = administrator.get("/desk/outlets?export=csv&province=四川省")
    lines = answer.get_data().decode("utf-8-sig").splitlines()
    assert len(lines) == 3 and lines[2].startswith(OUTSIDE_OUTLET)
    assert administrator.get("/desk/outlets?export=xlsx").data.startswith(b"PK")
    assert administrator.get("/desk/outlets/example?export=xlsx").data.startswith(b"PK")


def test_an_outlet_shows_its_way_up_its_history_and_what_is_under_it(administrator: FlaskClient) -> None:
    shown = text(administrator, f"/desk/outlets/{COUNTY}")
    for words in ("示范人寿保险总公司", "杭州中心支公司", "西湖古荡柜面", "最初", "今"):
        assert words in shown
    assert administrator.get("/desk/outlets/none").status_code == 404


def test_a_rename_by_form_is_dated(app: Flask, administrator: FlaskClient) -> None:
    answer = administrator.post(f"/desk/outlets/{OUTLET_A}/edit", data=FORM | {"name": "西湖智慧柜面"})
    assert answer.status_code == 302
    shown = text(administrator, f"/desk/outlets/{OUTLET_A}")
    assert "西湖智慧柜面" in shown and "西湖文三路柜面" in shown and "2026年5月1日" in shown


def test_the_form_keeps_what_was_typed_and_names_the_field(administrator: FlaskClient) -> None:
    bad = FORM | {"name": "新名字", "longitude": "abc", "parent_code": "77", "closed_on": "1999-01-01"}
    answer = administrator.post(f"/desk/outlets/{OUTLET_A}/edit", data=bad)
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 400 and 'value="新名字"' in shown and 'value="abc"' in shown
    assert re.search(r'id="f-longitude-error">“abc”不是度数', shown)
    assert re.search(r'id="f-parent_code-error">没有编号为 77 的上级', shown)
    assert "西湖文三路柜面" in text(administrator, f"/desk/outlets/{OUTLET_A}")


def test_closing_and_adding_by_form(app: Flask, administrator: FlaskClient) -> None:
    administrator.post(
        f"/desk/outlets/{OUTLET_B}/edit", data=FORM | {"name": "西湖古荡柜面", "closed_on": "2026-04-01"}
    )
    assert "已撤并" in text(administrator, f"/desk/outlets/{OUTLET_B}")
    taken = administrator.post("/desk/outlets/new", data=FORM | {"code": OUTLET_A})
    assert taken.status_code == 400 and "请换一个编号" in taken.get_data(as_text=True)
    made = administrator.post("/desk/outlets/new", data=FORM | {"code": "33010609", "name": "转塘柜面"})
    assert made.headers["Location"] == "/desk/outlets/33010609"


def test_who_may_not_edit_sees_but_does_not_change(entered: Enter) -> None:
    editor = entered(EDITOR)
    assert "新增网点" not in text(editor, "/desk/outlets")
    assert editor.get("/desk/outlets/new").status_code == 403
    assert editor.post(f"/desk/outlets/{OUTLET_A}/edit", data=FORM).status_code == 403
    assert editor.post("/desk/outlets/import").status_code == 403


def uploaded(client: FlaskClient, content: str, encoding: str = "utf-8") -> str:
    data = {"file": (io.BytesIO(content.encode(encoding)), "outlets.csv"), "as_of": "2026-06-01"}
    answer = client.post("/desk/outlets/import", data=data)
    assert answer.status_code == 302
    return answer.headers["Location"]


def test_an_upload_is_previewed_then_applied(app: Flask, administrator: FlaskClient) -> None:
    address = uploaded(administrator, f"编号,名称\n{OUTLET_A},文三新柜面\n", "gb18030")
    shown = text(administrator, address)
    assert "更名" in shown and "西湖文三路柜面 → 文三新柜面" in shown
    with app.extensions["signpost"].service(Database).reading() as session:
        assert outlets.get(session, OUTLET_A).name == "西湖文三路柜面"
    assert administrator.post(address.partition("?")[0], data={"as_of": "2026-06-01"}).status_code == 302
    with app.extensions["signpost"].service(Database).reading() as session:
        assert outlets.get(session, OUTLET_A).name == "文三新柜面"
        assert outlets.history(session, OUTLET_A)[0].valid_from.isoformat() == "2026-06-01"


def test_a_bad_row_stops_all_unless_it_is_left_out(app: Flask, administrator: FlaskClient) -> None:
    rows = f"编号,名称,级别,上级编号\n90,=坏,柜面,77\n33010688,好柜面,柜面,{CITY}\n"
    address = uploaded(administrator, rows)
    shown = text(administrator, address)
    assert "第 2 行，“上级编号”" in shown and "只导入没有错误的行" in shown
    path = address.partition("?")[0]
    assert administrator.post(path).status_code == 400
    assert administrator.post(path, data={"skip_bad": "1"}).status_code == 302
    with app.extensions["signpost"].service(Database).reading() as session:
        assert outlets.find(session, "33010688") and not outlets.find(session, "90")
    rejected = administrator.get(f"{path}/rejected.csv").get_data().decode("utf-8-sig")
    assert "'=坏" in rejected and "没有编号为 77 的上级" in rejected


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"\xd0\xcf\x11\xe0"])
def test_a_file_that_is_none_is_refused_with_a_sentence(administrator: FlaskClient, content: bytes) -> None:
    answer = administrator.post(
        "/desk/outlets/import", data={"file": (io.BytesIO(content), "x"), "as_of": ""}
    )
    assert answer.status_code == 400 and 'role="alert"' in answer.get_data(as_text=True)


def test_an_upload_is_its_owners_alone_and_no_path(
    app: Flask, entered: Enter, administrator: FlaskClient, settings: Settings
) -> None:
    address = uploaded(administrator, f"编号,名称\n{HEAD_OFFICE},x\n")
    number = int(next(Path(settings.home / "uploads").iterdir()).name.partition("-")[0])
    with app.extensions["signpost"].service(Database).transaction() as session:
        factories.staff(session, BRANCH_MANAGER, outlets.get(session, OUTLET_A).updated_at)
    other = entering.client(app, BRANCH_MANAGER)
    assert other.get("/desk/outlets/import").status_code == 200
    assert other.get(address).status_code == 404
    assert administrator.get(address).status_code == 200 and number
    assert administrator.get("/desk/outlets/import/..%2F..%2Fsecret.key").status_code == 404
    assert entered(ADMINISTRATOR).get("/desk/outlets/import/" + "A" * 22).status_code == 404
