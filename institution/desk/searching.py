"""Finding things from anywhere in the desk: the search page, its answers for the Ctrl+K box, and nodes to choose."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from core.http import reading, render
from institution import access, places, search
from institution.powers import PERMISSIONS
from institution.search import Hit

blueprint = Blueprint("desk_search", __name__, url_prefix="/desk", template_folder="../templates")
_IN_BOX = 12


@dataclass(frozen=True, slots=True)
class SearchPage:
    """What was asked and what was found."""

    text: str
    hits: Sequence[Hit]

    @property
    def groups(self) -> list[tuple[str, list[Hit]]]:
        """The hits by kind, the kind of the best hit first."""
        order = list(dict.fromkeys(hit.kind for hit in self.hits))
        ranked = sorted(self.hits, key=lambda hit: order.index(hit.kind))
        return [(kind, list(hits)) for kind, hits in groupby(ranked, key=lambda hit: hit.kind)]


@blueprint.get("/search")
@access.requires("desk.view")
def show() -> ResponseReturnValue:
    """The search page."""
    text = _asked()
    with reading() as session:
        hits = search.find(session, access.signed_in(), text)
    return render("institution/search.html", SearchPage(text, hits))


@blueprint.get("/search.json")
@access.requires("desk.view")
def answer() -> ResponseReturnValue:
    """The best hits, for the box that Ctrl+K opens."""
    with reading() as session:
        hits = search.find(session, access.signed_in(), _asked(), most=_IN_BOX)
    return jsonify([{"title": h.title, "note": h.note, "href": h.href, "kind": h.kind} for h in hits])


@blueprint.get("/places.json")
@access.requires("desk.view")
def suggest() -> ResponseReturnValue:
    """Nodes that fit what is typed, within the part of the tree where the person holds `permission`."""
    permission = request.args.get("permission", "")
    if permission not in PERMISSIONS:
        return jsonify([])
    with reading() as session:
        found = places.suggest(session, access.signed_in().scope(permission), _asked())
    return jsonify([{"code": code, "name": name} for code, name in found])


def _asked() -> str:
    return request.args.get("q", "").strip()[: search.LONGEST]
