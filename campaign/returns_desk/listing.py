"""The list of returns: filtered and sorted by its address, as a file too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, String, and_, case, func, or_
from sqlalchemy import cast as sql_cast
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from campaign.models import Campaign
from campaign.returns import plausible
from campaign.returns.models import STATE_NAMES, SUBMITTED, ActivityReturn, ReturnVersion
from campaign.returns.words import FORMS, PARTNERS, WHERE
from campaign.returns_desk.routes import TONES, blueprint
from core.http import asked_export, attachment, page_number, reading, render, service
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import approval_search, desk_table, places
from institution.access import requires, signed_in
from institution.desk_table import Column, Listing, View
from institution.models import Outlet
from institution.powers import Scope

FILTERS = ("q", "state", "campaign", "form", "place", "from", "to", "marked")


@dataclass(frozen=True, slots=True)
class Row:
    """A return in the list, as its latest version says it."""

    one: ReturnVersion
    outlet: str
    campaign: str
    by: str
    decided_by: str

    @property
    def state(self) -> str:
        """Where it stands, in a word."""
        word = _(STATE_NAMES[self.one.state])
        return _("撤销 · %(state)s", state=word) if self.one.void else word

    @property
    def tone(self) -> str:
        """The colour of that word."""
        return TONES[self.one.state]

    @property
    def form(self) -> str:
        """What it was."""
        return _(FORMS[self.one.form]) if self.one.form else ""

    @property
    def place(self) -> str:
        """Where it was."""
        return _(WHERE[self.one.place]) if self.one.place else ""

    @property
    def marks(self) -> Sequence[str]:
        """What is odd about it."""
        return [plausible.sentence(each) for each in self.one.marks]

    @property
    def given(self) -> int:
        """All materials together."""
        return sum(self.one.materials.values())

    @property
    def waits(self) -> bool:
        """Whether somebody has to verify it."""
        return self.one.state == SUBMITTED


_ORDER = case({state: number for number, state in enumerate(STATE_NAMES)}, value=ReturnVersion.state)
COLUMNS: tuple[Column[Row], ...] = (
    Column(
        "number", mark("回执号"), lambda row: row.one.return_id, sort=ReturnVersion.return_id, numeric=True
    ),
    Column("outlet", mark("网点"), lambda row: row.outlet, sort=Outlet.name),
    Column("code", mark("网点编号"), lambda row: row.one.outlet_code, shown=False),
    Column("held_on", mark("日期"), lambda row: row.one.held_on, sort=ReturnVersion.held_on),
    Column("form", mark("形式"), lambda row: row.form, sort=ReturnVersion.form),
    Column("place", mark("地点"), lambda row: row.place, sort=ReturnVersion.place),
    Column("heads", mark("到场"), lambda row: row.one.heads, sort=ReturnVersion.heads, numeric=True),
    Column("joined", mark("互动完成"), lambda row: row.one.joined, numeric=True, shown=False),
    Column("staff", mark("宣传人员"), lambda row: row.one.staff, numeric=True, shown=False),
    Column("given", mark("发放资料"), lambda row: row.given, numeric=True, shown=False),
    Column("campaign", mark("所属活动期"), lambda row: row.campaign, shown=False),
    Column("theme", mark("活动主题"), lambda row: row.one.theme, shown=False),
    Column(
        "partners",
        mark("联合单位"),
        lambda row: _("、").join(_(PARTNERS[key]) for key in row.one.partners),
        shown=False,
    ),
    Column("state", mark("状态"), lambda row: row.state, sort=_ORDER),
    Column("marks", mark("请留意"), lambda row: _("；").join(row.marks)),
    Column("by", mark("填报人"), lambda row: row.by, shown=False),
    Column("submitted_at", mark("提交时间"), lambda row: row.one.submitted_at, shown=False),
    Column("decided_by", mark("核实人"), lambda row: row.decided_by, shown=False),
    Column("decided_at", mark("核实时间"), lambda row: row.one.decided_at, shown=False),
)


@dataclass(frozen=True, slots=True)
class ListPage:
    """The returns of one's part of the tree that fit the address."""

    listing: Listing[Row]
    view: View[Row]
    asked: Mapping[str, str]
    campaigns: Sequence[tuple[str, str]]
    may_file: bool
    may_verify: bool

    @property
    def filtered(self) -> bool:
        """Whether the address asks for less than everything."""
        return any(self.asked.values())

    @property
    def states(self) -> list[tuple[str, str]]:
        """The states to choose from."""
        return [("", _("全部")), *((key, _(word)) for key, word in STATE_NAMES.items())]

    @property
    def forms(self) -> list[tuple[str, str]]:
        """The forms to choose from."""
        return [("", _("全部")), *((key, _(word)) for key, word in FORMS.items())]

    @property
    def places(self) -> list[tuple[str, str]]:
        """The places to choose from."""
        return [("", _("全部")), *((key, _(word)) for key, word in WHERE.items())]


@blueprint.get("")
@requires("return.view")
def index() -> ResponseReturnValue:
    """The returns of one's part of the tree, the latest activity first."""
    person = signed_in()
    asked = {name: request.args.get(name, "").strip()[:80] for name in FILTERS}
    view = desk_table.view(COLUMNS, request.args, first="-held_on")
    plain = cast("View[ReturnVersion]", view)  # its sorting is of the table, its values of the row
    query, ties = wanted(person.scope("return.view"), asked), (ReturnVersion.id,)
    with reading() as session:
        if form := asked_export():
            found = rows(session, desk_table.everything(session, query, plain, ties=ties))
            return attachment(desk_table.export(view, found, form, service(Settings).zone), f"returns.{form}")
        part = desk_table.listing(session, query, plain, page_number(), ties=ties)
        listing = Listing(rows(session, part.rows), part.total, part.page, part.pages)
        page = ListPage(
            listing, view, asked, campaigns(session), person.may("return.file"), person.may("return.verify")
        )
    return render("campaign/returns.html", page)


def wanted(scope: Scope, asked: Mapping[str, str]) -> SelectOfScalar[ReturnVersion]:
    """The latest versions of the returns of a part of the tree that fit."""
    latest = and_(
        col(ActivityReturn.id) == col(ReturnVersion.return_id),
        col(ActivityReturn.latest) == col(ReturnVersion.number),
    )
    query = select(ReturnVersion).join(ActivityReturn, latest)
    query = query.join(Outlet, col(Outlet.code) == col(ReturnVersion.outlet_code), isouter=True)
    return query.where(scope.condition(ReturnVersion.outlet_code), *_conditions(asked))


def _conditions(asked: Mapping[str, str]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        col(getattr(ReturnVersion, column)) == asked[name]
        for name, column in (
            ("state", "state"),
            ("campaign", "campaign_code"),
            ("form", "form"),
            ("place", "place"),
        )
        if asked.get(name)
    ]
    for word in asked.get("q", "").split()[:6]:
        found.append(
            or_(
                col(Outlet.name).icontains(word, autoescape=True),
                col(ReturnVersion.outlet_code).startswith(word, autoescape=True),
                col(ReturnVersion.theme).icontains(word, autoescape=True),
            )
        )
    first, last = day(asked.get("from", "")), day(asked.get("to", ""))
    if first:
        found.append(col(ReturnVersion.held_on) >= first)
    if last:
        found.append(col(ReturnVersion.held_on) <= last)
    if asked.get("marked"):
        found.append(func.length(sql_cast(ReturnVersion.marks, String)) > 2)  # `[]` is nothing
    return found


def day(text: str) -> date | None:
    """A day of an address, None where it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def rows(session: Session, found: Sequence[ReturnVersion]) -> list[Row]:
    """Versions with the names of what they name."""
    outlets = places.names(session, {one.outlet_code for one in found})
    known = dict(campaigns(session))
    who = approval_search.names(
        session, {number for one in found for number in (one.submitted_by or one.saved_by, one.decided_by)}
    )
    return [
        Row(
            one,
            outlets[one.outlet_code],
            known.get(one.campaign_code, one.campaign_code),
            who.get(one.submitted_by or one.saved_by, ""),
            who.get(one.decided_by or 0, ""),
        )
        for one in found
    ]


def campaigns(session: Session) -> list[tuple[str, str]]:
    """The campaigns that this person may know of, by name, the latest first."""
    return [(one.code, one.shown("name")) for one in session.exec(_known())]


def begun(session: Session, day: date) -> str:
    """The code of the latest of them that had begun on a day, "" when none had."""
    found = session.exec(_known().where(Campaign.starts_on <= day)).first()
    return found.code if found else ""


def _known() -> SelectOfScalar[Campaign]:
    inside = signed_in().scope("campaign.view").condition(Campaign.outlet_code, above=True)
    return select(Campaign).where(inside).order_by(col(Campaign.starts_on).desc(), col(Campaign.code))
