"""A segment as a plan's audience: frozen when it fires, approved by its exact definition, for the plan's purpose."""

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session, col, select

from campaign import audience, segments
from campaign.audience_models import PurposeRefusal
from campaign.contacts import Consent, Contact
from campaign.segments import Filters
from core.database import Database
from core.errors import Invalid
from core.privacy import Vault
from institution import approval_kinds
from scheduler import cutting, plans, reaching, starting
from scheduler.models import Delivery, DeliveryState, Plan, PlanState, Push, PushState
from scheduler.plan_audience import Meant
from scheduler.planner import Planner, fire
from tests import factories
from tests.scheduler import audience_cast
from tests.scheduler.audience_cast import ZONE, activate, people, plan
from tests.scheduler.conftest import Clock

SIZES = {"email": 2, "webhook": 2}


def _segment(session: Session, now: datetime, **filters: Any) -> int:
    return segments.make(session, "愿意收邮件的人", Filters(**filters), outlet_code="", now=now).id or 0


def _plan(session: Session, segment_id: int, now: datetime, **meant: Any) -> Plan:
    return plan(session, None, now, meant=Meant(segment_id=segment_id, **meant))


def _got(session: Session) -> list[int]:
    return list(session.exec(select(Delivery.contact_id).order_by(col(Delivery.contact_id))))


def test_a_plan_goes_to_exactly_one_of_list_and_segment(
    database: Database, vault: Vault, now: datetime
) -> None:
    with database.transaction() as session:
        list_id, segment_id = people(session, vault, 3, now), _segment(session, now)
        for wrong in ({"list_id": None}, {"list_id": list_id, "meant": Meant(segment_id=segment_id)}):
            with pytest.raises(Invalid, match="只能选一样"):
                plan(session, **{"list_id": None, **wrong}, now=now)  # type: ignore[arg-type]
        assert reaching.count(session, _plan(session, segment_id, now), now).reached == 3  # type: ignore[union-attr]


def test_who_comes_in_or_goes_between_two_pages_changes_nothing_of_the_definition(
    database: Database, vault: Vault, now: datetime
) -> None:
    """Changed filters are for the next push; removed contacts are simply missing."""
    with database.transaction() as session:
        people(session, vault, 5, now)
        segment_id = _segment(session, now)
        made = _plan(session, segment_id, now)
        audience_cast.send_now(session, made, now)
        (push,) = fire(session, made.id or 0, zone=ZONE, now=now)
        assert push.audience and push.segment_id == segment_id
        cutting.cut(session, push.id or 0, batch_sizes=SIZES, now=now, page=2)
        assert len(_got(session)) == 2
        segments.change(session, segment_id, "换了", Filters(province="四川省"), now=now)
        while cutting.cut(session, push.id or 0, batch_sizes=SIZES, now=now, page=2):
            pass
        assert len(_got(session)) == 5 and session.get_one(Push, push.id).total == 5


def test_the_approval_covers_the_exact_definition(database: Database, vault: Vault, clock: Clock) -> None:
    with database.transaction() as session:
        people(session, vault, 3, clock.at)
        segment_id = _segment(session, clock.at)
        made = _plan(session, segment_id, clock.at)
        activate(session, made, clock.at)
        segments.change(session, segment_id, "只是改名", Filters(), now=clock.at)
        assert starting.approved(session, made), "another name means the same people"
        segments.change(session, segment_id, "只是改名", Filters(groups=("elders",)), now=clock.at)
        assert not starting.approved(session, made)
    Planner(database, ZONE, SIZES).tick(clock.forward(hours=1))
    with database.transaction() as session:
        kept = plans.get(session, made.id or 0)
        assert kept.state == PlanState.paused and "重新提交审批" in kept.reason
        assert session.exec(select(Push)).all() == []
        segments.change(session, segment_id, "只是改名", Filters(), now=clock.at)
        assert starting.approved(session, kept), "changed back"
        segments.remove(session, segment_id)
        session.flush()
        assert not starting.approved(session, kept)


def test_control_without_the_definition_a_changed_segment_goes_out(
    database: Database, vault: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "definition", lambda _session, _plan: "")
    with database.transaction() as session:
        people(session, vault, 3, clock.at)
        segment_id = _segment(session, clock.at)
        made = _plan(session, segment_id, clock.at)
        activate(session, made, clock.at)
        segments.change(session, segment_id, "x", Filters(groups=("elders",)), now=clock.at)
        assert starting.approved(session, made)


def test_who_approves_reads_the_filters_and_the_count(
    database: Database, vault: Vault, now: datetime
) -> None:
    with database.transaction() as session:
        people(session, vault, 3, now)
        segment_id = _segment(session, now, province="浙江省", groups=("elders", "students"), channel="email")
        request = starting.request(
            session, _plan(session, segment_id, now, purpose="service"), by=_asker(session, now), now=now
        )
        facts = approval_kinds.of(starting.KIND).facts(session, request)
        said = [f"{label}：{value}" for label, value in facts]
        assert "发给谁：人群：愿意收邮件的人" in said
        assert "筛选条件：省份：浙江省" in said and "筛选条件：人群类别：老年人或学生" in said
        assert "现在能收到：0 人" in said and "用途：服务通知" in said


def test_the_purpose_is_asked_wherever_consent_is_asked(
    database: Database, vault: Vault, clock: Clock, line: Any
) -> None:
    """Three agreed to education; one also to marketing, and one more who refused marketing while it went out."""
    with database.transaction() as session:
        list_id = people(session, vault, 3, clock.at)
        for number in (1, 2):
            session.add(
                Consent(
                    contact_id=number, channel="email", purpose="marketing", given_at=clock.at,
                    recorded_at=clock.at, source="柜面",
                )
            )  # fmt: skip
        made = plan(session, list_id, clock.at, meant=Meant(purpose="marketing"))
        assert reaching.count(session, made, clock.at).no_consent == 1  # type: ignore[union-attr]
        audience_cast.send_now(session, made, clock.at)
    line.planner.tick(clock.at)
    with database.transaction() as session:
        assert _got(session) == [1, 2]
        index = session.get_one(Contact, 2).email_index or ""
        session.add(
            PurposeRefusal(
                channel="email", address_index=index, purpose="marketing", refused_at=clock.at, via="x"
            )
        )
        assert audience.refused_among(session, "email", [index]) == set(), "education still goes"
    line.dispatcher.run("email")
    with database.reading() as session:
        states = dict(session.exec(select(Delivery.contact_id, Delivery.state)).all())
        assert states == {1: DeliveryState.sent, 2: DeliveryState.refused}
        assert session.exec(select(Push.state)).one() == PushState.done


def test_a_segment_of_another_part_is_not_chosen(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
        segment_id = _segment(session, now)
        with pytest.raises(Invalid, match="不归计划所在的机构"):
            plan(session, None, now, outlet_code=factories.PROVINCE, meant=Meant(segment_id=segment_id))


def _asker(session: Session, now: datetime) -> int:
    return audience_cast.colleague(session, "xu.operator", "许推送", "push_operator", now)
