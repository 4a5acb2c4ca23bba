"""Staff pages of what readers say: the list with its filter and its file."""

from dataclasses import dataclass
from datetime import timedelta

from flask import request
from flask.typing import ResponseReturnValue
from sqlmodel import col

from content.desk.routes import blueprint
from content.models import KIND_NAMES, Kind, Piece
from content.voices import telling
from content.voices.giving import REASONS
from content.voices.models import PieceVoice
from content.voices.telling import Tally, Voice, Wanted
from core import clock
from core.http import asked_export, attachment, page_number, render, service
from core.http import reading as session_for_reading
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault
from core.settings import Settings
from institution import access, desk_table
from institution.desk_table import Column, Listing, View

SPANS = (30, 90, 365)
COLUMNS: tuple[Column[Voice], ...] = (
    Column("day", mark("日期"), lambda one: one.day, sort=lambda one: (one.day, one.id)),
    Column("title", mark("内容"), lambda one: one.title, sort=lambda one: one.title),
    Column("key", mark("代号"), lambda one: one.piece_key, shown=False),
    Column("kind", mark("类型"), lambda one: _(KIND_NAMES[Kind(one.kind)]), shown=False),
    Column("number", mark("版本"), lambda one: one.number, sort=lambda one: one.number, numeric=True),
    Column(
        "helpful",
        mark("帮上了吗"),
        lambda one: _("有用") if one.helpful else _("没帮上"),
        sort=lambda one: one.helpful,
    ),
    Column("reason", mark("原因"), lambda one: one.reason_name, sort=lambda one: one.reason or None),
    Column("words", mark("留言"), lambda one: one.words),
)


@dataclass(frozen=True, slots=True)
class VoicesPage:
    """What readers said, narrowed; in all, and the pieces that most readers found wanting."""

    listing: Listing[Voice]
    view: View[Voice]
    wanted: Wanted
    days: int
    tally: Tally
    wanting: list[tuple[str, str, Tally]]

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """The kinds to choose from."""
        return [("", _("全部")), *((kind.value, _(name)) for kind, name in KIND_NAMES.items())]

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """The reasons to choose from."""
        return [("", _("全部")), *((key, _(name)) for key, name in REASONS.items())]

    @property
    def answers(self) -> list[tuple[str, str]]:
        """Yes, no, or both."""
        return [("", _("全部")), ("1", _("有用")), ("0", _("没帮上"))]

    @property
    def spans(self) -> list[tuple[int, str]]:
        """The days to choose from."""
        return [(days, _("最近 %(days)s 天", days=days)) for days in SPANS]

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter hides something."""
        return self.wanted != Wanted() or self.days != SPANS[-1]


@blueprint.get("/voices")
@access.requires("content.view")
def voices() -> ResponseReturnValue:
    """What readers said of the pieces of one's part of the tree."""
    wanted, days = Wanted.of(request.args), request.args.get("days", SPANS[-1], int)
    days = days if days in SPANS else SPANS[-1]
    since = clock.today(service(Settings).zone) - timedelta(days=days)
    mine = access.signed_in().scope("content.view").condition(Piece.outlet_code, above=True)
    where = [mine, col(PieceVoice.day) >= since, *wanted.conditions()]
    with session_for_reading() as session:
        rows = telling.voices(session, service(Vault), *where)
        tally, wanting = telling.tally(session, *where), telling.wanting(session, *where)
    view = desk_table.view(COLUMNS, request.args, first="-day")
    rows = view.arranged(rows)
    if form := asked_export():
        return attachment(desk_table.export(view, rows, form), f"voices.{form}")
    return render(
        "content/desk_voices.html",
        VoicesPage(desk_table.cut(rows, page_number()), view, wanted, days, tally, wanting),
    )
