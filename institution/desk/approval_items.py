"""One request: what is asked, how it looks, its steps; decide, withdraw, ask a guest."""

from dataclasses import dataclass
from datetime import datetime

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import DomainError, NotAllowed, NotFound
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark, using_locale
from core.privacy import Vault
from core.settings import Settings
from institution import access, approval_guests, approval_kinds, approvals, deciders, letters
from institution.approval_guests import Invitation
from institution.approval_models import Approval, GuestReview
from institution.desk.approval_bulk import second_factor
from institution.desk.approval_page import Typed, item_page
from institution.desk.approval_routes import approvals_blueprint as blueprint
from institution.desk.approval_routes import place


@dataclass(frozen=True, slots=True)
class LinkPage:
    """The link of a guest, shown this once."""

    number: int
    title: str
    name: str
    link: str
    until: datetime


@blueprint.get("/<int:number>")
@access.requires("desk.view", at=place, above=True)
def item(number: int) -> ResponseReturnValue:
    """One request."""
    with reading() as session:
        return render("institution/approval.html", item_page(session, number))


@blueprint.get("/<int:number>/preview")
@access.requires("desk.view", at=place, above=True)
def preview(number: int) -> ResponseReturnValue:
    """The thing itself, as a document for the frame."""
    with reading() as session:
        approval = approvals.get(session, number)
        document = approval_kinds.of(approval.kind).preview(session, approval)
    if document is None:
        raise NotFound(mark("这份申请没有可预览的内容。"))
    return document


@blueprint.post("/<int:number>/decide")
@access.requires("desk.view", at=place, above=True)
def decide(number: int) -> ResponseReturnValue:
    """Decide the current step; whether this person may is asked by the verb, of the step itself."""
    form, me = request.form, access.signed_in().id
    decision, opinion = form.get("decision", ""), form.get("opinion", "")
    try:
        with transaction() as session:
            second_factor(session, number)
            approval = approvals.decide(
                session,
                number,
                decision=decision,
                by=me,
                now=clock.now(),
                opinion=opinion,
                seen=form.get("seen", ""),
                said=form,
            )
            closed = approval.decision is not None
    except DomainError as error:
        typed = Typed(decision, opinion, said=form, form="decide", field=error.field, fault=str(error))
        return _again(number, typed), 400
    words = {
        approvals.APPROVED: _("已通过，申请办结。") if closed else _("已通过这一步，转到下一步。"),
        approvals.CHANGES: _("已退回修改，并附上您的意见。"),
        approvals.REJECTED: _("已否决，并附上您的意见。"),
    }
    flash(words[decision], "good")
    return redirect(url_for("approvals.queue"))


@blueprint.post("/<int:number>/withdraw")
@access.requires("desk.view", at=place, above=True)
def withdraw(number: int) -> ResponseReturnValue:
    """The requester takes it back, together with the state of the thing."""
    me, now = access.signed_in().id, clock.now()
    try:
        with transaction() as session:
            approval = approvals.get(session, number)
            if approval.requested_by != me:
                raise NotAllowed(mark("只有提交人可以撤回这份申请。"))
            take_back = approval_kinds.of(approval.kind).take_back
            if take_back and approval.decision is None:
                take_back(session, approval, me, now)
            else:
                approvals.withdraw(session, number, by=me, now=now)
    except DomainError as error:
        flash(str(error), "bad")
        return redirect(url_for("approvals.item", number=number))
    flash(_("已撤回申请。"), "good")
    return redirect(url_for("approvals.queue", box="mine"))


@blueprint.post("/<int:number>/guests")
@access.requires("desk.view", at=place, above=True)
def invite(number: int) -> ResponseReturnValue:
    """Ask somebody without account: mail the link where that can be done, else show it once."""
    invitation = _invitation()
    try:
        with transaction() as session:
            second_factor(session, number)
            made, token = approval_guests.invite(
                session, number, invitation, vault=service(Vault), by=access.signed_in().id, now=clock.now()
            )
            approval = approvals.get(session, number)
            link = f"{service(Settings).public_url.rstrip('/')}{url_for('review.item', token=token)}"
            mailed = _mailed(session, approval, made, invitation.email, link)
    except DomainError as error:
        typed = Typed(invitation=invitation, form="guest", field=error.field, fault=str(error))
        return _again(number, typed), 400
    if mailed:
        flash(_("邀请已发到对方邮箱。"), "good")
        return redirect(url_for("approvals.item", number=number))
    page = LinkPage(number, approval.title, made.name, link, made.expires_at)
    return render("institution/approval_link.html", page)


def _invitation() -> Invitation:
    form, days = request.form, request.form.get("days", "")
    number = int(days) if days.isdigit() and len(days) < 4 else 0
    return Invitation(form.get("name", ""), form.get("email", ""), form.get("note", ""), number)


def _mailed(session: Session, approval: Approval, made: GuestReview, to: str, link: str) -> bool:
    """Put the link into the outbox, where there is an address and a mail server."""
    settings = service(Settings)
    if not made.email_sealed or not letters.possible(settings):
        return False
    with using_locale(settings.locale):
        subject, text = _letter(approval, made, link, access.signed_in().staff.name)
    letters.post(session, vault=service(Vault), to=to, subject=subject, text=text, now=made.created_at)
    return True


@blueprint.post("/<int:number>/guests/<int:guest>/revoke")
@access.requires("desk.view", at=place, above=True)
def revoke(number: int, guest: int) -> ResponseReturnValue:
    """Make a guest's link worthless: whoever invited them, or who may decide."""
    me, now = access.signed_in().id, clock.now()
    try:
        with transaction() as session:
            approval = approvals.get(session, number)
            invited = any(
                one.id == guest and one.invited_by == me for one, _s in approval_guests.of(session, approval)
            )
            if not invited:
                deciders.hand_of(session, approval, approvals.open_step(session, approval), me, now)
            approval_guests.revoke(session, number, guest, now=now)
        flash(_("链接已撤销，对方不能再打开。"), "good")
    except DomainError as error:
        flash(str(error), "bad")
    return redirect(url_for("approvals.item", number=number))


def _again(number: int, typed: Typed) -> str:
    with reading() as session:
        return render("institution/approval.html", item_page(session, number, typed))


def _letter(approval: Approval, made: GuestReview, link: str, by: str) -> tuple[str, str]:
    """What a guest reads in their mail."""
    settings = service(Settings)
    subject = _("请您审阅：%(title)s") % {"title": " ".join(approval.title.split())}
    text = _(
        "%(name)s，您好：\n\n%(by)s请您审阅“%(title)s”。\n%(note)s\n请打开这个只属于您的链接，看完后写下意见（只能提交一次，%(until)s 前有效）：\n"
        "%(link)s\n\n请不要把链接转给别人。\n\n%(institution)s"
    )
    return subject, text % {
        "name": made.name,
        "by": by,
        "title": approval.title,
        "note": f"\n{made.note}\n" if made.note else "",
        "until": made.expires_at.astimezone(settings.zone).strftime("%Y-%m-%d %H:%M"),
        "link": link,
        "institution": settings.institution_name,
    }
