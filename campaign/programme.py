"""Campaigns: which one runs, saving with validation, the order of pieces, import of a campaign file."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, delete, select

from campaign.models import THEME_NAMES, Campaign, CampaignPiece
from content import lifecycle, pages
from content.models import Piece
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from tracking import dimensions

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,59}")
_BREAK = re.compile(r"<(?:br|wbr)\s*/?>")
_TEXTS = {
    "name": 120, "name_en": 200, "tag": 60, "tag_en": 90, "slogan": 120, "slogan_en": 200,
    "heading": 120, "heading_en": 200, "summary": 500, "summary_en": 900,
    "help_text": 500, "help_text_en": 900, "hero_url": 200,
}  # fmt: skip
_FILE_NAMES = {"help": "help_text", "help_en": "help_text_en"}


@dataclass(frozen=True)
class CampaignForm:
    """What a person or a file says of a campaign; checked by `save`. `pieces` None leaves them as they are."""

    code: str
    name: str
    starts_on: date | None
    ends_on: date | None
    theme: str = "plain"
    texts: Mapping[str, str] = field(default_factory=dict)
    visible: bool = True
    pieces: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """Campaigns as visitors meet them on a day."""

    running: list[Campaign]
    coming: list[Campaign]
    past: list[Campaign]


def find(session: Session, code: str) -> Campaign | None:
    """The campaign with this code, None when there is none."""
    return session.get(Campaign, code)


def get(session: Session, code: str) -> Campaign:
    """The campaign with this code, or NotFound."""
    campaign = find(session, code)
    if campaign is None:
        raise NotFound(mark("没有找到这个活动期，可能已经更名。"))
    return campaign


def current(session: Session, day: date) -> Campaign | None:
    """The visible campaign whose period holds the day; of several the one that began last."""
    return next(iter(on_show(session, day).running), None)


def on_show(session: Session, day: date) -> Shown:
    """All visible campaigns: running (began last first), coming (soonest first), past (newest first)."""
    visible = [one for one in listing(session) if one.visible]
    running = sorted((one for one in visible if one.runs_on(day)), key=lambda one: one.code)
    running.sort(key=lambda one: one.starts_on, reverse=True)
    coming = sorted(
        (one for one in visible if one.starts_on > day), key=lambda one: (one.starts_on, one.code)
    )
    past = sorted((one for one in visible if one.ends_on < day), key=lambda one: one.code)
    past.sort(key=lambda one: one.ends_on, reverse=True)
    return Shown(running, coming, past)


def listing(session: Session) -> list[Campaign]:
    """All campaigns, the latest first."""
    return list(session.exec(select(Campaign).order_by(col(Campaign.starts_on).desc(), Campaign.code)))


def piece_keys(session: Session, code: str) -> list[str]:
    """The keys of a campaign's pieces in their order, published or not."""
    query = select(CampaignPiece.piece_key).where(CampaignPiece.campaign_code == code)
    return list(session.exec(query.order_by(col(CampaignPiece.position), CampaignPiece.piece_key)))


def pieces(session: Session, code: str) -> list[lifecycle.PublishedPiece]:
    """The published pieces of a campaign in their order."""
    published = {piece.key: piece for piece in lifecycle.published_list(session)}
    return [published[key] for key in piece_keys(session, code) if key in published]


def save(session: Session, form: CampaignForm, *, now: datetime, new: bool | None = None) -> Campaign:
    """Create or change a campaign. `new` True refuses a code that is taken, False one that is not."""
    campaign = find(session, form.code)
    if new is True and campaign is not None:
        raise Conflict(mark("代号“%(code)s”已经被用，请换一个。"), field="code", code=form.code)
    if new is False and campaign is None:
        raise NotFound(mark("没有找到这个活动期，可能已经更名。"))
    first, last = _check(form)
    if campaign is None:
        campaign = Campaign(
            code=form.code, name=form.name, starts_on=first, ends_on=last, created_at=now, updated_at=now
        )
    campaign.name, campaign.theme, campaign.visible = form.name.strip(), form.theme, form.visible
    campaign.starts_on, campaign.ends_on, campaign.updated_at = first, last, now
    for name, text in form.texts.items():
        setattr(campaign, name, text.strip())
    session.add(campaign)
    session.flush()
    if form.pieces is not None:
        arrange(session, form.code, form.pieces)
    dimensions.describe(session, kind="campaign", key=form.code, name=campaign.name, name_en=campaign.name_en)
    pages.bump(session)
    return campaign


def arrange(session: Session, code: str, keys: Sequence[str]) -> None:
    """Put exactly these pieces into the campaign, in this order."""
    get(session, code)
    wanted = list(dict.fromkeys(key.strip() for key in keys if key.strip()))
    known = set(session.exec(select(Piece.key).where(col(Piece.key).in_(wanted))))
    missing = [key for key in wanted if key not in known]
    if missing:
        raise Invalid(
            mark("没有这些内容：%(keys)s。请先导入或新建。"), field="pieces", keys="、".join(missing)
        )
    session.execute(delete(CampaignPiece).where(col(CampaignPiece.campaign_code) == code))
    for position, key in enumerate(wanted, start=1):
        session.add(CampaignPiece(campaign_code=code, piece_key=key, position=position))
    session.flush()
    pages.bump(session)


def move(session: Session, code: str, key: str, *, by: int) -> None:
    """Move one piece up (`by` −1) or down (+1); at the end it stays."""
    keys = piece_keys(session, code)
    if key not in keys:
        raise NotFound(mark("这篇内容已不在活动期里。"))
    at = keys.index(key)
    to = min(max(at + by, 0), len(keys) - 1)
    keys.insert(to, keys.pop(at))
    arrange(session, code, keys)


def import_file(
    session: Session, data: Mapping[str, Any], now: datetime, hero: Callable[[str], str] | None = None
) -> Campaign:
    """Create or change the campaign that a file describes; `hero` turns a picture's name into its address.

    Doing it again with the same file changes nothing but the time.
    """
    values = {_FILE_NAMES.get(name, name): value for name, value in data.items()}
    picture = str(values.pop("hero", "") or "")
    keys = values.pop("pieces", None)
    plain = {"code", "theme", "starts_on", "ends_on", "visible"}
    unknown = sorted(set(values) - plain - set(_TEXTS))
    if unknown:
        raise Invalid(mark("活动期文件里有不认识的字段：%(names)s。"), names="、".join(map(str, unknown)))
    texts = {name: str(values.get(name) or "") for name in _TEXTS if name in values and name != "hero_url"}
    if picture and hero is not None:
        texts["hero_url"] = hero(picture)
    form = CampaignForm(
        code=str(values.get("code") or ""),
        name=texts.get("name", ""),
        starts_on=_date(values.get("starts_on"), "starts_on"),
        ends_on=_date(values.get("ends_on"), "ends_on"),
        theme=str(values.get("theme") or "plain"),
        texts=texts,
        visible=bool(values.get("visible", True)),
        pieces=[str(key) for key in keys] if keys is not None else None,
    )
    return save(session, form, now=now)


def _check(form: CampaignForm) -> tuple[date, date]:
    """The two days, once every rule is kept."""
    if not _CODE.fullmatch(form.code):
        raise Invalid(mark("代号用小写字母、数字和短横线，2 到 60 个字符。"), field="code")
    if not form.name.strip():
        raise Invalid(mark("请填写名称。"), field="name")
    if form.theme not in THEME_NAMES:
        raise Invalid(mark("没有“%(theme)s”这个主题色。"), field="theme", theme=form.theme)
    if form.starts_on is None or form.ends_on is None:
        missing = "starts_on" if form.starts_on is None else "ends_on"
        raise Invalid(mark("请填写日期。"), field=missing)
    if form.ends_on < form.starts_on:
        raise Invalid(mark("结束日期不能早于开始日期。"), field="ends_on")
    for name, text in {"name": form.name, **form.texts}.items():
        _check_text(name, text)
    return form.starts_on, form.ends_on


def _check_text(name: str, text: str) -> None:
    if name not in _TEXTS:
        raise Invalid(mark("活动期文件里有不认识的字段：%(names)s。"), names=name)
    if len(text.strip()) > _TEXTS[name]:
        raise Invalid(mark("最多 %(most)s 个字。"), field=name, most=_TEXTS[name])
    rest = _BREAK.sub("", text) if name.startswith("heading") else text
    if "<" in rest:
        raise Invalid(mark("这里只能写文字，标题里可以用 <br> 换行。"), field=name)


def _date(value: object, name: str) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise Invalid(mark("日期请写成 2026-09-15 这样。"), field=name) from error
