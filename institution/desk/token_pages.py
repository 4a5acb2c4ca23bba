"""API tokens on the desk: which there are, a new one shown once, revoking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import DomainError
from core.http import reading, render, transaction
from core.i18n import gettext as _
from institution import access, api_tokens, places
from institution.api_token_models import ApiToken
from institution.api_tokens import PURPOSES
from institution.desk.routes import tokens_blueprint as blueprint


@dataclass(frozen=True, slots=True)
class TokenLine:
    """One token in the list."""

    row: ApiToken
    place: str
    purposes: Sequence[str]
    state: str


@dataclass(frozen=True, slots=True)
class TokensPage:
    """All tokens of one's part of the tree."""

    tokens: Sequence[TokenLine]


@dataclass(frozen=True, slots=True)
class TokenPage:
    """The form of a new token."""

    places: places.Choices
    values: Mapping[str, str]
    purposes: Sequence[tuple[str, str]]
    chosen: frozenset[str] = field(default_factory=frozenset)
    field: str | None = None
    fault: str = ""

    def at(self, name: str) -> str | None:
        """The fault if it is this field's."""
        return self.fault if name == self.field else None


@dataclass(frozen=True, slots=True)
class MadePage:
    """A new token, shown this once."""

    name: str
    token: str
    purposes: Sequence[str]
    place: str
    until: datetime


def _node(session: Session, arguments: Mapping[str, Any]) -> str:
    return api_tokens.get(session, int(arguments["number"])).outlet_code


@blueprint.get("")
@access.requires("token.edit")
def listing() -> ResponseReturnValue:
    """Which tokens there are."""
    now = clock.now()
    with reading() as session:
        rows = api_tokens.everything(session, access.signed_in().scope("token.edit"))
        names = places.names(session, {one.outlet_code for one in rows})
    lines = [TokenLine(one, names[one.outlet_code], _words(one), _state(one, now)) for one in rows]
    return render("institution/api_tokens.html", TokensPage(lines))


@blueprint.get("/new")
@access.requires("token.edit")
def new() -> ResponseReturnValue:
    """The form of a new token."""
    with reading() as session:
        page = _form(session, {"days": str(api_tokens.USUAL_DAYS)}, frozenset({api_tokens.COLLECT}))
    return render("institution/api_token.html", page)


@blueprint.post("/new")
@access.requires("token.edit")
def make() -> ResponseReturnValue:
    """Make a token and show it, this once."""
    form, me = request.form, access.signed_in()
    try:
        with transaction() as session:
            node = places.typed(session, form)
            me.check(session, "token.edit", node)
            days = form.get("days", "").strip()
            made, token = api_tokens.make(
                session,
                name=form.get("name", ""),
                purposes=form.getlist("purposes"),
                outlet_code=node,
                days=int(days) if days.isascii() and days.isdigit() and len(days) < 6 else 0,
                by=me.id,
                now=clock.now(),
            )
            page = MadePage(made.name, token, _words(made), places.name(session, node), made.expires_at)
    except DomainError as error:
        with reading() as session:
            faulty = _form(session, form.to_dict(), frozenset(form.getlist("purposes")), error)
        return render("institution/api_token.html", faulty), 400
    return render("institution/api_token_made.html", page), {"Cache-Control": "no-store"}


@blueprint.post("/<int:number>/end")
@access.requires("token.edit", at=_node)
def end(number: int) -> ResponseReturnValue:
    """Revoke a token."""
    with transaction() as session:
        found = api_tokens.get(session, number)
        api_tokens.end(session, found, clock.now())
        name = found.name
    flash(_("令牌“%(name)s”已撤销，半分钟内在所有服务上失效。", name=name), "good")
    return redirect(url_for("api_tokens.listing"))


def _words(row: ApiToken) -> list[str]:
    return [_(word) for purpose, word in PURPOSES.items() if row.may(purpose)]


def _state(row: ApiToken, now: datetime) -> str:
    if row.ended_at is not None:
        return "ended"
    return "valid" if row.valid(now) else "expired"


def _form(
    session: Session,
    values: Mapping[str, str],
    chosen: frozenset[str],
    error: DomainError | None = None,
) -> TokenPage:
    nodes = places.choices(session, access.signed_in().scope("token.edit"))
    return TokenPage(
        nodes,
        values,
        [(purpose, _(word)) for purpose, word in PURPOSES.items()],
        chosen,
        error.field if error else None,
        str(error) if error else "",
    )
