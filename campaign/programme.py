"""Campaigns: which one runs, saving with validation, the order of pieces, import of a campaign file."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, delete, func, select

from campaign.models import THEME_NAMES, Campaign, CampaignPiece
from content import lifecycle, pages
from content.models import Piece
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from institution import audit, outlets
from institution.models import Outlet
from institution.powers import WHOLE, Scope
from tracking import dimensions

audit.declare(
    {
        "campaign.create": mark("新建活动期"),
        "campaign.change": mark("修改活动期"),
        "campaign.arrange": mark("调整活动期的内容"),
    }
)

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
    outlet_code: str | None = None  # the node it belongs to; None leaves it, a new one is everybody's


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


def hold(session: Session, code: str) -> Campaign:
    """The campaign, while whoever else wants to change it waits until this transaction ends; or NotFound."""
    query = select(Campaign).where(Campaign.code == code).with_for_update()
    campaign = session.exec(query.execution_options(populate_existing=True)).first()
    return campaign or get(session, code)


def over(session: Session, outlet_code: str = WHOLE) -> set[str]:
    """The nodes whose campaigns are meant for an outlet; without one, those meant for everybody."""
    if outlet_code:
        return {WHOLE, *(one.code for one in outlets.path(session, outlet_code))}
    return {WHOLE, *session.exec(select(Outlet.code).where(col(Outlet.parent_code).is_(None)))}


def current(session: Session, day: date, outlet_code: str = WHOLE) -> Campaign | None:
    """The visible campaign of a day: of several the one that began last. A branch's campaign is current at its
    own outlets alone; the home page belongs to what is meant for everybody."""
    return next(iter(on_show(session, day, over(session, outlet_code)).running), None)


def on_show(session: Session, day: date, at: set[str] | None = None) -> Shown:
    """Visible campaigns: running (began last first), coming (soonest first), past (newest first); `at` keeps
    those of these nodes."""
    visible = [one for one in listing(session) if one.visible and (at is None or one.outlet_code in at)]
    running = sorted((one for one in visible if one.runs_on(day)), key=lambda one: one.code)
    running.sort(key=lambda one: one.starts_on, reverse=True)
    coming = sorted(
        (one for one in visible if one.starts_on > day), key=lambda one: (one.starts_on, one.code)
    )
    past = sorted((one for one in visible if one.ends_on < day), key=lambda one: one.code)
    past.sort(key=lambda one: one.ends_on, reverse=True)
    return Shown(running, coming, past)


def listing(session: Session, *where: ColumnElement[bool]) -> list[Campaign]:
    """All campaigns for which the conditions hold, the latest first."""
    query = select(Campaign).where(*where)
    return list(session.exec(query.order_by(col(Campaign.starts_on).desc(), Campaign.code)))


def offered(session: Session, scope: Scope) -> list[tuple[str, str]]:
    """Code and name of the campaigns that visitors see, of a part of the tree and of what stands over it."""
    where = scope.condition(Campaign.outlet_code, above=True)
    return [(one.code, one.name) for one in listing(session, where) if one.visible]


def piece_counts(session: Session) -> dict[str, int]:
    """How many pieces stand in each campaign that has any."""
    count = func.count(col(CampaignPiece.piece_key))
    query = select(CampaignPiece.campaign_code, count).group_by(CampaignPiece.campaign_code)
    return dict(session.exec(query).all())


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
    before = snapshot(session, campaign) if campaign else {}
    if campaign is None:
        campaign = Campaign(
            code=form.code, name=form.name, starts_on=first, ends_on=last, created_at=now, updated_at=now
        )
    if form.outlet_code is not None:
        campaign.outlet_code = form.outlet_code
    campaign.name, campaign.theme, campaign.visible = form.name.strip(), form.theme, form.visible
    campaign.starts_on, campaign.ends_on, campaign.updated_at = first, last, now
    for name, text in form.texts.items():
        setattr(campaign, name, text.strip())
    session.add(campaign)
    session.flush()
    if form.pieces is not None:
        _put(session, form.code, form.pieces)
    dimensions.describe(session, kind="campaign", key=form.code, name=campaign.name, name_en=campaign.name_en)
    pages.bump(session)
    audit.record(
        session, "campaign.change" if before else "campaign.create", "campaign", campaign.code,
        before=before, after=snapshot(session, campaign), outlet_code=campaign.outlet_code,
    )  # fmt: skip
    return campaign


def snapshot(session: Session, campaign: Campaign) -> dict[str, Any]:
    """What a campaign says, for the record of a change."""
    words = {name: value for name, value in shown(campaign).items() if value != ""}
    return words | {"pieces": piece_keys(session, campaign.code)}


def shown(campaign: Campaign) -> dict[str, object]:
    """The fields of a campaign as its form shows them."""
    return campaign.model_dump(exclude={"code", "hero_url", "demo", "created_at", "updated_at"})


def arrange(session: Session, code: str, keys: Sequence[str]) -> None:
    """Put exactly these pieces into the campaign, in this order."""
    campaign = hold(session, code)
    before = piece_keys(session, code)
    _put(session, code, keys)
    pages.bump(session)
    audit.record(
        session, "campaign.arrange", "campaign", code, before={"pieces": before},
        after={"pieces": piece_keys(session, code)}, outlet_code=campaign.outlet_code,
    )  # fmt: skip


def _put(session: Session, code: str, keys: Sequence[str]) -> None:
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


def move(session: Session, code: str, key: str, *, by: int) -> None:
    """Move one piece up (`by` −1) or down (+1); at the end it stays."""
    hold(session, code)
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
