"""The desk of returns: an outlet files from a form that loses nothing, its branch verifies, outsiders see nothing."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook

from campaign.returns import filing, photos
from campaign.returns.models import DRAFT, RETURNED, SUBMITTED, VERIFIED
from core import clock
from core.database import Database
from core.settings import Settings
from tests import factories
from tests.campaign.returns import cast
from tests.campaign.returns.cast import Books, People
from tests.campaign.returns.conftest import YESTERDAY
from tracking.drain import Drain
from tracking.store import ReachStore
from webapp.runtime import Runtime

Desk = Callable[[str], FlaskClient]
GOOD: dict[str, Any] = {
    **cast.TYPED,
    "held_on": YESTERDAY,
    "campaign_code": "week",
    "outlet_code": factories.OUTLET_A,
}


def photo(seed: int, name: str = "现场.jpg") -> tuple[io.BytesIO, str]:
    return io.BytesIO(cast.jpeg(cast.picture(seed, (640, 480)))), name


def post(client: FlaskClient, path: str, **data: Any) -> Any:
    return client.post(path, data=data, content_type="multipart/form-data")


def state(runtime: Runtime, number: int) -> str:
    with runtime.service(Database).reading() as session:
        return cast.latest(session, number).state


def base(runtime: Runtime, number: int) -> str:
    with runtime.service(Database).reading() as session:
        current = cast.latest(session, number)
        return f"{current.number}-{current.saved_at.timestamp():.6f}"


def file_one(desk: Desk, **more: Any) -> int:
    """Hand a return in from the form; its number."""
    form = {**GOOD, "key": "k1", "action": "submit", **more}
    answer = post(desk(factories.OUTLET_STAFF), "/desk/returns/new", **form)
    assert answer.status_code == 303, answer.text
    return int(answer.location.rpartition("/")[2])


def test_an_outlet_files_with_photos_and_its_branch_verifies(desk: Desk, runtime: Runtime) -> None:
    clerk = desk(factories.OUTLET_STAFF)
    text = clerk.get("/desk/returns/new").text
    assert "西湖文三路柜面" in text and "古荡" not in text, "only one's own outlet"
    assert "拍到的人要先同意" in text
    number = file_one(desk, photos=[photo(1), photo(2)])
    assert state(runtime, number) == SUBMITTED
    branch = desk(factories.BRANCH_MANAGER)
    assert "西湖文三路柜面" in branch.get("/desk").text, "what waits stands on the first page"
    text = branch.get(f"/desk/returns/{number}").text
    assert "核实无误" in text
    assert "核实无误" not in clerk.get(f"/desk/returns/{number}").text
    seen = text.split('name="seen" value="')[1].split('"')[0]
    assert (
        post(branch, f"/desk/returns/{number}/decide", decision="approved", seen="0" * 64).status_code == 400
    )
    assert post(branch, f"/desk/returns/{number}/decide", decision="changes", seen=seen).status_code == 400, (
        "no reason"
    )
    assert post(branch, f"/desk/returns/{number}/decide", decision="approved", seen=seen).status_code == 303
    assert state(runtime, number) == VERIFIED


def test_a_form_with_faults_is_kept_and_names_them(desk: Desk, runtime: Runtime) -> None:
    clerk = desk(factories.OUTLET_STAFF)
    bad = {
        **GOOD,
        "heads": "六十来个",
        "held_on": "",
        "note": "写了很久的话",
        "photos": [photo(1), (io.BytesIO(b"%PDF"), "表.pdf")],
    }
    answer = post(clerk, "/desk/returns/new", key="k1", action="submit", **bad)
    assert answer.status_code == 303
    text = clerk.get(answer.location).text
    for said in ("六十来个", "写了很久的话", "请填整数", "请填活动日期", "表.pdf", "照片 1"):
        assert said in text
    assert 'aria-describedby="f-heads-error"' in text
    number = int(answer.location.split("/")[3])
    assert state(runtime, number) == DRAFT
    again = post(clerk, "/desk/returns/new", key="k1", action="save", **{**bad, "photos": [photo(1)]})
    assert again.location.split("/")[3] == str(number), "sent twice, kept once"


def test_an_outlet_that_is_not_ones_own_cannot_be_reported_for(desk: Desk) -> None:
    answer = post(
        desk(factories.OUTLET_STAFF),
        "/desk/returns/new",
        key="k",
        **{**GOOD, "outlet_code": factories.OUTLET_B},
    )
    assert answer.status_code == 400
    assert "先停一停，再转账" in answer.text, "what was typed stands there still"
    branch = post(
        desk(factories.BRANCH_MANAGER),
        "/desk/returns/new",
        key="k",
        **{**GOOD, "outlet_code": factories.COUNTY},
    )
    assert branch.status_code == 400
    assert "请选一个网点" in branch.text


def test_a_colleagues_draft_is_not_run_over(desk: Desk, runtime: Runtime) -> None:
    clerk = desk(factories.OUTLET_STAFF)
    number = int(post(clerk, "/desk/returns/new", key="k", **GOOD).location.split("/")[3])
    old = base(runtime, number)
    first = post(clerk, f"/desk/returns/{number}/edit", base=old, **{**GOOD, "theme": "我先存的"})
    assert first.status_code == 303
    second = post(
        desk("he.outlet"), f"/desk/returns/{number}/edit", base=old, **{**GOOD, "theme": "后来的人写的"}
    )
    assert second.status_code == 409
    assert "后来的人写的" in second.text
    assert f'name="base" value="{base(runtime, number)}"' in second.text
    with runtime.service(Database).reading() as session:
        assert cast.latest(session, number).theme == "我先存的"


def test_photos_go_out_only_to_who_may_see_the_return(desk: Desk, runtime: Runtime) -> None:
    number = file_one(desk, photos=[photo(3)])
    other = file_one(desk, key="k2", held_on="2026-01-01", photos=[photo(4)])
    with runtime.service(Database).reading() as session:
        first, second = (cast.latest(session, one).photos[0] for one in (number, other))
    branch = desk(factories.BRANCH_MANAGER)
    answer = branch.get(f"/desk/returns/{number}/photos/{first}")
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert answer.headers["Cache-Control"] == "no-store"
    assert branch.get(f"/desk/returns/{number}/photos/{second}").status_code == 404, "not of this return"
    outsider = desk(factories.OUTSIDER)
    for path in (f"/desk/returns/{number}", f"/desk/returns/{number}/photos/{first}"):
        assert outsider.get(path).status_code == 404
    assert "西湖" not in outsider.get("/desk/returns").text
    files = runtime.service(Settings).files_dir
    with runtime.service(Database).reading() as session:
        name = photos.get(session, first).file.rpartition("/")[2]
    assert list(files.glob(f"returns/*/{name}"))
    assert desk(factories.BRANCH_MANAGER).get(f"/media/{name}").status_code == 404, "no public address has it"


def test_doubles_stand_side_by_side_and_tell_outsiders_nothing(desk: Desk, runtime: Runtime) -> None:
    image = cast.picture(5, (640, 480))
    number = file_one(desk, photos=[(io.BytesIO(cast.jpeg(image)), "a.jpg")])
    copy = (io.BytesIO(cast.jpeg(cast.altered(image, 2))), "b.jpg")
    far = {**GOOD, "outlet_code": factories.OUTSIDE_OUTLET, "photos": [copy]}
    answer = post(desk(factories.OUTSIDER), "/desk/returns/new", key="k", action="submit", **far)
    other = int(answer.location.rpartition("/")[2])
    text = desk(factories.OUTSIDER).get(f"/desk/returns/{other}").text
    assert "与别的回执相同的照片" in text
    assert "不在您负责的范围内" in text
    assert "西湖" not in text
    with runtime.service(Database).transaction() as session:
        factories.person(session, "head.sees", "总行", "campaign_manager", clock.now())
    text = desk("head.sees").get(f"/desk/returns/{other}").text
    assert f'href="/desk/returns/{number}"' in text and "西湖文三路柜面" in text
    assert (
        "与别的回执相同的照片"
        not in desk(factories.BRANCH_MANAGER)
        .get(f"/desk/returns/{file_one(desk, key='k9', photos=[photo(9)])}")
        .text
    )


def test_several_are_verified_at_once_but_never_ones_own(desk: Desk, runtime: Runtime) -> None:
    mine = file_one(desk)
    second = file_one(desk, key="k2", held_on="2026-01-02")
    branch = desk(factories.BRANCH_MANAGER)
    own = int(post(branch, "/desk/returns/new", key="k", action="submit", **GOOD).location.rpartition("/")[2])
    ask = {"pick": [str(mine), str(second), str(own), "999"], "action": "verify", "back": "/desk/returns"}
    text = branch.post("/desk/returns/several", data=ask).text
    assert "确认，核实这 2 份" in text
    assert "自己填写或提交的回执" in text and "没有这份回执" in text
    assert state(runtime, mine) == SUBMITTED, "nothing happens before the second press"
    shown = re.findall(r'name="pick" value="([^"]+)"', text)
    assert len(shown) == 2
    stale = [f"{second}.{'0' * 64}"]
    branch.post("/desk/returns/several", data={**ask, "pick": stale, "confirm": "1"})
    assert state(runtime, second) == SUBMITTED, "not what was looked at"
    assert (
        branch.post("/desk/returns/several", data={**ask, "pick": shown, "confirm": "1"}).status_code == 303
    )
    assert [state(runtime, one) for one in (mine, second, own)] == [VERIFIED, VERIFIED, SUBMITTED]
    assert desk(factories.OUTLET_STAFF).post("/desk/returns/several", data=ask).status_code == 403
    outside = desk(factories.OUTSIDER).post(
        "/desk/returns/several", data={**ask, "pick": [str(own)], "confirm": "1"}
    )
    assert outside.status_code == 303
    assert state(runtime, own) == SUBMITTED


def test_sent_back_it_waits_on_the_first_page_of_who_filed_it(desk: Desk, runtime: Runtime) -> None:
    number = file_one(desk)
    branch, clerk = desk(factories.BRANCH_MANAGER), desk(factories.OUTLET_STAFF)
    post(branch, f"/desk/returns/{number}/decide", decision="changes", opinion="人数请对签到表")
    assert state(runtime, number) == RETURNED
    text = clerk.get("/desk").text
    assert "退回的活动回执" in text and "人数请对签到表" in text
    text = clerk.get(f"/desk/returns/{number}/edit").text
    assert "退回的理由：人数请对签到表" in text
    answer = post(
        clerk,
        f"/desk/returns/{number}/edit",
        base=base(runtime, number),
        action="submit",
        **{**GOOD, "heads": "48"},
    )
    assert answer.status_code == 303
    assert state(runtime, number) == SUBMITTED


def test_corrected_withdrawn_voided_from_the_page(desk: Desk, runtime: Runtime) -> None:
    number = file_one(desk)
    clerk, branch = desk(factories.OUTLET_STAFF), desk(factories.BRANCH_MANAGER)
    act = f"/desk/returns/{number}/act"
    assert post(clerk, act, action="withdraw").location.endswith("/edit")
    assert state(runtime, number) == DRAFT
    assert post(clerk, act, action="discard").status_code == 400, "somebody was asked about it"
    post(clerk, f"/desk/returns/{number}/edit", base=base(runtime, number), action="submit", **GOOD)
    post(branch, f"/desk/returns/{number}/decide", decision="approved")
    assert post(clerk, act, action="correct").status_code == 303
    assert "核实以后只记入差额" in clerk.get(f"/desk/returns/{number}/edit").text
    assert post(clerk, act, action="discard").location.endswith(f"/{number}")
    assert post(clerk, act, action="void").status_code == 400, "a reason is owed"
    assert post(clerk, act, action="void", reason="没有办成").status_code == 303
    assert post(branch, f"/desk/returns/{number}/decide", decision="approved").status_code == 303
    text = clerk.get(f"/desk/returns/{number}").text
    assert "第 2 版" in text and "-60" in text
    old = clerk.get(f"/desk/returns/{number}?version=1").text
    assert "您看的是旧的一版" in old
    assert clerk.get(f"/desk/returns/{number}?version=7").status_code == 404


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("q=文三路", 2), ("q=古荡", 0), ("state=submitted", 1), ("state=draft", 1), ("form=lecture", 2), ("place=village", 0),
        ("marked=1", 1), ("campaign=week", 2), (f"from={YESTERDAY}", 1), ("to=2026-01-31", 1), ("state=nothing", 0),
    ],
)  # fmt: skip
def test_the_list_is_narrowed_by_its_address(desk: Desk, asked: str, count: int) -> None:
    clerk = desk(factories.OUTLET_STAFF)
    file_one(desk)  # without a photo: marked
    post(clerk, "/desk/returns/new", key="k2", action="save", **{**GOOD, "held_on": "2026-01-01"})
    rows = clerk.get(f"/desk/returns?{asked}&export=csv").data.decode("utf-8-sig").splitlines()
    assert len(rows) - 1 == count
    assert clerk.get(f"/desk/returns?{asked}").status_code == 200


def test_the_list_sorts_and_goes_out_as_a_file(desk: Desk) -> None:
    file_one(desk, heads="7")
    file_one(desk, key="k2", held_on="2026-01-02", heads="70")
    clerk = desk(factories.OUTLET_STAFF)
    for sort, first in (("heads", 7), ("-heads", 70), ("outlet", 7), ("state", 7), ("held_on", 70)):
        data = clerk.get(f"/desk/returns?sort={sort}&export=xlsx").data
        rows = list(load_workbook(io.BytesIO(data)).worksheets[0].iter_rows(values_only=True))
        assert rows[1][rows[0].index("到场")] == first, sort


def test_the_rows_behind_a_figure_lead_to_the_return(
    desk: Desk, runtime: Runtime, settings: Settings
) -> None:
    number = file_one(desk)
    post(desk(factories.BRANCH_MANAGER), f"/desk/returns/{number}/decide", decision="approved")
    books = Books(settings, runtime.service(Database))
    books.keeper.run_once()
    Drain(books.spool, runtime.service(ReachStore)).run_once()
    text = (
        desk(factories.OUTLET_STAFF)
        .get(f"/desk/reach/rows?span=dates&from={YESTERDAY}&to={YESTERDAY}&group=rows")
        .text
    )
    assert f'href="/desk/returns/{number}?version=1"' in text
    assert "活动回执：西湖文三路柜面" in text
    for by, word in (("place", "进社区"), ("audience", "老年人"), ("channel", "线下活动")):
        page = (
            desk(factories.OUTLET_STAFF)
            .get(f"/desk/reach?span=dates&from={YESTERDAY}&to={YESTERDAY}&by={by}")
            .text
        )
        assert word in page


def test_the_statistical_return_opens_for_who_may_see_it(desk: Desk, runtime: Runtime) -> None:
    number = file_one(desk)
    branch = desk(factories.BRANCH_MANAGER)
    text = branch.get("/desk/returns/statistics?campaign=week").text
    assert "还有 1 份回执已提交" in text
    post(branch, f"/desk/returns/{number}/decide", decision="approved")
    text = branch.get("/desk/returns/statistics").text
    assert "浙江省分公司" in text and "开展活动（场）" in text
    data = branch.get("/desk/returns/statistics?campaign=week&export=xlsx").data
    assert len(load_workbook(io.BytesIO(data)).worksheets) == 2
    assert "浙江" not in desk(factories.OUTSIDER).get("/desk/returns/statistics?campaign=week").text
    assert branch.get("/desk/returns/statistics?campaign=gone").status_code == 404
    assert branch.get("/desk/returns/statistics?campaign=").status_code == 200


def test_empty_lists_say_what_to_do(desk: Desk, staff: People) -> None:
    assert "报一场活动" in desk(factories.OUTLET_STAFF).get("/desk/returns").text
    assert "没有符合条件的回执" in desk(factories.OUTLET_STAFF).get("/desk/returns?q=x").text
    assert staff.clerk


def test_what_a_request_leads_to(desk: Desk, runtime: Runtime) -> None:
    number = file_one(desk)
    with runtime.service(Database).reading() as session:
        current = cast.latest(session, number)
        asked = filing.asked(session, current)
        assert asked is not None
        path = f"/desk/approvals/{asked.id}"
    branch = desk(factories.BRANCH_MANAGER)
    text = branch.get(path).text
    assert "到场" in text and "没有照片" in text
    assert branch.get(f"/desk/returns/of/{current.id}").location.endswith(f"/desk/returns/{number}?version=1")
    assert desk(factories.OUTSIDER).get(f"/desk/returns/of/{current.id}").status_code == 404
