"""The form of a piece: its text, the revision it began with, its pictures, also those of a failed try."""

import json
import re
import secrets
from dataclasses import dataclass

from flask import request
from sqlmodel import Session
from werkzeug.datastructures import FileStorage

from content import history, media
from content.desk import facts
from content.drafting import check
from content.faults import Fault
from content.lifecycle import Draft
from content.media import Picture
from core.errors import Invalid
from core.http import service
from core.i18n import gettext as _
from core.settings import Settings
from core.signing import Keys, Signer

_SLOT = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class PieceForm:
    """What was typed and uploaded; `key` is empty for a new piece."""

    key: str
    base: int
    text: str
    pictures: dict[str, Picture]
    faults: tuple[Fault, ...] = ()
    outlet_code: str = ""  # of a new piece: the node it is to belong to
    slot: str = ""  # of a new piece: what tells its unsaved work from others
    follows: int = 0  # which keeping of the unsaved work this form holds; 0: none

    @property
    def kept(self) -> str:
        """The pictures for the next try, signed: nobody may make up where a picture is stored."""
        known = {name: picture.as_json() for name, picture in self.pictures.items()}
        return _signer().sign(json.dumps(known, ensure_ascii=True, separators=(",", ":")))

    def checked(self) -> tuple[Draft | None, list[Fault]]:
        """The draft that it makes, or what is wrong."""
        if self.faults:
            return None, list(self.faults)
        draft, faults = check("", self.text, self.pictures)
        if draft is not None:
            media.write_all(service(Settings).files_dir, draft.drawn)
        if draft is not None and self.key and draft.key != self.key:
            return None, [Fault("", "key", _("这篇内容的 key 是 %(key)s，不能改。", key=self.key))]
        return draft, faults


def from_request(session: Session, key: str) -> PieceForm:
    """Read the form; uploads are checked and stored under their hash, harmless if never used."""
    number = whole("base")
    text = facts.applied(request.form.get("text", "").replace("\r\n", "\n"), request.form.to_dict(flat=False))
    pictures = _known(session, key, number)
    given, faults = uploads(request.files.getlist("pictures"))
    slot = request.form.get("slot", "")
    return PieceForm(
        key, number, text, pictures | given, tuple(faults),
        slot=slot if _SLOT.fullmatch(slot) else "", follows=whole("follows"),
    )  # fmt: skip


def whole(name: str) -> int:
    """A whole number that the form brings; 0 for anything else."""
    text = request.form.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 9 else 0


def new_slot() -> str:
    """What tells the unsaved work on one new piece from that on another."""
    return secrets.token_hex(8)


def kept_pictures() -> dict[str, Picture]:
    """The pictures that the form carries with it, signed."""
    kept = _signer().open(request.form.get("kept", ""))
    return media.from_json(json.loads(kept)) if kept else {}


def _known(session: Session, key: str, number: int) -> dict[str, Picture]:
    """The pictures of the revision that the form began with, and those uploaded in a try before."""
    before = kept_pictures()
    if not key or not number:
        return before
    return media.from_json(history.by_number(session, key, number).media) | before


def uploads(files: list[FileStorage]) -> tuple[dict[str, Picture], list[Fault]]:
    """Uploaded pictures, checked and stored, by the names that the text gives them; and what is wrong with others."""
    found: dict[str, Picture] = {}
    faults = []
    for file in files:
        if not file.filename:
            continue
        base, name = named(file.filename)
        try:
            found[name] = media.store(service(Settings).files_dir, name, file.read())
        except Invalid as error:
            faults.append(Fault(base, "", str(error)))
    return found, faults


def named(filename: str) -> tuple[str, str]:
    """The bare name of an uploaded file, and the name that the text gives it."""
    base = re.split(r"[\\/]", filename)[-1]
    return base, "media/" + re.sub(r"[^A-Za-z0-9._-]+", "-", base).strip("-.").lower()


def _signer() -> Signer:
    return Signer(service(Keys).derive("content/kept-pictures"))
