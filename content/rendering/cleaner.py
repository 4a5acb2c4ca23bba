"""The allow-list that all HTML of a piece passes last, whoever wrote it."""

import re

import nh3

_DIV_CLASSES = "fact versus no yes qa slip task src wide quiz verdict answer near"
_CLASSES = {
    "section": {"pane", "cover", "plain", "soft", "sun", "brand", "call"},
    "div": set(_DIV_CLASSES.split()),
    "p": {"num", "kicker", "src", "label", "tel", "whose", "lead", "go", "needs", "signed"},
    "ul": {"timeline", "steps", "talk", "choices", "ticks"},
    "ol": {"timeline", "steps", "talk"},
    "li": {"b", "me", "right", "wrong"},
    "span": {"who"},
    "figure": {"pic"},
    "h2": {"small"},
}
_TAG_NAMES = (
    "section div p h1 h2 h3 h4 ul ol li strong em b i small span sub sup br wbr hr blockquote figure figcaption "
    "img a table thead tbody tr th td code mark details summary label input"
)
_TAGS = set(_TAG_NAMES.split())
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height", "loading", "decoding"},
    "div": {"tabindex", "role", "aria-label"},
    "details": {"name"},
    "ol": {"start"},
    "input": {"type"},
    "th": {"colspan", "rowspan", "scope"},
    "td": {"colspan", "rowspan"},
}
_PICTURE = re.compile(r"/media/[0-9a-f]{16}\.(?:svg|png|jpg|webp)")
_BLANK = "".join(map(chr, range(33)))
_EMPTY_IMAGE = re.compile(r"<img(?![^>]*\ssrc=)[^>]*>")
_QUIZ = re.compile(r"quiz-\d{1,3}")
# The only control that a piece may have: a box to tick, which is sent nowhere.
_OTHER_CONTROL = re.compile(r"<input(?![^>]*\stype=\"checkbox\")[^>]*>")
_NUMBER = re.compile(r"\d{1,5}")
_FIXED = {
    "role": {"group"},
    "loading": {"lazy"},
    "decoding": {"async"},
    "scope": {"col", "row"},
    "type": {"checkbox"},
}
_NUMBERS = {"tabindex", "width", "height", "start", "colspan", "rowspan"}
# A line break between two Chinese characters is an accident of the source, and would show as a space.
_CHINESE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f“”‘’—…·"
_BREAK = re.compile(rf"(?<=[{_CHINESE}])\n(?=[{_CHINESE}])")


def _judge(tag: str, name: str, value: str) -> str | None:
    """The value of an attribute if it is harmless, else None."""
    if tag == "img" and name == "src":
        return value if _PICTURE.fullmatch(value) else None
    if tag == "a" and name == "href":
        return value if not _leaves_unseen(value) else None
    if tag == "details" and name == "name":
        return value if _QUIZ.fullmatch(value) else None
    if name in _FIXED:
        return value if value in _FIXED[name] else None
    if name in _NUMBERS:
        return value if _NUMBER.fullmatch(value) else None
    return value


def _leaves_unseen(address: str) -> bool:
    """Whether a link goes to another host without a scheme; browsers leave out tabs, line ends and outer blanks."""
    return re.sub(r"[\t\r\n]", "", address).lstrip(_BLANK).replace("\\", "/").startswith("//")


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags={"script", "style", "title", "textarea", "noscript", "iframe", "template"},
    attributes=_ATTRIBUTES,
    attribute_filter=_judge,
    allowed_classes=_CLASSES,
    url_schemes={"http", "https", "tel", "mailto"},
    link_rel="noopener",
    strip_comments=True,
)


def clean(html: str) -> str:
    """HTML without anything that runs, loads from elsewhere, or looks like the site's own controls."""
    cleaned = _OTHER_CONTROL.sub("", _EMPTY_IMAGE.sub("", _CLEANER.clean(html)))
    return _BREAK.sub("", cleaned)
