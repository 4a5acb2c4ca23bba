"""The desk of campaigns: list, form, order of pieces, preview."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign import calendar, front, programme
from campaign.desk import forms
from campaign.desk.routes import campaign_place
from campaign.desk.routes import campaigns_blueprint as blueprint
from campaign.models import THEME_NAMES, Campaign
from core import clock
from core.errors import DomainError, NotFound
from core.http import asked_export, attachment, page_number, reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import conflict, desk_table, places
from institution.access import requires, signed_in
from institution.conflict import Overtaken
from institution.desk_table import Column, Listing, View

PHASES = {
    "running": (mark("正在进行"), "good"),
    "coming": (mark("将要开始"), "info"),
    "past": (mark("已经结束"), "idle"),
    "hidden": (mark("未显示"), "warn"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A campaign in the list."""

    campaign: Campaign
    period: str
    pieces: int
    phase: str
    place: str

    @property
    def status(self) -> tuple[str, str]:
        """Its phase in a word, and the tone."""
        word, tone = PHASES[self.phase]
        return _(word), tone


COLUMNS: tuple[Column[Row], ...] = (
    Column("name", mark("名称"), lambda one: one.campaign.name, sort=lambda one: one.campaign.name),
    Column("code", mark("代号"), lambda one: one.campaign.code, shown=False),
    Column("place", mark("归属"), lambda one: one.place, sort=lambda one: one.campaign.outlet_code),
    Column(
        "starts_on", mark("时间"), lambda one: one.campaign.starts_on, sort=lambda one: one.campaign.starts_on
    ),
    Column("ends_on", mark("结束日期"), lambda one: one.campaign.ends_on, shown=False),
    Column("phase", mark("状态"), lambda one: one.status[0], sort=lambda one: list(PHASES).index(one.phase)),
    Column("pieces", mark("内容"), lambda one: one.pieces, sort=lambda one: one.pieces, numeric=True),
)


@dataclass(frozen=True, slots=True)
class ListPage:
    """The campaigns that fit the filter in the address."""

    listing: Listing[Row]
    view: View[Row]
    words: str
    phase: str

    @property
    def phase_options(self) -> list[tuple[str, str]]:
        """The phases to choose from."""
        return [("", _("全部")), *((key, _(word)) for key, (word, _tone) in PHASES.items())]


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A campaign for those who may look at it and not change it."""

    campaign: Campaign
    period: str
    place: str
    status: tuple[str, str]
    theme: str
    pieces: Sequence[forms.PieceLine]


@blueprint.get("")
@requires("campaign.view")
def index() -> ResponseReturnValue:
    """The campaigns of one's part of the tree and those over it, the latest first."""
    asked = request.args
    words, phase = asked.get("q", "").strip()[:80], asked.get("phase", "")
    with reading() as session:
        found = [row for row in _rows(session) if _fits(row, words, phase)]
    view = desk_table.view(COLUMNS, asked, first="-starts_on")
    rows = view.arranged(found)
    if form := asked_export():
        return attachment(desk_table.export(view, rows, form), f"campaigns.{form}")
    return render(
        "campaign/desk_list.html", ListPage(desk_table.cut(rows, page_number()), view, words, phase)
    )


@blueprint.get("/new")
@requires("campaign.edit")
def new() -> ResponseReturnValue:
    """An empty form."""
    with reading() as session:
        return render("campaign/desk_form.html", forms.opened(session, None))


@blueprint.post("/new")
@requires("campaign.edit")
def create() -> ResponseReturnValue:
    """Save a new campaign and go on to its pieces."""
    try:
        with transaction() as session:
            form = forms.posted(session, request.form.get("code", ""))
            made = programme.save(session, form, now=clock.now(), new=True)
    except DomainError as error:
        return _again("", error), 400
    flash(_("活动期已建好，再选上内容就能给大家看了。"), "good")
    return redirect(url_for(".edit", code=made.code), code=303)


@blueprint.get("/<code>")
@requires("campaign.view", at=campaign_place, above=True)
def edit(code: str) -> ResponseReturnValue:
    """The form of a campaign with the order of its pieces; what it says, for those who may not change it."""
    with reading() as session:
        campaign = programme.get(session, code)
        page = forms.opened(session, campaign)
        if signed_in().may_at(session, "campaign.edit", campaign.outlet_code):
            return render("campaign/desk_form.html", page)
        shown = ShownPage(
            campaign,
            calendar.period(campaign.starts_on, campaign.ends_on),
            places.name(session, campaign.outlet_code),
            (_(PHASES[_phase(campaign)][0]), PHASES[_phase(campaign)][1]),
            _(THEME_NAMES[campaign.theme]),
            page.chosen,
        )
    return render("campaign/desk_shown.html", shown)


@blueprint.post("/<code>")
@requires("campaign.edit", at=campaign_place)
def save(code: str) -> ResponseReturnValue:
    """Save what the form says, unless somebody else saved meanwhile; the pieces stay as they are."""
    try:
        with transaction() as session:
            conflict.check(request.form.get("base", ""), programme.shown(programme.hold(session, code)))
            programme.save(session, forms.posted(session, code), now=clock.now(), new=False)
    except Overtaken as overtaken:
        with reading() as session:
            return forms.both(session, code, overtaken)
    except DomainError as error:
        if error.field is None:
            raise
        return _again(code, error), 400
    flash(_("已保存，网站上已经是新的样子。"), "good")
    return redirect(url_for(".edit", code=code), code=303)


@blueprint.post("/<code>/pieces")
@requires("campaign.edit", at=campaign_place)
def arrange(code: str) -> ResponseReturnValue:
    """Add a piece, take one out, or move one: the button pressed says which (`add`, `out`, `up`, `down`)."""
    with transaction() as session:
        programme.hold(session, code)
        keys = programme.piece_keys(session, code)
        if request.form.get("up"):
            programme.move(session, code, request.form["up"], by=-1)
        elif request.form.get("down"):
            programme.move(session, code, request.form["down"], by=1)
        elif request.form.get("out"):
            programme.arrange(session, code, [key for key in keys if key != request.form["out"]])
        elif key := request.form.get("piece"):
            if not forms.may_add(session, key):
                raise NotFound(mark("没有找到内容“%(key)s”。"), key=key)
            programme.arrange(session, code, [*keys, key])
    return redirect(url_for(".edit", code=code, _anchor="pieces"), code=303)


@blueprint.get("/<code>/preview")
@requires("campaign.view", at=campaign_place, above=True)
def preview(code: str) -> ResponseReturnValue:
    """The public page of a campaign as it would be, also while it is hidden; not counted."""
    with reading() as session:
        page = front.season(session, programme.get(session, code))
    return render("campaign/campaign.html", page, sealed="")


def _rows(session: Session) -> list[Row]:
    scope = signed_in().scope("campaign.view")
    found = programme.listing(session, scope.condition(Campaign.outlet_code, above=True))
    counts = programme.piece_counts(session)
    names = places.names(session, {one.outlet_code for one in found})
    return [
        Row(
            one,
            calendar.period(one.starts_on, one.ends_on),
            counts.get(one.code, 0),
            _phase(one),
            names[one.outlet_code],
        )
        for one in found
    ]


def _fits(row: Row, words: str, phase: str) -> bool:
    text = f"{row.campaign.code} {row.campaign.name} {row.campaign.name_en} {row.campaign.slogan}".lower()
    return (not phase or row.phase == phase) and all(word in text for word in words.lower().split())


def _phase(campaign: Campaign) -> str:
    today: date = clock.today(service(Settings).zone)
    if not campaign.visible:
        return "hidden"
    if campaign.runs_on(today):
        return "running"
    return "coming" if campaign.starts_on > today else "past"


def _again(code: str, error: DomainError) -> str:
    with reading() as session:
        page = forms.typed_again(session, code, error.field, str(error))
    return render("campaign/desk_form.html", page)
