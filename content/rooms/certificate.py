"""The certificate of a play: what it says, and the picture to keep and pass on, drawn as SVG and made a PNG."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

import vl_convert
from babel.dates import format_date

from content.drawn import HEI
from content.escape_room.view import lesson
from content.rooms.games import Ready
from content.rooms.result import Result
from content.rooms.scene import minutes
from core.i18n import gettext as _
from tracking import links

Seen = dict[str, Any]
_WIDTH, _HEIGHT, _SCALE = 750, 1200, 1.6
_PAPER, _GREEN, _SUN, _INK, _SOFT, _GREY = "#fbf8f2", "#0d594c", "#f6b73c", "#1e2a2d", "#dcece6", "#4c595f"
_HALF = 0x2E7F  # what lies below takes about half the width of a Chinese letter
_OPEN = re.compile(r"<svg [^>]*viewBox=\"([^\"]+)\"[^>]*>")
_MARKDOWN = re.compile(r"[*_`#>]+")
_FACTS = 3


@dataclass(frozen=True)
class Certificate:
    """A verified result in the words of its room. `facts` as the view tells them; `address` verifies it."""

    room: str
    key: str
    theme: str
    ending: str
    tone: str
    points: int
    day: str
    time: str
    nickname: str
    facts: tuple[Seen, ...]
    words: Any
    address: str
    house: str
    qr: str

    @property
    def path(self) -> str:
        """The address below the site's own."""
        return "/play/" + self.address.partition("/play/")[2]


def of(ready: Ready, result: Result, lang: str, *, address: str, house: str) -> Certificate:
    """The certificate of a result, in a language."""
    room = ready.game.room
    ending = room.endings[ready.game.endings[result.ending - 1]]
    facts = [fact for at, fact in enumerate(room.facts.values()) if result.facts >> at & 1]
    return Certificate(
        room=room.title.of(lang),
        key=ready.key,
        theme=str(room.theme),
        ending=ending.title.of(lang),
        tone=ending.tone,
        points=result.points,
        day=format_date(result.day, "long", locale=lang),
        time="" if result.seconds is None else minutes(result.seconds),
        nickname=result.nickname,
        facts=tuple(lesson(fact, lang) for fact in facts),
        words=ready.words,
        address=address,
        house=house,
        qr=links.qr_svg(address),
    )


def png(one: Certificate) -> bytes:
    """The picture; the same certificate is drawn once."""
    return _drawn(svg(one))


@lru_cache(64)
def _drawn(drawing: str) -> bytes:
    return bytes(vl_convert.svg_to_png(drawing, scale=_SCALE))


def svg(one: Certificate) -> str:
    """The drawing, upright, for a phone's screen."""
    parts = [
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="{_PAPER}"/>',
        f'<path d="M0 0h{_WIDTH}v330q-375 70-{_WIDTH} 0z" fill="{_GREEN}"/>',
        f'<circle cx="640" cy="96" r="46" fill="{_SUN}"/><circle cx="640" cy="96" r="68" fill="{_SUN}" opacity=".25"/>',
        _text(56, 92, _("密室探索 · 证书"), 28, "#ffffff", weight=500),
        *_lines(56, 162, one.room, _Type(52, 560, "#ffffff")),
        *_person(one),
        *_learned(one),
        *_foot(one),
    ]
    view = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {view} font-family="{HEI}">{"".join(parts)}</svg>'


def _person(one: Certificate) -> Iterator[str]:
    who = one.nickname or _("一位玩家")
    yield _text(56, 428, who, 40, _INK, weight=700)
    yield from _lines(56, 484, one.ending, _Type(34, 440, _GREEN))
    yield f'<rect x="520" y="372" width="174" height="156" rx="24" fill="{_SOFT}"/>'
    yield _text(607, 456, str(one.points), 64, _GREEN, weight=800, anchor="middle")
    yield _text(607, 502, _("分"), 26, _GREY, anchor="middle")


def _learned(one: Certificate) -> Iterator[str]:
    if one.facts:
        yield _text(56, 606, _("学会了"), 30, _INK, weight=700)
    y = 656
    for fact in one.facts[:_FACTS]:
        yield f'<circle cx="66" cy="{y - 9}" r="8" fill="{_SUN}"/>'
        drawn = list(_lines(90, y, _MARKDOWN.sub("", fact["text"]), _Type(26, 600, _INK, 400)))
        yield from drawn
        y += 38 * len(drawn) + 18
    if len(one.facts) > _FACTS:
        yield _text(90, y, _("……一共 %(count)s 件", count=len(one.facts)), 24, _GREY)


def _foot(one: Certificate) -> Iterator[str]:
    found = _OPEN.match(one.qr)
    inner, box = one.qr[found.end() :] if found else "", found[1] if found else "0 0 1 1"
    yield f'<svg x="484" y="930" width="220" height="220" viewBox="{box}">{inner}'
    yield _text(56, 1000, one.day + (f" · {one.time}" if one.time else ""), 26, _GREY)
    yield from _lines(56, 1046, one.house, _Type(28, 400, _INK))
    yield _text(56, 1130, _("扫码看真假，也来玩一局"), 26, _GREEN, weight=700)


def _text(
    x: int, y: int, words: str, size: int, colour: str, *, weight: int = 400, anchor: str = "start"
) -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )


@dataclass(frozen=True, slots=True)
class _Type:
    """How lines are set: height and longest width in units of the drawing, colour, weight, how many at most."""

    size: int
    room: int
    colour: str
    weight: int = 700
    most: int = 2


def _lines(x: int, y: int, words: str, of: _Type) -> Iterator[str]:
    """Words in as many lines as they need; what does not fit ends in an ellipsis."""
    for at, line in enumerate(_wrapped(words, of.size, of.room, of.most)):
        yield _text(x, y + at * round(of.size * 1.4), line, of.size, of.colour, weight=of.weight)


def _wrapped(words: str, size: int, room: int, most: int) -> Sequence[str]:
    lines, width = [""], 0.0
    for word in re.findall(r"[\x21-\u2e7e]+\s*|.", words):
        long = sum(size * (0.56 if ord(sign) < _HALF else 1.0) for sign in word)
        if width + long > room and lines[-1]:
            lines.append("")
            width = 0.0
        lines[-1] += word
        width += long
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1].rstrip()[:-1] + "…"]
    return [line.strip() for line in lines]
