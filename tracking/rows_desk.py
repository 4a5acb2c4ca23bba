"""The staff page of the rows behind a figure, and the same as a file."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core.cells import to_csv
from core.http import asked_export, attachment, page_number, reading, render, service
from institution import access
from tracking import definition as definitions
from tracking import desk, rows_page
from tracking.behind import Behind, Figure
from tracking.choices import choose
from tracking.dimensions import Tree
from tracking.rows_page import Asked, Names
from tracking.snapshot import steadily
from tracking.store import ReachStore

blueprint = Blueprint("reach_rows", __name__, url_prefix=rows_page.PATH, template_folder="templates")


@blueprint.get("")
@access.requires("reach.view")
def show() -> ResponseReturnValue:
    """The rows behind the figure that the address names, as a page or (`export=csv`) as a file."""
    with reading() as session:
        asked, figure, tree = _asked(session)
        store = service(ReachStore)
        definition = definitions.in_force(session, figure.ask.compared.period.last)
        if asked_export():
            heads, rows = steadily(
                store,
                definition,
                lambda snapshot: rows_page.table(
                    Names(session, tree, figure),
                    asked.group,
                    Behind.of(store, tree, snapshot, definition, figure),
                ),
            )
            return attachment(
                to_csv(heads, rows), f"reach-rows-{figure.period.first}-{figure.period.last}.csv"
            )
        page = steadily(
            store,
            definition,
            lambda snapshot: rows_page.page(
                session, tree, asked, Behind.of(store, tree, snapshot, definition, figure)
            ),
        )
    return render("tracking/rows.html", page)


def _asked(session: Session) -> tuple[Asked, Figure, Tree]:
    """The figure within the part of the tree of who asks."""
    scope = access.signed_in().scope("reach.view")
    given = desk.placed(session, desk.asked(), scope)
    choice = choose(service(ReachStore), session, given, desk.today(), whole=scope.whole)
    keys, before = (request.args.get("key"), request.args.get("key2")), request.args.get("base") == "1"
    asked = Asked(choice.pinned, keys, before, request.args.get("group", ""), page_number())
    return asked, Figure(choice.ask, keys, before), Tree.read(session)
