"""Where links may lead within a page: every heading has an anchor made of its own words.

It is put into the HTML that has passed the allow-list, where no text can bring a name of its own: only words and hyphens
come into it, and nothing by which the page calls its own parts.
"""

import re
from html import unescape
from itertools import count

# What the page itself is made of: a heading of these words gets no anchor.
RESERVED = frozenset(
    {
        "main", "top", "text", "words", "words-hint", "help-title", "ending-title", "helpful-title", "more-title",
        "search-q", "told-title", "told-terms",
    }
)  # fmt: skip
_HEADING = re.compile(r"<h([1-4])([^>]*)>(.*?)</h\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_LONGEST = 60


def name_of(words: str) -> str:
    """The anchor of a heading with these words: small letters, a hyphen for blanks, no punctuation."""
    return re.sub(r"[^\w-]", "", re.sub(r"\s+", "-", words.strip().lower())).strip("-")[:_LONGEST]


def put(html: str) -> tuple[str, frozenset[str]]:
    """A clean text with an anchor in every heading, the same words counted (`-1`, `-2`); and all of the anchors."""
    taken: set[str] = set()

    def named(found: re.Match[str]) -> str:
        name = name_of(unescape(_TAG.sub("", found[3])))
        if not name or name in RESERVED:
            return found[0]
        free = next(one for at in count() if (one := f"{name}-{at}" if at else name) not in taken)
        taken.add(free)
        return f'<h{found[1]}{found[2]} id="{free}">{found[3]}</h{found[1]}>'

    return _HEADING.sub(named, html), frozenset(taken)
