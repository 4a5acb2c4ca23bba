"""API tokens: shown once, kept as a hash, for a purpose, a part of the tree and a time; seen and ended on the desk."""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session, col, select

from core import clock
from core.database import Database
from core.errors import Invalid, NotFound
from institution import api_tokens, retention
from institution.api_token_models import ApiToken
from institution.api_tokens import COLLECT, READ
from institution.audit_models import AuditRecord
from tests import entering, factories
from tests.factories import EDITOR, OUTLET_A, OUTSIDE_PROVINCE, PROVINCE
from webapp import personal

assert personal.institution
DAY = timedelta(days=1)
Enter = Callable[[str], FlaskClient]


@pytest.fixture
def session(database: Database, now: datetime) -> Iterator[Session]:
    with database.transaction() as session:
        factories.tree(session, now)
    with Session(database.engine) as session:
        yield session


def make(session: Session, now: datetime, **more: object) -> tuple[ApiToken, str]:
    asked = {"name": "大堂屏", "purposes": [COLLECT], "outlet_code": PROVINCE, "days": 30, "by": None} | more
    return api_tokens.make(session, now=now, **asked)  # type: ignore[arg-type]


def test_only_the_hash_is_kept(session: Session, now: datetime) -> None:
    made, text = make(session, now)
    assert re.fullmatch(r"spt_[\w-]{43}", text)
    stored = session.get_one(ApiToken, made.id).model_dump_json()
    assert text not in stored and text[api_tokens._SHOWN :] not in stored
    assert made.token_hash == hashlib.sha256(text.encode()).hexdigest()
    assert make(session, now)[1] != text


def test_it_opens_only_its_purpose_in_its_time(session: Session, now: datetime) -> None:
    made, text = make(session, now)
    found = api_tokens.find(session, text, COLLECT, now)
    assert found is not None and found.id == made.id
    assert api_tokens.find(session, text, READ, now) is None
    assert api_tokens.find(session, text, COLLECT, now + 30 * DAY) is None
    assert api_tokens.find(session, text, COLLECT, now + 30 * DAY - timedelta(seconds=1))
    api_tokens.end(session, made, now)
    assert api_tokens.find(session, text, COLLECT, now) is None


@pytest.mark.parametrize("text", ["", "spt_", "spt_" + "A" * 43, "spt_é", "x" * 10_000, "Bearer spt_"])
def test_anything_else_opens_nothing(session: Session, now: datetime, text: str) -> None:
    make(session, now)
    assert api_tokens.known(session, text, now) is None


def test_its_scope_is_a_part_of_the_tree(session: Session, now: datetime) -> None:
    scope = make(session, now)[0].scope
    assert scope.covers(session, OUTLET_A) and not scope.covers(session, OUTSIDE_PROVINCE)
    assert not scope.whole and make(session, now, outlet_code="")[0].scope.whole


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"purposes": []}, "purposes"),
        ({"purposes": [COLLECT, "everything"]}, "purposes"),
        ({"outlet_code": "000"}, "outlet_code"),
        ({"days": 0}, "days"),
        ({"days": 1096}, "days"),
    ],
)
def test_what_is_wrong_is_named(
    session: Session, now: datetime, wrong: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        make(session, now, **wrong)
    assert caught.value.field == field
    assert session.exec(select(ApiToken)).all() == []


def test_use_is_written_every_few_minutes(session: Session, now: datetime) -> None:
    made, _text = make(session, now)
    assert api_tokens.is_due(made, now)
    api_tokens.used(session, made.id or 0, now)
    session.refresh(made)
    assert made.used_at == now and not api_tokens.is_due(made, now + timedelta(minutes=4))
    assert api_tokens.is_due(made, now + timedelta(minutes=5))


def test_every_write_leaves_a_record_without_the_token(session: Session, now: datetime) -> None:
    made, text = make(session, now)
    api_tokens.end(session, made, now)
    api_tokens.end(session, made, now)
    session.commit()
    records = session.exec(select(AuditRecord).order_by(col(AuditRecord.id))).all()
    assert [one.action for one in records] == ["token.make", "token.end"]
    assert {one.subject for one in records} == {made.hint}
    assert all(text not in one.model_dump_json() for one in records)


def test_ended_and_expired_ones_are_cleared_after_a_year(database: Database, session: Session) -> None:
    now = clock.now()
    ended, _text = make(session, now, name="撤销的", days=1000)
    api_tokens.end(session, ended, now)
    make(session, now, name="过期的", days=1)
    make(session, now, name="还在用的", days=1000)
    session.commit()
    assert "api_token" not in retention.run(database, {}, now + 364 * DAY)
    assert retention.run(database, {}, now + 367 * DAY)["api_token"] == 2
    with database.reading() as reading:
        assert [one.name for one in reading.exec(select(ApiToken))] == ["还在用的"]


def test_on_the_desk_it_is_shown_once(app: Flask, administrator: FlaskClient) -> None:
    form = {"name": "App", "purposes": [COLLECT, READ], "outlet_code": PROVINCE, "days": "90"}
    answer = administrator.post("/desk/api-tokens/new", data=form)
    found = re.search(r"spt_[\w-]{43}", answer.get_data(as_text=True))
    assert answer.status_code == 200 and found and answer.headers["Cache-Control"] == "no-store"
    page = administrator.get("/desk/api-tokens").get_data(as_text=True)
    assert "App" in page and "浙江省分公司" in page and found[0] not in page
    database = app.extensions["signpost"][Database]
    with database.reading() as session:
        one = api_tokens.find(session, found[0], READ, clock.now())
        assert one is not None
        number = one.id
    assert administrator.post(f"/desk/api-tokens/{number}/end").status_code == 302
    with database.reading() as session:
        assert api_tokens.find(session, found[0], READ, clock.now()) is None
    assert "已撤销" in administrator.get("/desk/api-tokens").get_data(as_text=True)


def test_a_faulty_form_comes_back_with_what_was_typed(administrator: FlaskClient) -> None:
    answer = administrator.post("/desk/api-tokens/new", data={"name": "大堂屏", "days": "９"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400 and "大堂屏" in page and "至少选一项用途" in page


def test_it_is_an_administrators_and_within_their_part(app: Flask, entered: Enter, now: datetime) -> None:
    assert entered(EDITOR).get("/desk/api-tokens").status_code == 403
    with app.extensions["signpost"][Database].transaction() as session:
        factories.person(session, "here.admin", "省管", "administrator", now, at=PROVINCE)
    client = entering.client(app, "here.admin")
    form = {"name": "屏", "purposes": [COLLECT], "days": "9"}
    for node in (OUTSIDE_PROVINCE, ""):
        answer = client.post("/desk/api-tokens/new", data=form | {"outlet_code": node})
        assert answer.status_code == 400 and "spt_" not in answer.get_data(as_text=True)
    assert client.post("/desk/api-tokens/new", data=form | {"outlet_code": OUTLET_A}).status_code == 200


def test_a_beginning_must_name_one(session: Session, now: datetime) -> None:
    make(session, now)
    make(session, now)
    for hint in ("spt_", "", "nothing"):
        with pytest.raises(NotFound):
            api_tokens.by_hint(session, hint)
