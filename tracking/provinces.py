"""Provinces as tiles in their rough geographic order, shaded by growth."""

from collections.abc import Iterable
from dataclasses import dataclass

from tracking.reports import Line

# One line per row of the map; a dot is a place without a tile.
_MAP = (
    ". . . . . . . 黑",
    "新 . . . 蒙 . 辽 吉",
    ". 甘 宁 晋 冀 京 津 .",
    "藏 青 陕 豫 鲁 . . .",
    ". 川 渝 鄂 皖 苏 沪 .",
    ". 云 贵 湘 赣 浙 . .",
    ". . 桂 粤 闽 . . .",
    ". . . 琼 . . . .",
)
_SHORT = {
    "北京": "京", "天津": "津", "河北": "冀", "山西": "晋", "内蒙古": "蒙", "辽宁": "辽", "吉林": "吉",
    "黑龙江": "黑", "上海": "沪", "江苏": "苏", "浙江": "浙", "安徽": "皖", "福建": "闽", "江西": "赣",
    "山东": "鲁", "河南": "豫", "湖北": "鄂", "湖南": "湘", "广东": "粤", "广西": "桂", "海南": "琼",
    "重庆": "渝", "四川": "川", "贵州": "贵", "云南": "云", "西藏": "藏", "陕西": "陕", "甘肃": "甘",
    "青海": "青", "宁夏": "宁", "新疆": "新",
}  # fmt: skip
_LEVELS = 5


@dataclass(frozen=True, slots=True)
class Tile:
    """A province on the map; `level` 0 (no base) … 5 (grew most), `down` if it shrank."""

    short: str
    line: Line
    level: int
    down: bool


def tiles(lines: Iterable[Line]) -> list[Tile | None]:
    """The map row by row, None for an empty place; [] when no branch carries the name of a province."""
    found: dict[str, Line] = {}
    for line in lines:
        short = next((mark for name, mark in _SHORT.items() if name in line.name), "")
        if short and short not in found:
            found[short] = line
    if not found:
        return []
    rising = sorted(growth for line in found.values() if (growth := line.growth) is not None and growth >= 0)
    return [
        _tile(place, found[place], rising) if place in found else None
        for row in _MAP
        for place in row.split()
    ]


def _tile(short: str, line: Line, rising: list[float]) -> Tile:
    growth = line.growth
    if growth is None:
        return Tile(short, line, 0, down=False)
    if growth < 0:
        return Tile(short, line, 0, down=True)
    below = sum(1 for other in rising if other < growth)
    return Tile(short, line, 1 + below * _LEVELS // len(rising), down=False)
