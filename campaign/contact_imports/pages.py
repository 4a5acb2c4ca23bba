"""The pages of an import made ready to be written: by a process beside this one while this one writes."""

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future

from campaign.audience_ready import Ready, kept, ready
from campaign.contact_imports.staged import Staged
from core.beside import Beside
from core.privacy import Vault

_AHEAD = 2  # pages that are ready, or nearly, before their turn
Given = tuple[Staged, Vault, str, bool, bool]


class Pages:
    """The pages of `staged`; `in_order` of the index, for the sake of the database's pages (see the package)."""

    def __init__(self, staged: Staged, vault: Vault, holder: str, many_keys: bool, in_order: bool) -> None:
        self._staged, self._vault, self._holder = staged, vault, holder
        self._many_keys, self._in_order = many_keys, in_order

    def ready(self, number: int) -> Ready:
        """The rows of a page with their hashes."""
        rows = self._staged.page(number)
        return ready(rows, self._vault, many_keys=self._many_keys, in_order=self._in_order)

    def sealed(self, number: int) -> Ready:
        """The same with the ciphertext that whoever is new will have."""
        page = self.ready(number)
        return page._replace(kept=kept(page, self._vault, self._holder, range(len(page.line))))


def each(given: Given, numbers: Sequence[int], *, beside: bool) -> Generator[tuple[int, Ready]]:
    """The pages of these numbers, one after the other. To be closed."""
    here = Pages(*given)
    if not beside:
        yield from ((number, here.ready(number)) for number in numbers)
        return
    with Beside(Pages, *given) as other:
        asked = deque[Future[Ready]]()
        for at, number in enumerate(numbers):
            while len(asked) < min(_AHEAD + 1, len(numbers) - at):
                asked.append(other.ask("sealed", numbers[at + len(asked)]))
            found = asked.popleft()
            waits = not other.has_begun and found.cancel()
            yield number, here.ready(number) if waits else found.result()
