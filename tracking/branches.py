"""Where a reader stands in the tree: what lies below, the way down from where their part begins, other parts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from institution.powers import WHOLE
from tracking.dimensions import Tree
from tracking.report_address import Address


@dataclass(frozen=True, slots=True)
class Link:
    """A choice as a link."""

    label: str
    href: str
    current: bool = False


@lru_cache(4)
def parents(tree: Tree) -> frozenset[str]:
    """The nodes that have others below them today."""
    return frozenset(spans[-1].parent or "" for spans in tree.spans.values())


def is_leaf(tree: Tree, code: str) -> bool:
    """Whether a known node has nothing below it."""
    return code in tree.spans and code not in parents(tree)


def at_top(tree: Tree, within: str, today: date) -> bool:
    """Whether the whole institution is looked at."""
    return not within or within == tree.root(today)


def others(tree: Tree, given: Address, today: date, tops: Collection[str]) -> list[Link]:
    """The parts of the tree to choose from, for somebody who has several."""
    if len(tops) < 2 or WHOLE in tops:
        return []
    above = tree.path(given.get("within"), today)
    return [
        Link(tree.name(code, today), given.but(within=code).href(), code in above) for code in sorted(tops)
    ]


def crumbs(tree: Tree, given: Address, today: date, tops: Collection[str]) -> list[tuple[str, str]]:
    """The way down from where the reader's part begins; [] at its top. What was grouped by starts anew."""
    within, root = given.get("within"), tree.root(today)
    steps = tree.path(within, today)
    if WHOLE not in tops:
        steps = steps[: next((at + 1 for at, code in enumerate(steps) if code in tops), len(steps))]
    if not within or within == root or len(steps) < 2:
        return []
    links = [
        (tree.name(code, today), given.but(within="" if code == root else code, by="", by2="").href())
        for code in steps[:0:-1]
    ]
    return [*links, (tree.name(within, today), "")]


def home(tree: Tree, key: str, within: str, on: date) -> str:
    """The name of the branch right below the part looked at to which a node belongs; "" where it is that itself."""
    steps = tree.path(key, on)
    top = within or tree.root(on)
    below = steps[: steps.index(top)] if top in steps else steps
    return tree.name(below[-1], on) if len(below) > 1 else ""
