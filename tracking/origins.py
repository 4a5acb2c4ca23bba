"""Where rows came from: what a batch is called, and the page of the desk that tells more about it.

Whoever deposits events under names of their own plugs in who explains these names.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from core.i18n import gettext as _
from core.i18n import mark
from tracking.demo import BATCH as DEMO
from tracking.spool import SEGMENT

SOURCES = {
    "web": mark("网站访问"),
    "push": mark("推送送达"),
    "offline": mark("线下活动"),
    "return": mark("活动回执"),
    "import": mark("外部数据导入"),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """What a batch is called; `href` leads to it where it has a page."""

    word: str
    href: str = ""


Teller = Callable[[Session, Collection[str]], Mapping[str, Origin]]
_tellers: list[Teller] = []


def plug(teller: Teller) -> None:
    """Add somebody who knows some batches by their names, once however often it is plugged in."""
    if teller not in _tellers:
        _tellers.append(teller)


def origins(session: Session, batches: Collection[str]) -> dict[str, Origin]:
    """Batch → what it is, for every one of them; one that nobody knows is called what it is."""
    found = {batch: _own(batch) for batch in batches}
    for teller in _tellers:
        found.update({batch: one for batch, one in teller(session, batches).items() if batch in found})
    return found


def source_name(source: str) -> str:
    """What a source is called; itself where nobody named it."""
    return _(SOURCES[source]) if source in SOURCES else source or _("未指明来源")


def _own(batch: str) -> Origin:
    if batch.startswith(SEGMENT):
        return Origin(_("网站记录段"))
    if batch.startswith(DEMO):
        return Origin(_("示范数据"))
    return Origin(batch or _("网站实时记录"))
