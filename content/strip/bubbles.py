"""What is said, broken into lines by measured widths and placed so that nothing covers anything.

Bubbles stand one above the other in the order of the people; each keeps clear of the way from the bubbles above it
down to those who speak them.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 400.0
# 25 of 400 are 22 pixels in a column of 358, as wide as a phone of 390 leaves: what elder mode asks of body text.
SIZE = 25.0
_LINE, _PAD_X, _PAD_Y, _GAP, _EDGE, _LANE = 33.0, 17.0, 11.0, 9.0, 10.0, 20.0
_WIDEST = 340.0
_NOT_FIRST = frozenset("，。！？；：、）》〉”’」』】…—·%％,.!?;:)")
_NOT_LAST = frozenset("（《〈“‘「『【(")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]*|\s+|.", re.DOTALL)
# Widths in em of what is not Chinese, as the sans-serif faces of phones have them, rather too wide than too narrow.
_NARROW, _BROAD = frozenset("iljtfrI.,:;'!|()[] "), frozenset("mwMW@%&")


@dataclass(frozen=True)
class Speech:
    """Something that is to be said: by whom it stands, and from how far down its head begins."""

    text: str
    x: float
    head: float
    bad: bool = False


@dataclass(frozen=True)
class Bubble:
    """A placed bubble, measured from the top of the panel."""

    speech: Speech
    lines: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float


def width_of(text: str) -> float:
    """How wide a text is, in em."""
    return sum(_em(char) for char in text)


def break_lines(text: str, most: float) -> tuple[str, ...]:
    """Lines no wider than `most` em, as few as possible and about equally long; punctuation stays where it belongs."""
    tokens = _glued(text)
    fewest = _filled(tokens, most)
    low, high = max([width_of(token) for token in tokens], default=0.0), most
    while high - low > 0.25:
        middle = (low + high) / 2
        low, high = (low, middle) if len(_filled(tokens, middle)) == len(fewest) else (middle, high)
    return tuple(_filled(tokens, high))


def lay_out(speeches: Sequence[Speech]) -> tuple[tuple[Bubble, ...], float]:
    """The bubbles from the top down, and how high they are together."""
    placed: list[Bubble] = []
    y = _EDGE
    for at, speech in enumerate(speeches):
        low, high = _free(speech, speeches[:at])
        most = min(high - low, _WIDEST) - 2 * _PAD_X
        lines = break_lines(speech.text, most / SIZE)
        width = max(width_of(line) for line in lines) * SIZE + 2 * _PAD_X
        x = min(max(speech.x - width / 2, low), high - width)
        height = len(lines) * _LINE + 2 * _PAD_Y
        placed.append(Bubble(speech, lines, x, y, width, height))
        y += height + _GAP
    return tuple(placed), y


def _free(speech: Speech, above: Sequence[Speech]) -> tuple[float, float]:
    low, high = _EDGE, WIDTH - _EDGE
    for other in above:
        if other.x < speech.x:
            low = max(low, other.x + _LANE)
        elif other.x > speech.x:
            high = min(high, other.x - _LANE)
    return low, high


def _em(char: str) -> float:
    if unicodedata.east_asian_width(char) in "WFA":
        return 1.0
    if char in _NARROW:
        return 0.34
    return 0.95 if char in _BROAD else 0.62


def _glued(text: str) -> list[str]:
    """What must not be torn apart: numbers and words, a mark with what it belongs to."""
    tokens: list[str] = []
    for token in _TOKEN.findall(" ".join(text.split())):
        if tokens and (token[0] in _NOT_FIRST or tokens[-1][-1] in _NOT_LAST):
            tokens[-1] += token
        else:
            tokens.append(token)
    return tokens


def _filled(tokens: list[str], most: float) -> list[str]:
    lines = [""]
    for token in tokens:
        if lines[-1] and width_of((lines[-1] + token).rstrip()) > most:
            lines.append("")
        lines[-1] += token if lines[-1] else token.lstrip()
    return [line.rstrip() for line in lines if line.strip()]
