"""Lists and people by part of the tree: nothing of another branch is seen, changed or guessed."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session, col, select

from campaign import audience_import, lists
from campaign.contacts import Contact, ContactList, Refusal
from campaign.unsubscribe import Unsubscriptions
from core.database import Database
from core.errors import Conflict
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution.audit_models import AuditRecord
from institution.personal_models import PrivacyRequest
from tests import entering, factories
from tests.campaign.reaching import Asked
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

HEAD = "姓名,邮箱,手机,网点代码,同意用途,同意时间,同意来源"
AT_A = "张三,zhang@example.com,13812345678,33010601,education,2026-03-01 10:00,柜面签署"
NOWHERE = "李四,li@example.com,,,education,2026-03-01 10:00,柜面签署"
OUTSIDE = "王五,wang@example.com,,51010401,education,2026-03-01 10:00,柜面签署"
OPERATOR, SICHUAN = "sun.operator", "qian.operator"
AUDIENCE = "/desk/audience"


def file(*rows: str) -> bytes:
    return "\n".join((HEAD, *rows)).encode()


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    made = build(settings)
    yield made
    made.close()


@pytest.fixture
def app(runtime: Runtime, now: datetime) -> Flask:
    """Two operators of two provinces with a list each, and one of the whole institution."""
    with runtime.service(Database).transaction() as session:
        factories.cast(session, now)
        factories.person(session, OPERATOR, "孙推送", "push_operator", now, at=factories.PROVINCE)
        factories.person(session, SICHUAN, "钱推送", "push_operator", now, at=factories.OUTSIDE_PROVINCE)
        for node, row in ((factories.PROVINCE, AT_A), (factories.OUTSIDE_PROVINCE, OUTSIDE), ("", NOWHERE)):
            put(session, runtime, now, row, node=node)
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def put(
    session: Session, runtime: Runtime, now: datetime, *rows: str, node: str = "", name: str = "老客户"
) -> audience_import.ImportResult:
    return audience_import.import_file(
        session, file(*rows), list_name=name, vault=runtime.service(Vault),
        zone=runtime.service(Settings).zone, now=now, outlet_code=node,
    )  # fmt: skip


@pytest.fixture
def operator(app: Flask) -> FlaskClient:
    return entering.client(app, OPERATOR)


def list_of(runtime: Runtime, node: str, name: str = "老客户") -> int:
    with runtime.service(Database).reading() as session:
        found = lists.find_list(session, name, outlet_code=node)
        assert found is not None
        return found.id or 0


def contact_of(runtime: Runtime, node: str) -> int:
    with runtime.service(Database).reading() as session:
        return session.exec(select(Contact.id).where(Contact.holder_code == node)).first() or 0


def upload(client: FlaskClient, *rows: str, action: str = "import", **more: str) -> tuple[int, str]:
    data = {"name": "老客户", "action": action, "file": (BytesIO(file(*rows)), "people.csv"), **more}
    answer = client.post(f"{AUDIENCE}/import", data=data)
    if answer.status_code != 303:
        return answer.status_code, answer.text
    return 303, client.get(answer.location).text


def records(runtime: Runtime, action: str) -> list[AuditRecord]:
    with runtime.service(Database).reading() as session:
        return list(
            session.exec(
                select(AuditRecord).where(AuditRecord.action == action).order_by(col(AuditRecord.id))
            )
        )


def test_each_sees_the_lists_of_their_own_part(app: Flask, runtime: Runtime, operator: FlaskClient) -> None:
    mine, theirs, whole = (
        list_of(runtime, node) for node in (factories.PROVINCE, factories.OUTSIDE_PROVINCE, "")
    )
    page = operator.get(AUDIENCE).text
    assert f'"{AUDIENCE}/{mine}"' in page
    assert f'"{AUDIENCE}/{theirs}"' not in page and f'"{AUDIENCE}/{whole}"' not in page
    assert operator.get(f"{AUDIENCE}?export=csv").text.count("老客户") == 1
    for number in (theirs, whole, 999):
        assert operator.get(f"{AUDIENCE}/{number}").status_code == 404
        assert operator.get(f"{AUDIENCE}/{number}?export=csv").status_code == 404
        assert (
            operator.post(f"{AUDIENCE}/{number}/find", data={"address": "wang@example.com"}).status_code
            == 404
        )
        assert operator.get(f"{AUDIENCE}/import?list={number}").status_code == 404
    assert entering.client(app, factories.ADMINISTRATOR).get(AUDIENCE).text.count("老客户") == 3
    assert entering.client(app, factories.EDITOR).get(AUDIENCE).status_code == 403


def test_nobody_touches_a_person_of_another_part(runtime: Runtime, operator: FlaskClient) -> None:
    form = {"channel": "email", "list_id": "1"}
    for number in (contact_of(runtime, factories.OUTSIDE_PROVINCE), contact_of(runtime, ""), 999):
        assert operator.post(f"{AUDIENCE}/contacts/{number}/refuse", data=form).status_code == 404
    mine = contact_of(runtime, factories.PROVINCE)
    assert operator.post(f"{AUDIENCE}/contacts/{mine}/refuse", data=form).status_code == 303
    assert operator.get(f"{AUDIENCE}/contacts/{mine}/erase").status_code == 403, "a permission of its own"
    with runtime.service(Database).reading() as session:
        assert len(list(session.exec(select(Refusal)))) == 1


def test_an_import_reaches_no_other_part(runtime: Runtime, operator: FlaskClient) -> None:
    for node in ("", factories.OUTSIDE_PROVINCE):
        assert upload(operator, AT_A, outlet_code=node)[0] == 400
    assert upload(operator, AT_A, list=str(list_of(runtime, "")))[0] == 404
    status, page = upload(operator, OUTSIDE, outlet_code=factories.PROVINCE)
    assert status == 303 and "没有编号为“51010401”的网点" in page, "outside is like missing"


def test_the_same_person_is_known_to_each_part_apart(runtime: Runtime, operator: FlaskClient) -> None:
    """The row that another branch keeps is neither found nor changed, nor does the answer tell of it."""
    also = OUTSIDE.replace("王五", "王小五").replace("51010401", "33010602")
    assert upload(operator, also, outlet_code=factories.PROVINCE)[0] == 303
    vault = runtime.service(Vault)
    with runtime.service(Database).reading() as session:
        rows = session.exec(
            select(Contact).where(Contact.email_index == vault.index("email", "wang@example.com"))
        )
        found = {row.holder_code: (vault.decrypt(row.name_sealed), row.outlet_code) for row in rows}
    assert found == {
        factories.OUTSIDE_PROVINCE: ("王五", "51010401"),
        factories.PROVINCE: ("王小五", "33010602"),
    }
    assert "王小" not in operator.get(f"{AUDIENCE}/{list_of(runtime, factories.PROVINCE)}").text


def test_a_refusal_given_in_one_part_holds_in_every_other(
    app: Flask, runtime: Runtime, now: datetime
) -> None:
    with runtime.service(Database).transaction() as session:
        put(session, runtime, now, OUTSIDE)  # the whole institution knows them too
        index = runtime.service(Vault).index("email", "wang@example.com")
    path = Unsubscriptions(runtime.service(Keys)).path("email", index)
    assert app.test_client().post(path).status_code == 200
    with runtime.service(Database).reading() as session:
        for node in ("", factories.OUTSIDE_PROVINCE):
            chosen = Asked(session, "email", list_of(runtime, node)).reached()
            assert index not in [one.address_index for one in chosen]
    (record,) = records(runtime, "contact.unsubscribe")
    assert (record.via, record.address, record.actor_id) == ("visitor", "", None)
    assert index not in str(record.model_dump()), "the log cannot be joined with the addresses"
    app.test_client().post(path)
    assert len(records(runtime, "contact.unsubscribe")) == 1, "saying it again changes nothing"


def test_a_name_is_used_once_in_each_part(app: Flask, runtime: Runtime, now: datetime) -> None:
    with runtime.service(Database).transaction() as session:
        lists.make_list(session, "新客户", now, outlet_code=factories.PROVINCE)
        lists.make_list(session, "新客户", now)
        with pytest.raises(Conflict):
            lists.make_list(session, "新客户", now)


def test_people_without_an_outlet_count_for_the_node_of_their_list(
    app: Flask, runtime: Runtime, now: datetime
) -> None:
    with runtime.service(Database).transaction() as session:
        put(session, runtime, now, NOWHERE, node=factories.CITY)
        row = session.exec(select(Contact).where(Contact.holder_code == factories.CITY)).one()
        assert row.outlet_code == factories.CITY
        assert session.exec(select(Contact.outlet_code).where(Contact.holder_code == "")).one() == ""


def test_exports_are_masked_and_on_record(runtime: Runtime, operator: FlaskClient) -> None:
    number = list_of(runtime, factories.PROVINCE)
    answer = operator.get(f"{AUDIENCE}/{number}?export=csv&channel=email")
    assert "138****5678" in answer.text and "13812345678" not in answer.text and "张三" not in answer.text
    (record,) = records(runtime, "list.export")
    assert (record.subject, record.outlet_code, record.after["rows"]) == (str(number), factories.PROVINCE, 1)
    bad = NOWHERE.replace("li@example.com", "no-address")
    page = upload(operator, bad, outlet_code=factories.PROVINCE)[1]
    assert "no-address" not in page
    assert "no-address" in operator.get(re.findall(r'"([^"]+rejected.csv)"', page)[0]).text
    (record,) = records(runtime, "list.rejected")
    assert record.after["rows"] == 1 and "no-address" not in str(record.model_dump())


def test_an_import_is_one_record_with_its_counts_and_no_address(
    runtime: Runtime, operator: FlaskClient
) -> None:
    before = len(records(runtime, "list.import"))
    upload(operator, AT_A, NOWHERE, action="preview", outlet_code=factories.PROVINCE)
    assert len(records(runtime, "list.import")) == before, "looking is no act"
    upload(operator, AT_A, NOWHERE, list=str(list_of(runtime, factories.PROVINCE)))
    (record,) = records(runtime, "list.import")[before:]
    assert (record.after["added"], record.after["unchanged"], record.after["rows"]) == (1, 1, 2)
    text = str(record.model_dump())
    assert "@" not in text and "138" not in text.replace(record.hash, "").replace(
        record.previous, ""
    ).replace(record.after["file_sha256"], "")


def test_people_are_narrowed_and_found_by_a_whole_address(runtime: Runtime, operator: FlaskClient) -> None:
    upload(operator, NOWHERE, outlet_code=factories.PROVINCE)
    number = list_of(runtime, factories.PROVINCE)
    assert len(re.findall(r'<th scope="row">', operator.get(f"{AUDIENCE}/{number}").text)) == 2
    page = operator.get(f"{AUDIENCE}/{number}?outlet=33010601").text
    assert "z***@example.com" in page and "l***@example.com" not in page
    found = operator.post(f"{AUDIENCE}/{number}/find", data={"address": " 138-1234-5678 "}).text
    assert "z***@example.com" in found and "l***@example.com" not in found
    assert "没有符合条件的人" in operator.post(f"{AUDIENCE}/{number}/find", data={"address": "1381234"}).text


def test_erasing_is_a_request_that_a_second_person_decides(app: Flask, runtime: Runtime) -> None:
    admin, number = entering.client(app, factories.ADMINISTRATOR), contact_of(runtime, factories.PROVINCE)
    assert "z***@example.com" in admin.get(f"{AUDIENCE}/contacts/{number}/erase?list_id=1").text
    form = {"list_id": "1", "reason": "本人来电要求", "evidence": "13812345678 回拨"}
    refused = admin.post(f"{AUDIENCE}/contacts/{number}/erase", data=form)
    assert refused.status_code == 400 and "本人来电要求" in refused.text
    form["evidence"] = "回拨核实"
    assert admin.post(f"{AUDIENCE}/contacts/{number}/erase", data=form).status_code == 303
    with runtime.service(Database).reading() as session:
        made = session.exec(select(PrivacyRequest)).one()
        assert (made.kind, made.masked, made.state) == ("erase", "z***@example.com", "waiting")
        assert session.get(Contact, number) is not None


def test_a_move_of_the_list_is_no_way_out(runtime: Runtime, operator: FlaskClient) -> None:
    """A form that names a node of one's own and the list of another adds to the list that was named, or to none."""
    foreign = str(list_of(runtime, factories.OUTSIDE_PROVINCE))
    assert upload(operator, AT_A, list=foreign, outlet_code=factories.PROVINCE)[0] == 404
    for odd in ("x", "-1", "9" * 12):
        assert upload(operator, AT_A, list=odd, outlet_code=factories.PROVINCE)[0] == 404
    with runtime.service(Database).reading() as session:
        assert len(list(session.exec(select(ContactList)))) == 3


def test_the_first_in_one_moment_make_one_list_together(database: Database, now: datetime) -> None:
    start, names = threading.Barrier(6, timeout=20), [f"自己订阅的 {number}" for number in range(12)]

    def join() -> list[int]:
        found = []
        for name in names:
            start.wait()
            with database.transaction() as session:
                found.append(lists.found_or_made(session, name, now).id or 0)
        return found

    with ThreadPoolExecutor(6) as pool:
        told = [one.result() for one in [pool.submit(join) for _ in range(6)]]
    assert all(one == told[0] for one in told) and len(set(told[0])) == len(names)
    with database.reading() as session:
        made = session.exec(select(AuditRecord.action).where(AuditRecord.action == "list.make")).all()
        assert len(made) == len(names) and len(session.exec(select(ContactList.id)).all()) == len(names)
