"""A revision drawn by Chromium: pixels and the places of panels, codes and names; nothing here is kept."""

import io
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from PIL import Image

from content.poster import document
from content.poster.document import SCALE, SQUARE, WIDE, WIDTH
from content.poster.stream import Packer, Upper
from core.errors import Conflict
from core.i18n import mark
from tracking.printing import Printer

# Chromium draws no picture taller than 16,384 pixels, whatever is asked (skia's and the GPU's limit).
TILE = 2000  # CSS pixels, 6,000 rows
TALLEST = 40_000  # CSS pixels: 120,000 rows, 390 MB unpacked
_BOXES = """(() => {
  const box = one => { const r = one.getBoundingClientRect(); return [r.left, r.top + scrollY, r.width, r.height] }
  const all = (where, of = document) => [...of.querySelectorAll(where)]
  const parts = Object.fromEntries(all('[data-part]').map(one => [one.dataset.part, box(one)]))
  const stamps = Object.fromEntries(all('.stamp').map(one => {
    const part = one.closest('[data-part]'), code = one.querySelector('.code'), names = one.querySelector('.names')
    return [part.dataset.part, {code: box(code), names: box(names), ink: getComputedStyle(names).color}]
  }))
  const panels = all('.sheet > *').map(one => [box(one), [...one.children].map(box)])
  return {height: document.documentElement.scrollHeight, parts, stamps, panels}
})()"""
# A heading of three lines is set smaller, rather than cut or run into the code.
_SHRINK = """for (const words of document.querySelectorAll('.words')) {
  const heading = words.querySelector('h1')
  let size = parseFloat(getComputedStyle(heading).fontSize)
  while (words.scrollHeight > words.clientHeight && size > 18) heading.style.fontSize = --size + 'px'
}"""
# The largest type with which everything fits on the sheet, in two columns or in three.
_FIT = """(tallest => {
  const root = document.documentElement, best = {size: 0, columns: 2}
  for (const columns of [2, 3]) {
    root.style.setProperty('--columns', columns)
    const fits = size => {
      root.style.fontSize = size + 'px'
      return document.body.scrollHeight <= tallest && root.scrollWidth <= innerWidth
    }
    let low = 5, high = 26
    while (high - low > .1) { const middle = (low + high) / 2; if (fits(middle)) low = middle; else high = middle }
    if (low > best.size) Object.assign(best, {size: low, columns})
  }
  return best
})"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stamp goes in a picture: left, top, width, height of the code and of the names, and the ink."""

    code: tuple[int, int, int, int]
    names: tuple[int, int, int, int]
    ink: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Setting:
    """How a poster is set: the root's type in CSS pixels, and the columns."""

    size: float
    columns: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """The whole picture, of which `height` rows are the sheet; these compressed; the strip, the label of slices (None: no machine made any of it), where to cut."""

    picture: Image.Image
    height: int
    upper: Upper
    strip: Image.Image
    bar: Image.Image | None
    place: Place
    between_panels: list[int]
    between_blocks: list[int]


def sheet(printer: Printer, html: str) -> Drawn:
    """The tall sheet at 1080 pixels. Conflict when it is taller than anybody could open."""
    printer.show(html, WIDTH, 800, scale=SCALE)
    boxes = printer.look(_BOXES)
    height = math.ceil(boxes["height"])
    if height > TALLEST:
        raise Conflict(mark("这张长图太长，无法做成图片；请分成两篇。"))
    end = round(boxes["parts"]["strip"][1] * SCALE)
    picture, upper = _taken(printer, height, end)
    parts = boxes["parts"]
    return Drawn(
        picture,
        end,
        upper,
        _part(picture, parts["strip"], SCALE),
        _part(picture, parts["bar"], SCALE) if "bar" in parts else None,
        _place(boxes["stamps"]["strip"], parts["strip"], SCALE),
        *_between(boxes["panels"]),
    )


def _taken(printer: Printer, height: int, end: int) -> tuple[Image.Image, Upper]:
    """The pixels of the document, and its rows above `end` compressed; while one tile is worked on Chromium draws the next."""
    picture, packer = Image.new("RGB", (WIDTH * SCALE, height * SCALE)), Packer()

    def put(data: bytes, top: int) -> None:
        with Image.open(io.BytesIO(data)) as taken:
            tile = taken.convert("RGB") if taken.mode != "RGB" else taken
            picture.paste(tile, (0, top))
            if top < end:
                packer.add(tile.crop((0, 0, tile.width, end - top)) if top + tile.height > end else tile)

    with ThreadPoolExecutor(1) as beside:
        worked = [
            beside.submit(put, printer.shot(top, min(TILE, height - top), WIDTH), top * SCALE)
            for top in range(0, height, TILE)
        ]
    for one in worked:
        one.result()
    return picture, packer.done()


def covers(printer: Printer, html: str) -> dict[str, tuple[Image.Image, Place]]:
    """The cover cards by name, each with the place of its stamp."""
    width, height = SQUARE[0], WIDE[1] + SQUARE[1]
    printer.show(html, width, height)
    printer.look(_SHRINK)
    boxes = printer.look(_BOXES)
    with Image.open(io.BytesIO(printer.shot(0, height, width))) as taken:
        picture = taken.convert("RGB")
    return {
        name: (
            _part(picture, boxes["parts"][name], 1),
            _place(boxes["stamps"][name], boxes["parts"][name], 1),
        )
        for name in ("wide", "square")
    }


def fit(printer: Printer, html: str) -> Setting:
    """How the poster is set so that it fills one sheet."""
    printer.show(html, *document.A3, media="print")
    found = printer.look(f"{_FIT}({document.A3[1]})")
    return Setting(float(found["size"]), int(found["columns"]))


def _part(picture: Image.Image, box: list[float], scale: int) -> Image.Image:
    left, top, wide, tall = (round(side * scale) for side in box)
    return picture.crop((left, top, min(picture.width, left + wide), min(picture.height, top + tall)))


def _place(found: dict[str, Any], part: list[float], scale: int) -> Place:
    def within(box: list[float]) -> tuple[int, int, int, int]:
        left, top, wide, tall = box
        return (
            round((left - part[0]) * scale), round((top - part[1]) * scale), round(wide * scale), round(tall * scale)
        )  # fmt: skip

    red, green, blue = (int(part) for part in found["ink"].strip("rgb()").split(",")[:3])
    return Place(within(found["code"]), within(found["names"]), (red, green, blue))


def _between(panels: list[Any]) -> tuple[list[int], list[int]]:
    """The rows between panels, and the middle of the gaps between the blocks of each."""
    outer = [round((box[1] + box[3]) * SCALE) for box, _inside in panels]
    inner = []
    for _box, inside in panels:
        for (_l, top, _w, tall), (_l2, following, _w2, _t2) in pairwise(inside):
            if following >= top + tall:
                inner.append(round((top + tall + following) / 2 * SCALE))
    return outer, inner
