"""Report subscriptions: made, changed, paused, deleted and brought back, left; every change is on record."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_
from sqlmodel import Session, col, delete, select

from core.errors import Conflict, DomainError, Invalid, NotFound
from core.i18n import LOCALES, mark
from institution import audit, granting
from institution.models import Outlet, Staff
from institution.powers import WHOLE, Scope
from tracking import periods, reports
from tracking.report_rhythm import AFTER_CAMPAIGN, CAMPAIGN, MONTHLY, RHYTHMS, SPANS
from tracking.subscription_models import ReportRecipient, ReportSubscription

ACTIVE, PAUSED, DELETED = "active", "paused", "deleted"
STATES = {ACTIVE: mark("定期发送"), PAUSED: mark("已暂停"), DELETED: mark("已删除")}
MOST_RECIPIENTS = 200
_TEXTS = ("name", "outlet_code", "span", "by", "compare", "filters", "rhythm", "locale")
_NUMBERS = ("weekday", "month_day", "days_after", "hour")
FIELDS = (*_TEXTS, *_NUMBERS, "workdays")

audit.declare(
    {
        "report.make": mark("新建定期报告"),
        "report.change": mark("修改定期报告"),
        "report.pause": mark("暂停定期报告"),
        "report.resume": mark("恢复定期报告"),
        "report.delete": mark("删除定期报告"),
        "report.restore": mark("找回定期报告"),
        "report.leave": mark("退订定期报告"),
        "report.again": mark("重新发送报告"),
    }
)


@dataclass(frozen=True, slots=True)
class SubscriptionForm:
    """What a person says of a subscription; checked by `save`."""

    name: str
    outlet_code: str
    span: str
    by: str
    compare: str
    rhythm: str
    recipients: tuple[int, ...]
    filters: str = ""
    weekday: int = 0
    month_day: int = 1
    workdays: bool = False
    days_after: int = 1
    hour: int = 8
    locale: str = "zh"


def get(session: Session, number: int) -> ReportSubscription:
    """One subscription, a deleted one too, or NotFound."""
    found = session.get(ReportSubscription, number)
    if found is None:
        raise NotFound(mark("没有找到这份定期报告。"))
    return found


def hold(session: Session, number: int) -> ReportSubscription:
    """The same while whoever else wants to change it waits."""
    get(session, number)
    query = select(ReportSubscription).where(ReportSubscription.id == number).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).one()


def within(session: Session, scope: Scope) -> list[ReportSubscription]:
    """The subscriptions of a part of the tree, the newest first."""
    query = select(ReportSubscription).where(
        scope.condition(ReportSubscription.outlet_code), ReportSubscription.state != DELETED
    )
    return list(session.exec(query.order_by(col(ReportSubscription.id).desc())))


def mine(session: Session, staff_id: int) -> list[ReportSubscription]:
    """What a person gets, wherever it was set up."""
    query = select(ReportSubscription).join(
        ReportRecipient, col(ReportRecipient.subscription_id) == col(ReportSubscription.id)
    )
    query = query.where(ReportRecipient.staff_id == staff_id, ReportSubscription.state != DELETED)
    return list(session.exec(query.order_by(col(ReportSubscription.id).desc())))


def recipients(session: Session, number: int) -> list[Staff]:
    """Who gets it, by login."""
    query = select(Staff).join(ReportRecipient, col(ReportRecipient.staff_id) == col(Staff.id))
    return list(session.exec(query.where(ReportRecipient.subscription_id == number).order_by(Staff.login)))


def gets(session: Session, number: int, staff_id: int) -> ReportRecipient | None:
    """Somebody's place among the recipients, None when they have none."""
    return session.get(ReportRecipient, (number, staff_id))


def save(
    session: Session,
    found: ReportSubscription | None,
    form: SubscriptionForm,
    *,
    by: int | None,
    now: datetime,
) -> ReportSubscription:
    """Make a subscription or change one; Invalid names the field. What was due before is not sent after a change."""
    check(session, form)
    before = facts(session, found) if found else {}
    values = {name: getattr(form, name) for name in FIELDS}
    if found is None:
        found = ReportSubscription(**values, made_by=by, made_at=now, changed_at=now, since=now)
    else:
        if found.state == DELETED:
            raise Conflict(mark("这份定期报告已删除，请先找回。"))
        if any(getattr(found, name) != values[name] for name in FIELDS if name not in ("name", "locale")):
            found.since = now
        for name, value in values.items():
            setattr(found, name, value)
        found.changed_at = now
    session.add(found)
    session.flush()
    _set_recipients(session, found.id or 0, form.recipients, now)
    word = "report.change" if before else "report.make"
    _record(session, word, found, before=before, after=facts(session, found))
    return found


def check(session: Session, form: SubscriptionForm) -> None:
    """Invalid for what can never be sent."""
    if not form.name.strip() or len(form.name) > 80 or not form.name.isprintable():
        raise Invalid(mark("请给报告起个名字，80 字以内。"), field="name")
    if form.outlet_code != WHOLE and session.get(Outlet, form.outlet_code) is None:
        raise Invalid(
            mark("没有编号为“%(code)s”的机构，请检查范围。"), field="outlet_code", code=form.outlet_code
        )
    if form.span not in SPANS or form.rhythm not in RHYTHMS or form.locale not in LOCALES:
        raise Invalid(mark("请从列出的选项里选。"), field="span")
    if (form.span == CAMPAIGN) != (form.rhythm == AFTER_CAMPAIGN):
        raise Invalid(mark("“刚结束的活动期”要和“活动期结束后”一起选。"), field="rhythm")
    _check_question(form)
    _check_times(form)
    if not 1 <= len(set(form.recipients)) <= MOST_RECIPIENTS:
        raise Invalid(mark("请选 1 到 %(most)s 位收件人。"), field="recipients", most=MOST_RECIPIENTS)
    known = session.exec(
        select(Staff).where(col(Staff.id).in_(form.recipients), col(Staff.system).is_(False))
    )
    if {one.id for one in known} != set(form.recipients):
        raise Invalid(mark("收件人要是本系统的账号，请重新选择。"), field="recipients")


def _check_question(form: SubscriptionForm) -> None:
    """The question, tried on a day that surely exists."""
    day = str(date(2024, 1, 1))
    try:
        reports.ask(day, day, by=form.by, compare=form.compare, where=form.filters)
    except DomainError as error:
        names = {"where": "filters"}
        raise Invalid(
            error.message, field=names.get(error.field or "", error.field), **error.params
        ) from error
    if len(form.filters) > 500 or form.compare not in periods.MODES:
        raise Invalid(mark("筛选条件太长，请简化。"), field="filters")


def _check_times(form: SubscriptionForm) -> None:
    most = 15 if form.workdays and form.rhythm == MONTHLY else 31
    ranges = {
        "weekday": (0, 6, mark("请选星期几。")),
        "month_day": (1, most, mark("请填 1 到 31 日，或第 1 到 15 个工作日。")),
        "days_after": (1, 60, mark("请填活动期结束后 1 到 60 天。")),
        "hour": (0, 23, mark("请选几点发送。")),
    }
    for name, (least, highest, sentence) in ranges.items():
        if not least <= getattr(form, name) <= highest:
            raise Invalid(sentence, field=name)


def _set_recipients(session: Session, number: int, wanted: Iterable[int], now: datetime) -> None:
    have = {one.id or 0 for one in recipients(session, number)}
    gone = have - set(wanted)
    if gone:
        place = (col(ReportRecipient.subscription_id) == number, col(ReportRecipient.staff_id).in_(gone))
        session.execute(delete(ReportRecipient).where(*place))
    for one in sorted(set(wanted) - have):
        session.add(ReportRecipient(subscription_id=number, staff_id=one, added_at=now))
    session.flush()


def set_state(session: Session, found: ReportSubscription, state: str, now: datetime) -> None:
    """Pause, resume, delete or bring back; what was due meanwhile is not sent afterwards. Again: changes nothing."""
    if state == found.state:
        return
    back = "report.restore" if found.state == DELETED else "report.resume"
    word = {PAUSED: "report.pause", DELETED: "report.delete", ACTIVE: back}[state]
    if found.state == DELETED:
        state = PAUSED  # what comes back waits for somebody to look at it
    before = {"state": found.state}
    found.state, found.changed_at, found.since = state, now, now
    session.add(found)
    _record(session, word, found, before=before, after={"state": state})


def leave(session: Session, found: ReportSubscription, staff_id: int) -> bool:
    """Take oneself off; False when one was not on."""
    place = gets(session, found.id or 0, staff_id)
    if place is None:
        return False
    session.delete(place)
    session.flush()
    person = session.get(Staff, staff_id)
    _record(session, "report.leave", found, before={"recipient": person.login if person else ""}, after={})
    return True


def facts(session: Session, found: ReportSubscription) -> dict[str, object]:
    """What the audit log keeps of a subscription."""
    people = [one.login for one in recipients(session, found.id or 0)]
    return {**{name: getattr(found, name) for name in FIELDS}, "recipients": people}


def _record(session: Session, word: str, found: ReportSubscription, **told: Mapping[str, object]) -> None:
    audit.record(session, word, "report", found.id, outlet_code=found.outlet_code, note=found.name, **told)


def chosen(session: Session, text: str, scope: Scope, before: Collection[int]) -> tuple[int, ...]:
    """The accounts that logins name, with commas or line breaks between; Invalid names those that are none.

    One's own part of the tree may be chosen from, and whoever is on already; others are as if they did not exist.
    """
    logins = list(dict.fromkeys(re.findall(r"[^\s,;，；、]+", text.lower())))
    query = select(Staff).where(
        col(Staff.login).in_(logins[: 2 * MOST_RECIPIENTS]), col(Staff.system).is_(False)
    )
    old = col(Staff.id).in_(before)
    known = {one.login: one for one in session.exec(query.where(or_(granting.within(scope), old)))}
    wrong = [login for login in logins if login not in known]
    closed = [login for login, one in known.items() if not one.active and one.id not in before]
    if wrong or closed:
        raise Invalid(
            mark("没有这些在用的账号，或者不在您负责的范围内：%(logins)s。"),
            field="recipients",
            logins="、".join([*wrong, *closed][:5])[:200],
        )
    return tuple(known[login].id or 0 for login in logins)
