"""Search over everything that a person may open, by name or number. Packages above plug in who knows what."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from institution.access import SignedIn

LONGEST = 80  # letters of a question that count
_FAIR = 5  # so many of a kind come before the rest


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found: its name, what tells it from others, its page, and the word for its kind."""

    title: str
    note: str
    href: str
    kind: str


Provider = Callable[[Session, SignedIn, str], Sequence[Hit]]
providers: list[Provider] = []


def plug(provider: Provider) -> None:
    """Add a provider, once however often it is plugged in. It narrows its hits by the person's scope itself."""
    if provider not in providers:
        providers.append(provider)


def find(session: Session, person: SignedIn, text: str, *, most: int = 0) -> list[Hit]:
    """What fits the text: exact names and numbers first, then those that begin with it, then the rest.

    Within that in the order of the providers. `most` cuts the list; 0: all that the providers give.
    """
    wanted = " ".join(text.split())[:LONGEST]
    if not wanted:
        return []
    hits = [hit for provider in providers for hit in provider(session, person, wanted)]
    hits.sort(key=lambda hit: _distance(hit, wanted.casefold()))
    return _fairly(hits, most) if most else hits


def _fairly(hits: Sequence[Hit], most: int) -> list[Hit]:
    """The best `most` hits, of no kind so many that another kind finds no room."""
    kinds: dict[str, int] = {}
    ranks = []
    for hit in hits:
        kinds[hit.kind] = kinds.get(hit.kind, 0) + 1
        ranks.append(kinds[hit.kind])
    chosen = sorted(range(len(hits)), key=lambda number: (ranks[number] > _FAIR, number))[:most]
    return [hits[number] for number in sorted(chosen)]


def _distance(hit: Hit, wanted: str) -> int:
    words = [hit.title.casefold(), *hit.note.casefold().split(" · ")]
    if wanted in words:
        return 0
    return 1 if any(word.startswith(wanted) for word in words) else 2
