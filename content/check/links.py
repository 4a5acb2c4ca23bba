"""Whether links lead somewhere: to pieces and their headings, outlets, campaigns, pictures; of outside addresses only
the form is looked at."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from urllib.parse import unquote, urlsplit

from content.check.elsewhere import Standing, anchors_of
from content.check.findings import Severity
from content.check.found import Found
from content.check.piece import Checked
from content.check.rulesets import Rule

_LINK = re.compile(r"(?<!!)\[([^\]\n]*)\]\(([^)\s]*)[^)]*\)")
_PIECE = re.compile(r"/p/([a-z0-9-]+)")
_PLACE = re.compile(r"/([oc])/([^/]+)(?:/.*)?")
_HOST = re.compile(r"^(?:[A-Za-z0-9\u4e00-\u9fff-]+\.)+[A-Za-z\u4e00-\u9fff]{2,}(?::\d+)?$")
_OF_EVERY_PAGE = frozenset({"", "top", "main"})
_CASES = {"o": "outlet", "c": "campaign"}
Wrong = tuple[str, str]  # which case of the rule (empty: the rule's own words), and what comes next to it
_ITSELF: Wrong = ("", "")


def broken_link(_rule: Rule, piece: Checked) -> Iterator[Found]:
    """Links that lead nowhere; to what is there but shut, a warning."""
    for found in _LINK.finditer(piece.source.text, piece.source.body_at):
        wrong = _wrong(found[2].strip("<>"), piece)
        if wrong is not None:
            case, near = wrong
            severity = Severity.warning if case.startswith("shut") else None
            yield Found(found.start(), len(found[0]), severity, case=case, near=near)


def _wrong(target: str, piece: Checked) -> Wrong | None:
    """What is wrong with an address, None for one that leads somewhere or that nobody can judge."""
    if target.startswith("#"):
        return _anchor(str(piece.meta.get("key", "")), target[1:], piece) if len(target) > 1 else _ITSELF
    if target.startswith("media/"):
        return None if piece.names is None or target in piece.names else _ITSELF
    if not target.startswith("/") or target.startswith("//"):
        return None if _is_outside(target) else _ITSELF
    parts = urlsplit(target)
    if named := _PIECE.fullmatch(parts.path):
        return _piece(named[1], parts.fragment, piece)
    if named := _PLACE.fullmatch(parts.path):
        return _place(named[1], unquote(named[2]), piece)
    return None


def _piece(key: str, fragment: str, piece: Checked) -> Wrong | None:
    if key != piece.meta.get("key") and piece.known is not None and key not in piece.known:
        return "", _nearest(key, piece.known, "/p/")
    return _anchor(key, fragment, piece)


def _anchor(key: str, fragment: str, piece: Checked) -> Wrong | None:
    name = unquote(fragment)
    if name in _OF_EVERY_PAGE:
        return None
    if key == piece.meta.get("key", ""):
        there = anchors_of(piece.source.text, str(piece.meta.get("kind", ""))) if piece.whole else None
    else:
        there = piece.elsewhere.anchors(key)
    return None if there is None or name in there else ("anchor", _nearest(name, there, "#"))


def _place(letter: str, code: str, piece: Checked) -> Wrong | None:
    asked = piece.elsewhere.outlet if letter == "o" else piece.elsewhere.campaign
    standing = asked(code)
    if standing is None or standing is Standing.there:
        return None
    return (_CASES[letter] if standing is Standing.missing else f"shut-{_CASES[letter]}"), ""


def _nearest(name: str, there: Iterable[str], before: str) -> str:
    return next((before + one for one in get_close_matches(name, sorted(there), 1)), "")


def _is_outside(target: str) -> bool:
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    if parts.scheme in ("http", "https"):
        return _HOST.match(parts.netloc) is not None
    if parts.scheme == "tel":
        return re.fullmatch(r"\+?[\d-]{3,20}", parts.path) is not None
    return parts.scheme == "mailto" and "@" in parts.path
