"""Looks at a page as a browser would and tells what an attacker got into it."""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser

PROBE = "xss-probe"
ATTRIBUTE = "onprobe"
FRAGMENTS = (
    '"', "'", ">", "<", "`", "/", " ", "=", f"<{PROBE}>", f"<{PROBE} {ATTRIBUTE}=1>", f'" {ATTRIBUTE}="1',
    f"' {ATTRIBUTE}='1", f" {ATTRIBUTE}=1 ", "</textarea>", "</title>", "</script>", "</style>", "</option>",
    "-->", "]]>", "<!--", "javascript:probe()", "data:text/html,probe", "{{7919*7919}}", "{% raw %}",
    "&lt;", f"&#60;{PROBE}&#62;", f"&lt;{PROBE}&gt;", f"%3C{PROBE}%3E", "<br>", "<wbr>", "\u2028", "\\", "\\u003c",
    "[x](javascript:probe)", f"![x](x\" {ATTRIBUTE}=1)", f"<svg/{ATTRIBUTE}=1>", "中", "\n", "\r\n",
)  # fmt: skip
_LINKS = ("href", "src", "action", "formaction", "xlink:href", "data", "poster")
_BAD = ("javascript:", "vbscript:", "data:text/html")
_VOID_TYPES = ("application/json", "application/ld+json", "importmap")


@dataclass
class Form:
    """A form of a page: where it goes, and the fields a person can fill."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=dict)


class Sniffer(HTMLParser):
    """`found`: what should not be there. `forms`: what can be filled in."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._script: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name.lower(): value or "" for name, value in attrs}
        if tag == PROBE:
            self.found.append(f"<{tag}>")
        for name, value in given.items():
            if name.startswith("on") or name == PROBE:
                self.found.append(f"{tag} {name}={value[:40]}")
            if name in _LINKS and "".join(value.split()).lower().startswith(_BAD):
                self.found.append(f"{tag} {name}={value[:60]}")
            if name == "srcdoc":
                self.found += sniff(value).found
        if tag == "script":
            self._script = given.get("type", "") if "src" not in given else None
            if self._script is not None and self._script not in _VOID_TYPES:
                self.found.append("inline script")
        self._note_form(tag, given)

    def _note_form(self, tag: str, given: dict[str, str]) -> None:
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif self.forms and given.get("name") and tag in ("input", "textarea", "select", "button"):
            kind = given.get("type", "text" if tag == "input" else tag)
            free = tag == "textarea" or kind in ("text", "search", "email", "tel", "url", "select", "date",
                                                 "datetime-local", "number", "password", "hidden")  # fmt: skip
            target = self.forms[-1].fields if free else self.forms[-1].fixed
            target.setdefault(given["name"], given.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._script in _VOID_TYPES and data.strip():
            json.loads(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None


@lru_cache(maxsize=4)  # a page is looked at for its links, and then for what should not be there
def sniff(html: str) -> Sniffer:
    """What a browser would find in a page."""
    sniffer = Sniffer()
    sniffer.feed(html)
    sniffer.close()
    if str(7919 * 7919) in html:
        sniffer.found.append("a template was evaluated")
    return sniffer
