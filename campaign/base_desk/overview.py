"""All bases of one's part of the tree: what each offers, whose shelf it shows, how many screens count."""

from dataclasses import dataclass

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import func
from sqlmodel import Session, col, select

from campaign.base import offers
from campaign.base.models import EducationBase, HallScreen
from campaign.base_desk.routes import EDIT, blueprint
from core.http import asked_export, attachment, page_number, reading, render
from core.i18n import gettext as _
from core.i18n import mark
from institution import access, desk_table
from institution.desk_table import Column, Listing, View
from institution.models import Outlet, OutletKind

LACKS = {
    "": mark("全部"),
    "services": mark("没有填服务"),
    "facilities": mark("没有填设施"),
    "plaque": mark("没有牌匾编号"),
    "screen": mark("没有屏幕"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One outlet as a base."""

    outlet: Outlet
    base: EducationBase | None
    screens: int

    @property
    def services(self) -> list[str]:
        """What it offers, in words."""
        return offers.words(offers.SERVICES, self.base.services) if self.base else []

    @property
    def facilities(self) -> list[str]:
        """How it is accessible, in words."""
        return offers.words(offers.FACILITIES, self.base.facilities) if self.base else []

    def lacks(self, what: str) -> bool:
        """Whether it has nothing of that kind."""
        found = {
            "services": self.services,
            "facilities": self.facilities,
            "plaque": self.outlet.plaque_number,
        }
        return not found.get(what, self.screens)


COLUMNS: tuple[Column[Row], ...] = (
    Column("name", mark("网点"), lambda one: one.outlet.name, sort=lambda one: one.outlet.name),
    Column("code", mark("编号"), lambda one: one.outlet.code, sort=lambda one: one.outlet.code),
    Column(
        "plaque", mark("基地牌匾编号"), lambda one: one.outlet.plaque_number, sort=lambda one: one.outlet.plaque_number
    ),
    Column("services", mark("服务项目"), lambda one: _("、").join(one.services), sort=lambda one: len(one.services)),
    Column(
        "facilities", mark("无障碍设施"), lambda one: _("、").join(one.facilities), sort=lambda one: len(one.facilities)
    ),
    Column("screens", mark("屏幕"), lambda one: one.screens, sort=lambda one: one.screens, numeric=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of the bases that fit the filter in the address."""

    listing: Listing[Row]
    view: View[Row]
    words: str
    lacks: str
    branches: list[tuple[str, str]]

    @property
    def lack_options(self) -> list[tuple[str, str]]:
        """What a base may lack."""
        return [(key, _(word)) for key, word in LACKS.items()]


@blueprint.get("")
@access.requires(EDIT)
def index() -> ResponseReturnValue:
    """The bases of one's part of the tree."""
    asked = request.args
    words, lacks = asked.get("q", "").strip()[:80], asked.get("lacks", "")
    lacks = lacks if lacks in LACKS else ""
    with reading() as session:
        found = [one for one in _rows(session, words) if not lacks or one.lacks(lacks)]
        branches = _branches(session)
    view = desk_table.view(COLUMNS, asked, first="code")
    rows = view.arranged(found)
    if form := asked_export():
        return attachment(desk_table.export(view, rows, form), f"bases.{form}")
    page = ListPage(desk_table.cut(rows, page_number()), view, words, lacks, branches)
    return render("campaign/base_list.html", page)


def _rows(session: Session, words: str) -> list[Row]:
    scope = access.signed_in().scope(EDIT)
    query = select(Outlet, EducationBase).where(
        scope.condition(Outlet.code), Outlet.kind == OutletKind.outlet, col(Outlet.closed_on).is_(None)
    )
    for word in words.split()[:6]:
        held = [
            col(one).icontains(word, autoescape=True)
            for one in (Outlet.name, Outlet.code, Outlet.plaque_number)
        ]
        query = query.where(held[0] | held[1] | held[2])
    rows = query.outerjoin(EducationBase, col(EducationBase.outlet_code) == col(Outlet.code))
    counted = select(HallScreen.outlet_code, func.count()).where(
        col(HallScreen.ended_at).is_(None), col(HallScreen.key_hash).is_not(None)
    )
    screens = dict(session.exec(counted.group_by(HallScreen.outlet_code)).all())
    return [Row(outlet, base, screens.get(outlet.code, 0)) for outlet, base in session.exec(rows)]


def _branches(session: Session) -> list[tuple[str, str]]:
    """The uppermost branches of one's part, which have a shelf for their outlets."""
    scope = access.signed_in().scope(EDIT)
    query = select(Outlet.code, Outlet.name).where(
        scope.condition(Outlet.code), Outlet.kind != OutletKind.outlet, col(Outlet.closed_on).is_(None)
    )
    return [(code, name) for code, name in session.exec(query.order_by(Outlet.code).limit(60))]
