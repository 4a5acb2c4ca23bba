"""What is kept of a drawn long graphic: a folder named by everything that its pixels depend on; whole or not there."""

import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from content.machine_made.label import Label
from content.machine_made.pictures import png_chunks
from content.poster import cutting, stamping, stream
from content.poster.drawing import Drawn, Place, Setting
from content.poster.stamping import Stamp
from content.poster.stream import Upper

COVERS = ("wide", "square")
_FACTS = "facts.json"
_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Kept:
    """Drawn pictures of one revision, waiting for a stamp. `setting`: how the poster is set."""

    folder: Path
    width: int
    height: int
    slices: int
    setting: Setting
    label: Label | None
    uppers: Mapping[str, tuple[int, int, int]]
    places: Mapping[str, Place]

    def tall(self, stamp: Stamp) -> bytes:
        """The whole sheet as one PNG, 1080 pixels wide."""
        return self.stamper().tall(stamp)

    def cut(self, stamp: Stamp) -> list[bytes]:
        """The sheet as slices, PNG; the last carries the stamp."""
        upper = self._upper("last")
        last = stream.finish(upper, self._stamped("strip", stamp), self._more())
        return [
            *((self.folder / f"slice-{place:02}.png").read_bytes() for place in range(self.slices - 1)),
            last,
        ]

    def cover(self, name: str, stamp: Stamp) -> bytes:
        """A cover card as PNG: `wide` (900 × 383) or `square` (1080 × 1080)."""
        return stream.whole(self._stamped(name, stamp), self._more())

    def stamper(self) -> "Stamper":
        """What stamps many: the files are read once."""
        return Stamper(self._upper("sheet"), self._picture("strip"), self.places["strip"], self._more())

    def _upper(self, name: str) -> Upper:
        return Upper((self.folder / f"{name}.idat").read_bytes(), *self.uppers[name])

    def _picture(self, name: str) -> Image.Image:
        with Image.open(self.folder / f"{name}.png") as found:
            return found.convert("RGB")

    def _stamped(self, name: str, stamp: Stamp) -> Image.Image:
        return stamping.stamped(self._picture(name), self.places[name], stamp)

    def _more(self) -> bytes:
        return png_chunks(self.label) if self.label else b""


@dataclass(frozen=True, slots=True)
class Stamper:
    """Stamps one sheet for as many as want it."""

    upper: Upper
    strip: Image.Image
    place: Place
    more: bytes

    def tall(self, stamp: Stamp) -> bytes:
        """The whole sheet as one PNG."""
        return stream.finish(self.upper, stamping.stamped(self.strip, self.place, stamp), self.more)


class Writer:
    """A folder in the making; nobody sees it before `done`."""

    def __init__(self, root: Path, digest: str, label: Label | None) -> None:
        self._target = root / digest
        self._folder = root / f".{digest}.{secrets.token_hex(4)}"
        self._folder.mkdir(parents=True)
        self._label = label
        self._facts: dict[str, Any] = {"label": asdict(label) if label else None, "uppers": {}, "places": {}}

    def sheet(self, drawn: Drawn) -> None:
        """The tall sheet and its strip."""
        self._upper("sheet", drawn.upper)
        drawn.strip.save(self._folder / "strip.png")
        self._facts["places"]["strip"] = asdict(drawn.place)
        self._facts |= {"width": drawn.picture.width, "height": drawn.height + drawn.strip.height}

    def slices(self, drawn: Drawn) -> None:
        """The sheet cut up; with the label on each where a machine made something (the first has it anyway)."""
        ends = cutting.cuts(drawn.height, drawn.between_panels, drawn.between_blocks)
        starts = [0, *ends[:-1]]
        more = png_chunks(self._label) if self._label else b""
        for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
            piece = drawn.picture.crop((0, start, drawn.picture.width, end))
            if drawn.bar is not None and place:
                piece = _under(drawn.bar, piece)
            if place < len(ends) - 1:
                (self._folder / f"slice-{place:02}.png").write_bytes(stream.whole(piece, more))
            else:
                self._upper("last", stream.begin(piece))
        self._facts["slices"] = len(ends)

    def covers(self, drawn: Mapping[str, tuple[Image.Image, Place]]) -> None:
        """The cover cards."""
        for name, (picture, place) in drawn.items():
            picture.save(self._folder / f"{name}.png")
            self._facts["places"][name] = asdict(place)

    def done(self, setting: Setting) -> None:
        """Let everybody see it."""
        self._facts["setting"] = asdict(setting)
        (self._folder / _FACTS).write_text(json.dumps(self._facts), "utf-8")
        try:
            self._folder.rename(self._target)
        except OSError:  # another process made the same meanwhile
            self.gone()
            if not self._target.is_dir():
                raise

    def gone(self) -> None:
        """Give it up."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _upper(self, name: str, upper: Upper) -> None:
        (self._folder / f"{name}.idat").write_bytes(upper.idat)
        self._facts["uppers"][name] = (upper.checksum, upper.width, upper.height)


def load(root: Path, digest: str) -> Kept | None:
    """What is kept under this name, None where nothing is."""
    folder = root / digest
    try:
        facts = json.loads((folder / _FACTS).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return Kept(
        folder=folder,
        width=facts["width"],
        height=facts["height"],
        slices=facts["slices"],
        setting=Setting(**facts["setting"]),
        label=Label(**facts["label"]) if facts["label"] else None,
        uppers={name: (one[0], one[1], one[2]) for name, one in facts["uppers"].items()},
        places={name: _place(one) for name, one in facts["places"].items()},
    )


def touch(root: Path, digest: str) -> bool:
    """Note that somebody wants it, for what nobody wants is cleared; whether it is there at all."""
    try:
        os.utime(root / digest / _FACTS)
    except FileNotFoundError:
        return False
    return True


def tidy(root: Path, days: int) -> int:
    """Take away what nobody wanted for so many days, and what was left half made; returns how many folders went."""
    now, gone = time.time(), 0
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        facts = folder / _FACTS
        aged = now - (facts if facts.is_file() else folder).stat().st_mtime
        if folder.name != "wanted" and aged > (days * _DAY if facts.is_file() else _DAY):
            shutil.rmtree(folder, ignore_errors=True)
            gone += 1
    return gone


def _under(bar: Image.Image, piece: Image.Image) -> Image.Image:
    made = Image.new("RGB", (piece.width, bar.height + piece.height))
    made.paste(bar, (0, 0))
    made.paste(piece, (0, bar.height))
    return made


def _place(one: Mapping[str, Sequence[int]]) -> Place:
    code, names, ink = one["code"], one["names"], one["ink"]
    return Place(
        (code[0], code[1], code[2], code[3]),
        (names[0], names[1], names[2], names[3]),
        (ink[0], ink[1], ink[2]),
    )
