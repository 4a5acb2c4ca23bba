"""A plaque of an education base as SVG: A3 or A4 across, text set with the system's Chinese faces.

Brass without tricks: two flat tones, a ruled edge, four bolts. The QR code is drawn, not linked, so that the file
prints the same wherever it is opened.
"""

import re
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape

from content.drawn import HEI
from core.i18n import gettext as _
from institution.models import Outlet
from tracking import links

SIZES = {"A3": (420, 297), "A4": (297, 210)}  # millimetres, ISO 216
WIDTH, HEIGHT = 4200, 2970
_SONG = "'Noto Serif CJK SC','Source Han Serif SC','Songti SC','STZhongsong','SimSun',serif"
_BRASS, _DEEP, _INK, _GREEN = "#dcbb6c", "#8f6c22", "#2b2008", "#0a4a3f"
_HALF = 0x2E7F  # what lies below takes about half the width of a Chinese letter
_OPEN = re.compile(r"<svg [^>]*viewBox=\"([^\"]+)\"[^>]*>")


@dataclass(frozen=True, slots=True)
class _Type:
    """How a line is set: height and longest width in units of the drawing, face, weight, space between letters."""

    size: int
    room: int
    face: str
    weight: int
    anchor: str = "middle"
    spaced: int = 0


_HOUSE, _TITLE = _Type(168, 3200, _SONG, 700), _Type(330, 3200, _SONG, 900, spaced=24)
_ENGLISH, _UNDER = _Type(104, 3200, HEI, 500), _Type(78, 800, HEI, 500)
_NAME, _SMALL = _Type(150, 2200, HEI, 700, "start"), _Type(100, 2200, HEI, 400, "start")
_CALL = _Type(130, 2200, HEI, 700, "start")


@dataclass(frozen=True, slots=True)
class Plaque:
    """What stands on one plaque; `link` is the address in its QR code, `logo` a picture as data."""

    institution: str
    institution_en: str
    outlet: str
    number: str
    since: date | None
    hotline: str
    link: str
    logo: str = ""


def of(
    outlet: Outlet, link: str, *, institution: str, institution_en: str, hotline: str, logo: str = ""
) -> Plaque:
    """The plaque of an outlet."""
    return Plaque(
        institution, institution_en, outlet.name, outlet.plaque_number, outlet.plaque_on, hotline, link, logo
    )


def svg(plaque: Plaque, size: str = "A3") -> str:
    """The plaque as one SVG document of the size's millimetres. Chinese, as plaques are, with a line of English."""
    width, height = SIZES[size]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img"><title>{escape(plaque.outlet)} 消费者权益保护教育宣传基地</title>'
        f"{_ground()}{_head(plaque)}{_foot(plaque)}{_code(plaque.link)}</svg>"
    )


def _ground() -> str:
    bolts = "".join(
        f'<circle cx="{x}" cy="{y}" r="42" fill="{_DEEP}"/><circle cx="{x}" cy="{y}" r="30" fill="{_BRASS}"/>'
        f'<path d="M{x - 19} {y + 19}l38-38" stroke="{_DEEP}" stroke-width="9" stroke-linecap="round"/>'
        for x in (210, WIDTH - 210)
        for y in (210, HEIGHT - 210)
    )
    return (
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="60" fill="{_BRASS}"/>'
        f'<rect x="70" y="70" width="{WIDTH - 140}" height="{HEIGHT - 140}" rx="40" fill="none" stroke="{_DEEP}" stroke-width="22"/>'
        f'<rect x="112" y="112" width="{WIDTH - 224}" height="{HEIGHT - 224}" rx="24" fill="none" stroke="{_DEEP}" stroke-width="6"/>{bolts}'
    )


def _head(plaque: Plaque) -> str:
    mark = (
        f'<g transform="translate(1960 300) scale(8.75)"><rect x="14.5" y="3" width="3" height="27" rx="1.5" fill="{_GREEN}"/>'
        f'<path d="M5 6h17l5 4.500-5 4.500H5z" fill="#fff6dc"/><path d="M27 16H12l-4 3.700 4 3.800h15z" fill="{_GREEN}"/></g>'
    )
    if plaque.logo:
        mark = f'<image href="{escape(plaque.logo)}" x="1700" y="300" width="800" height="280"/>'
    return mark + "".join(
        (
            _line(plaque.institution, 2100, 800, _HOUSE),
            _line("消费者权益保护", 2100, 1190, _TITLE),
            _line("教育宣传基地", 2100, 1620, _TITLE),
            _line("Consumer Rights Protection Education Base", 2100, 1830, _ENGLISH),
            f'<path d="M700 1935h2800" stroke="{_DEEP}" stroke-width="6"/>',
        )
    )


def _foot(plaque: Plaque) -> str:
    lines = [_line(plaque.outlet, 520, 2160, _NAME)]
    small = []
    if plaque.number:
        small.append(f"编号 {plaque.number}")
    if plaque.since:
        small.append(f"{plaque.since.year} 年 {plaque.since.month} 月 {plaque.since.day} 日挂牌")
    lines += [_line(text, 520, 2330 + 140 * place, _SMALL) for place, text in enumerate(small)]
    lines.append(_line(f"服务热线 {plaque.hotline}", 520, 2660, _CALL))
    return "".join(lines)


def _code(link: str) -> str:
    drawn = links.qr_svg(link)
    box = _OPEN.search(drawn)
    inner = drawn[box.end() : drawn.rindex("</svg>")] if box else ""
    view = box[1] if box else "0 0 1 1"
    return (
        '<rect x="2900" y="2000" width="680" height="680" rx="36" fill="#ffffff"/>'
        f'<svg x="2910" y="2010" width="660" height="660" viewBox="{view}" shape-rendering="crispEdges">{inner}</svg>'
        + _line("扫码看内容", 3240, 2770, _UNDER)
    )


def _line(text: str, x: int, y: int, set_in: _Type) -> str:
    """One line that never leaves its room: set smaller, rather than cut."""
    wide = sum(1.0 if ord(letter) > _HALF else 0.56 for letter in text) * set_in.size + set_in.spaced * len(
        text
    )
    shrunk = min(1.0, set_in.room / wide) if wide else 1.0
    spacing = f' letter-spacing="{set_in.spaced * shrunk:.0f}"' if set_in.spaced else ""
    return (
        f'<text x="{x}" y="{y}" font-family="{set_in.face}" font-size="{set_in.size * shrunk:.0f}" '
        f'font-weight="{set_in.weight}" fill="{_INK}" text-anchor="{set_in.anchor}"{spacing}>{escape(text)}</text>'
    )


def page(drawn: str, size: str) -> str:
    """An HTML document with one sheet for each drawing in `drawn`, for the browser that prints it."""
    width, height = SIZES[size]
    return (
        f"<!doctype html><meta charset=utf-8><style>@page{{size:{width}mm {height}mm;margin:0}}"
        f"*{{margin:0;padding:0}}svg{{display:block}}body>svg{{width:{width}mm;height:{height}mm}}</style>{drawn}"
    )


def file_name(outlet: Outlet, form: str) -> str:
    """`33010601-西湖文三路柜面.svg`: what a person at the printer's looks for."""
    return plain_name(outlet.code, outlet.name, form)


def plain_name(code: str, name: str, form: str) -> str:
    """A code and a name as the name of a file, whatever stands in them."""
    plain = re.sub(r"[^\w-]+", "", name)[:60]
    return f"{code}-{plain}.{form}"


def readme(size: str, count: int, *, pdf: bool) -> str:
    """What lies in an archive, in a few lines beside the files."""
    width, height = SIZES[size]
    lines = [
        _("消费者权益保护教育宣传基地铜牌，共 %(count)s 块，每块 %(width)s × %(height)s 毫米。", count=count, width=width, height=height),
        _("svg 文件夹：每个网点一张矢量图，文字用打开它的机器上的宋体与黑体。") if not pdf else _("svg 文件夹：每个网点一张矢量图；pdf 文件夹：每份 50 页，字体已嵌入，可直接交给印厂。"),
        _("二维码是网点的长期链接，扫进来的访问计到这个网点。"),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
