"""Segments at the desk: counted before they are saved, narrowed to one's own part; closed addresses opened again."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import Workbook
from sqlmodel import Session, select

from campaign import audience, audience_import, lists, segments
from campaign.audience_models import ContactAddress, Segment
from campaign.contacts import Contact
from campaign.segments import Filters
from core.database import Database
from core.errors import Invalid
from core.privacy import Vault
from core.settings import Settings
from institution.audit_models import AuditRecord
from tests import entering, factories
from tests.campaign.reaching import Asked
from tests.campaign.test_lists import AT_A, AUDIENCE, OPERATOR, OUTSIDE, SICHUAN
from tests.campaign.test_lists import put as put_list
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

HEAD = [
    "姓名",
    "邮箱",
    "手机",
    "网点代码",
    "省份",
    "人群",
    "语言",
    "微信openid",
    "同意用途",
    "同意时间",
    "同意来源",
]
ROWS: list[list[object]] = [
    [
        "甲",
        "a@example.com",
        13800000001,
        "33010601",
        "浙江省",
        "老年人",
        "中文",
        "",
        "education",
        "2026-03-01",
        "柜面",
    ],
    [
        "乙",
        "b@example.com",
        "",
        "33010602",
        "浙江省",
        "学生、新市民",
        "英文",
        "",
        "service",
        "2026-03-01",
        "柜面",
    ],
    [
        "丙",
        "",
        "",
        "",
        "浙江省",
        "elders",
        "",
        "oABCDEFGHIJKLMNOP_1",
        "education",
        datetime(2026, 3, 1),  # noqa: DTZ001 - a workbook knows no time zone
        "关注",
    ],
]


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    made = build(settings)
    yield made
    made.close()


@pytest.fixture
def app(runtime: Runtime, now: datetime) -> Flask:
    """Two operators of two provinces, each with a list of one."""
    with runtime.service(Database).transaction() as session:
        factories.cast(session, now)
        for login, node, row in (
            (OPERATOR, factories.PROVINCE, AT_A),
            (SICHUAN, factories.OUTSIDE_PROVINCE, OUTSIDE),
        ):
            factories.person(session, login, login, "push_operator", now, at=node)
            put_list(session, runtime, now, row, node=node)
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def operator(app: Flask) -> FlaskClient:
    return entering.client(app, OPERATOR)


def book(*rows: Sequence[object]) -> BytesIO:
    made = Workbook(write_only=True)
    sheet = made.create_sheet()
    for row in (HEAD, *rows):
        sheet.append(row)
    out = BytesIO()
    made.save(out)
    return out


def put(
    session: Session, runtime: Runtime, now: datetime, *rows: Sequence[object]
) -> audience_import.ImportResult:
    return audience_import.import_file(
        session, book(*rows), list_name="分群", vault=runtime.service(Vault), zone=runtime.service(Settings).zone,
        now=now, outlet_code=factories.PROVINCE,
    )  # fmt: skip


def count(session: Session, **filters: object) -> int:
    return segments.count(session, Filters(**filters), factories.PROVINCE)  # type: ignore[arg-type]


def test_a_workbook_brings_groups_languages_and_platform_accounts(
    app: Flask, runtime: Runtime, now: datetime
) -> None:
    with runtime.service(Database).transaction() as session:
        result = put(session, runtime, now, *ROWS)
        assert (result.added, result.bad) == (3, []), [one.rule for one in result.bad]
        assert put(session, runtime, now, *ROWS).unchanged == 3, "twice is once"
        beside = session.exec(select(ContactAddress)).one()
        assert runtime.service(Vault).decrypt(beside.sealed) == "oABCDEFGHIJKLMNOP_1"
        bad = put(session, runtime, now, [*ROWS[0][:5], "外星人", *ROWS[0][6:]])
        assert [(one.line, one.column) for one in bad.bad] == [(2, "人群")]
        with pytest.raises(Invalid):
            audience_import.import_file(
                session, b"PK\x03\x04 torn", list_name="坏", vault=runtime.service(Vault),
                zone=runtime.service(Settings).zone, now=now,
            )  # fmt: skip


def test_filters_count_who_they_name(app: Flask, runtime: Runtime, now: datetime) -> None:
    with runtime.service(Database).transaction() as session:
        put(session, runtime, now, *ROWS)
        here = lists.find_list(session, "分群", outlet_code=factories.PROVINCE)
        assert here is not None and here.id is not None
        assert count(session, lists=(here.id,)) == 3 and count(session) == 4, (
            "one of another list of the province"
        )
        assert count(session, groups=("elders",)) == 2
        assert count(session, groups=("elders", "students"), languages=("en",)) == 1
        assert count(session, part="33010602") == 1 and count(session, part=factories.PROVINCE) == 4
        assert count(session, channel="email", lists=(here.id,)) == 1
        assert count(session, channel="email", purpose="service") == 1
        assert count(session, channel="wechat", groups=("elders",)) == 1
        assert segments.count(session, Filters(groups=("elders",)), "") == 0, (
            "another holder's people are not seen"
        )
        made = segments.make(
            session,
            "能收微信的老人",
            Filters(channel="wechat", groups=("elders",)),
            outlet_code=factories.PROVINCE,
            now=now,
        )
        assert segments.read(made) == Filters(channel="wechat", groups=("elders",))
        (one,) = Asked(session, "wechat", segment_id=made.id).reached()
        assert one.address_index == runtime.service(Vault).index("wechat", "oABCDEFGHIJKLMNOP_1")


def test_the_desk_counts_saves_and_removes(app: Flask, runtime: Runtime, operator: FlaskClient) -> None:
    form = {"name": "省里的人", "outlet_code": factories.PROVINCE, "channel": "email", "purpose": "education"}
    page = operator.post(f"{AUDIENCE}/segments/new", data=form | {"action": "count"})
    assert page.status_code == 200 and "有 1 人" in page.text
    assert operator.post(f"{AUDIENCE}/segments/new", data=form | {"action": "save"}).status_code == 303
    assert operator.post(f"{AUDIENCE}/segments/new", data=form | {"action": "save"}).status_code == 400, (
        "the name"
    )
    wrong = operator.post(
        f"{AUDIENCE}/segments/new", data=form | {"name": "外省", "part": "51010401", "action": "save"}
    )
    assert wrong.status_code == 400 and "没有编号" in wrong.text, "outside is like missing"
    with runtime.service(Database).reading() as session:
        number = session.exec(select(Segment.id)).one()
    assert "省里的人" in operator.get(f"{AUDIENCE}/segments").text
    other = entering.client(app, SICHUAN)
    assert "省里的人" not in other.get(f"{AUDIENCE}/segments").text
    assert other.get(f"{AUDIENCE}/segments/{number}").status_code == 404
    assert other.post(f"{AUDIENCE}/segments/{number}", data={"action": "remove"}).status_code == 404
    assert (
        operator.post(
            f"{AUDIENCE}/segments/new", data=form | {"outlet_code": "", "action": "save"}
        ).status_code
        == 400
    )
    assert operator.post(f"{AUDIENCE}/segments/{number}", data={"action": "remove"}).status_code == 303
    with runtime.service(Database).reading() as session:
        assert session.exec(select(Segment)).first() is None
        done = session.exec(select(AuditRecord.action).where(AuditRecord.action.startswith("segment."))).all()
        assert sorted(done) == ["segment.make", "segment.remove"]


def test_closed_addresses_are_seen_by_part_and_reopened_by_an_administrator(
    app: Flask, runtime: Runtime, operator: FlaskClient, now: datetime
) -> None:
    with runtime.service(Database).transaction() as session:
        index = runtime.service(Vault).index("email", "zhang@example.com")
        number = session.exec(select(Contact.id).where(Contact.email_index == index)).one()
        audience.close_address(session, "email", index, "bounce", via="mailbox", now=now)
    page = operator.get(f"{AUDIENCE}/closed").text
    assert "z***@example.com" in page and "退信" in page
    assert "z***@example.com" not in entering.client(app, SICHUAN).get(f"{AUDIENCE}/closed").text
    path, form = f"{AUDIENCE}/contacts/{number}/reopen", {"channel": "email", "reason": "邮箱已恢复"}
    assert operator.post(path, data=form).status_code == 403
    administrator = entering.client(app, factories.ADMINISTRATOR)
    assert administrator.post(path, data=form | {"reason": ""}).status_code == 400
    assert administrator.post(path, data=form).status_code == 303
    assert administrator.post(path, data=form).status_code == 404
    with runtime.service(Database).reading() as session:
        assert audience.closed_among(session, "email", [index]) == {}
