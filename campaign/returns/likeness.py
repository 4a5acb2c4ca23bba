"""What a photo looks like, in numbers that cropping, resizing, light, recompression and a watermark hardly change.

Of each photo the strongest blobs of all sizes (extrema of the scale-normalised Laplacian; Lindeberg 1998, Lowe
2004) are described by the signs of twenty low frequencies of what lies around them: a word of twenty bits, and
where it stands. Two photos that share words in the same arrangement are compared pixel by pixel as small
sketches laid over each other. Words find, the sketch decides: no picture is called the same for its words alone.
"""

import itertools
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[np.float32]
BITS = 20
SIDE, SMALL = 192, 64  # longest side of what is searched for blobs, and of a sketch
MOST_WORDS = 40
_PAD, _GRID, _REACH = 24, 8, 3.0  # around the picture; points a side of a patch; its half width in sigmas
_SIGMAS = (2.0 * 2 ** (np.arange(11) / 3)).astype(np.float32)
_FAINT = 0.01  # of full contrast: weaker blobs are noise
_FLIPS = 3  # a query also tries its least certain bits the other way
# step in points of a sketch, moves by so many steps, changes of scale: coarse, then fine
_MOVES = ((1.0, (-1, 0, 1), (0.0,)), (0.5, (-1, 0, 1), (-0.02, 0.0, 0.02)))
_STEPS = 512  # places are kept as such parts of the longest side


def _patterns() -> Array:
    """The twenty lowest frequencies of a patch, the mean left out: what a brighter or duller light does not turn."""
    points = np.arange(_GRID) + 0.5
    waves = [np.cos(np.pi * points * number / _GRID) for number in range(_GRID)]
    pairs = sorted(((u, v) for u in range(7) for v in range(7) if u + v), key=lambda one: (sum(one), one))
    return np.array([np.outer(waves[u], waves[v]).ravel() for u, v in pairs[:BITS]], dtype=np.float32)


_PATTERNS = _patterns()
_WEIGHTS = 1 << np.arange(BITS)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a word stands: x and y in 512ths of the longest side, and its size as a number of thirds of octaves."""

    x: int
    y: int
    size: int

    @property
    def packed(self) -> int:
        """As one number, to be kept."""
        return (self.size << 20) | (self.x << 10) | self.y

    @classmethod
    def unpacked(cls, number: int) -> "Spot":
        """From the number kept."""
        return cls((number >> 10) & 1023, number & 1023, number >> 20)


@dataclass(frozen=True, slots=True)
class Look:
    """A photo's words, each with its place, the other words that a query tries for it, and the photo's sketch."""

    words: Sequence[tuple[int, Spot]]
    tries: Sequence[frozenset[int]]
    sketch: bytes


@dataclass(frozen=True, slots=True)
class Laid:
    """How one photo lies on another: so many words agree; a place p of the first is `scale` · p + (x, y) there."""

    agreed: int
    scale: float
    x: float
    y: float


def look(image: Image.Image) -> Look:
    """What a picture looks like; at its own turn: who turns a photo on its head shows another picture."""
    grey = _grey(image, SIDE)
    found, patches = _blobs(grey)
    values = patches @ _PATTERNS.T
    words = ((values > 0) @ _WEIGHTS).tolist()
    unsure = np.argsort(np.abs(values), axis=1)[:, :_FLIPS].tolist()
    tries = [_tries(word, bits) for word, bits in zip(words, unsure, strict=True)]
    return Look(list(zip(words, found, strict=True)), tries, _sketch(image))


def _tries(word: int, bits: Sequence[int]) -> frozenset[int]:
    found = {word}
    for bit in bits:
        found |= {one ^ (1 << bit) for one in found}
    return frozenset(found)


def _grey(image: Image.Image, side: int) -> Array:
    scale = side / max(image.size)
    size = (max(16, round(image.width * scale)), max(16, round(image.height * scale)))
    way = Image.Resampling.BOX if scale < 0.5 else Image.Resampling.BICUBIC
    return np.asarray(image.convert("L").resize(size, way), dtype=np.float32) / np.float32(255)


def _stack(grey: Array) -> tuple[Array, Array]:
    """The picture blurred by each sigma, and the strength of the blobs of that size at each place."""
    wide = np.pad(grey, min(_PAD, min(grey.shape) - 1), mode="reflect")
    pad = (wide.shape[0] - grey.shape[0]) // 2
    rows, columns = np.fft.fftfreq(wide.shape[0])[:, None], np.fft.rfftfreq(wide.shape[1])[None, :]
    turns = ((2 * np.pi) ** 2 * (rows**2 + columns**2)).astype(np.float32)
    spread = (_SIGMAS**2)[:, None, None] * turns
    blurred = np.fft.rfft2(wide) * np.exp(-spread / 2)
    both = np.fft.irfft2(np.concatenate([blurred, blurred * spread]), s=wide.shape)
    shown: Array = both[:, pad : pad + grey.shape[0], pad : pad + grey.shape[1]].astype(np.float32)
    return shown[: len(_SIGMAS)], np.abs(shown[len(_SIGMAS) :])


def _blobs(grey: Array) -> tuple[list[Spot], Array]:
    """The strongest blobs whose surroundings lie whole in the picture, and these surroundings, 64 numbers each."""
    blurred, strength = _stack(grey)
    most = strength
    for axis in range(3):
        most = np.maximum(most, np.maximum(_moved(most, 1, axis), _moved(most, -1, axis)))
    peak = (strength >= most) & (strength > _FAINT)
    peak[0] = peak[-1] = False
    layers, ys, xs = np.nonzero(peak)
    reach = _REACH * _SIGMAS[layers]
    height, width = grey.shape
    whole = (xs >= reach) & (xs + reach < width) & (ys >= reach) & (ys + reach < height)
    layers, ys, xs = layers[whole], ys[whole], xs[whole]
    order = np.argsort(-strength[layers, ys, xs], kind="stable")[:MOST_WORDS]
    layers, ys, xs = layers[order], ys[order], xs[order]
    part = _STEPS / max(grey.shape)
    spots = [
        Spot(round(x * part), round(y * part), layer)
        for layer, y, x in zip(layers.tolist(), ys.tolist(), xs.tolist(), strict=True)
    ]
    at = np.linspace(-_REACH, _REACH, _GRID) * _SIGMAS[layers][:, None]
    seen = _sampled(blurred[np.maximum(0, layers - 3)], ys[:, None] + at, xs[:, None] + at)
    patches = seen.reshape(-1, _GRID * _GRID)
    return spots, patches - patches.mean(axis=1, keepdims=True)


def _moved(values: Array, by: int, axis: int) -> Array:
    return np.roll(values, by, axis)


def _sampled(values: Array, ys: npt.NDArray[np.floating], xs: npt.NDArray[np.floating]) -> Array:
    """Each picture's values at its rows `ys` and columns `xs`, between their neighbours."""
    up = np.clip(np.floor(ys).astype(int), 0, values.shape[1] - 2)
    left = np.clip(np.floor(xs).astype(int), 0, values.shape[2] - 2)
    down, right = (ys - up)[:, :, None], (xs - left)[:, None, :]
    each, rows, columns = np.arange(len(values))[:, None, None], up[:, :, None], left[:, None, :]
    above = values[each, rows, columns] * (1 - right) + values[each, rows, columns + 1] * right
    below = values[each, rows + 1, columns] * (1 - right) + values[each, rows + 1, columns + 1] * right
    found: Array = (above * (1 - down) + below * down).astype(np.float32)
    return found


def laid(pairs: Sequence[tuple[Spot, Spot]]) -> Laid:
    """The arrangement that most of these pairs of places agree on: one scale and one shift, as a crop has."""
    best = Laid(0, 1.0, 0.0, 0.0)
    if len(pairs) < 2:
        return best
    first = np.array([(one.x, one.y) for one, _other in pairs], dtype=np.float64) / _STEPS
    other = np.array([(one.x, one.y) for _one, one in pairs], dtype=np.float64) / _STEPS
    sizes = np.array([two.size - one.size for one, two in pairs])
    for scale, shift in _guesses(first, other, sizes):
        off = np.abs(first * scale + shift - other).max(axis=1)
        fits = (off < 0.025) & (np.abs(sizes - 3 * np.log2(scale)) <= 1.5)
        agreed = len({tuple(place) for place in (first[fits] * 64).round().tolist()})
        if agreed > best.agreed:
            best = _mended(agreed, scale, first[fits], other[fits])
    return best


def _mended(
    agreed: int, scale: float, first: npt.NDArray[np.float64], other: npt.NDArray[np.float64]
) -> Laid:
    """The arrangement that fits these pairs best: least squares."""
    here, there = first - first.mean(axis=0), other - other.mean(axis=0)
    spread = float((here * here).sum())
    if spread > 1e-3:
        scale = float((here * there).sum()) / spread
    shift = other.mean(axis=0) - first.mean(axis=0) * scale
    return Laid(agreed, scale, float(shift[0]), float(shift[1]))


def _guesses(
    first: npt.NDArray[np.float64], other: npt.NDArray[np.float64], sizes: npt.NDArray[np.int_]
) -> Iterator[tuple[float, npt.NDArray[np.float64]]]:
    """What each two pairs say about scale and shift; two that stand close together say nothing."""
    for one in range(min(len(first), 24)):
        for two in range(one + 1, min(len(first), 24)):
            apart = float(np.hypot(*(first[one] - first[two])))
            there = float(np.hypot(*(other[one] - other[two])))
            if apart < 0.08 or there < 0.08 or abs(sizes[one] - sizes[two]) > 1:
                continue
            scale = there / apart
            if 0.4 < scale < 2.5:
                middle = (first[one] + first[two]) / 2
                yield scale, (other[one] + other[two]) / 2 - middle * scale


def _sketch(image: Image.Image) -> bytes:
    grey = (_grey(image, SMALL) * 255).round().astype(np.uint8)
    return zlib.compress(bytes(grey.shape) + grey.tobytes(), 9)


def _opened(sketch: bytes) -> Array:
    data = zlib.decompress(sketch)
    return np.frombuffer(data[2:], dtype=np.uint8).reshape(data[0], data[1]).astype(np.float32) / np.float32(
        255
    )


def alike(sketch: bytes, other: bytes, lies: Laid) -> float:
    """How well two pictures match where one lies on the other: 1 the same, around 0 nothing in common.

    The correlation of what stands out from its surroundings; arrangement and scale are first moved a little to
    where they fit best. 0 when less than half of the smaller picture lies on the other.
    """
    mine, theirs = _opened(sketch), _opened(other)
    x, y, scale, best = lies.x * SMALL, lies.y * SMALL, lies.scale, -1.0
    middle = (np.array(mine.shape[::-1]) - 1) / 2
    for step, wide, scales in _MOVES:
        found = []
        for dx, dy, ds in itertools.product(wide, wide, scales):
            turned = scale * (1 + ds)
            kept = middle * (scale - turned)  # around the middle, so that scale and shift do not mix
            moved = (x + step * dx + kept[0], y + step * dy + kept[1], turned)
            found.append((_overlap(mine, theirs, *moved), moved))
        value, (x, y, scale) = max(found)
        best = max(best, value)
    return max(0.0, best)


def _overlap(mine: Array, theirs: Array, x: float, y: float, scale: float) -> float:
    rows, columns = np.arange(mine.shape[0]), np.arange(mine.shape[1])
    ys, xs = rows * scale + y, columns * scale + x
    row, column = (ys >= -0.5) & (ys <= theirs.shape[0] - 0.5), (xs >= -0.5) & (xs <= theirs.shape[1] - 0.5)
    area = int(row.sum()) * int(column.sum())
    if area < 0.5 * min(mine.size, theirs.size / scale**2) or min(row.sum(), column.sum()) < 12:
        return 0.0
    here = _standing_out(mine[row][:, column])
    there = _standing_out(_sampled(theirs[None], ys[row][None], xs[column][None])[0])
    norm = float(np.sqrt((here * here).sum() * (there * there).sum()))
    return float((here * there).sum()) / norm if norm > 1e-6 else 0.0


def _standing_out(values: Array) -> Array:
    """What differs from the mean of nine by nine around it."""
    wide = np.pad(values, 4, mode="edge")
    sums = np.cumsum(np.cumsum(np.pad(wide, ((1, 0), (1, 0))), axis=0, dtype=np.float64), axis=1)
    around = sums[9:, 9:] - sums[:-9, 9:] - sums[9:, :-9] + sums[:-9, :-9]
    found: Array = (values - around / 81).astype(np.float32)
    return found
