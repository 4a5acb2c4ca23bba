"""The booster of a push at the desk: what it would say and when, and one click that drafts it."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from content.models import KIND_NAMES, Kind
from core import clock
from core.http import service, transaction
from core.i18n import gettext as _
from core.settings import Settings
from institution.access import requires, signed_in
from scheduler import booster
from scheduler.channels import registry
from scheduler.desk.routes import blueprint, push_place
from scheduler.models import DeliveryState
from scheduler.pushes import Progress


@dataclass(frozen=True, slots=True)
class Boosting:
    """The booster that there is (`url`), or the pieces that are proposed and the day."""

    pieces: Mapping[str, str]
    first_at: str
    url: str = ""
    name: str = ""

    @property
    def first(self) -> str:
        """What is proposed before all others."""
        return next(iter(self.pieces), "")


def boosting(session: Session, found: Progress) -> Boosting | None:
    """What the page of a push says of its booster; None where nobody got it by name, or the person may not plan."""
    push = found.push
    if registry.to_group(push.channel) or not found.count(DeliveryState.sent):
        return None
    if known := booster.planned(session, push.id or 0):
        return Boosting({}, known.first_at, url_for(".show", plan_id=known.id), known.name)
    if not signed_in().may_at(session, "push.edit", push.outlet_code):
        return None
    pieces = {
        one.key: _("%(kind)s · %(title)s") % {"kind": _(KIND_NAMES[Kind(one.kind)]), "title": one.shown_title}
        for one in booster.proposals(session, push)
    }
    return Boosting(pieces, booster.moment(session, push, service(Settings).zone))


@blueprint.post("/pushes/<int:push_id>/booster")
@requires("push.edit", at=push_place)
def plan_booster(push_id: int) -> ResponseReturnValue:
    """Draft the booster and show it."""
    piece, at = request.form.get("piece_key", "")[:80], request.form.get("first_at", "")
    with transaction() as session:
        made = booster.draft(
            session, push_id, piece_key=piece, first_at=at, by=signed_in().id, now=clock.now()
        )
    flash(_("草稿已排上日历。看过内容和预览，就可以提交审批。"), "good")
    return redirect(url_for(".show", plan_id=made.id), code=303)
