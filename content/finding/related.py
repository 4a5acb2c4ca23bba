"""What to read next: pieces about the same, told in another form first."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from content.listing import PublishedPiece

MOST = 3
_RIGHT, _AUDIENCE, _OTHER_FORM, _SAME_KIND = 0.6, 0.3, 0.8, 2


def related(
    published: Iterable[PublishedPiece], here: PublishedPiece, most: int = MOST
) -> tuple[PublishedPiece, ...]:
    """Pieces that share topics, rights or readers with this one, nearest first; at most two of a kind.

    A rare topic binds more than one that half the library names. Where too few share anything the newest follow.
    """
    others = [one for one in published if one.key != here.key]
    named = Counter(topic for one in others for topic in one.topics)
    scored = {one.key: _nearness(here, one, named, len(others)) for one in others}
    order = sorted(others, key=lambda one: (scored[one.key], one.first_published_at), reverse=True)
    return tuple(_mixed(order, most))


def _nearness(here: PublishedPiece, one: PublishedPiece, named: Counter[str], count: int) -> float:
    topics = sum(1 + math.log(count / named[topic]) for topic in {*here.topics} & {*one.topics})
    shared = topics + _RIGHT * len({*here.rights} & {*one.rights})
    if not shared:
        return 0.0
    return (
        shared + _AUDIENCE * len({*here.audience} & {*one.audience}) + _OTHER_FORM * (one.kind != here.kind)
    )


def _mixed(order: Sequence[PublishedPiece], most: int) -> list[PublishedPiece]:
    kinds: Counter[str] = Counter()
    chosen, left = [], []
    for one in order:
        if kinds[one.kind] < _SAME_KIND:
            kinds[one.kind] += 1
            chosen.append(one)
        else:
            left.append(one)
    return [*chosen, *left][:most]
