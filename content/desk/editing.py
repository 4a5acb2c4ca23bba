"""Staff pages that write: the form, its preview, saving, and the way on when two wrote at once."""

from dataclasses import dataclass, replace

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from content import history, lifecycle, reading
from content.desk import conflicts, facts, keeping
from content.desk import form as forms
from content.desk.beginnings import beginning
from content.desk.checked import Checked, of_draft
from content.desk.facts import Facts
from content.desk.form import PieceForm
from content.desk.keeping import Offer
from content.desk.palette import PALETTE, Entry
from content.desk.routes import blueprint, place
from content.faults import Fault
from content.lifecycle import Draft
from content.media import from_json
from content.models import KIND_NAMES, Kind
from content.rooms import file
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
    """The form with what was typed, what is wrong with it (and on which line), and unsaved work to go on with."""

    form: PieceForm
    faults: list[tuple[int, Fault]]
    kinds: dict[str, str]
    places: Choices
    facts: Facts
    offers: list[Offer]
    follows: int
    checked: Checked | None = None

    @property
    def pictures(self) -> list[str]:
        """The names under which the text may refer to pictures."""
        return sorted(self.form.pictures)

    @property
    def is_room(self) -> bool:
        """Whether it is the file of a room, which has neither front matter nor blocks."""
        return file.is_room(self.form.text)

    @property
    def palette(self) -> tuple[Entry, ...]:
        """The blocks to insert."""
        return PALETTE


@blueprint.get("/pieces/new")
@access.requires("content.edit")
def new() -> str:
    """The form of a new piece, with a beginning of its kind."""
    if slot := request.args.get("unsaved", ""):
        with session_for_reading() as session:
            return form_page(keeping.opened(session, "", slot), [])
    chosen = request.args.get("kind", Kind.article.value)
    kind = Kind(chosen) if chosen in list(Kind) else Kind.article
    return form_page(PieceForm("", 0, beginning(kind), {}, slot=forms.new_slot()), [])


@blueprint.get("/pieces/<key>/edit")
@access.requires("content.edit", at=place)
def edit(key: str) -> str:
    """The form with the newest revision, an older one to go back to (`?from=`), or one's unsaved work (`?unsaved=1`)."""
    with session_for_reading() as session:
        form = keeping.opened(session, key) if request.args.get("unsaved") else _saved(session, key)
    draft, faults = form.checked()
    return form_page(form, faults, of_draft(draft) if draft else None)


def _saved(session: Session, key: str) -> PieceForm:
    history.get_piece(session, key)
    newest = history.revisions(session, key)[0]
    shown = history.by_number(session, key, request.args.get("from", newest.number, int))
    return PieceForm(key, newest.number, shown.text, from_json(newest.media | shown.media))


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
    do = request.form.get("do")
    if do in ("merge", "merge-edit"):
        joined = conflicts.joined(form, forms.whole("began"))
        if joined is None:
            return conflicts.page(form, forms.whole("began"), undecided=True), 400
        form = joined
    draft, faults = form.checked()
    if do in ("preview", "preview-elder"):
        return _preview(draft, faults)
    if do in ("facts", "merge-edit"):
        return form_page(form, faults)
    if draft is None:
        return form_page(form, faults), 400
    return form_page(form, [], of_draft(draft)) if do == "check" else save(form, draft)


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
            keeping.settle(session, form)
    except Conflict as error:
        if error.field != "base":
            raise
        if not form.key:
            taken = Fault("", "key", _("“%(key)s”已有内容使用，请换一个 key。", key=draft.key))
            return form_page(form, [taken]), 409
        return conflicts.page(form, form.base), 409
    if revision is None:
        flash(_("内容与最新一版完全相同，没有保存新的版本。"), "warn")
    else:
        flash(_("已保存为第 %(number)s 版。", number=revision.number), "good")
    return redirect(onward or url_for("content_desk.piece", key=draft.key))


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
        page = FormPage(
            form,
            [(facts.line_of(form.text, one), one) for one in faults],
            kinds,
            places.choices(session, scope, chosen=form.outlet_code),
            facts.facts(form.text, faults, new=not form.key),
            keeping.offers(session, form),
            keeping.follows(session, form),
            checked,
        )
    return render("content/desk_form.html", page)
