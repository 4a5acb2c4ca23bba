"""Sessions of one's part of the tree: what runs now first, then what was."""

from dataclasses import dataclass
from datetime import datetime

from flask import request
from flask.typing import ResponseReturnValue

from campaign.play_sessions import hosting
from campaign.play_sessions.models import PlaySession
from campaign.play_sessions_desk.routes import VIEW, blueprint
from content import lifecycle
from content.models import Kind
from core import clock
from core.http import asked_export, attachment, page_number, reading, render, service
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access, desk_table, places
from institution.desk_table import Column, Listing, View

_MOST = 2_000  # the newest; nobody reads further down


@dataclass(frozen=True, slots=True)
class Row:
    """A session with what it is called, and how many played."""

    one: PlaySession
    room: str
    place: str
    joined: int
    ended: int
    open: bool

    @property
    def status(self) -> tuple[str, str]:
        """Its state in a word, and the tone."""
        return (_("正在玩"), "good") if self.open else (_("已结束"), "idle")


COLUMNS: tuple[Column[Row], ...] = (
    Column("room", mark("密室"), lambda one: one.room, sort=lambda one: one.room),
    Column("place", mark("网点"), lambda one: one.place, sort=lambda one: one.place),
    Column("opened", mark("开始"), lambda one: one.one.opened_at, sort=lambda one: one.one.opened_at),
    Column("joined", mark("参加"), lambda one: one.joined, sort=lambda one: one.joined, numeric=True),
    Column("ended", mark("走出来"), lambda one: one.ended, sort=lambda one: one.ended, numeric=True),
    Column("state", mark("状态"), lambda one: one.status[0], sort=lambda one: not one.open),
)


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of sessions; `rooms`: whether there is a room to play at all."""

    listing: Listing[Row]
    view: View[Row]
    rooms: bool


@blueprint.get("")
@access.requires(VIEW)
def index() -> ResponseReturnValue:
    """The sessions of one's part of the tree."""
    now = clock.now()
    with reading() as session:
        scope = access.signed_in().scope(VIEW)
        found = hosting.listing(session, scope.condition(PlaySession.outlet_code), most=_MOST)
        titles = {
            piece.key: piece.shown_title for piece in lifecycle.published_list(session, Kind.escape_room)
        }
        names = places.names(session, {one.outlet_code for one in found})
        sizes = hosting.sizes(session, [one.id or 0 for one in found])
    rows = [_row(one, titles, names, sizes, now) for one in found]
    view = desk_table.view(COLUMNS, request.args, first="-opened")
    arranged = view.arranged(rows)
    if form := asked_export():
        return attachment(desk_table.export(view, arranged, form, service(Settings).zone), f"play.{form}")
    return render(
        "campaign/play_desk_list.html", ListPage(desk_table.cut(arranged, page_number()), view, bool(titles))
    )


def _row(
    one: PlaySession,
    titles: dict[str, str],
    names: dict[str, str],
    sizes: dict[int, tuple[int, int]],
    now: datetime,
) -> Row:
    joined, ended = sizes.get(one.id or 0, (0, 0))
    title = titles.get(one.piece_key, one.piece_key)
    return Row(one, title, names[one.outlet_code], joined, ended, one.is_open(now))
