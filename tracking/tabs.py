"""The pages beside the report, as one row of links: whoever adds a page about reach plugs it in here."""

from dataclasses import dataclass

from core.i18n import mark


@dataclass(frozen=True, slots=True)
class Tab:
    """A page about reach: its key, its word (a msgid), its path, the permission that it needs.

    `whole`: only for who holds the permission for the whole institution; `after`: its place in the row.
    """

    key: str
    label: str
    path: str
    permission: str = "reach.view"
    whole: bool = False
    after: int = 10


_TABS: dict[str, Tab] = {}


def plug(tab: Tab) -> None:
    """Add a page, once however often it is plugged in; a module of pages does so when it is imported."""
    _TABS[tab.key] = tab


def tabs() -> list[Tab]:
    """All pages in the order of their places, those of one place as they were plugged in."""
    return sorted(_TABS.values(), key=lambda tab: tab.after)


plug(Tab("report", mark("报告"), "/desk/reach", after=0))
plug(Tab("views", mark("保存的视图"), "/desk/reach/views", after=20))
