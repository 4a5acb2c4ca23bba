"""The desk of campaigns: list, form, order of pieces, preview."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign import calendar, front, programme
from campaign.models import THEME_NAMES, Campaign
from campaign.programme import CampaignForm
from content import history, lifecycle
from content.models import KIND_NAMES, Kind
from core import clock
from core.errors import DomainError
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution.access import requires

blueprint = Blueprint("campaign_desk", __name__, url_prefix="/desk/campaigns", template_folder="templates")

TEXTS = (
    ("tag", mark("标签"), mark("标题上方的小字，例如“金融教育宣传周”。不填就用名称。")),
    ("heading", mark("大标题"), mark("首页最大的一句话；在该停顿的地方写 &lt;br&gt; 换行。")),
    ("slogan", mark("口号"), ""),
    ("summary", mark("一段话"), mark("说清楚看了有什么用，两三句。")),
    ("help_text", mark("求助框里的话"), mark("页尾求助框里的一句话，不填就用通用的。")),
)
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
    phase: tuple[str, str]


@dataclass(frozen=True, slots=True)
class ListPage:
    """All campaigns."""

    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class PieceLine:
    """A piece as the form shows it, in the campaign or to choose."""

    key: str
    title: str
    kind: str
    published: bool


@dataclass(frozen=True, slots=True)
class FormPage:
    """The form of a campaign; `code` is empty for a new one, `fault` names the field at fault."""

    code: str
    values: Mapping[str, str]
    visible: bool
    chosen: Sequence[PieceLine]
    others: Sequence[PieceLine]
    field: str | None = None
    fault: str = ""

    @property
    def texts(self) -> tuple[tuple[str, str, str], ...]:
        """The texts of the form: name, label, hint."""
        return TEXTS

    @property
    def themes(self) -> dict[str, str]:
        """Themes by name."""
        return {key: _(name) for key, name in THEME_NAMES.items()}


def _phase(campaign: Campaign, today: date) -> tuple[str, str]:
    if not campaign.visible:
        return PHASES["hidden"]
    if campaign.runs_on(today):
        return PHASES["running"]
    return PHASES["coming" if campaign.starts_on > today else "past"]


@blueprint.get("")
@requires("campaign.edit")
def index() -> ResponseReturnValue:
    """All campaigns, the latest first."""
    today = clock.today(service(Settings).zone)
    with reading() as session:
        rows = [
            Row(
                one,
                calendar.period(one.starts_on, one.ends_on),
                len(programme.piece_keys(session, one.code)),
                _phase(one, today),
            )
            for one in programme.listing(session)
        ]
    return render("campaign/desk_list.html", ListPage(rows))


@blueprint.get("/new")
@requires("campaign.edit")
def new() -> ResponseReturnValue:
    """An empty form."""
    return render("campaign/desk_form.html", FormPage("", {"theme": "plain"}, True, [], []))


@blueprint.post("/new")
@requires("campaign.edit")
def create() -> ResponseReturnValue:
    """Save a new campaign and go on to its pieces."""
    try:
        with transaction() as session:
            made = programme.save(session, _posted(request.form.get("code", "")), now=clock.now(), new=True)
    except DomainError as error:
        return _again("", error), 400
    flash(_("活动期已建好，再选上内容就能给大家看了。"), "good")
    return redirect(url_for(".edit", code=made.code), code=303)


@blueprint.get("/<code>")
@requires("campaign.edit")
def edit(code: str) -> ResponseReturnValue:
    """The form of a campaign, with the order of its pieces."""
    with reading() as session:
        campaign = programme.get(session, code)
        chosen, others = _pieces(session, code)
    values = {name: "" if value is None else str(value) for name, value in campaign.model_dump().items()}
    return render("campaign/desk_form.html", FormPage(code, values, campaign.visible, chosen, others))


@blueprint.post("/<code>")
@requires("campaign.edit")
def save(code: str) -> ResponseReturnValue:
    """Save what the form says; the pieces stay as they are."""
    try:
        with transaction() as session:
            programme.save(session, _posted(code), now=clock.now(), new=False)
    except DomainError as error:
        if error.field is None:
            raise
        return _again(code, error), 400
    flash(_("已保存，网站上已经是新的样子。"), "good")
    return redirect(url_for(".edit", code=code), code=303)


@blueprint.post("/<code>/pieces")
@requires("campaign.edit")
def arrange(code: str) -> ResponseReturnValue:
    """Add a piece, take one out, or move one: the button pressed says which (`add`, `out`, `up`, `down`)."""
    with transaction() as session:
        keys = programme.piece_keys(session, code)
        if request.form.get("up"):
            programme.move(session, code, request.form["up"], by=-1)
        elif request.form.get("down"):
            programme.move(session, code, request.form["down"], by=1)
        elif request.form.get("out"):
            programme.arrange(session, code, [key for key in keys if key != request.form["out"]])
        elif request.form.get("piece"):
            programme.arrange(session, code, [*keys, request.form["piece"]])
    return redirect(url_for(".edit", code=code, _anchor="pieces"), code=303)


@blueprint.get("/<code>/preview")
@requires("campaign.edit")
def preview(code: str) -> ResponseReturnValue:
    """The public page of a campaign as it would be, also while it is hidden; not counted."""
    with reading() as session:
        page = front.season(session, programme.get(session, code))
    return render("campaign/campaign.html", page, sealed="")


def _posted(code: str) -> CampaignForm:
    form = request.form
    names = [name for base, _label, _hint in TEXTS for name in (base, f"{base}_en")]
    texts = {name: form.get(name, "") for name in [*names, "name_en"]}
    return CampaignForm(
        code=code.strip(),
        name=form.get("name", ""),
        starts_on=_date("starts_on"),
        ends_on=_date("ends_on"),
        theme=form.get("theme", "plain"),
        texts=texts,
        visible=form.get("visible") == "1",
    )


def _date(name: str) -> date | None:
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return None


def _again(code: str, error: DomainError) -> str:
    """The form once more with what was typed, and the sentence at the field it is about."""
    with reading() as session:
        chosen, others = _pieces(session, code) if code else ([], [])
    values = {name: value for name, value in request.form.items() if isinstance(value, str)}
    visible = request.form.get("visible") == "1"
    page = FormPage(code, values, visible, chosen, others, error.field, str(error))
    return render("campaign/desk_form.html", page)


def _pieces(session: Session, code: str) -> tuple[list[PieceLine], list[PieceLine]]:
    """The campaign's pieces in order, and all others to choose from."""
    published = {one.key for one in lifecycle.published_list(session)}
    lines = {}
    for revision in history.newest_of_all(session):
        key = revision.piece_key
        kind = KIND_NAMES[Kind(history.get_piece(session, key).kind)]
        lines[key] = PieceLine(key, revision.title, kind, key in published)
    chosen = [lines[key] for key in programme.piece_keys(session, code) if key in lines]
    taken = {line.key for line in chosen}
    return chosen, [line for key, line in lines.items() if key not in taken]
