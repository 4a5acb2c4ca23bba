"""One thing of every kind at a place of the tree, so that every address of the desk can be asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, select

from campaign import audience_import, lists, programme, segments
from campaign.base import archives, screens
from campaign.checkin import doors
from campaign.contact_imports import register as contact_imports
from campaign.contact_imports.models import CHECKED, ContactImport
from campaign.contacts import Contact
from campaign.events import occurrences, series
from campaign.events.occurrences import Spot as Where
from campaign.play_sessions.models import PlayMember, PlaySession
from campaign.programme import CampaignForm
from campaign.registration import registering
from campaign.registration.entry import Wanted
from campaign.returns import filing, photos
from campaign.segments import Filters
from content import drafting, history, lifecycle, review
from content.desk.beginnings import beginning
from content.models import Kind, Revision
from content.off_site.models import Withdrawal
from content.release_models import Release
from content.reviewing import remarks
from content.voices.models import PieceVoice
from core.privacy import Vault
from core.settings import Settings
from institution import api_tokens, approval_guests, approval_paths, personal_data, sessions, stand_ins
from institution.approval_guests import Invitation
from institution.approval_paths import Step
from institution.audit_models import AuditRecord
from institution.models import Staff
from institution.powers import Scope
from scheduler import plans
from scheduler.models import ChannelAccount, Push, PushState
from scheduler.plans import PlanForm
from tests import factories
from tests.campaign.events import making
from tests.campaign.returns import cast
from tests.scheduler import audience_cast
from tracking import annotations, links, subscriptions, targets, view_saving
from tracking.imports import draft, mapping, register, saving, sources
from tracking.links import Aim
from tracking.periods import Period
from tracking.spool import REJECTED
from tracking.subscription_models import ReportDelivery
from tracking.subscriptions import SubscriptionForm
from tracking.targets import Aim as TargetAim
from tracking.watching.models import ReachAlarm
from webapp.runtime import Runtime

_PIECE = """---
key: {key}
kind: article
title: {word}的一篇
title_en: One of {key}
summary: 先停一停。
summary_en: Stop first.
help: [{{label: 反诈专线, phone: "96110"}}]
review_by: 2027-06-30
---

先停一停，问一问。

/// call | 拿不准
    phone: "96110"
    label: 反诈专线

先打电话。
///
"""


@dataclass(frozen=True)
class Spot:
    """Where and how things are planted: `key` is part of their codes, `word` of their names."""

    runtime: Runtime
    session: Session
    place: str
    outlet: str
    key: str
    word: str
    now: datetime

    def person(self, what: str, role: str) -> Staff:
        """Somebody of this place."""
        login, name = f"{what}.{self.key}", f"{self.word}{what}"
        return factories.person(self.session, login, name, role, self.now, at=self.place)


@dataclass(frozen=True)
class Planted:
    """The word that stands in every thing of the place, and the arguments of addresses that lead to them."""

    word: str
    arguments: Mapping[str, Mapping[str, Any]]

    def of(self, endpoint: str) -> Mapping[str, Any]:
        """The arguments of an endpoint: its own, or those of its blueprint."""
        return self.arguments.get(endpoint) or self.arguments[endpoint.partition(".")[0]]


def plant(spot: Spot) -> Planted:
    """One thing of every kind at the spot."""
    session, vault, now = spot.session, spot.runtime.service(Vault), spot.now
    asker, decider = spot.person("asker", "editor"), spot.person("decider", "reviewer")
    number, other = asker.id or 0, decider.id or 0
    revision = lifecycle.save(session, _draft(spot), by=number, now=now, outlet_code=spot.place)
    assert revision is not None and revision.id is not None
    session.add(
        PieceVoice(
            piece_key=spot.key, revision_id=revision.id, day=now.date(), visitor="nobody", helpful=True
        )
    )
    request = review.submit(session, revision.id, by=number, now=now)
    guest, _token = approval_guests.invite(
        session, request.id or 0, Invitation(f"{spot.word}律师"), vault=vault, by=other, now=now
    )
    account = _channel(spot)
    pushed = _push(spot, account)
    until = now + timedelta(days=2)
    one = stand_ins.set_up(
        session, absent=other, stand_in=number, begins_at=now, ends_at=until, by=other, now=now
    )
    path = {"number": _path(spot, other)}
    report = _report(spot, number)
    return Planted(
        spot.word,
        {
            "alarms_desk": {"number": _alarm(spot)},
            "api_tokens": {"number": _api_token(spot)},
            "approvals": {"number": request.id, "guest": guest.id},
            "approvals.path": path,
            "approvals.save_path": path,
            "approvals.remove_path": path,
            "approvals.end_stand_in": {"number": one.id},
            "audience_desk": pushed | {"segment_id": _segment(spot), "import_id": _contact_import(spot)},
            "base_desk": {
                "code": spot.outlet,
                "screen": _screen(spot),
                "number": _plaques(spot),
                "form": "svg",
            },
            "campaign_desk": {"code": _campaign(spot)},
            "content_desk": {
                "key": spot.key,
                "number": 1,
                "release_id": _release(spot, revision.id or 0, number),
                "remark": _remark(spot, revision, other),
            },
            "content_desk.seen_withdrawal": {"number": _withdrawal(spot, revision, other)},
            "events_desk": _event(spot),
            "insight_desk": {"number": _target(spot)},
            "insight_desk.remove_note": {"number": _note(spot)},
            "institution_desk": {"code": spot.outlet},
            "links_desk": {"code": _link(spot)},
            "keeping_desk": _set_aside(spot),
            "play_desk": _play(spot),
            "pictures_desk": {"key": _long_graphic(spot, number), "name": "long"},
            "posters_desk": {"number": _posters(spot)},
            "privacy": {"number": _privacy(spot, number)},
            "returns": _activity_return(spot, number),
            "reach_imports": {"number": _import(spot, number)},
            "reach_imports.remove_mapping": {"number": _mapping(spot)},
            "rooms_desk": _room(spot, number),
            "report_desk": report | {"action": "pause"},
            "scheduler_desk": pushed | {"account_id": account.id, "action": "end"},
            "scheduler_desk.act_on_push": pushed | {"action": "cancel"},
            "scheduler_desk.act_on_channel": {"account_id": account.id, "action": "close"},
            "reach_views": {"number": _view(spot, other), "verb": "remove"},
            "staff": _account(spot),
        },
    )


def _release(spot: Spot, revision_id: int, by: int) -> int:
    """A release that waits, of a revision that is not approved: nothing may come of it."""
    made = Release(
        piece_key=spot.key,
        revision_id=revision_id,
        due_at=spot.now + timedelta(days=1),
        by=by,
        made_at=spot.now,
    )
    spot.session.add(made)
    spot.session.flush()
    return made.id or 0


def _remark(spot: Spot, revision: Revision, by: int) -> int:
    made = remarks.make(
        spot.session, revision, (2, 2), quote="", words=f"{spot.word}意见", by=by, now=spot.now
    )
    return made.id or 0


def _withdrawal(spot: Spot, revision: Revision, by: int) -> int:
    row = Withdrawal(
        piece_key=spot.key, revision_id=revision.id or 0, cause="urgent", reason=f"{spot.word}撤下", by=by,
        at=spot.now,
    )  # fmt: skip
    spot.session.add(row)
    spot.session.flush()
    return row.id or 0


def _target(spot: Spot) -> int:
    aim = TargetAim(spot.place, Period(spot.now.date(), spot.now.date()), "gross", 1_000, note=spot.word)
    return targets.put(spot.session, aim, by=None, now=spot.now).id or 0


def _alarm(spot: Spot) -> int:
    day = spot.now.date()
    row = ReachAlarm(
        level="outlet", outlet_code=spot.outlet, kind="silence", first=day, last=day, expected=20, actual=0,
        found_at=spot.now,
    )  # fmt: skip
    spot.session.add(row)
    spot.session.flush()
    return row.id or 0


def _note(spot: Spot) -> int:
    row = annotations.add(
        spot.session, outlet_code=spot.place, kind="outage", first=spot.now.date(), last=None,
        text=f"{spot.word}停机", by=None, now=spot.now,
    )  # fmt: skip
    return row.id or 0


def _activity_return(spot: Spot, by: int) -> dict[str, Any]:
    """A return with a photo that waits to be verified."""
    session, now = spot.session, spot.now
    made = filing.start(session, outlet_code=spot.outlet, key=spot.key, by=by, now=now)
    number, today = made.id or 0, now.date() - timedelta(days=1)
    typed = {
        "held_on": today.isoformat(), "form": "booth", "place": "market", "staff": "2", "heads": "30",
        "theme": f"{spot.word}展台",
    }  # fmt: skip
    filing.save(session, number, typed, by=by, now=now, today=today)
    files = spot.runtime.service(Settings).files_dir
    current = filing.version(session, made)
    drawn = photos.draw(f"{spot.key}.jpg", cast.jpeg(cast.picture(len(spot.key))))
    photos.write(files, drawn)
    photos.add(session, current, drawn, by=by, now=now)
    filing.submit(session, number, by=by, now=now, today=today)
    return {"number": number, "photo": current.photos[0], "version": current.id}


def _set_aside(spot: Spot) -> dict[str, str]:
    """A line that the drain could not take; it belongs to the whole institution."""
    folder = spot.runtime.service(Settings).spool_dir / REJECTED
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seg-{spot.key}.tsv").write_text(f"{spot.word}\n", "utf-8")
    return {"where": REJECTED, "name": f"seg-{spot.key}.tsv"}


def with_record(session: Session, planted: Planted, place: str) -> Planted:
    """The same with a record of the audit log, which has its number once all was committed."""
    query = select(AuditRecord.id).where(
        AuditRecord.action == "campaign.create", AuditRecord.outlet_code == place
    )
    number = session.exec(query).one()
    return replace(planted, arguments={**planted.arguments, "audit": {"number": number}})


def _draft(spot: Spot) -> lifecycle.Draft:
    draft, faults = drafting.check(f"{spot.key}.md", _PIECE.format(key=spot.key, word=spot.word), {})
    assert draft is not None, faults
    return draft


def _room(spot: Spot, by: int) -> dict[str, str]:
    """A room of the place, with a scene that the form of a part opens."""
    key = f"room-{spot.key}"
    text = (
        beginning(Kind.escape_room).replace("key: room-1", f"key: {key}").replace("大厅", f"{spot.word}大厅")
    )
    draft, faults = drafting.check("room.yaml", text, {})
    assert draft is not None, faults
    lifecycle.save(spot.session, draft, by=by, now=spot.now, outlet_code=spot.place)
    return {"key": key, "part": "scenes", "name": "hall"}


def _campaign(spot: Spot) -> str:
    day = spot.now.date()
    form = CampaignForm(
        code=f"c-{spot.key}", name=f"{spot.word}活动期", starts_on=day, ends_on=day, outlet_code=spot.place
    )
    return programme.save(spot.session, form, now=spot.now, new=True).code


def _event(spot: Spot) -> dict[str, Any]:
    """A series of the place, an occurrence of its outlet, somebody who registered for it."""
    values = making.FORM | {"name": f"{spot.word}相约", "place": f"{spot.word}大厅"}
    code = f"s-{spot.key}"
    one = series.create(spot.session, code, values, outlet_code=spot.place, now=spot.now)
    day = spot.now.date() + timedelta(days=3)
    made = occurrences.add(
        spot.session, one, Where(day, 570, 60, spot.outlet), zone=making.ZONE, now=spot.now, topic=spot.word
    )
    wanted = Wanted(name=f"{spot.word}人", phone="13800000001", request_key=spot.key, agreed=True)
    vault = spot.runtime.service(Vault)
    party = registering.register(spot.session, vault, made.id or 0, wanted, now=spot.now, via="staff")
    by = spot.session.exec(select(Staff.id)).first()
    door, _key = doors.make(spot.session, made, label=spot.word, by=by or 0, now=spot.now)
    return {"code": code, "number": made.id, "registration": party.id, "door_id": door.id}


def _segment(spot: Spot) -> int:
    name = f"{spot.word}人群"
    return segments.make(spot.session, name, Filters(), outlet_code=spot.place, now=spot.now).id or 0


def _contact_import(spot: Spot) -> int:
    one = ContactImport(
        outlet_code=spot.place, list_name=f"{spot.word}导入", folder=spot.key, state=CHECKED, asked_at=spot.now,
        stage_at=spot.now,
    )  # fmt: skip
    return contact_imports.ask(spot.session, one).id or 0


def _channel(spot: Spot) -> ChannelAccount:
    address, name = f"https://{spot.key}.example.com/messages", f"{spot.word}渠道"
    number = audience_cast.account(spot.session, address, spot.now, name=name, outlet_code=spot.place)
    return spot.session.get_one(ChannelAccount, number)


def _push(spot: Spot, account: ChannelAccount) -> dict[str, Any]:
    """A list with one person, a plan to it, a push of the plan."""
    session, key = spot.session, spot.key
    rows = f"""姓名,邮箱,接口标识,网点代码,同意用途,同意时间,同意来源
{spot.word},{key}@example.com,u-{key},{spot.outlet},education,2026-03-01 10:00,柜面
"""
    audience_import.import_file(
        session, rows.encode(), list_name=f"{spot.word}名单", vault=spot.runtime.service(Vault),
        zone=audience_cast.ZONE, now=spot.now, outlet_code=spot.place,
    )  # fmt: skip
    found = lists.find_list(session, f"{spot.word}名单", outlet_code=spot.place)
    assert found is not None and found.id is not None
    contact = session.exec(select(Contact).where(Contact.outlet_code == spot.outlet)).one()
    form = PlanForm(
        name=f"{spot.word}计划", list_id=found.id, channel="webhook", first_at="2099-01-01T09:00", subject="先问",
        body="先停一停。", account_id=account.id, outlet_code=spot.place,
    )  # fmt: skip
    plan = plans.create(session, form, by=None, now=spot.now)
    push = Push(
        plan_id=plan.id or 0, due_at=spot.now, state=PushState.done, list_id=found.id, channel="webhook",
        subject=f"{spot.word}推送", outlet_code=spot.place, created_at=spot.now,
    )  # fmt: skip
    session.add(push)
    session.flush()
    return {"plan_id": plan.id, "push_id": push.id, "list_id": found.id, "contact_id": contact.id}


def _api_token(spot: Spot) -> int:
    made, _text = api_tokens.make(
        spot.session, name=f"{spot.word}屏幕", purposes=["reach.collect"], outlet_code=spot.place, days=30, by=None,
        now=spot.now,
    )  # fmt: skip
    return made.id or 0


def _screen(spot: Spot) -> int:
    made = screens.make(spot.session, spot.outlet, f"{spot.word}屏幕", by=None, now=spot.now)
    return made.screen.id or 0


def _play(spot: Spot) -> dict[str, int]:
    """A session of playing together that is over, with somebody in it."""
    at = spot.now - timedelta(days=1)
    one = PlaySession(
        outlet_code=spot.outlet, piece_key=f"{spot.word}密室", opened_at=at, closes_at=at + timedelta(hours=1)
    )
    spot.session.add(one)
    spot.session.flush()
    member = PlayMember(session_id=one.id or 0, nickname=f"{spot.word}人", name_key=spot.key, joined_at=at)
    spot.session.add(member)
    spot.session.flush()
    return {"number": one.id or 0, "member": member.id or 0}


def _plaques(spot: Spot) -> int:
    codes = [spot.outlet]
    made = archives.ask(spot.session, spot.place, codes, size="A3", pdf=False, by=None, now=spot.now)
    return made.id or 0


def _posters(spot: Spot) -> int:
    piece = history.newest(spot.session, f"long-{spot.key}")
    assert piece is not None
    made = archives.ask_posters(
        spot.session, spot.place, [spot.outlet], piece, campaign="", by=None, now=spot.now
    )
    return made.id or 0


def _long_graphic(spot: Spot, by: int) -> str:
    key = f"long-{spot.key}"
    text = _PIECE.format(key=key, word=spot.word).replace("kind: article", "kind: long_graphic")
    draft, faults = drafting.check(f"{key}.md", text, {})
    assert draft is not None, faults
    lifecycle.save(spot.session, draft, by=by, now=spot.now, outlet_code=spot.place)
    return key


def _link(spot: Spot) -> str:
    aim = Aim(note=f"{spot.word}海报")
    return links.make(spot.session, aim, spot.outlet, by=None, now=spot.now).code


def _report(spot: Spot, reader: int) -> dict[str, Any]:
    form = SubscriptionForm(
        name=f"{spot.word}周报", outlet_code=spot.place, span="week", by="outlet", compare="year", rhythm="weekly",
        recipients=(reader,),
    )  # fmt: skip
    made = subscriptions.save(spot.session, None, form, by=None, now=spot.now)
    sent = ReportDelivery(
        subscription_id=made.id or 0, staff_id=reader, period_key=spot.key, first=spot.now.date(),
        last=spot.now.date(), due_at=spot.now, made_at=spot.now, state="failed",
    )  # fmt: skip
    spot.session.add(sent)
    spot.session.flush()
    return {"number": made.id, "delivery": sent.id}


def _path(spot: Spot, by: int) -> int:
    steps = [Step("审查", "content.approve", "own")]
    made = approval_paths.save(
        spot.session, kind="content.publish", outlet_code=spot.place, steps=steps, due_days=3, by=by, now=spot.now
    )  # fmt: skip
    return made.id or 0


def _import(spot: Spot, by: int) -> int:
    data = f"日期,网点,备注,访问次数\n2026-03-01,{spot.outlet},{spot.word},3\n".encode()
    made = draft.read("screens", f"{spot.word}屏幕.csv", data)
    columns = mapping.guess(sources.SCREENS, made.table.headings)
    one = register.submit(
        spot.session, made, columns, place=spot.place, by=by, now=spot.now, today=spot.now.date()
    )
    return one.id or 0


def _mapping(spot: Spot) -> int:
    columns = mapping.guess(sources.SCREENS, ("日期", "网点", "访问次数"))
    name = f"{spot.word}屏幕"
    made = saving.save(
        spot.session, columns, source="screens", name=name, place=spot.place, by=None, now=spot.now
    )
    return made.id or 0


def _privacy(spot: Spot, by: int) -> int:
    indexes, masked = personal_data.lookups(spot.runtime.service(Vault), "email", f"{spot.key}@example.com")
    made = personal_data.ask(
        spot.session, wish="export", address_kind="email", indexes=indexes, masked=masked,
        reason=f"{spot.word}本人来电", evidence="核对了身份证件", by=by, now=spot.now, outlet_code=spot.place,
    )  # fmt: skip
    return made.id or 0


def _view(spot: Spot, owner: int) -> int:
    scope, name = Scope(frozenset({spot.place})), f"{spot.word}视图"
    made = view_saving.save(spot.session, owner, name, "by=outlet", scope=scope, shared=True, now=spot.now)
    return made.id or 0


def _account(spot: Spot) -> dict[str, Any]:
    one = spot.person("clerk", "outlet_staff")
    row, _token = sessions.begin(
        spot.session, one, address="127.0.0.1", agent="tests", now=spot.now, hours=10_000
    )
    return {"number": one.id, "session_number": row.id}
