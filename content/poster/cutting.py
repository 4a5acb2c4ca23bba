"""Where a tall picture is cut into slices: between panels, between the blocks of a panel that is too tall, never in one."""

from collections.abc import Sequence

LONGEST = 2400  # rows of a slice: about a screen and a half of a phone, so that WeChat need not shrink it


def cuts(
    height: int, between_panels: Sequence[int], between_blocks: Sequence[int], longest: int = LONGEST
) -> list[int]:
    """The rows at which slices end, the last being `height`. A block taller than `longest` stays whole."""
    found, at = [], 0
    while height - at > longest:
        end = _farthest(at, between_panels, longest) or _farthest(at, between_blocks, longest)
        if end is None:
            later = [row for row in (*between_panels, *between_blocks) if at < row < height]
            end = min(later, default=height)
        if end >= height:
            break
        found.append(end)
        at = end
    return [*found, height]


def _farthest(at: int, rows: Sequence[int], longest: int) -> int | None:
    return max((row for row in rows if at + longest // 4 <= row <= at + longest), default=None)
