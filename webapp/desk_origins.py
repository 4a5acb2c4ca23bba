"""What the batches of reach events are, plugged together: whoever deposits under a name says where it leads."""

from collections.abc import Collection, Mapping

from sqlmodel import Session, col, select

from campaign.returns import filing
from campaign.returns.models import ReturnVersion
from core.i18n import gettext as _
from scheduler.models import Batch, Push
from tracking import origins
from tracking.origins import Origin

_PUSH = "push-"


def plug() -> None:
    """Plug in who knows batches; again: changes nothing."""
    origins.plug(pushes)
    origins.plug(returns)


def pushes(session: Session, batches: Collection[str]) -> Mapping[str, Origin]:
    """`push-<key>-<round>`: what a push delivered (scheduler.counting)."""
    keys = {name: name.removeprefix(_PUSH).rpartition("-")[0] for name in batches if name.startswith(_PUSH)}
    query = (
        select(Batch.key, Push.id, Push.subject)
        .join(Push, col(Push.id) == col(Batch.push_id))
        .where(col(Batch.key).in_(set(keys.values())))
    )
    found = {key: (number, subject) for key, number, subject in session.exec(query)} if keys else {}
    return {name: _origin(*found[key]) for name, key in keys.items() if key in found}


def returns(session: Session, batches: Collection[str]) -> Mapping[str, Origin]:
    """`return-<number>-<version>`: what a verified return counted (campaign.returns.deciding)."""
    some = [name for name in batches if name.removeprefix("demo-").startswith("return-")]
    found = session.exec(select(ReturnVersion).where(col(ReturnVersion.batch).in_(some))) if some else ()
    return {
        one.batch: Origin(
            _("活动回执：%(title)s", title=filing.title(session, one)),
            f"/desk/returns/{one.return_id}?version={one.number}",
        )
        for one in found
    }


def _origin(number: int | None, subject: str) -> Origin:
    word = _("推送“%(subject)s”", subject=subject) if subject else _("推送 %(number)s", number=number)
    return Origin(word, f"/desk/pushes/{number}")
