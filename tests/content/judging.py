"""Strict judges of what a sanitiser let through. They know nothing of the sanitiser's own lists."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

_FOLDER = Path(__file__).parent / "vectors"
_HTML_TAGS = set(
    [
        "section",
        "div",
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "ul",
        "ol",
        "li",
        "strong",
        "em",
        "b",
        "i",
        "small",
        "span",
        "sub",
        "sup",
        "br",
        "wbr",
        "hr",
        "blockquote",
        "figure",
        "figcaption",
        "img",
        "a",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
        "mark",
        "details",
        "summary",
    ]
)
_HTML_ATTRIBUTES = set(
    [
        "href",
        "title",
        "src",
        "alt",
        "width",
        "height",
        "loading",
        "decoding",
        "class",
        "rel",
        "tabindex",
        "role",
        "aria-label",
        "start",
        "colspan",
        "rowspan",
        "scope",
    ]
)
_HEADINGS = {"h1", "h2", "h3", "h4"}
_SVG_TAGS = set(
    [
        "svg",
        "g",
        "defs",
        "title",
        "desc",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "text",
        "tspan",
        "textPath",
        "style",
        "use",
        "symbol",
        "marker",
        "linearGradient",
        "radialGradient",
        "stop",
        "clipPath",
        "mask",
        "pattern",
        "filter",
        "feGaussianBlur",
        "feOffset",
        "feBlend",
        "feColorMatrix",
        "feFlood",
        "feComposite",
        "feMerge",
        "feMergeNode",
        "feDropShadow",
    ]
)
_SVG_NEVER = re.compile(
    r"on|xml|data-|formaction|action|ping|src|poster|to$|from$|by$|values$.*:|attributeName", re.IGNORECASE
)
_WORDS_ONLY = {"id", "class", "lang", "aria-label", "aria-labelledby", "aria-describedby", "font-family"}
_SVG = "{http://www.w3.org/2000/svg}"
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|\\|@|expression|binding|image-set|behavior", re.IGNORECASE)


def vectors(name: str) -> list[str]:
    """The known attacks of a kind, one a line."""
    return (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()


class _Html(HTMLParser):
    """Reads HTML as a browser would begin to, and notes what it does not know to be harmless."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.harm: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _HTML_TAGS:
            self.harm.append(f"<{tag}>")
        for name, value in attrs:
            grouped = tag == "details" and name == "name" and re.fullmatch(r"quiz-\d{1,3}", value or "")
            anchor = (
                tag in _HEADINGS and name == "id" and re.fullmatch(r"(?!main$|top$)[\w-]{1,64}", value or "")
            )
            if name not in _HTML_ATTRIBUTES and not grouped and not anchor:
                self.harm.append(f"{tag}.{name}={value}")
            elif name == "src" and not re.fullmatch(r"/media/[0-9a-f]{16}\.(svg|png|jpg|webp)", value or ""):
                self.harm.append(f"src={value}")
            elif name == "href" and _leads_astray(value or ""):
                self.harm.append(f"href={value}")

    def handle_comment(self, data: str) -> None:
        self.harm.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.handle_comment(decl)

    def handle_pi(self, data: str) -> None:
        self.handle_comment(data)

    def unknown_decl(self, data: str) -> None:
        self.handle_comment(data)


def _leads_astray(address: str) -> bool:
    """Whether a link runs something, or leaves the site without saying so, as a browser would read it."""
    seen = re.sub(r"[\t\r\n]", "", address.strip("".join(map(chr, range(33))))).replace("\\", "/")
    return seen.startswith("//") or urlsplit(seen).scheme not in ("", "http", "https", "tel", "mailto")


def html_harm(made: str) -> list[str]:
    """What is wrong with HTML that was cleaned."""
    judge = _Html()
    judge.feed(made)
    judge.close()
    return judge.harm


def svg_harm(made: bytes) -> list[str]:
    """What is wrong with an SVG that was cleaned; it must be well-formed XML without a prologue or entities."""
    harm = re.findall(r"<[!?][^>]*>", made.decode())
    for element in ElementTree.fromstring(made).iter():
        tag = str(element.tag).removeprefix(_SVG)
        if tag not in _SVG_TAGS:
            harm.append(f"<{element.tag}>")
        if tag == "style" and _reaches_out("".join(element.itertext())):
            harm.append(f"<style>{element.text}")
        for name, value in element.attrib.items():
            if _SVG_NEVER.match(name) or name.startswith("{"):
                harm.append(f"{tag}.{name}")
            elif name == "href" and not re.fullmatch(r"#[\w.-]+", value):
                harm.append(f"href={value}")
            elif name not in _WORDS_ONLY and _reaches_out(value):
                harm.append(f"{name}={value}")
    return harm


def _reaches_out(value: str) -> bool:
    """Whether a value of a style or attribute names anything outside of its own picture."""
    inside = re.sub(r"url\(\s*['\"]?#[\w.-]+['\"]?\s*\)", "", value)
    return ("url" in inside.lower() and "(" in inside) or _ELSEWHERE.search(
        re.sub(r"[\w-]+\s*:(?!\s*//)", "", inside)
    ) is not None
