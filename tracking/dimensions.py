"""What keys are called and where they hang, as it stood then. Owners of keys describe them downward.

Pieces, campaigns and channels are described here by whoever owns them; the history of outlets is read from
`institution.outlets`. An event whose key nobody described still counts, under the key itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

from sqlmodel import Session, col, select

from core.errors import Invalid
from core.i18n import current_locale, mark
from core.i18n import gettext as _
from institution import outlets
from tracking.models import Dimension

KINDS = ("piece", "campaign", "channel", "audience", "place")
BEGINNING = date(1900, 1, 1)
HEAD_OFFICE_ONLINE = mark("总部线上")
_NOTHING = {
    "piece": mark("未指明内容"),
    "campaign": mark("日常宣传"),
    "channel": mark("未指明渠道"),
    "audience": mark("未指明人群"),
    "place": mark("未指明场所"),
}
CHANNELS = {
    "web": mark("网站"),
    "direct": mark("直接访问"),
    "wechat": mark("微信公众号"),
    "wecom": mark("企业微信"),
    "dingtalk": mark("钉钉"),
    "feishu": mark("飞书"),
    "sms": mark("短信"),
    "email": mark("电子邮件"),
    "app": mark("App"),
    "outlet": mark("柜面"),
    "offline": mark("线下活动"),
    "screen": mark("柜面屏幕"),
    "livestream": mark("直播"),
    "community": mark("社区活动"),
    "webhook": mark("接口推送"),
    "feed": mark("订阅源"),
    "qr": mark("扫码"),
}
# The six key groups and the five kinds of places (五进入) that campaign reports are asked for.
AUDIENCES = {
    "elders": mark("老年人"),
    "youth": mark("青少年"),
    "new_citizens": mark("新市民"),
    "workers": mark("务工务农人员"),
    "disabled": mark("残障人士"),
    "foreigners": mark("外籍来华人士"),
}
PLACES = {
    "village": mark("进农村"),
    "community": mark("进社区"),
    "campus": mark("进校园"),
    "company": mark("进企业"),
    "market": mark("进商圈"),
}
_BUILT_IN = {"channel": CHANNELS, "audience": AUDIENCES, "place": PLACES}


def describe(
    session: Session,
    kind: str,
    key: str,
    name: str,
    *,
    name_en: str = "",
    parent: str = "",
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> None:
    """Say what a key is called; from `valid_from` on, keeping what it was called before, or else as it
    stands. Saying the same again changes nothing."""
    if kind not in KINDS or not key:
        raise Invalid(mark("没有“%(kind)s”这种统计维度。"), kind=kind)
    since = valid_from or BEGINNING
    known = session.exec(select(Dimension).where(Dimension.kind == kind, Dimension.key == key)).all()
    spans = sorted(known, key=lambda one: one.valid_from)
    if valid_from is None and spans:
        since = spans[-1].valid_from
    same = next((one for one in spans if one.valid_from == since), None)
    row = same or Dimension(kind=kind, key=key, name=name, valid_from=since)
    row.name, row.name_en, row.parent = name, name_en, parent
    later = [one.valid_from for one in spans if one.valid_from > since]
    row.valid_to = valid_to or (min(later) if later else None)
    earlier = [one for one in spans if one.valid_from < since]
    if earlier and (earlier[-1].valid_to is None or earlier[-1].valid_to > since):
        earlier[-1].valid_to = since
    session.add(row)
    session.flush()


def names(session: Session, kind: str, on: date) -> dict[str, str]:
    """Key → name as it stood on a day (or nearest to it), in the language in force."""
    found = {key: _(name) for key, name in _BUILT_IN.get(kind, {}).items()}
    query = select(Dimension).where(Dimension.kind == kind).order_by(col(Dimension.valid_from))
    begun: set[str] = set()
    for row in session.exec(query):
        if row.valid_from <= on or row.key not in begun:
            english = current_locale() == "en" and row.name_en
            found[row.key] = row.name_en if english else row.name
        begun.add(row.key)
    found[""] = _(_NOTHING[kind])
    return found


# The newest tree of each database, with the state of the outlets it was read in.
_TREES: WeakKeyDictionary[Any, tuple[Any, "Tree"]] = WeakKeyDictionary()
_REMEMBERED = 400


@dataclass(frozen=True, slots=True)
class Span:
    """A node's name and parent from `first` on."""

    first: date
    name: str
    kind: str
    parent: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """The tree of outlets with its whole history: code → its spans by date. Read again only after a change."""

    spans: Mapping[str, tuple[Span, ...]]
    _roots: dict[date, str] = field(default_factory=dict)
    _branches: dict[tuple[str, date, str], dict[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, session: Session) -> "Tree":
        """The history as the institution tells it."""
        # one for each database, whether it is read or written: both faces of its engine have one dialect
        database, state = session.get_bind().dialect, outlets.state(session)
        known = _TREES.get(database)
        if known is None or known[0] != state:
            known = _TREES[database] = (state, cls._read(session))
        return known[1]

    @classmethod
    def _read(cls, session: Session) -> "Tree":
        found: dict[str, list[Span]] = {}
        for row in outlets.spans(session):
            span = Span(row.valid_from, row.name, row.kind, row.parent_code)
            found.setdefault(row.code, []).append(span)
        return cls({code: tuple(sorted(each, key=lambda one: one.first)) for code, each in found.items()})

    def on(self, code: str, day: date) -> Span | None:
        """What held on a day; before its first span the first, so that early events find their branch."""
        spans = self.spans.get(code)
        if not spans:
            return None
        if len(spans) == 1:  # of most nodes there is one
            return spans[0]
        return next((span for span in reversed(spans) if span.first <= day), spans[0])

    def name(self, code: str, day: date) -> str:
        """The name on a day; the key itself for a node that nobody knows."""
        if not code:
            return _(HEAD_OFFICE_ONLINE)
        span = self.on(code, day)
        return span.name if span else code

    def path(self, code: str, day: date) -> list[str]:
        """The codes from this node up to the top, itself first; [] for an unknown node."""
        steps: list[str] = []
        at: str | None = code
        while at and at in self.spans and at not in steps:
            steps.append(at)
            span = self.on(at, day)
            at = span.parent if span else None
        return steps

    def root(self, day: date) -> str:
        """The one node at the top; "" when there is none or more than one."""
        if day not in self._roots:
            tops = [code for code in self.spans if (span := self.on(code, day)) and not span.parent]
            self._roots[day] = tops[0] if len(tops) == 1 else ""
        return self._roots[day]

    def moves(self, first: date, last: date) -> list[date]:
        """The days after `first` up to `last` on which some node came under another parent."""
        days = {
            span.first
            for spans in self.spans.values()
            for before, span in pairwise(spans)
            if first < span.first <= last and before.parent != span.parent
        }
        return sorted(days)

    def branches(self, within: str, day: date, level: str = "") -> Mapping[str, str]:
        """Code → the child of `within` (or `within` itself) that it belonged to, for all below `within`;
        without `within` the top that each belonged to. With `level` (province, city, county) the lowest node
        on its path that is of this level or above it: what hangs directly under a province is the province's."""
        known = self._branches.get((within, day, level))
        if known is None:
            if len(self._branches) >= _REMEMBERED:
                self._branches.clear()
            known = self._placed(within, day)
            if level:
                known = {code: self._at_level(code, within, day, level) for code in known}
            self._branches[within, day, level] = known
        return known

    def _at_level(self, code: str, within: str, day: date, level: str) -> str:
        path = self.path(code, day)
        inside = path[: path.index(within) + 1] if within in path else path
        of = {at: span.kind for at in inside if (span := self.on(at, day))}
        return next(
            (at for at in inside if outlets.LEVELS.get(of[at], 0) <= outlets.LEVELS[level]), inside[-1]
        )

    def _placed(self, within: str, day: date) -> dict[str, str]:
        above = {code: (span.parent or "") for code in self.spans if (span := self.on(code, day))}
        found: dict[str, str] = {within: within} if within in above else {}
        outside: set[str] = set()
        for code in above:
            steps, at = [], code
            while at in above and at not in found and at not in outside and at not in steps:
                steps.append(at)
                at = above[at]
            if at in outside or (within and at not in found):
                outside.update(steps)
                continue
            # `at` is known: below the part's own top each step is a branch of its own
            for step in reversed(steps):
                parent = above[step]
                found[step] = step if parent == within or parent not in above else found.get(parent, step)
        return found
