"""The form of a piece: its text, the revision it began with, its pictures, also those of a failed try."""

import json
import re
from dataclasses import dataclass

from flask import request
from sqlmodel import Session
from werkzeug.datastructures import FileStorage

from content import history, media
from content.drafting import check
from content.faults import Fault
from content.lifecycle import Draft
from content.media import Picture
from core.errors import Invalid
from core.http import service
from core.i18n import gettext as _
from core.settings import Settings
from core.signing import Keys, Signer


@dataclass(frozen=True)
class PieceForm:
    """What was typed and uploaded; `key` is empty for a new piece."""

    key: str
    base: int
    text: str
    pictures: dict[str, Picture]
    faults: tuple[Fault, ...] = ()
    outlet_code: str = ""  # of a new piece: the node it is to belong to

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
    base = request.form.get("base", "0")
    number = int(base) if base.isdigit() and len(base) < 9 else 0
    text = request.form.get("text", "").replace("\r\n", "\n")
    pictures = _known(session, key, number)
    given, faults = uploads(request.files.getlist("pictures"))
    return PieceForm(key, number, text, pictures | given, tuple(faults))


def _known(session: Session, key: str, number: int) -> dict[str, Picture]:
    """The pictures of the revision that the form began with, and those uploaded in a try before."""
    kept = _signer().open(request.form.get("kept", ""))
    before = media.from_json(json.loads(kept)) if kept else {}
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
        base = re.split(r"[\\/]", file.filename)[-1]
        name = "media/" + re.sub(r"[^A-Za-z0-9._-]+", "-", base).strip("-.").lower()
        try:
            found[name] = media.store(service(Settings).files_dir, name, file.read())
        except Invalid as error:
            faults.append(Fault(base, "", str(error)))
    return found, faults


def _signer() -> Signer:
    return Signer(service(Keys).derive("content/kept-pictures"))
