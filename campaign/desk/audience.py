"""The desk of the audience: lists, people shown masked, refusals, and the request to erase somebody."""

from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import col

from campaign import audience, lists
from campaign.contacts import CHANNEL_NAMES, WEBHOOK, Contact, ContactList
from campaign.desk.routes import audience_blueprint as blueprint
from campaign.desk.routes import contact_place, list_place
from campaign.lists import ListRow, MaskedContact, Wanted
from core import clock
from core.errors import DomainError
from core.http import asked_export, attachment, page_number, reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault, mask_phone
from core.settings import Settings
from institution import desk_table, personal_data
from institution.access import requires, signed_in
from institution.desk_table import Column, Listing, View
from institution.personal_models import EMAIL as BY_EMAIL
from institution.personal_models import ERASE
from institution.personal_models import PHONE as BY_PHONE

LISTS: tuple[Column[ListRow], ...] = (
    Column("name", mark("名单"), lambda one: one.name, sort=lambda one: one.name),
    Column("place", mark("归属"), lambda one: one.place, sort=lambda one: one.outlet_code),
    Column("size", mark("人数"), lambda one: one.size, sort=lambda one: one.size, numeric=True),
    Column("updated", mark("最近更新"), lambda one: one.updated_at, sort=lambda one: one.updated_at),
)
PEOPLE: tuple[Column[MaskedContact], ...] = (
    Column("name", mark("姓名"), lambda one: one.name),
    Column("email", mark("邮箱"), lambda one: one.email),
    Column("phone", mark("手机"), lambda one: one.phone),
    Column("webhook_id", mark("接口标识"), lambda one: one.webhook_id),
    Column("outlet", mark("网点"), lambda one: one.outlet_code or one.province),
    Column("agreed", mark("同意"), lambda one: _channels(one.agreed)),
    Column("refused", mark("退订"), lambda one: _channels(one.refused)),
)


@dataclass(frozen=True, slots=True)
class ListsPage:
    """The lists of one's part of the tree."""

    listing: Listing[ListRow]
    view: View[ListRow]
    words: str


@dataclass(frozen=True, slots=True)
class ListPage:
    """One list, a page of its people, masked."""

    id: int
    name: str
    contacts: list[MaskedContact]
    number: int
    pages: int
    channels: dict[str, str]
    wanted: Wanted
    found_by_address: bool
    may_edit: bool
    may_erase: bool

    @property
    def channel_options(self) -> list[tuple[str, str]]:
        """The channels to narrow by."""
        return [("", _("全部")), *self.channels.items()]

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter hides somebody."""
        return self.wanted != Wanted()


@dataclass(frozen=True, slots=True)
class ErasePage:
    """The request to erase a person: who, masked, why, and how it was seen that it is they who ask."""

    contact: MaskedContact
    list_id: str
    reason: str = ""
    evidence: str = ""
    error: str = ""
    field: str = ""

    @property
    def back(self) -> str:
        """The list from which the person was chosen."""
        return _back(self.list_id)


@blueprint.get("")
@requires("audience.view")
def index() -> ResponseReturnValue:
    """The lists of one's part of the tree."""
    words = request.args.get("q", "").strip()[:80]
    inside = signed_in().scope("audience.view").condition(ContactList.outlet_code)
    with reading() as session:
        named = [col(ContactList.name).icontains(word, autoescape=True) for word in words.split()]
        found = lists.lists(session, inside, *named)
    view = desk_table.view(LISTS, request.args, first="name")
    rows = view.arranged(found)
    if form := asked_export():
        zone = service(Settings).zone
        return attachment(desk_table.export(view, rows, form, zone), f"lists.{form}")
    page = ListsPage(desk_table.cut(rows, page_number()), view, words)
    return render("campaign/audience_lists.html", page)


@blueprint.get("/<int:list_id>")
@requires("audience.view", at=list_place)
def contacts(list_id: int) -> ResponseReturnValue:
    """The people of a list, masked; as a file too, which leaves a trace."""
    asked = request.args
    wanted = Wanted(asked.get("outlet", "").strip()[:32], asked.get("channel", "")[:16])
    if form := asked_export():
        with transaction() as session:
            rows = lists.export(session, service(Vault), lists.get_list(session, list_id), wanted)
        view = desk_table.view(PEOPLE, asked)
        return attachment(desk_table.export(view, rows, form), f"list-{list_id}.{form}")
    return _people(list_id, wanted)


@blueprint.post("/<int:list_id>/find")
@requires("audience.view", at=list_place)
def find(list_id: int) -> ResponseReturnValue:
    """The person with a whole address: posted, so that it stands in no history and no log."""
    return _people(list_id, Wanted(address=request.form.get("address", "").strip()[:200]))


@blueprint.post("/contacts/<int:contact_id>/refuse")
@requires("audience.edit", at=contact_place)
def refuse(contact_id: int) -> ResponseReturnValue:
    """Record a refusal that a person gave by telephone or at a counter."""
    with transaction() as session:
        channel = request.form.get("channel", "")
        audience.refuse_contact(session, contact_id, channel, now=clock.now())
    flash(_("已登记退订，不会再向此人发送。"), "good")
    return redirect(_back(request.form.get("list_id", "")), code=303)


@blueprint.get("/contacts/<int:contact_id>/erase")
@requires("privacy.request", at=contact_place)
def ask_erase(contact_id: int) -> ResponseReturnValue:
    """The form of a request to erase a person."""
    return _erase_page(contact_id, request.args.get("list_id", ""))


@blueprint.post("/contacts/<int:contact_id>/erase")
@requires("privacy.request", at=contact_place)
def erase(contact_id: int) -> ResponseReturnValue:
    """Ask to erase a person's data everywhere; it happens when a second person approves."""
    form, back = request.form, _back(request.form.get("list_id", ""))
    try:
        with transaction() as session:
            kind, indexes, masked = _address(lists.get_contact(session, contact_id))
            personal_data.ask(
                session,
                wish=ERASE,
                address_kind=kind,
                indexes=indexes,
                masked=masked,
                reason=form.get("reason", ""),
                evidence=form.get("evidence", ""),
                by=signed_in().id,
                now=clock.now(),
            )
    except DomainError as error:
        return _erase_page(contact_id, form.get("list_id", ""), error=error), 400
    flash(_("已提出申请，另一位同事批准后，此人的资料在各处一并删除。"), "good")
    return redirect(back, code=303)


def _people(list_id: int, wanted: Wanted) -> str:
    number, me = page_number(), signed_in()
    with reading() as session:
        found = lists.get_list(session, list_id)
        masked, pages = lists.members(session, service(Vault), list_id, number, wanted)
        page = ListPage(
            list_id,
            found.name,
            masked,
            min(number, pages),
            pages,
            {key: _(name) for key, name in CHANNEL_NAMES.items()},
            wanted,
            bool(wanted.address),
            me.may_at(session, "audience.edit", found.outlet_code),
            me.may_at(session, "privacy.request", found.outlet_code),
        )
    return render("campaign/audience_list.html", page)


def _address(contact: Contact) -> tuple[str, list[str], str]:
    """The address under which a person is asked for: its kind, its indexes under every key, its mask."""
    vault = service(Vault)
    if contact.email_sealed:
        return (BY_EMAIL, *personal_data.lookups(vault, BY_EMAIL, vault.decrypt(contact.email_sealed)))
    if contact.phone_sealed:
        return (BY_PHONE, *personal_data.lookups(vault, BY_PHONE, vault.decrypt(contact.phone_sealed)))
    text = vault.decrypt(contact.webhook_sealed)
    return WEBHOOK, list(vault.indexes(WEBHOOK, text)), mask_phone(text)


def _erase_page(contact_id: int, list_id: str, *, error: DomainError | None = None) -> str:
    with reading() as session:
        (contact,) = lists.masked(session, service(Vault), [lists.get_contact(session, contact_id)])
    form = request.form
    page = ErasePage(
        contact,
        list_id,
        form.get("reason", ""),
        form.get("evidence", ""),
        str(error) if error else "",
        (error.field or "") if error else "",
    )
    return render("campaign/audience_erase.html", page)


def _channels(channels: tuple[str, ...]) -> str:
    return _("、").join(_(CHANNEL_NAMES[one]) for one in channels)


def _back(number: str) -> str:
    known = number.isdecimal() and len(number) < 10
    return url_for(".contacts", list_id=int(number)) if known else url_for(".index")
