"""The desk of approvals: queue, decision, several at once, guests' links, stand-ins, paths; who sees what."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session, select

from core import clock
from core.database import Database
from core.settings import Settings
from institution import approval_paths, approvals, people, stand_ins
from institution.approval_models import Approval, ApprovalPath, ApprovalStep, GuestReview
from institution.approval_paths import Step
from institution.audit_models import AuditRecord
from institution.letter_models import Letter
from institution.models import StaffSession
from tests import factories
from tests.entering import client
from tests.factories import ADMINISTRATOR, EDITOR, OUTSIDE_PROVINCE, PROVINCE, REVIEWER
from tests.institution.approval_cast import KIND, declare, undeclare
from webapp.create_app import create_app
from webapp.runtime import build

BRANCH_REVIEWER, BRANCH_EDITOR, FAR_REVIEWER = "sun.branch", "qian.branch", "he.far"


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    declare()
    runtime = build(settings)
    now = clock.now()
    with runtime.service(Database).transaction() as session:
        factories.cast(session, now)
        factories.person(session, BRANCH_REVIEWER, "孙审查", "reviewer", now, at=PROVINCE)
        factories.person(session, BRANCH_EDITOR, "钱编辑", "editor", now, at=PROVINCE)
        factories.person(session, FAR_REVIEWER, "何审查", "reviewer", now, at=OUTSIDE_PROVINCE)
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    runtime.close()
    undeclare()


@pytest.fixture
def store(app: Flask) -> Database:
    found: Database = app.extensions["signpost"][Database]
    return found


def number_of(session: Session, login: str) -> int:
    account = people.by_login(session, login)
    assert account is not None
    return account.id or 0


def asked(
    store: Database,
    by: str = EDITOR,
    *,
    subject: str = "one",
    title: str = "先停一停",
    at: str = "",
    due: datetime | None = None,
) -> int:
    """A request; its number."""
    with store.transaction() as session:
        made = approvals.request(
            session,
            kind=KIND,
            subject=subject,
            subject_hash=subject.ljust(64, "0"),
            title=title,
            by=number_of(session, by),
            now=clock.now(),
            outlet_code=at,
            due_at=due,
        )
        return made.id or 0


def text(browser: FlaskClient, address: str, status: int = 200) -> str:
    answer = browser.get(address)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def found(store: Database, number: int) -> Approval:
    with store.reading() as session:
        return approvals.get(session, number)


def test_what_waits_is_shown_to_who_may_decide_it_and_to_nobody_else(app: Flask, store: Database) -> None:
    whole, branch = asked(store), asked(store, BRANCH_EDITOR, subject="two", title="省里的事", at=PROVINCE)
    reviewer = text(client(app, REVIEWER), "/desk/approvals")
    assert "先停一停" in reviewer and "省里的事" in reviewer
    near = text(client(app, BRANCH_REVIEWER), "/desk/approvals")
    assert "省里的事" in near and "先停一停" not in near
    for box in ("waiting", "mine", "open", "done"):
        shown = text(client(app, FAR_REVIEWER), f"/desk/approvals?box={box}")
        assert "省里的事" not in shown and "先停一停" not in shown
    far = client(app, FAR_REVIEWER)
    assert "不在您负责的范围内" in text(far, "/desk/approvals/99999", 404)
    for number in (whole, branch):
        assert "不在您负责的范围内" in text(far, f"/desk/approvals/{number}", 404)
        text(far, f"/desk/approvals/{number}/preview", 404)
        for act in ("decide", "withdraw", "guests", "guests/1/revoke"):
            answer = far.post(f"/desk/approvals/{number}/{act}", data={"decision": "approved"})
            assert answer.status_code == 404
    assert found(store, branch).decision is None
    assert "省里的事" in text(client(app, BRANCH_EDITOR), "/desk/approvals?box=mine")


def test_a_decision_is_taken_on_the_page_of_the_item(app: Flask, store: Database) -> None:
    number = asked(store)
    browser = client(app, REVIEWER)
    page = text(browser, f"/desk/approvals/{number}")
    assert "一项事实" in page and f'src="/desk/approvals/{number}/preview"' in page
    assert "<p>预览</p>" in text(browser, f"/desk/approvals/{number}/preview")
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None
    form = {"decision": "changes", "opinion": "", "seen": seen.group(1)}
    again = browser.post(f"/desk/approvals/{number}/decide", data=form)
    assert again.status_code == 400 and "写明理由" in again.get_data(as_text=True)
    kept = {"decision": "nonsense", "opinion": "期限写错了", "seen": seen.group(1)}
    assert "期限写错了" in browser.post(f"/desk/approvals/{number}/decide", data=kept).get_data(as_text=True)
    done = browser.post(f"/desk/approvals/{number}/decide", data=form | {"opinion": "期限写错了"})
    assert done.status_code == 302
    assert found(store, number).decision == "changes"
    assert "期限写错了" in text(client(app, EDITOR), f"/desk/approvals/{number}")
    assert "先停一停" in text(browser, "/desk/approvals?box=done")


def test_what_was_looked_at_is_what_is_decided(app: Flask, store: Database) -> None:
    number = asked(store)
    answer = client(app, REVIEWER).post(
        f"/desk/approvals/{number}/decide", data={"decision": "approved", "seen": "f" * 64}
    )
    assert answer.status_code == 400 and "被改过" in answer.get_data(as_text=True)
    assert found(store, number).decision is None


def test_ones_own_can_be_withdrawn_and_not_decided(app: Flask, store: Database) -> None:
    number = asked(store, REVIEWER)
    browser = client(app, REVIEWER)
    assert 'value="approved"' not in text(browser, f"/desk/approvals/{number}")
    answer = browser.post(f"/desk/approvals/{number}/decide", data={"decision": "approved"})
    assert answer.status_code == 400 and "另一位同事" in answer.get_data(as_text=True)
    client(app, ADMINISTRATOR).post(f"/desk/approvals/{number}/withdraw")
    assert found(store, number).decision is None
    assert browser.post(f"/desk/approvals/{number}/withdraw").status_code == 302
    assert found(store, number).decision == "withdrawn"


def test_several_are_approved_at_once_after_a_preview(app: Flask, store: Database) -> None:
    first, second = asked(store), asked(store, subject="two", title="第二项")
    own = asked(store, REVIEWER, subject="three", title="自己的")
    picks = [f"{n}.{s.ljust(64, '0')}" for n, s in ((first, "one"), (second, "two"), (own, "three"))]
    browser = client(app, REVIEWER)
    preview = browser.post("/desk/approvals/bulk", data={"pick": [*picks, "77.x"], "action": "approve"})
    shown = preview.get_data(as_text=True)
    assert "先停一停" in shown and "第二项" in shown and "自己提交的" in shown and "77 号申请" in shown
    assert f'value="{picks[2]}"' not in shown
    assert found(store, first).decision is None
    form = {"pick": [*picks, f"{second}.{'e' * 64}"], "action": "approve", "confirm": "1"}
    assert browser.post("/desk/approvals/bulk", data=form).status_code == 302
    assert [found(store, n).decision for n in (first, second, own)] == ["approved", "approved", None]


def test_a_preview_of_several_does_not_name_what_lies_outside(app: Flask, store: Database) -> None:
    number = asked(store)
    shown = client(app, FAR_REVIEWER).post("/desk/approvals/bulk", data={"pick": f"{number}.x"})
    assert "先停一停" not in shown.get_data(as_text=True)


def test_the_list_is_filtered_sorted_and_written_out(app: Flask, store: Database) -> None:
    late = clock.now() + timedelta(seconds=1)
    asked(store, title="晚了的", due=late)
    asked(store, BRANCH_EDITOR, subject="two", title="=省里的事", at=PROVINCE, due=late + timedelta(days=3))
    asked(store, subject="three", title="不急的")
    with store.transaction() as session:
        row = session.exec(select(Approval).where(Approval.title == "晚了的")).one()
        row.due_at = clock.now() - timedelta(hours=1)
        session.add(row)
    browser = client(app, REVIEWER)
    everything = text(browser, "/desk/approvals")
    assert everything.index("晚了的") < everything.index("=省里的事") < everything.index("不急的")
    assert "已超期" in everything
    only = text(browser, "/desk/approvals?overdue=1")
    assert "晚了的" in only and "不急的" not in only
    assert "不急的" not in text(browser, f"/desk/approvals?place={PROVINCE}")
    assert "省里的事" in text(browser, "/desk/approvals?text=钱编辑")
    assert "没有符合条件" in text(browser, "/desk/approvals?kind=nothing.known")
    table = text(browser, "/desk/approvals?export=csv&text=省里")
    assert "'=省里的事" in table and "晚了的" not in table


GUEST = {"name": "方律师", "email": "", "days": "7", "note": "请看第二段"}


def invited(app: Flask, number: int, **more: str) -> str:
    """The path of a new guest's link."""
    answer = client(app, REVIEWER).post(f"/desk/approvals/{number}/guests", data=GUEST | more)
    shown = answer.get_data(as_text=True)
    link = re.search(r"/review/[\w-]+", shown)
    assert link is not None, shown
    return link.group(0)


def test_a_guest_sees_the_item_and_nothing_else_and_decides_once(app: Flask, store: Database) -> None:
    number = asked(store)
    link = invited(app, number)
    guest = app.test_client()
    shown = text(guest, link)
    assert "先停一停" in shown and "请看第二段" in shown and '"/desk' not in shown
    assert "<p>预览</p>" in text(guest, f"{link}/preview")
    assert guest.get(link).headers["Referrer-Policy"] == "no-referrer"
    assert guest.get(link).headers["Cache-Control"] == "no-store"
    refused = guest.post(link, data={"decision": "rejected", "opinion": " "})
    assert refused.status_code == 400 and found(store, number).decision is None
    done = guest.post(link, data={"decision": "approved", "opinion": "没有问题"})
    assert done.status_code == 200 and "先停一停" not in done.get_data(as_text=True)
    settled = found(store, number)
    assert (settled.decision, settled.opinion) == ("approved", "方律师：没有问题")
    again = guest.post(link, data={"decision": "rejected", "opinion": "改主意了"})
    assert again.status_code == 409 and "先停一停" not in text(guest, link)
    text(guest, f"{link}/preview", 404)
    page = text(client(app, EDITOR), f"/desk/approvals/{number}")
    assert "方律师（外部审阅，由周审查邀请）" in page
    with store.reading() as session:
        record = session.exec(select(AuditRecord).where(AuditRecord.via == "link")).one()
        assert (record.actor, record.action, record.subject) == ("方律师", "approval.decide", str(number))


def test_a_guests_link_that_ended_shows_nothing(app: Flask, store: Database) -> None:
    number = asked(store)
    revoked, expired, other = invited(app, number), invited(app, number), invited(app, number)
    with store.transaction() as session:
        rows = session.exec(select(GuestReview).order_by(GuestReview.id)).all()  # type: ignore[arg-type]
        rows[1].expires_at = clock.now() - timedelta(minutes=1)
        session.add(rows[1])
        revoking = rows[0].id
    client(app, REVIEWER).post(f"/desk/approvals/{number}/guests/{revoking}/revoke")
    guest = app.test_client()
    for link in (revoked, expired):
        assert "先停一停" not in text(guest, link, 410)
        assert guest.post(link, data={"decision": "approved"}).status_code == 409
        text(guest, f"{link}/preview", 404)
    text(guest, "/review/guessed", 404)
    client(app, REVIEWER).post(f"/desk/approvals/{number}/decide", data={"decision": "approved"})
    assert "先停一停" not in text(guest, other, 410)
    assert found(store, number).decision == "approved"


def test_a_guest_may_no_more_than_who_invited_them(app: Flask, store: Database) -> None:
    number = asked(store)
    link = invited(app, number)
    with store.transaction() as session:
        account = people.by_login(session, REVIEWER)
        assert account is not None
        account.active = False
        session.add(account)
    guest = app.test_client()
    text(guest, link, 410)
    assert guest.post(link, data={"decision": "approved"}).status_code == 409
    assert found(store, number).decision is None


def test_only_who_may_decide_invites_and_for_two_weeks_at_most(app: Flask, store: Database) -> None:
    number = asked(store)
    answer = client(app, EDITOR).post(f"/desk/approvals/{number}/guests", data=GUEST)
    assert answer.status_code == 400 and "另一位同事" in answer.get_data(as_text=True)
    for wrong in ({"days": "15"}, {"days": "x"}, {"name": " "}, {"email": "nobody"}, {"note": "长" * 1001}):
        answer = client(app, REVIEWER).post(f"/desk/approvals/{number}/guests", data=GUEST | wrong)
        assert answer.status_code == 400, wrong
    with store.reading() as session:
        assert session.exec(select(GuestReview)).all() == []


def test_the_link_is_mailed_where_there_is_a_mail_server(settings: Settings) -> None:
    declare()
    runtime = build(settings.model_copy(update={"smtp_host": "127.0.0.1", "mail_from": "a@example.com"}))
    with runtime.service(Database).transaction() as session:
        factories.cast(session, clock.now())
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    number = asked(runtime.service(Database))
    form = GUEST | {"email": "fang@example.com"}
    answer = client(app, REVIEWER).post(f"/desk/approvals/{number}/guests", data=form)
    assert answer.status_code == 302
    with runtime.service(Database).reading() as session:
        assert len(session.exec(select(Letter)).all()) == 1
        sealed = session.exec(select(GuestReview)).one().email_sealed
        assert sealed and "fang" not in sealed
    runtime.close()
    undeclare()


def test_a_stand_in_decides_with_the_powers_of_who_is_away(app: Flask, store: Database) -> None:
    number = asked(store)
    today = clock.today(ZoneInfo("Asia/Shanghai"))
    form = {"stand_in": "孙审查", "first_day": str(today - timedelta(days=1)), "last_day": str(today)}
    assert client(app, REVIEWER).post("/desk/approvals/stand-ins", data=form).status_code == 302
    stand_in = client(app, BRANCH_REVIEWER)
    assert "先停一停" in text(stand_in, "/desk/approvals")
    assert "代 周审查" in text(stand_in, f"/desk/approvals/{number}")
    stand_in.post(f"/desk/approvals/{number}/decide", data={"decision": "approved"})
    with store.reading() as session:
        step = session.exec(select(ApprovalStep).where(ApprovalStep.approval_id == number)).one()
        assert step.decided_by == number_of(session, BRANCH_REVIEWER)
        assert step.for_staff == number_of(session, REVIEWER)
    assert "孙审查（代 周审查）" in text(client(app, EDITOR), f"/desk/approvals/{number}")
    listed = text(stand_in, "/desk/approvals/stand-ins")
    assert "生效中" in listed
    assert "生效中" not in text(client(app, EDITOR), "/desk/approvals/stand-ins")
    assert client(app, EDITOR).post("/desk/approvals/stand-ins/1/end").status_code == 404
    assert client(app, REVIEWER).post("/desk/approvals/stand-ins/1/end").status_code == 302
    another = asked(store, subject="two")
    text(stand_in, f"/desk/approvals/{another}", 404)


def test_a_stand_in_is_set_up_for_oneself_or_by_who_may_do_it_for_others(app: Flask) -> None:
    today = clock.today(ZoneInfo("Asia/Shanghai"))
    form = {"absent": REVIEWER, "stand_in": EDITOR, "first_day": str(today), "last_day": str(today)}
    refused = client(app, EDITOR).post("/desk/approvals/stand-ins", data=form)
    assert refused.status_code == 400 and "只能为自己" in refused.get_data(as_text=True)
    wrong = client(app, EDITOR).post(
        "/desk/approvals/stand-ins", data=form | {"absent": "", "stand_in": "谁"}
    )
    assert "没有找到这位同事" in wrong.get_data(as_text=True) and 'value="谁"' in wrong.get_data(as_text=True)
    again = form | {"first_day": "soon"}
    assert client(app, ADMINISTRATOR).post("/desk/approvals/stand-ins", data=again).status_code == 400
    assert client(app, ADMINISTRATOR).post("/desk/approvals/stand-ins", data=form).status_code == 302


PATH = {
    "kind": KIND,
    "outlet_code": PROVINCE,
    "name1": "省里先审",
    "permission1": "content.approve",
    "at1": "own",
    "name2": "总公司再审",
    "permission2": "content.approve",
    "at2": "head",
    "due_days": "5",
}


def test_a_path_is_written_used_overtaken_and_removed(app: Flask, store: Database) -> None:
    admin = client(app, ADMINISTRATOR)
    assert "还没有单独设置的流程" in text(admin, "/desk/approvals/paths")
    assert admin.post("/desk/approvals/paths/new", data=PATH).status_code == 302
    twice = admin.post("/desk/approvals/paths/new", data=PATH)
    assert twice.status_code == 400 and "已有流程" in twice.get_data(as_text=True)
    assert "省里先审" in text(admin, "/desk/approvals/paths")
    number = asked(store, BRANCH_EDITOR, at=PROVINCE)
    near, head = client(app, BRANCH_REVIEWER), client(app, REVIEWER)
    near.post(f"/desk/approvals/{number}/decide", data={"decision": "approved", "opinion": "可以"})
    assert found(store, number).decision is None and found(store, number).current_step == 2
    assert "您已经审过" in near.post(
        f"/desk/approvals/{number}/decide", data={"decision": "approved"}
    ).get_data(as_text=True)
    head.post(f"/desk/approvals/{number}/decide", data={"decision": "approved"})
    assert found(store, number).decision == "approved"
    form = text(admin, "/desk/approvals/paths/1")
    base = re.search(r'name="base" value="([^"]+)"', form)
    assert base is not None and 'value="省里先审"' in form
    mine = {**PATH, "base": base.group(1), "name1": "分公司初审"}
    assert admin.post("/desk/approvals/paths/1", data=mine).status_code == 302
    overtaken = admin.post("/desk/approvals/paths/1", data=mine | {"name1": "另一个名字"})
    assert overtaken.status_code == 409
    assert "分公司初审" in overtaken.get_data(as_text=True) and "另一个名字" in overtaken.get_data(
        as_text=True
    )
    assert (
        admin.post(
            "/desk/approvals/paths/1", data=PATH | {"name1": "", "permission1": "content.approve"}
        ).status_code
        == 400
    )
    assert client(app, REVIEWER).get("/desk/approvals/paths").status_code == 403
    assert admin.post("/desk/approvals/paths/1/remove").status_code == 302
    with store.reading() as session:
        assert session.exec(select(ApprovalPath)).all() == []


def test_paths_stay_within_the_part_of_who_sets_them(app: Flask, store: Database) -> None:
    with store.transaction() as session:
        by = number_of(session, ADMINISTRATOR)
        far = approval_paths.save(
            session, kind=KIND, outlet_code=OUTSIDE_PROVINCE, due_days=None, by=by, now=clock.now(),
            steps=[Step("审", "content.approve")],
        ).id  # fmt: skip
        factories.person(session, "mo.admin", "莫管理", "administrator", clock.now(), at=PROVINCE)
    browser = client(app, "mo.admin")
    assert "四川" not in text(browser, "/desk/approvals/paths")
    text(browser, f"/desk/approvals/paths/{far}", 404)
    assert browser.post(f"/desk/approvals/paths/{far}/remove").status_code == 404
    for node in (OUTSIDE_PROVINCE, ""):
        assert browser.post("/desk/approvals/paths/new", data=PATH | {"outlet_code": node}).status_code == 400
    assert browser.post("/desk/approvals/paths/new", data=PATH).status_code == 302


def test_the_auditor_sees_everything_and_changes_nothing(app: Flask, store: Database) -> None:
    number = asked(store)
    with store.transaction() as session:
        factories.person(session, "xu.audit", "许审计", "auditor", clock.now())
        factories.person(session, "yu.audit", "于审计", "auditor", clock.now(), at=PROVINCE)
    auditor = client(app, "xu.audit")
    assert "先停一停" in text(auditor, "/desk/approvals?box=open")
    assert 'value="approved"' not in text(auditor, f"/desk/approvals/{number}")
    assert auditor.post(f"/desk/approvals/{number}/decide", data={"decision": "approved"}).status_code == 400
    assert auditor.post(f"/desk/approvals/{number}/guests", data=GUEST).status_code == 400
    auditor.post(f"/desk/approvals/{number}/withdraw")
    assert found(store, number).decision is None
    text(client(app, "yu.audit"), f"/desk/approvals/{number}", 404)


def test_who_stands_in_shows_a_second_factor_where_one_is_asked_for(settings: Settings) -> None:
    declare()
    runtime = build(settings.model_copy(update={"second_factor": "required"}))
    store = runtime.service(Database)
    with store.transaction() as session:
        now = clock.now()
        people_by_login = factories.cast(session, now)
        weak = factories.person(session, "zhu.analyst", "朱分析", "analyst", now)
        stand_ins.set_up(
            session, absent=people_by_login[REVIEWER].id or 0, stand_in=weak.id or 0, begins_at=now,
            ends_at=now + timedelta(days=1), by=weak.id or 0, now=now,
        )  # fmt: skip
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    number = asked(store)
    browser = client(app, "zhu.analyst")
    assert "先停一停" in text(browser, "/desk/approvals")
    with store.transaction() as session:
        for row in session.exec(select(StaffSession)).all():
            row.second_factor_at = None
            session.add(row)
    refused = browser.post(f"/desk/approvals/{number}/decide", data={"decision": "approved"})
    assert refused.status_code == 400 and "二次验证" in refused.get_data(as_text=True)
    pick = f"{number}.{'one'.ljust(64, '0')}"
    browser.post("/desk/approvals/bulk", data={"pick": pick, "confirm": "1"})
    assert found(store, number).decision is None
    with store.transaction() as session:
        for row in session.exec(select(StaffSession)).all():
            row.second_factor_at = clock.now()
            session.add(row)
    browser.post(f"/desk/approvals/{number}/decide", data={"decision": "approved"})
    assert found(store, number).decision == "approved"
    runtime.close()
    undeclare()
