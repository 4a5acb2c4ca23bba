"""What stands before Flask besides the beacon: batches, the picture and short links, without the framework."""

from collections.abc import Callable
from typing import Any

from core import clock
from core.database import Database
from core.settings import Settings
from core.signing import Keys
from tracking.attribution import Attributions
from tracking.batch_door import BatchDoor, TokenMemory
from tracking.batches import Batches
from tracking.link_door import LinkDoor
from tracking.pixel import PixelDoor, Pixels
from tracking.recorder import Recorder
from tracking.spool import Spool
from webapp.limiting import Limiter
from webapp.runtime import Runtime

Application = Callable[..., Any]


def doors(runtime: Runtime, app: Application) -> Application:
    """The doors over the objects of `runtime`, in front of `app`; starts nothing."""
    return PixelDoor(
        _batch_door(runtime, _link_door(runtime, app)),
        spool=runtime.service(Spool),
        pixels=Pixels(runtime.service(Keys)),
        attributions=runtime.service(Attributions),
        settings=runtime.service(Settings),
        count_drop=runtime.service(Recorder).count_drop,
    )


def _link_door(runtime: Runtime, app: Application) -> Application:
    zone = runtime.service(Settings).zone
    return LinkDoor(app, runtime.service(Database), runtime.service(Attributions), lambda: clock.today(zone))


def _batch_door(runtime: Runtime, app: Application) -> Application:
    settings, database = runtime.service(Settings), runtime.service(Database)
    limiter = Limiter.of(settings.rate_storage) if settings.rate_storage else None
    return BatchDoor(
        app,
        runtime.service(Batches),
        TokenMemory(database, clock.now),
        lambda who: limiter.wait("batch", who) if limiter else 0,
        settings.locale,
    )
