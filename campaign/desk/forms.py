"""The form of a campaign at the desk: what it shows, what was posted, and both versions when two edit at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign import programme
from campaign.models import THEME_NAMES, Campaign
from campaign.programme import CampaignForm
from content import shelf
from content.models import KIND_NAMES, Kind, Piece
from core.i18n import gettext as _
from core.i18n import mark
from institution import access, conflict, places
from institution.conflict import Field, Overtaken
from institution.places import Choices

TEXTS = (
    ("tag", mark("标签"), mark("标题上方的小字，例如“金融教育宣传周”。不填就用名称。")),
    ("heading", mark("大标题"), mark("首页最大的一句话；在该停顿的地方写 &lt;br&gt; 换行。")),
    ("slogan", mark("口号"), ""),
    ("summary", mark("一段话"), mark("说清楚看了有什么用，两三句。")),
    ("help_text", mark("求助框里的话"), mark("页尾求助框里的一句话，不填就用通用的。")),
)
_LABELS = {
    "name": mark("名称"),
    "name_en": mark("名称（英文）"),
    "outlet_code": mark("归属"),
    "starts_on": mark("开始日期"),
    "ends_on": mark("结束日期"),
    "theme": mark("主题色"),
    "visible": mark("在网站上显示"),
}


@dataclass(frozen=True, slots=True)
class PieceLine:
    """A piece as the form shows it, in the campaign or to choose."""

    key: str
    title: str
    kind: str
    published: bool


@dataclass(frozen=True, slots=True)
class FormPage:
    """The form of a campaign; `code` is empty for a new one, `fault` names the field at fault, `base` the
    version that the form was opened with."""

    code: str
    values: Mapping[str, str]
    visible: bool
    chosen: Sequence[PieceLine]
    others: Sequence[PieceLine]
    places: Choices
    base: str = ""
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


def opened(session: Session, campaign: Campaign | None) -> FormPage:
    """The form of a campaign as it is now, or an empty one."""
    if campaign is None:
        return FormPage("", {"theme": "plain"}, True, [], [], _places(session))
    now = programme.shown(campaign)
    values = {name: "" if value is None else str(value) for name, value in now.items()}
    chosen, others = _pieces(session, campaign.code)
    base = conflict.version_of(now)
    offered = _places(session, campaign.outlet_code)
    return FormPage(campaign.code, values, campaign.visible, chosen, others, offered, base)


def typed_again(session: Session, code: str, field: str | None, fault: str) -> FormPage:
    """The form once more with what was typed, and the sentence at the field it is about."""
    chosen, others = _pieces(session, code) if code else ([], [])
    values = {name: value for name, value in request.form.items() if isinstance(value, str)}
    visible = request.form.get("visible") == "1"
    offered = _places(session, values.get("outlet_code", ""))
    return FormPage(
        code, values, visible, chosen, others, offered, request.form.get("base", ""), field, fault
    )


def posted(session: Session, code: str) -> CampaignForm:
    """What was typed; NotAllowed unless the person may keep campaigns where this one is to belong."""
    form = request.form
    names = [name for base, _label, _hint in TEXTS for name in (base, f"{base}_en")]
    texts = {name: form.get(name, "") for name in [*names, "name_en"]}
    place = places.typed(session, form)
    access.signed_in().check(session, "campaign.edit", place)
    return CampaignForm(
        code=code.strip(),
        name=form.get("name", ""),
        starts_on=_date("starts_on"),
        ends_on=_date("ends_on"),
        theme=form.get("theme", "plain"),
        texts=texts,
        visible=form.get("visible") == "1",
        outlet_code=place,
    )


def both(session: Session, code: str, overtaken: Overtaken) -> ResponseReturnValue:
    """The page that shows what somebody else saved beside what was typed."""
    theirs = programme.shown(programme.get(session, code))
    names = {
        "theme": {key: _(name) for key, name in THEME_NAMES.items()},
        "visible": {"1": _("是"), "": _("否")},
        "outlet_code": places.names(
            session, {str(theirs["outlet_code"]), request.form.get("outlet_code", "")}
        ),
    }
    fields = [
        Field(name, label, theirs[name], request.form.get(name, ""), names.get(name, {}))
        for name, label in _labels().items()
    ]
    return conflict.page(
        str(theirs["name"]),
        url_for("campaign_desk.save", code=code),
        fields,
        base=overtaken.base,
        began=request.form.get("base", ""),
        back=url_for("campaign_desk.edit", code=code),
    )


def may_add(session: Session, key: str) -> bool:
    """Whether the person sees this piece, so that it may be put into a campaign of theirs."""
    seen = access.signed_in().scope("content.view").condition(Piece.outlet_code, above=True)
    return key in shelf.of_keys(session, [key], seen)


def _labels() -> dict[str, str]:
    words = {name: _(label) for name, label in _LABELS.items()}
    for name, label, _hint in TEXTS:
        words[name] = _(label)
        words[f"{name}_en"] = _("%(label)s（英文）", label=_(label))
    return words


def _places(session: Session, chosen: str = "") -> Choices:
    return places.choices(session, access.signed_in().scope("campaign.edit"), chosen=chosen)


def _date(name: str) -> date | None:
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return None


def _pieces(session: Session, code: str) -> tuple[list[PieceLine], list[PieceLine]]:
    """The campaign's pieces in order, and all others that the person sees, to choose from."""
    keys = programme.piece_keys(session, code)
    seen = access.signed_in().scope("content.view").condition(Piece.outlet_code, above=True)
    inside = shelf.of_keys(session, keys)
    chosen = [_line(one) for one in inside.values()]
    others = [_line(one) for one in shelf.entries(session, seen) if one.key not in inside]
    return chosen, sorted(others, key=lambda line: line.key)


def _line(entry: shelf.Entry) -> PieceLine:
    return PieceLine(entry.key, entry.title, KIND_NAMES[Kind(entry.kind)], entry.published_number is not None)
