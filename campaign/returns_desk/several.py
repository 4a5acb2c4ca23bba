"""Several returns verified at once: first what each one says and why some cannot be, then each in its own commit."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from campaign.returns import filing
from campaign.returns.models import SUBMITTED, ActivityReturn, ReturnVersion
from campaign.returns_desk import listing
from campaign.returns_desk.listing import Row
from campaign.returns_desk.routes import blueprint
from core import clock
from core.errors import DomainError, Invalid
from core.http import reading, safe_target, transaction
from core.i18n import gettext as _
from institution import approvals, bulk
from institution.access import requires, signed_in
from institution.bulk import BulkPreview, Line

VERIFY = "verify"


@blueprint.post("/several")
@requires("return.verify")
def several() -> ResponseReturnValue:
    """Show what would be verified, and with `confirm` do it."""
    back = safe_target(request.form.get("back"), url_for(".index"))
    try:
        picked = bulk.picked(request.form.getlist("pick"))
    except Invalid as error:
        flash(str(error), "bad")
        return redirect(back)
    with reading() as session:
        rows = _rows(session, picked)
        lines = [_line(session, value, rows) for value in picked]
    if request.form.get("confirm") != "1":
        return bulk.preview(_preview(lines, back))
    good = [line for line in lines if not line.fault]
    done = sum(_verify(line) for line in good)
    flash(_("已核实 %(count)s 份，稍后计入触达。", count=done), "good" if done else "warn")
    return redirect(back, code=303)


def _preview(lines: list[Line], back: str) -> BulkPreview:
    good = sum(1 for line in lines if not line.fault)
    return BulkPreview(
        title=_("核实 %(count)s 份活动回执", count=good),
        action=url_for(".several"),
        act=VERIFY,
        lines=lines,
        confirm=_("确认，核实这 %(count)s 份", count=good),
        back=back,
        hidden={"back": back},
        note=_("有标记或照片与别处相同的，请先打开看过；不勾选就不会核实。"),
        nav="returns",
    )


def _rows(session: Session, picked: list[str]) -> dict[str, Row]:
    """Return number → its latest version, of those that this person may verify."""
    texts = [_number(value) for value in picked]
    numbers = [int(text) for text in texts if text.isdecimal() and len(text) < 10]
    query = (
        select(ReturnVersion)
        .join(ActivityReturn, col(ActivityReturn.id) == col(ReturnVersion.return_id))
        .where(
            col(ActivityReturn.latest) == col(ReturnVersion.number),
            col(ActivityReturn.id).in_(numbers),
            signed_in().scope("return.verify").condition(ReturnVersion.outlet_code),
        )
    )
    return {str(row.one.return_id): row for row in listing.rows(session, list(session.exec(query)))}


def _number(value: str) -> str:
    """The return of a ticked value: `7` on the list, `7.HASH` where it says what was looked at."""
    return value.partition(".")[0]


def _line(session: Session, value: str, rows: dict[str, Row]) -> Line:
    row = rows.get(_number(value))
    if row is None:
        return Line(value, _number(value), fault=_("没有这份回执，或者它不在您负责的范围内。"))
    one, by = row.one, signed_in().id
    fault = ""
    if one.state != SUBMITTED:
        fault = _("现在是“%(state)s”，不用核实。", state=row.state)
    elif by in (one.saved_by, one.submitted_by):
        fault = _("自己填写或提交的回执要由另一位同事核实。")
    what = _("到场 %(heads)s 人，发放 %(given)s 份", heads=f"{one.heads:,}", given=f"{row.given:,}")
    if row.marks:
        what += _("；请留意：%(marks)s", marks=_("；").join(row.marks))
    asked = filing.asked(session, one)
    if "." not in value and asked is not None:
        value = f"{value}.{asked.subject_hash}"
    return Line(value, filing.title(session, one), what, fault, url_for(".show", number=one.return_id))


def _verify(line: Line) -> bool:
    """Verify one as it was shown; why it could not be is said by name, and the others go on."""
    number, _dot, seen = line.value.partition(".")
    try:
        with transaction() as session:
            asked = filing.asked(session, filing.version(session, filing.get(session, int(number))))
            if asked is None:
                return False
            approvals.decide(
                session, asked.id or 0, decision=approvals.APPROVED, by=signed_in().id, now=clock.now(), seen=seen
            )  # fmt: skip
    except DomainError as error:
        flash(_("%(title)s：%(fault)s", title=line.title, fault=str(error)), "bad")
        return False
    return True
