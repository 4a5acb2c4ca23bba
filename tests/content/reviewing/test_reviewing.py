"""content.reviewing: the checklist stands before every approval; remarks follow their passage; figures add up."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, select

from content import history, lifecycle, review
from content.check import overruling
from content.faults import Faulty
from content.models import Kind
from content.reviewing import checklist, figures, remarks
from content.reviewing.anchoring import Standing
from content.reviewing.models import CheckAnswer
from core.database import Database
from core.errors import Conflict, Invalid
from institution import approval_paths, approvals
from institution.approval_models import Approval
from institution.approval_paths import Step
from institution.models import Staff
from institution.working_days import WorkingDays
from tests import factories
from tests.content import pieces

OWN = "- id: own-brand\n  since: 2026-01-01\n  says: {zh: 名称和标识统一。}\n  source: 品牌办法第八条\n"
WARNED = "## 小心\n\n有人骗您转账，先停一停。\n"


def asked(session: Session, editor: Staff, now: datetime, text: str = "") -> Approval:
    revision = pieces.saved(session, text or pieces.text(), editor.id or 0, now)
    return lifecycle.submit(session, revision.id or 0, by=editor.id or 0, now=now)


def approve(
    session: Session, request: Approval, reviewer: Staff, now: datetime, said: dict[str, str]
) -> None:
    approvals.decide(session, request.id or 0, decision="approved", by=reviewer.id or 0, now=now, said=said)


def test_every_item_has_its_source_and_every_kind_is_asked(database: Database, now: datetime) -> None:
    for item in checklist.ours().items:
        assert item.source and item.says.zh and item.says.en
        assert item.since <= now.date()
    with database.reading() as session:
        for kind in Kind:
            assert len(checklist.items(session, kind.value, now.date())) >= 9


def test_nothing_passes_while_an_item_is_unanswered_or_wrong(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        request = asked(session, editor, now)
        for said in (None, {}, {**pieces.ALL_RIGHT, "item-figures": ""}):
            with pytest.raises(Invalid, match="还有没答的"):
                approvals.decide(
                    session, request.id or 0, decision="approved", by=reviewer.id or 0, now=now, said=said
                )
        with pytest.raises(Invalid, match="写明是哪里"):
            approve(session, request, reviewer, now, {**pieces.ALL_RIGHT, "item-figures": "bad"})
        wrong = {**pieces.ALL_RIGHT, "item-figures": "bad", "words-figures": "没有来源"}
        with pytest.raises(Invalid, match="不能通过"):
            approve(session, request, reviewer, now, wrong)
        approve(session, request, reviewer, now, {**pieces.ALL_RIGHT, "item-figures": "na"})
        kept = {one.item: one for one in session.exec(select(CheckAnswer))}
        assert kept["figures"].answer == "na" and kept["truthful"].answer == "ok"
        assert {one.revision_hash for one in kept.values()} == {request.subject_hash}
        assert kept["truthful"].version == checklist.version(session)


def test_what_is_sent_back_keeps_which_item_was_wrong(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        request = asked(session, editor, now)
        said = {"item-truthful": "bad", "words-truthful": "说大了"}
        approvals.decide(
            session,
            request.id or 0,
            decision="changes",
            by=reviewer.id or 0,
            now=now,
            opinion="请改",
            said=said,
        )
        one = session.exec(select(CheckAnswer)).one()
        assert (one.item, one.answer, one.words) == ("truthful", "bad", "说大了")


def test_the_institution_adds_its_own_items_version_by_version(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        by = reviewer.id or 0
        for wrong in (
            "- id: x",
            "x: 1",
            "- id: brand\n  since: 2026-01-01",
            OWN + OWN,
            OWN.replace("own-", ""),
        ):
            with pytest.raises(Invalid):
                checklist.save(session, wrong, note="", by=by, now=now)
        first = checklist.version(session)
        checklist.save(session, OWN, note="加一项", by=by, now=now)
        assert checklist.version(session) != first
        assert checklist.parse(checklist.as_text(checklist.own(session)))[0].id == "own-brand"
        request = asked(session, editor, now)
        with pytest.raises(Invalid, match="名称和标识"):
            approve(session, request, reviewer, now, pieces.ALL_RIGHT)
        approve(session, request, reviewer, now, {**pieces.ALL_RIGHT, "item-own-brand": "ok"})


def test_a_warning_is_mended_or_overruled_before_others_look(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, _reviewer = pieces.people(session, now)
        by = editor.id or 0
        revision = pieces.saved(session, pieces.text(body=WARNED), by, now)
        found = overruling.findings(session, revision, now.date())
        assert found and all(one.severity == "warning" for one in found)
        with pytest.raises(Faulty):
            lifecycle.submit(session, revision.id or 0, by=by, now=now)
        for one in found:
            overruling.overrule(
                session, revision, one.mark, reason="本公司自己的调查", by=by, now=now, on=now.date()
            )
        assert lifecycle.submit(session, revision.id or 0, by=by, now=now).decision is None


def test_each_kind_takes_its_own_way_and_its_working_days(database: Database, now: datetime) -> None:
    """now is a Tuesday; a long graphic of head office passes law and consumer protection, in three working days."""
    working = WorkingDays(factories_zone(), "CN")
    with database.transaction() as session:
        factories.tree(session, now)
        editor, _reviewer = pieces.people(session, now)
        by = editor.id or 0
        two = [Step("法务", "content.approve", "head"), Step("消保", "content.approve", "head")]
        long = approval_paths.of_sort(review.APPROVAL_KIND, "long_graphic")
        approval_paths.save(session, kind=long, outlet_code="", steps=two, due_days=5, by=by, now=now)
        one = [Step("分公司", "content.approve", "own"), Step("总公司", "content.approve", "head")]
        approval_paths.save(
            session,
            kind=review.APPROVAL_KIND,
            outlet_code=factories.PROVINCE,
            steps=one,
            due_days=None,
            by=by,
            now=now,
        )
        graphic = pieces.saved(session, pieces.text("a", kind="long_graphic"), by, now)
        request = lifecycle.submit(session, graphic.id or 0, by=by, now=now, working=working)
        assert [step.name for step in approvals.steps(session, request)] == ["法务", "消保"]
        assert request.due_at == working.after(now, 5)
        article = pieces.saved(session, pieces.text("b"), by, now)
        request = lifecycle.submit(session, article.id or 0, by=by, now=now, working=working)
        assert len(approvals.steps(session, request)) == 1
        assert request.due_at == working.after(now, 3)
        draft = pieces.draft(pieces.text("c"))
        branch = lifecycle.save(session, draft, by=by, now=now, outlet_code=factories.PROVINCE)
        assert branch is not None
        request = lifecycle.submit(session, branch.id or 0, by=by, now=now)
        found = [(step.name, step.outlet_code) for step in approvals.steps(session, request)]
        assert found == [("分公司", factories.PROVINCE), ("总公司", "")]


def factories_zone() -> ZoneInfo:
    return ZoneInfo("Asia/Shanghai")


def test_remarks_follow_their_passage_until_they_are_settled(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        by, other = editor.id or 0, reviewer.id or 0
        request = asked(session, editor, now)
        revision = history.by_number(session, "stop-first", 1)
        line = revision.text.splitlines().index("问一问，再转账。") + 1
        with pytest.raises(Invalid):
            remarks.make(session, revision, (line, line), quote="没有", words="改", by=other, now=now)
        with pytest.raises(Invalid):
            remarks.make(session, revision, (line, line), quote="", words=" ", by=other, now=now)
        one = remarks.make(
            session, revision, (line, line), quote="再转账", words="说清向谁问", by=other, now=now
        )
        approvals.decide(
            session, request.id or 0, decision="changes", by=other, now=now, opinion="见逐段意见"
        )
        body = "## 先停一停\n\n新加的一段。\n\n问一问家里人，再转账。\n"
        later = pieces.saved(session, pieces.text(body=body), by, now)
        with pytest.raises(Conflict, match="没有答复"):
            lifecycle.submit(session, later.id or 0, by=by, now=now)
        placed = remarks.placed(session, later)[0]
        assert (placed.place.first, placed.place.standing) == (line + 2, Standing.same)
        remarks.answer(session, "stop-first", one.id or 0, "加了“家里人”", by=by, now=now)
        lifecycle.submit(session, later.id or 0, by=by, now=now)
        remarks.resolve(session, "stop-first", one.id or 0, by=by, now=now)
        with pytest.raises(Conflict):
            remarks.answer(session, "stop-first", one.id or 0, "再答", by=by, now=now)
        assert not remarks.placed(session, later)[0].is_open


def test_the_figures_say_how_long_and_why(database: Database, now: datetime) -> None:
    assert figures.ninth([]) == 0.0
    assert figures.ninth([float(one) for one in range(1, 11)]) == 9.0
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        by = reviewer.id or 0
        for number, hours in enumerate((1, 2, 30)):
            kind = "guide" if number == 2 else "article"
            request = asked(session, editor, now, pieces.text(f"piece-{number}", kind=kind))
            at = now + timedelta(hours=hours)
            if number == 2:
                said = {"item-truthful": "bad", "words-truthful": "说大了"}
                approvals.decide(
                    session, request.id or 0, decision="changes", by=by, now=at, opinion="请改", said=said
                )
            else:
                approve(session, request, reviewer, at, pieces.ALL_RIGHT)
        asked(session, editor, now, pieces.text("open-one"))
        found = figures.gather(session, now, now + timedelta(days=2), now)
        assert (found.total.count, found.total.median, found.total.ninth) == (3, 2.0, 30.0)
        assert found.total.share_back == pytest.approx(1 / 3)
        assert [(row.name, row.count, row.back) for row in found.kinds] == [
            ("以案说险", 2, 0),
            ("服务指南", 1, 1),
        ]
        assert [(row.name, row.count) for row in found.branches] == [("总公司", 3)]
        assert [one.count for one in found.items] == [1]
        assert [(one.name, one.count, one.back) for one in found.reviewers] == [("周审查", 3, 1)]
        assert (found.waiting, found.overdue) == (1, 0)
        assert figures.gather(session, now - timedelta(days=9), now, now).total.count == 0
