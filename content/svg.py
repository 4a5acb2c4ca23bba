"""SVG made harmless: only listed elements and attributes are written out again; nothing foreign is kept."""

import html
import re
from xml.parsers import expat

from core.errors import Invalid
from core.i18n import mark

_SVG = "http://www.w3.org/2000/svg"
_XLINK_HREF = "http://www.w3.org/1999/xlink href"
_DEEPEST = 64
_ELEMENT_NAMES = (
    "svg g defs title desc path rect circle ellipse line polyline polygon text tspan textPath style use symbol "
    "marker linearGradient radialGradient stop clipPath mask pattern filter feGaussianBlur feOffset feBlend "
    "feColorMatrix feFlood feComposite feMerge feMergeNode feDropShadow"
)
_ATTRIBUTE_NAMES = (
    "id class viewBox width height x y x1 y1 x2 y2 cx cy r rx ry fx fy fr d points dx dy rotate textLength "
    "lengthAdjust transform transform-origin preserveAspectRatio href style role lang version "
    "fill fill-opacity fill-rule stroke stroke-width stroke-linecap stroke-linejoin stroke-dasharray "
    "stroke-dashoffset stroke-opacity stroke-miterlimit opacity color display visibility overflow "
    "font-family font-size font-weight font-style letter-spacing word-spacing text-anchor dominant-baseline "
    "alignment-baseline baseline-shift writing-mode paint-order vector-effect shape-rendering text-rendering "
    "gradientUnits gradientTransform spreadMethod offset stop-color stop-opacity clip-path clip-rule "
    "clipPathUnits mask maskUnits maskContentUnits mask-type pattern patternUnits patternContentUnits "
    "patternTransform markerWidth markerHeight markerUnits refX refY orient marker-start marker-mid marker-end "
    "startOffset method spacing side filter filterUnits primitiveUnits stdDeviation in in2 result mode type "
    "values operator k1 k2 k3 k4 flood-color flood-opacity mix-blend-mode isolation pathLength focusable "
    "aria-hidden aria-label aria-labelledby aria-describedby"
)
_ELEMENTS, _ATTRIBUTES = frozenset(_ELEMENT_NAMES.split()), frozenset(_ATTRIBUTE_NAMES.split())
_REFERENCE = re.compile(r"#[\w.-]+")
_URL = re.compile(r"url\(\s*['\"]?#[\w.-]+['\"]?\s*\)")
_FOREIGN_STYLE = re.compile(r"url\s*\(|@|\\|expression|javascript:|image-set|-moz-binding|<", re.IGNORECASE)


class _Writer:
    """Takes the parser's events and writes what is allowed."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.root: dict[str, str] | None = None
        self._stack: list[str | None] = []
        self._left_out = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._stack) >= _DEEPEST:
            raise Invalid(mark("图片的层次太深，请简化后再用。"))
        uri, _, local = name.rpartition(" ")
        allowed = uri == _SVG and local in _ELEMENTS and not self._left_out
        if self.root is None and not (allowed and local == "svg"):
            raise Invalid(mark('这不是 SVG 图片：最外层要是 <svg xmlns="http://www.w3.org/2000/svg">。'))
        self._stack.append(local if allowed else None)
        if not allowed:
            self._left_out += 1
            return
        kept = _kept(attributes)
        opening = "".join(f' {key}="{html.escape(value)}"' for key, value in kept.items())
        if self.root is None:
            self.root = kept
            opening = f' xmlns="{_SVG}"' + opening
        self.parts.append(f"<{local}{opening}>")

    def end(self, _name: str) -> None:
        local = self._stack.pop()
        if local is None:
            self._left_out -= 1
        else:
            self.parts.append(f"</{local}>")

    def text(self, data: str) -> None:
        if self._left_out or not self._stack:
            return
        if self._stack[-1] == "style":
            self.parts.append(data if _is_style(data) else "")
        else:
            self.parts.append(html.escape(data, quote=False))

    def no_doctype(self, *_args: object) -> None:
        raise Invalid(mark("SVG 图片里不能有 DOCTYPE 或实体，请另存为普通 SVG。"))


def clean(data: bytes) -> tuple[bytes, int, int]:
    """The harmless SVG with its width and height in whole units; Invalid when it cannot be read."""
    writer = _Writer()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True  # style sheets must be judged whole
    parser.StartElementHandler = writer.start
    parser.EndElementHandler = writer.end
    parser.CharacterDataHandler = writer.text
    parser.StartDoctypeDeclHandler = writer.no_doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        sentence = mark("SVG 图片不完整：第 %(line)s 行读不下去。")
        raise Invalid(sentence, line=error.lineno) from error
    except (ValueError, LookupError) as error:  # it declares a coding that the parser does not know
        raise Invalid(mark("SVG 图片的编码读不了，请另存为 UTF-8。")) from error
    width, height = _size(writer.root or {})
    return "".join(writer.parts).encode(), width, height


def _kept(attributes: dict[str, str]) -> dict[str, str]:
    kept = {}
    for name, value in attributes.items():
        plain = "href" if name == _XLINK_HREF else name
        if plain in _ATTRIBUTES and _harmless(plain, value):
            kept[plain] = value
    return kept


def _harmless(name: str, value: str) -> bool:
    if name == "href":
        return _REFERENCE.fullmatch(value) is not None
    # of words that a reader hears an address is no harm; anywhere else nothing has a reason to name one
    return not _foreign(value) if name.startswith("aria-") else _is_style(value)


def _is_style(value: str) -> bool:
    return "//" not in value and not _foreign(value)


def _foreign(value: str) -> bool:
    return _FOREIGN_STYLE.search(_URL.sub("", value)) is not None


def _size(root: dict[str, str]) -> tuple[int, int]:
    box = re.split(r"[\s,]+", root.get("viewBox", "").strip())
    given = box[2:4] if len(box) == 4 else [root.get("width", ""), root.get("height", "")]
    numbers = [re.fullmatch(r"(\d{1,5}(?:\.\d+)?)(?:px)?", text) for text in given]
    sizes = [round(float(found[1])) for found in numbers if found]
    if len(sizes) != 2 or min(sizes) < 1:
        raise Invalid(mark('SVG 图片要写 viewBox="0 0 宽 高"，页面才能事先留好位置。'))
    return sizes[0], sizes[1]
