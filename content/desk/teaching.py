"""What a room teaches, on the desk: gain by fact and audience, mistakes and where plays are left, beside the passages."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from content import history
from content.desk.routes import blueprint, place
from content.escape_room.format import Room
from content.models import Kind, Piece
from content.rooms import answers, file, gains, mistakes, tally
from content.rooms.answers import FormShare, Gain
from content.rooms.mistakes import LockMistakes
from core.amounts import percent
from core.http import asked_export, attachment, render
from core.http import reading as session_for_reading
from core.i18n import current_locale, mark
from core.i18n import gettext as _
from institution import access, desk_table
from institution.desk_table import Column, View
from tracking.dimensions import AUDIENCES

PHASE_NAMES = {"after": mark("玩完就答"), "later": mark("几周以后")}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table of gains, in words."""

    gain: Gain
    fact: str

    @property
    def audience(self) -> str:
        """Whose answers."""
        return _(AUDIENCES[self.gain.audience]) if self.gain.audience else _("所有人")

    @property
    def phase(self) -> str:
        """When they answered again."""
        return _(PHASE_NAMES[self.gain.phase])

    @property
    def n(self) -> int:
        """Learners who answered both times."""
        return self.gain.change.n if self.gain.change else 0

    @property
    def interval(self) -> str:
        """The interval of the difference, in percentage points."""
        change = self.gain.change
        if change is None:
            return ""
        return f"{100 * change.interval.low:+.0f} … {100 * change.interval.high:+.0f}"

    @property
    def says(self) -> str:
        """What may be said of it; nothing about a cause."""
        change = self.gain.change
        if change is None or change.few:
            return _("人数太少（不到 %(few)s 人），先不下结论", few=gains.FEW)
        if change.interval.low > 0:
            return _("后来答对的更多")
        return _("后来答对的更少") if change.interval.high < 0 else _("看不出变化")


def _share(pair: tuple[int, int]) -> str:
    return f"{percent(pair[0] / pair[1], 0)} ({pair[1]})" if pair[1] else "—"


COLUMNS: tuple[Column[Row], ...] = (
    Column("fact", mark("知识点"), lambda one: one.fact),
    Column("audience", mark("人群"), lambda one: one.audience),
    Column("phase", mark("什么时候再答"), lambda one: one.phase),
    Column("n", mark("前后都答的人"), lambda one: one.n, sort=lambda one: one.n, numeric=True),
    Column("before", mark("之前答对"), lambda one: round(one.gain.change.before, 4) if one.gain.change else "", numeric=True),
    Column("after", mark("之后答对"), lambda one: round(one.gain.change.after, 4) if one.gain.change else "", numeric=True),
    Column(
        "gain", mark("相差（百分点）"), lambda one: round(100 * one.gain.change.gain, 1) if one.gain.change else "",
        sort=lambda one: one.gain.change.gain if one.gain.change else None, numeric=True,
    ),
    Column("interval", mark("区间（百分点）"), lambda one: one.interval),
    Column("chance", mark("偶然这么大的可能"), lambda one: round(one.gain.change.chance, 4) if one.gain.change else "", shown=False),
    Column("all_before", mark("之前所有答的人"), lambda one: _share(one.gain.before), shown=False),
    Column("all_after", mark("之后所有答的人"), lambda one: _share(one.gain.after), shown=False),
    Column("says", mark("可以怎么说"), lambda one: one.says),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FactForms:
    """The questions of a fact as they were answered before playing, and whether they are equally hard."""

    fact: str
    forms: Sequence[FormShare]
    uneven: bool


@dataclass(frozen=True, slots=True)
class TeachingPage:
    """What is known of a room's teaching. `is_room` False: the piece is something else."""

    piece: Piece
    title: str
    is_room: bool
    view: View[Row]
    rows: Sequence[Row] = ()
    forms: Sequence[FactForms] = ()
    locks: Sequence[LockMistakes] = ()
    scenes: Sequence[tuple[str, str, int]] = ()
    left: int = 0
    ended: int = 0
    few: int = gains.FEW


@blueprint.get("/pieces/<key>/learning")
@access.requires("content.view", at=place, above=True)
def teaching(key: str) -> ResponseReturnValue:
    """The report of a room; `?export=csv` its table of gains."""
    with session_for_reading() as session:
        piece = history.get_piece(session, key)
        revision = history.published_revision(session, key) or history.newest(session, key)
        view = desk_table.view(COLUMNS, request.args)
        if piece.kind != Kind.escape_room or revision is None:
            page = TeachingPage(piece, revision.meta.get("title", key) if revision else key, False, view)
        else:
            page = _report(session, piece, file.stored(revision.text), view)
    if form := asked_export():
        return attachment(desk_table.export(view, page.rows, form), f"learning-{key}.{form}")
    return render("content/desk_teaching.html", page)


def _report(session: Session, piece: Piece, room: Room, view: View[Row]) -> TeachingPage:
    lang, found = current_locale(), answers.rows(session, piece.key)
    forms = answers.forms_of(found)
    left = tally.counted(session, piece.key, tally.LEFT)
    wrong = tally.counted(session, piece.key, tally.WRONG)
    scenes = [
        (scene.title.of(lang), f"scenes.{name}", sum(count for where, count in left.items() if where.startswith(f"{name}/")))
        for name, scene in room.scenes.items()
    ]  # fmt: skip
    rows = [Row(one, room.facts[one.fact].text.of(lang)) for one in answers.gains_of(found, room)]
    return TeachingPage(
        piece=piece,
        title=room.title.of(lang),
        is_room=True,
        view=view,
        rows=view.arranged(rows),
        forms=[
            FactForms(fact.text.of(lang), mine, answers.uneven(forms, name))
            for name, fact in room.facts.items()
            if (mine := [one for one in forms if one.fact == name])
        ],
        locks=mistakes.of_room(room, wrong, left),
        scenes=sorted((one for one in scenes if one[2]), key=lambda one: -one[2]),
        left=sum(left.values()),
        ended=sum(tally.counted(session, piece.key, tally.ENDED).values()),
    )
