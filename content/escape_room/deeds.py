"""Conditions and clauses made quick: facts are the bits of one number."""

from typing import NamedTuple


class Test(NamedTuple):
    """A condition over the bits of what was found."""

    wanted: int = 0
    banned: int = 0
    every: tuple["Test", ...] = ()
    some: tuple["Test", ...] = ()
    none: tuple["Test", ...] = ()

    def holds(self, facts: int) -> bool:
        """Whether these facts fulfil it."""
        if facts & self.wanted != self.wanted or facts & self.banned:
            return False
        if not (self.every or self.some or self.none):
            return True
        if self.some and not any(test.holds(facts) for test in self.some):
            return False
        return all(test.holds(facts) for test in self.every) and not any(
            test.holds(facts) for test in self.none
        )


class Deed(NamedTuple):
    """A clause: facts added, then perhaps a scene (-1: none), what comes to the front at a line, an ending."""

    when: Test
    adds: int
    scene: int
    front: int
    line: int
    ending: int


Deeds = tuple[Deed, ...]
