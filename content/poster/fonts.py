"""The faces in which names are written into pictures: those that the pages are drawn with, asked of fontconfig."""

import shutil
import subprocess
from functools import lru_cache

from PIL import ImageFont

from core.errors import Conflict
from core.i18n import mark

_WANTED = "PingFang SC,Noto Sans CJK SC,Noto Sans SC,Microsoft YaHei:lang=zh-cn:weight="
_WEIGHTS = {True: "bold", False: "regular"}


@lru_cache(2)
def _found(bold: bool) -> tuple[str, int]:
    asker = shutil.which("fc-match")
    if asker is None:
        raise Conflict(
            mark(
                "这台机器没有 fontconfig（fc-match），不能在图片上写名称。请管理员安装 fontconfig 与中文字体。"
            )
        )
    asked = [asker, "-f", "%{file}\n%{index}\n%{lang}", _WANTED + _WEIGHTS[bold]]
    said = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=10)  # noqa: S603  (our own words)
    file, index, languages = ([*said.stdout.split("\n"), "", "", ""])[:3]
    if "zh-cn" not in languages:
        raise Conflict(
            mark("这台机器没有中文字体，不能在图片上写名称。请管理员安装中文字体（如 fonts-noto-cjk）。")
        )
    return file, int(index) & 0xFFFF


@lru_cache(64)
def face(size: int, *, bold: bool) -> ImageFont.FreeTypeFont:
    """The face at a size in pixels. Conflict, with what to install, where there is no Chinese one."""
    file, index = _found(bold)
    return ImageFont.truetype(file, size, index=index)
