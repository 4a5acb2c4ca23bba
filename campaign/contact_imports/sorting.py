"""Rows of a file checked and put into pages by the hash of their person; several may be at it, also beside a process."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from campaign import audience_rows
from campaign.audience_columns import BadRow, Columns
from campaign.audience_rows import ContactRow
from campaign.contact_imports.staged import Staged
from core.errors import DomainError
from core.privacy import Vault


@dataclass(frozen=True)
class Rules:
    """By what the rows of a file are judged, and over how many pages they go: `outlets` are the codes they may name."""

    columns: Columns
    outlets: set[str]
    pages: int
    zone: ZoneInfo
    now: datetime


class Sorting:
    """Puts the good rows that it takes into the pages of `staged`."""

    def __init__(self, staged: Staged, vault: Vault, rules: Rules) -> None:
        self._staged, self._vault, self._rules = staged, vault, rules
        # an index under a key of the ring begins with the key's name, which is the same for all
        newest, derived = vault.key_ids[0], vault.key_ids[-1]
        self._from = 0 if newest == derived else len(newest)
        self._persons = [array("Q") for _page in range(rules.pages)]

    def take(self, rows: Sequence[tuple[int, list[str]]]) -> list[BadRow]:
        """Check rows (line and cells) and put the good ones into their pages; the bad ones."""
        bad, rules = [], self._rules
        cells, zone, now, is_outlet = rules.columns.cells, rules.zone, rules.now, rules.outlets.__contains__
        for line, raw in rows:
            try:
                row = audience_rows.check(line, cells(raw), zone=zone, now=now, is_outlet=is_outlet)
            except DomainError as error:
                bad.append(rules.columns.bad(line, error, raw))
            else:
                self._staged.put(self._page_of(row), row)
        return bad

    def end(self) -> list["array[int]"]:
        """Everything in its file; whose the rows of each page are: eight bytes of the hash of each person."""
        self._staged.flush()
        return self._persons

    def _page_of(self, row: ContactRow) -> int:
        """The page of a row, noting whose it is: all rows of one person are in one, and pages are in the order of the
        index."""
        person = int(self._vault.index(*row.address)[self._from : self._from + 16], 16)
        page = person * self._rules.pages >> 64
        self._persons[page].append(person)
        return page
