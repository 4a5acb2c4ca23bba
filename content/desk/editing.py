"""Staff pages that write: the form, its preview, saving, and what happens when two write at once."""

from dataclasses import dataclass, replace

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from content import comparison, history, lifecycle, reading
from content.comparison import Comparison
from content.desk import form as forms
from content.desk.beginnings import beginning
from content.desk.checked import Checked, of_draft
from content.desk.form import PieceForm
from content.desk.routes import blueprint, place
from content.faults import Fault
from content.lifecycle import Draft
from content.media import from_json
from content.models import KIND_NAMES, Kind
from core import clock
from core.errors import Conflict, DomainError
from core.http import reading as session_for_reading
from core.http import render, service, transaction
from core.i18n import gettext as _
from core.settings import Settings
from institution import access, places
from institution.places import Choices


@dataclass(frozen=True)
class FormPage:
    """The form with what was typed and what is wrong with it."""

    form: PieceForm
    faults: list[Fault]
    kinds: dict[str, str]
    places: Choices
    checked: Checked | None = None

    @property
    def pictures(self) -> list[str]:
        """The names under which the text may refer to pictures."""
        return sorted(self.form.pictures)


@dataclass(frozen=True)
class ConflictPage:
    """Somebody else saved meanwhile: their text against mine."""

    form: PieceForm
    newest: int
    changes: Comparison


@blueprint.get("/pieces/new")
@access.requires("content.edit")
def new() -> str:
    """The form of a new piece, with a beginning of its kind."""
    chosen = request.args.get("kind", Kind.article.value)
    kind = Kind(chosen) if chosen in list(Kind) else Kind.article
    return form_page(PieceForm("", 0, beginning(kind), {}), [])


@blueprint.get("/pieces/<key>/edit")
@access.requires("content.edit", at=place)
def edit(key: str) -> str:
    """The form with the newest revision, or an older one to go back to (`?from=`)."""
    with session_for_reading() as session:
        history.get_piece(session, key)
        newest = history.revisions(session, key)[0]
        shown = history.by_number(session, key, request.args.get("from", newest.number, int))
    form = PieceForm(key, newest.number, shown.text, from_json(newest.media | shown.media))
    draft, _faults = form.checked()
    return form_page(form, [], of_draft(draft) if draft else None)


@blueprint.post("/pieces/new")
@access.requires("content.edit")
def create() -> ResponseReturnValue:
    """Save or preview a new piece."""
    return _handle("")


@blueprint.post("/pieces/<key>/edit")
@access.requires("content.edit", at=place)
def change(key: str) -> ResponseReturnValue:
    """Save or preview a change."""
    return _handle(key)


def _handle(key: str) -> ResponseReturnValue:
    with session_for_reading() as session:
        form = forms.from_request(session, key)
    if not key:
        form = placed(form)
    draft, faults = form.checked()
    if request.form.get("do") in ("preview", "preview-elder"):
        return _preview(draft, faults)
    if draft is None:
        return form_page(form, faults), 400
    if request.form.get("do") == "check":
        return form_page(form, [], of_draft(draft))
    return save(form, draft)


def placed(form: PieceForm) -> PieceForm:
    """The form of a new piece with the node it is to belong to, where the person may write."""
    try:
        with session_for_reading() as session:
            code = places.typed(session, request.form)
            access.signed_in().check(session, "content.edit", code)
    except DomainError as error:
        typed = request.form.get("outlet_code", "")
        return replace(form, outlet_code=typed, faults=(*form.faults, Fault("", _("归属"), str(error))))
    return replace(form, outlet_code=code)


def save(form: PieceForm, draft: Draft, onward: str = "") -> ResponseReturnValue:
    """Keep a draft as a new revision and go `onward` (else to the piece); who saved before is shown against it."""
    now, by = clock.now(), access.signed_in().id
    try:
        with transaction() as session:
            revision = lifecycle.save(
                session, draft, by=by, now=now, base=form.base, outlet_code=form.outlet_code
            )
    except Conflict as error:
        if error.field != "base":
            raise
        if not form.key:
            taken = Fault("", "key", _("“%(key)s”已有内容使用，请换一个 key。", key=draft.key))
            return form_page(form, [taken]), 409
        return _conflict(form, draft), 409
    if revision is None:
        flash(_("内容与最新一版完全相同，没有保存新的版本。"), "warn")
    else:
        flash(_("已保存为第 %(number)s 版。", number=revision.number), "good")
    return redirect(onward or url_for("content_desk.piece", key=draft.key))


def _conflict(form: PieceForm, draft: Draft) -> str:
    with session_for_reading() as session:
        newest = history.revisions(session, draft.key)[0]
    changes = comparison.compare(newest.text, form.text, newest.media, draft.media)
    pictures = from_json(newest.media) | form.pictures
    kept = replace(form, key=draft.key, base=newest.number, pictures=pictures)
    return render("content/desk_conflict.html", ConflictPage(kept, newest.number, changes))


def _preview(draft: Draft | None, faults: list[Fault]) -> ResponseReturnValue:
    g.elder = request.form.get("do") == "preview-elder"
    if draft is None:
        return render("content/desk_preview_faults.html", faults)
    page = reading.page_of(draft.text, draft.meta, draft.media, hotline=service(Settings).hotline)
    return render(page.template, replace(page, preview=True))


def form_page(form: PieceForm, faults: list[Fault], checked: Checked | None = None) -> str:
    """The form of a text with what is wrong with it, and what the check found in it."""
    kinds = {kind.value: name for kind, name in KIND_NAMES.items()}
    with session_for_reading() as session:
        scope = access.signed_in().scope("content.edit")
        choices = places.choices(session, scope, chosen=form.outlet_code)
    return render("content/desk_form.html", FormPage(form, faults, kinds, choices, checked))
