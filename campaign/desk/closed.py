"""The desk of closed addresses: whom nothing reaches any more and why, and opening one again for a reason."""

from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign import closed, lists
from campaign.addresses import KINDS, kind_of
from campaign.closed import ClosedRow
from campaign.contacts import CHANNEL_NAMES, Contact
from campaign.desk.routes import audience_blueprint as blueprint
from campaign.desk.routes import contact_place
from core.errors import DomainError, NotFound
from core.http import page_number, reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault
from institution.access import requires, signed_in


@dataclass(frozen=True, slots=True)
class ClosedPage:
    """The closed addresses of one's part of the tree on one channel, masked; counts by reason."""

    channel: str
    rows: list[ClosedRow]
    counts: list[tuple[str, int]]
    number: int
    pages: int
    may_reopen: bool
    error: str = ""

    @property
    def channels(self) -> list[tuple[str, str]]:
        """The channels to look at."""
        return [(key, _(name)) for key, name in CHANNEL_NAMES.items()]

    def reason(self, row: ClosedRow) -> str:
        """Why, in words."""
        return _(closed.REASONS[row.reason])


@blueprint.get("/closed")
@requires("audience.view")
def closed_list() -> ResponseReturnValue:
    """The closed addresses of one's own contacts."""
    with reading() as session:
        return _page(session, request.args.get("channel", "email"))


@blueprint.post("/contacts/<int:contact_id>/reopen")
@requires("audience.reopen", at=contact_place)
def reopen(contact_id: int) -> ResponseReturnValue:
    """Write to an address again, for a reason; never to one whose owner said no."""
    channel = request.form.get("channel", "")
    try:
        with transaction() as session:
            contact = lists.get_contact(session, contact_id)
            index = lists.indexes_of(session, contact).get(kind_of(channel))
            if not index:
                raise NotFound(mark("这位联系人没有这个渠道的地址。"))
            reason = request.form.get("reason", "")
            closed.reopen(session, channel, index, reason, outlet_code=contact.holder_code)
    except NotFound:
        raise
    except DomainError as error:
        with reading() as session:
            return _page(session, channel, error=str(error)), 400
    flash(_("已重新启用，下一次推送起可以发送。"), "good")
    return redirect(url_for(".closed_list", channel=channel), code=303)


def _page(session: Session, channel: str, *, error: str = "") -> str:
    me = signed_in()
    channel = channel if channel in KINDS else "email"
    inside = me.scope("audience.view").condition(Contact.holder_code)
    rows, counted, pages = closed.rows(session, service(Vault), channel, inside, page=page_number())
    counts = [(_(closed.REASONS[reason]), count) for reason, count in counted.items()]
    number = min(page_number(), pages)
    page = ClosedPage(channel, rows, counts, number, pages, me.may("audience.reopen"), error)
    return render("campaign/audience_closed.html", page)
