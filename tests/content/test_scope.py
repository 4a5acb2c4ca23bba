"""Pieces by part of the tree: a branch writes its own, reads what is over it, and never meets another's."""

import re
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session, select

from content import history, lifecycle
from content.models import Piece
from core.database import Database
from core.errors import Conflict
from institution.audit_models import AuditRecord
from institution.models import Staff
from tests import entering, factories
from tests.content import pieces
from tests.content.test_desk import form

BRANCH = ("branch-piece", factories.PROVINCE)
WHOLE = ("whole-piece", "")
OUTSIDE = ("outside-piece", factories.OUTSIDE_PROVINCE)
BELOW = ("outlet-piece", factories.OUTLET_A)


@pytest.fixture
def app_with_pieces(app: Flask, cast: dict[str, Staff], database: Database, now: datetime) -> Flask:
    """Four pieces, each of another node, and the people of the branches."""
    with database.transaction() as session:
        for login in (factories.BRANCH_MANAGER, factories.OUTSIDER, factories.OUTLET_STAFF):
            factories.staff(session, login, now)
        by = cast[factories.EDITOR].id or 0
        for key, node in (BRANCH, WHOLE, OUTSIDE, BELOW):
            lifecycle.save(session, pieces.draft(pieces.text(key)), by=by, now=now, outlet_code=node)
    return app


@pytest.fixture
def branch(app_with_pieces: Flask) -> FlaskClient:
    """The browser of the manager of the province."""
    return entering.client(app_with_pieces, factories.BRANCH_MANAGER)


def listed(client: FlaskClient, query: str = "") -> set[str]:
    page = client.get(f"/desk/pieces?{query}").text
    return set(re.findall(r'class="key">([\w-]+)<', page))


def place_of(database: Database, key: str) -> str:
    with database.reading() as session:
        return history.get_piece(session, key).outlet_code


def test_a_list_holds_ones_own_part_and_what_is_over_it(branch: FlaskClient, app_with_pieces: Flask) -> None:
    assert listed(branch) == {"branch-piece", "whole-piece", "outlet-piece"}
    outlet = entering.client(app_with_pieces, factories.OUTLET_STAFF)
    assert listed(outlet) == {"branch-piece", "whole-piece", "outlet-piece"}
    outsider = entering.client(app_with_pieces, factories.OUTSIDER)
    assert listed(outsider) == {"outside-piece", "whole-piece"}
    assert len(listed(entering.client(app_with_pieces, factories.EDITOR))) == 4
    assert listed(branch, f"place={factories.OUTSIDE_PROVINCE}") == set(), "a filter widens nothing"
    assert listed(branch, f"place={factories.PROVINCE}") == {"branch-piece", "outlet-piece"}


def test_an_export_is_as_narrow_as_the_list(branch: FlaskClient) -> None:
    answer = branch.get("/desk/pieces?export=csv")
    assert answer.mimetype == "text/csv"
    assert "branch-piece" in answer.text and "outside-piece" not in answer.text


@pytest.mark.parametrize("path", ["", "/edit", "/compare", "/1/preview"])
def test_outside_is_answered_like_missing(branch: FlaskClient, path: str) -> None:
    outside = branch.get(f"/desk/pieces/outside-piece{path}")
    missing = branch.get(f"/desk/pieces/no-such-piece{path}")
    assert outside.status_code == missing.status_code == 404
    strip = re.compile(r"outside-piece|no-such-piece|csrf[^>]*>|nonce=\"[^\"]*\"")
    assert strip.sub("", outside.text) == strip.sub("", missing.text)


@pytest.mark.parametrize("path", ["/1/submit", "/edit", "/place", "/1/take-back"])
@pytest.mark.parametrize("key", ["outside-piece", "whole-piece"])
def test_nobody_writes_outside_or_above(branch: FlaskClient, database: Database, key: str, path: str) -> None:
    data = form(pieces.text(key, body="## 改了\n"), base=1, outlet_code=factories.PROVINCE)
    assert branch.post(f"/desk/pieces/{key}{path}", data=data).status_code == 404
    with database.reading() as session:
        (only,) = history.revisions(session, key)
        assert only.state == "draft"


def test_above_is_read(branch: FlaskClient) -> None:
    page = branch.get("/desk/pieces/whole-piece")
    assert page.status_code == 200
    assert "/desk/pieces/whole-piece/edit" not in page.text and "提交审查" not in page.text
    assert branch.get("/desk/pieces/whole-piece/1/preview").status_code == 200


def test_a_new_piece_belongs_where_its_writer_may_write(branch: FlaskClient, database: Database) -> None:
    text = pieces.text("mine")
    for node in ("", factories.OUTSIDE_OUTLET, factories.HEAD_OFFICE, "no-such"):
        answer = branch.post("/desk/pieces/new", data=form(text, outlet_code=node))
        assert answer.status_code == 400, node
        assert "先停一停" in answer.text, "what was typed is kept"
    assert branch.post("/desk/pieces/new", data=form(text, outlet_code=factories.COUNTY)).status_code == 302
    assert place_of(database, "mine") == factories.COUNTY
    again = form(pieces.text("mine", body="## 二\n"), base=1, outlet_code="")
    assert branch.post("/desk/pieces/mine/edit", data=again).status_code == 302
    assert place_of(database, "mine") == factories.COUNTY, "an edit moves nothing"


def test_a_key_taken_elsewhere_does_not_open_the_other_piece(branch: FlaskClient, database: Database) -> None:
    data = form(pieces.text("outside-piece", body="## 我的\n"), outlet_code=factories.PROVINCE)
    assert branch.post("/desk/pieces/new", data=data).status_code == 409
    with database.reading() as session:
        assert len(history.revisions(session, "outside-piece")) == 1


def test_who_may_not_publish_is_told_so(branch: FlaskClient) -> None:
    assert branch.post("/desk/pieces/branch-piece/1/publish").status_code == 403
    # … but in an emergency they take down what is theirs
    assert branch.get("/desk/pieces/branch-piece/withdraw").status_code == 302


def test_a_piece_moves_between_places_that_one_holds(branch: FlaskClient, database: Database) -> None:
    def move(node: str) -> str:
        branch.post("/desk/pieces/branch-piece/place", data={"outlet_code": node})
        return place_of(database, "branch-piece")

    assert move(factories.OUTLET_B) == factories.OUTLET_B
    assert move(factories.OUTSIDE_OUTLET) == factories.OUTLET_B
    assert move("") == factories.OUTLET_B
    branch.post("/desk/pieces/branch-piece/1/submit")
    assert move(factories.PROVINCE) == factories.OUTLET_B, "what is decided for one place counts there"


def test_a_piece_waiting_for_publication_stays_where_it_is(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
        editor, reviewer = pieces.people(session, now)
        revision = pieces.saved(session, pieces.text(), editor.id or 0, now)
        lifecycle.submit(session, revision.id or 0, by=editor.id or 0, now=now)
        lifecycle.approve(session, revision.id or 0, by=reviewer.id or 0, now=now)
        with pytest.raises(Conflict):
            lifecycle.place(session, "stop-first", factories.PROVINCE)


def actions(session: Session) -> list[str]:
    return [one.action for one in session.exec(select(AuditRecord).order_by(AuditRecord.id))]  # type: ignore[arg-type]


def test_every_act_leaves_one_record_of_its_place(
    branch: FlaskClient, app_with_pieces: Flask, database: Database
) -> None:
    with database.reading() as session:
        before = len(actions(session))
    data = form(pieces.text("branch-piece", body="## 二\n"), base=1)
    branch.post("/desk/pieces/branch-piece/edit", data=data)
    branch.post(
        "/desk/pieces/branch-piece/edit", data={**data, "base": "2"}
    )  # the same text: nothing to save
    branch.post("/desk/pieces/branch-piece/place", data={"outlet_code": factories.CITY})
    branch.post("/desk/pieces/branch-piece/2/submit")
    branch.post("/desk/pieces/branch-piece/2/take-back")
    with database.reading() as session:
        records = list(session.exec(select(AuditRecord).order_by(AuditRecord.id)))[before:]  # type: ignore[arg-type]
        names = [one.action for one in records]
        assert names == ["piece.save", "piece.place", "approval.request", "approval.withdraw"]
        assert {one.outlet_code for one in records[1:]} == {factories.CITY}
        assert {one.actor for one in records} == {"陈负责"}
        assert (
            session.exec(select(Piece).where(Piece.key == "branch-piece")).one().outlet_code == factories.CITY
        )
