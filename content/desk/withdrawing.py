"""Staff pages of taking a piece down at once: what will be affected, the reason, and who is told afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from content import history, lifecycle
from content.desk.routes import blueprint, place
from content.models import Revision
from content.off_site import telling, withdrawing
from content.off_site.withdrawing import LONGEST_PUBLIC, Concern
from core import clock
from core.errors import DomainError
from core.http import reading as session_for_reading
from core.http import render, service, transaction
from core.i18n import gettext as _
from core.privacy import Vault
from core.settings import Settings
from institution import access


@dataclass(frozen=True)
class WithdrawPage:
    """The question before something leaves the site: what it is and all that it takes with it."""

    key: str
    revision: Revision
    concerns: Sequence[Concern]
    reason: str = ""
    public_reason: str = ""
    error: str = ""
    field: str | None = None

    @property
    def longest(self) -> int:
        """How many characters may be said to visitors."""
        return LONGEST_PUBLIC

    def at(self, name: str) -> str | None:
        """The fault if it is this field's."""
        return self.error if self.field == name else None


def of_withdrawal(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the piece whose withdrawal `<int:number>` names, or NotFound."""
    found = withdrawing.get(session, int(arguments["number"]))
    return history.get_piece(session, found.piece_key).outlet_code


@blueprint.get("/pieces/<key>/withdraw")
@access.requires("content.withdraw", at=place)
def ask_withdraw(key: str) -> ResponseReturnValue:
    """Ask before it leaves the site."""
    page = _page(key)
    if page is None:
        flash(_("这篇内容现在没有发布，不需要撤下。"), "warn")
        return redirect(url_for("content_desk.piece", key=key))
    return render("content/desk_withdraw.html", page)


@blueprint.post("/pieces/<key>/withdraw")
@access.requires("content.withdraw", at=place)
def withdraw(key: str) -> ResponseReturnValue:
    """Take it off every page; one person suffices, the others are told."""
    reason, public, me = (
        request.form.get("reason", ""),
        request.form.get("public_reason", ""),
        access.signed_in().id,
    )
    try:
        with transaction() as session:
            take_down(session, key, by=me, reason=reason, public_reason=public)
    except DomainError as error:
        page = _page(key, reason, public, error)
        if page is None:
            raise
        return render("content/desk_withdraw.html", page), 400
    flash(_("已从网站撤下，并通知了相关同事。"), "good")
    return redirect(url_for("content_desk.piece", key=key))


@blueprint.post("/withdrawals/<int:number>/seen")
@access.requires("content.withdraw", at=of_withdrawal)
def seen_withdrawal(number: int) -> ResponseReturnValue:
    """The second person has looked at it."""
    try:
        with transaction() as session:
            found = withdrawing.acknowledge(session, number, by=access.signed_in().id, now=clock.now())
            key = found.piece_key
        flash(_("已记下您知悉这次撤下。"), "good")
    except DomainError as error:
        with session_for_reading() as session:
            key = withdrawing.get(session, number).piece_key
        flash(str(error), "bad")
    return redirect(url_for("content_desk.piece", key=key))


def take_down(session: Session, key: str, *, by: int, reason: str, public_reason: str = "") -> None:
    """Withdraw a piece and put the letters that tell of it into the outbox."""
    now = clock.now()
    revision = lifecycle.withdraw(session, key, by=by, now=now, reason=reason, public_reason=public_reason)
    done = withdrawing.last(session, key)
    if done is not None:
        telling.withdrawn(session, revision, done, settings=service(Settings), vault=service(Vault), now=now)


def _page(
    key: str, reason: str = "", public: str = "", error: DomainError | None = None
) -> WithdrawPage | None:
    with session_for_reading() as session:
        revision = history.published_revision(session, key)
        if revision is None:
            return None
        return WithdrawPage(
            key, revision, withdrawing.concerns(session, key, clock.now()), reason, public,
            str(error) if error else "", error.field if error else None,
        )  # fmt: skip
