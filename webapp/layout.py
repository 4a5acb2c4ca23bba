"""What every template knows: public settings, assets, the desk's navigation, how numbers and days read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from flask import Flask, current_app, g, request
from flask_login import current_user
from markupsafe import Markup, escape
from sqlalchemy.exc import SQLAlchemyError

from content.models import KIND_NAMES, Kind
from core.amounts import amount, figure_parts, growth, number, percent
from core.http import reading, service
from core.i18n import LOCALES, current_locale, mark
from core.i18n import gettext as _
from core.settings import Settings
from institution.access import SignedIn, unfinished
from scheduler import browser_offer
from webapp import branding
from webapp.assets import Assets

_TRACKING = ("a", "lang")
_BREAK = re.compile(r"&lt;(br|wbr)\s*/?&gt;")


@dataclass(frozen=True, slots=True)
class PublicSettings:
    """The settings that pages may show, in the language of the page."""

    institution_name: str
    institution_name_en: str
    hotline: str
    public_url: str
    time_zone: str
    brand_url: str
    logo_url: str

    @classmethod
    def of(cls, settings: Settings) -> "PublicSettings":
        """What a visitor of this request sees."""
        english = current_locale() == "en"
        return cls(
            institution_name=settings.institution_name_en if english else settings.institution_name,
            institution_name_en=settings.institution_name_en,
            hotline=settings.hotline,
            public_url=settings.public_url,
            time_zone=settings.time_zone,
            brand_url=branding.stylesheet_url(settings),
            logo_url=branding.logo_url(settings),
        )


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the desk's navigation; `letter` opens it from the keyboard, after a g."""

    key: str
    label: str
    path: str
    letter: str = ""


NAVIGATION: tuple[tuple[str, tuple[NavItem, ...]], ...] = (
    (
        "",
        (
            NavItem("home", mark("待我处理"), "/desk", "h"),
            NavItem("approvals", mark("审批"), "/desk/approvals", "a"),
        ),
    ),
    (
        mark("宣传"),
        (
            NavItem("campaigns", mark("活动期"), "/desk/campaigns", "c"),
            NavItem("events", mark("活动场次"), "/desk/events", "e"),
            NavItem("play", mark("一起玩密室"), "/desk/play"),
            NavItem("pieces", mark("内容"), "/desk/pieces", "p"),
            NavItem("plans", mark("推送"), "/desk/plans", "s"),
            NavItem("audience", mark("名单"), "/desk/audience", "l"),
            NavItem("channels", mark("渠道账号"), "/desk/channels", "k"),
        ),
    ),
    (
        mark("网点"),
        (
            NavItem("outlets", mark("网点与基地"), "/desk/outlets", "o"),
            NavItem("base", mark("基地服务与屏幕"), "/desk/base", "b"),
            NavItem("returns", mark("活动回执"), "/desk/returns", "e"),
        ),
    ),
    (
        mark("成效"),
        (
            NavItem("reach", mark("触达报告"), "/desk/reach", "r"),
            NavItem("links", mark("短链接"), "/desk/links", "d"),
            NavItem("reports", mark("定期报告"), "/desk/reach/reports"),
        ),
    ),
    (
        mark("系统"),
        (
            NavItem("staff", mark("账号"), "/desk/staff", "u"),
            NavItem("audit", mark("操作记录"), "/desk/audit", "t"),
            NavItem("privacy", mark("个人信息"), "/desk/privacy", "i"),
            NavItem("tokens", mark("接口令牌"), "/desk/api-tokens", "j"),
        ),
    ),
)


def register(app: Flask) -> None:
    """Give templates their globals and filters, and static files their headers."""
    assets = Assets(Path(str(app.static_folder)))
    # first in the list runs last: after sign-in has looked at the session, which a file does not depend on
    app.after_request_funcs.setdefault(None, []).insert(0, assets.finish)
    app.context_processor(_context)
    app.jinja_env.globals.update(
        asset=assets.url,
        asset_exists=assets.exists,
        here=here,
        figure_parts=figure_parts,
        locale_name=current_locale,
        tells_browsers=tells_browsers,
    )
    app.jinja_env.filters.update(
        number=number,
        amount=amount,
        percent=percent,
        growth=growth,
        day=day,
        month_name=month_name,
        weekday=weekday,
        short_day=short_day,
        month_of=month_of,
        clock=lambda at: clock_time(at, service(Settings).zone),
        heading=heading,
        kind_name=lambda kind: _(KIND_NAMES[Kind(kind)]),
        moment=lambda at: moment(at, service(Settings).zone),
        local_minute=lambda at: at.astimezone(service(Settings).zone).strftime("%Y-%m-%dT%H:%M"),
    )


def _context() -> dict[str, Any]:
    person = _person()
    return {
        "settings": PublicSettings.of(service(Settings)),
        "elder": bool(g.get("elder")),
        "locale": current_locale(),
        "html_lang": "zh-CN" if current_locale() == "zh" else current_locale(),
        "locales": LOCALES,
        "signed_in": person,
        "navigation": list(_navigation(person)) if person else [],
    }


def _person() -> SignedIn | None:
    # A public page is cached for everybody: it must not even look at the session.
    if not request.path.startswith("/desk"):
        return None
    try:
        person: SignedIn | None = (
            current_user._get_current_object() if current_user.is_authenticated else None
        )
    except SQLAlchemyError:
        return None  # without its database the desk still shows the page that says so
    # half signed in is not in: no navigation before the second factor and one's own password
    return person if person is not None and unfinished(person) is None else None


def _navigation(person: SignedIn) -> Iterator[tuple[str, list[NavItem]]]:
    """The groups of the desk that exist in this installation and that this person may open."""
    needed = _needed()
    for title, items in NAVIGATION:
        shown = [item for item in items if item.path in needed and person.may(needed[item.path])]
        if shown:
            yield title, shown


def _needed() -> dict[str, str]:
    """Page of the desk → the permission it needs; asked of the routes once, they do not change."""
    found: dict[str, str] | None = current_app.extensions.get("signpost_desk_pages")
    if found is None:
        found = {
            rule.rule.rstrip("/"): getattr(current_app.view_functions[rule.endpoint], "permission", "")
            for rule in current_app.url_map.iter_rules()
            if rule.rule.startswith("/desk") and not rule.arguments and "GET" in (rule.methods or ())
        }
        current_app.extensions["signpost_desk_pages"] = found
    return found


def tells_browsers() -> bool:
    """Whether a page offers to tell the browser of news."""
    with reading() as session:
        return browser_offer.is_made(session)


def here() -> str:
    """This page's own address on the site, without attribution and language, for switches to come back to."""
    kept = [
        (name, value)
        for name, value in request.args.items(multi=True)
        if name not in _TRACKING and not name.startswith("utm_")
    ]
    return f"{request.path}?{urlencode(kept)}" if kept else request.path


def day(value: date | None) -> str:
    """A calendar day in the reader's language."""
    return "" if value is None else format_date(value, "long", locale=current_locale())


def month_name(value: date) -> str:
    """`9月`, `Sept`."""
    return format_date(value, "MMM", locale=current_locale())


def weekday(value: date) -> str:
    """`周二`, `Tue`."""
    return format_date(value, "EEE", locale=current_locale())


def short_day(value: date) -> str:
    """`12月1日`, `1 December`: a day whose year goes without saying."""
    return format_date(value, "d MMMM" if current_locale() == "en" else "M月d日", locale=current_locale())


def month_of(value: date) -> str:
    """`2026年12月`, `December 2026`."""
    return format_date(value, "MMMM y" if current_locale() == "en" else "y年M月", locale=current_locale())


def clock_time(value: datetime, zone: ZoneInfo) -> str:
    """`09:30` in the institution's zone."""
    return f"{value.astimezone(zone):%H:%M}"


def heading(text: str) -> Markup:
    """A title with the breaks its author set: <br> and <wbr> count, everything else is text."""
    return Markup(_BREAK.sub(r"<\1>", str(escape(text))))  # noqa: S704  (escaped above)


def moment(value: datetime | None, zone: ZoneInfo) -> str:
    """A time of the institution's zone, to the minute, in the reader's language."""
    if value is None:
        return ""
    form = "d MMMM y, HH:mm" if current_locale() == "en" else "y年M月d日 HH:mm"
    return format_datetime(value, form, tzinfo=zone, locale=current_locale())
