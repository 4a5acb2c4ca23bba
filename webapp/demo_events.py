"""Events of the demo institution: 相约星期二 at every outlet, and a class online, this month and the next.

The themes are what education in the trade has to speak of (topics of the ministries' lists of frauds, of the
regulator's warnings, of the rights of consumers).
"""

from datetime import date, datetime
from itertools import cycle
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlmodel import Session, col
from sqlmodel import select as rows

from campaign.checkin.models import Door, Scan
from campaign.events import month, planning, series
from campaign.events.models import EventDate, EventSeries, Occurrence, OptionSeats
from campaign.events.series import DateLine
from campaign.registration.models import Feedback, Notice, RegisteredPerson, Registration
from core.clock import day_of
from institution.models import Outlet, OutletKind

TUESDAY, CLASS = "tuesday", "evening-class"
_THEMES = {
    TUESDAY: (
        ("代理退保：多走一步，少的是保障", "Surrender agents: what you lose"),
        ("AI 换脸拟声：挂断，换个号码打回去", "Faked faces and voices: hang up, call back"),
        ("刷单返利：先给甜头，再骗本金", "Paid clicks: small gains, then the loss"),
        ("卡不借、不租、不卖", "Never lend, rent or sell a card"),
        ("保本高息要当心：认清非法集资", "Safe and high returns: illegal fund-raising"),
        ("存单和保单，看清合同再签字", "Deposit or policy? Read before you sign"),
        ("养老钱，守得住：识破养老诈骗", "Keep your pension: frauds on the elderly"),
        ("个人信息：少给一点，安全一点", "Personal data: give less, be safer"),
        ("有话好好说：投诉到哪里，多久有答复", "How to complain, and when you get an answer"),
    ),
    CLASS: (
        ("十种高发骗局，一次认清", "Ten common frauds at a glance"),
        ("犹豫期、退保、理赔：三个数字记在心里", "Cooling off, surrender, claims: three figures"),
        ("消费者的八项权利", "Eight rights of a consumer"),
    ),
}
_SERIES = {
    TUESDAY: {
        "name": "相约星期二", "name_en": "Tuesdays at the Outlet", "theme": "plain", "form": "outlet",
        "summary": "每个星期二上午，柜面留出一小时，当面讲一件事，当面回答您的疑问。",
        "summary_en": "Every Tuesday morning one hour at the outlet: one subject, and your questions answered.",
        "rule": "FREQ=WEEKLY;BYDAY=TU", "starts_at": "09:30", "minutes": "60", "capacity": "20", "party_most": "4",
        "opens_days": "14", "closes_minutes": "60", "offer_hours": "24", "waiting": "1", "visible": "1",
        "host": "柜面消保宣讲员", "host_en": "A speaker of the outlet", "place": "柜面大厅",
    },
    CLASS: {
        "name": "线上小课", "name_en": "Evening Class Online", "theme": "growth", "form": "online",
        "summary": "晚饭后四十分钟，在手机上听一课，能提问；错过了看回放。",
        "summary_en": "Forty minutes after supper on your phone, with questions; replay afterwards.",
        "rule": "FREQ=MONTHLY;BYDAY=2TH", "starts_at": "19:30", "minutes": "40", "capacity": "500",
        "party_most": "2", "opens_days": "30", "closes_minutes": "10", "offer_hours": "12", "waiting": "1",
        "visible": "1", "host": "总公司消保讲师", "host_en": "A teacher of the head office",
    },
}  # fmt: skip


def plant(session: Session, zone: ZoneInfo, country: str, now: datetime) -> int:
    """Both series with this month and the next planned at every demo outlet; returns how many were made. Again:
    what is missing."""
    first = day_of(now, zone).replace(day=1)
    last = month.last_of(month.next_month(first))
    query = rows(Outlet.code).where(col(Outlet.demo), Outlet.kind == OutletKind.outlet)
    codes = list(session.exec(query.order_by(Outlet.code)))
    made = 0
    for code, values in _SERIES.items():
        one = series.find(session, code)
        if one is None:
            dated = {**values, "first_on": first.isoformat()}
            one = series.create(session, code, dated, outlet_code="", now=now, demo=True)
        if one.demo:
            _give_themes(session, one, first, last, zone=zone, country=country, now=now)
            begin = planning.moment(first, 0, zone)
            made += planning.plan(
                session, one, codes, first, last, zone=zone, country=country, now=begin, demo=True
            ).made
    return made


def _give_themes(
    session: Session,
    one: EventSeries,
    first: date,
    last: date,
    *,
    zone: ZoneInfo,
    country: str,
    now: datetime,
) -> None:
    known = {each.day for each in series.dates(session, one)}
    found = planning.gaps(
        session, one, [], first, last, zone=zone, country=country, now=planning.moment(first, 0, zone)
    )
    themes = zip((each.day for each in found.days), cycle(_THEMES[one.code]), strict=False)
    lines = [DateLine(day, theme, english) for day, (theme, english) in themes if day not in known]
    series.set_dates(session, one.code, lines, zone=zone, country=country, now=now)


def clear(session: Session) -> None:
    """Take the demo's events away with all that hangs on them."""
    mine = select(col(EventSeries.id)).where(col(EventSeries.demo))
    held = select(col(Occurrence.id)).where(col(Occurrence.series_id).in_(mine) | col(Occurrence.demo))
    parties = select(col(Registration.id)).where(col(Registration.occurrence_id).in_(held))
    gone: tuple[tuple[Any, Any], ...] = (
        (Scan, col(Scan.occurrence_id).in_(held)),
        (Door, col(Door.occurrence_id).in_(held)),
        (Feedback, col(Feedback.occurrence_id).in_(held)),
        (Notice, col(Notice.registration_id).in_(parties)),
        (RegisteredPerson, col(RegisteredPerson.registration_id).in_(parties)),
        (Registration, col(Registration.occurrence_id).in_(held)),
        (OptionSeats, col(OptionSeats.occurrence_id).in_(held)),
        (Occurrence, col(Occurrence.series_id).in_(mine) | col(Occurrence.demo)),
        (EventDate, col(EventDate.series_id).in_(mine)),
        (EventSeries, col(EventSeries.demo)),
    )
    for table, condition in gone:
        session.execute(delete(table).where(condition))
