"""The first page of the desk: what waits for me, then my figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask.typing import ResponseReturnValue

from core import clock
from core.http import reading, render
from institution import access, desk_home, places
from institution.desk.routes import staff_blueprint as blueprint
from institution.desk_home import Figure, Panel
from institution.powers import ROLES


@dataclass(frozen=True, slots=True)
class HomePage:
    """What waits for this person, their figures, and as what they are here: roles with their nodes."""

    name: str
    panels: Sequence[Panel]
    figures: Sequence[Figure]
    roles: Sequence[tuple[str, str]]


@blueprint.get("")
@access.requires("desk.view")
def home() -> ResponseReturnValue:
    """What waits for me first."""
    person, now = access.signed_in(), clock.now()
    with reading() as session:
        panels = desk_home.gather(session, person, now)
        figures = desk_home.figures(session, person, now)
        where = places.names(session, [code for _role, code in person.powers.grants])
    roles = [(ROLES[role][0], where[code]) for role, code in person.powers.grants if role in ROLES]
    waiting = sum(panel.count for panel in panels if panel.urgent)
    page = HomePage(person.staff.name, panels, figures, roles)
    return render("institution/home.html", page, waiting=waiting)
