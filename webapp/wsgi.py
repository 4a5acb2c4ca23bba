"""The WSGI line of one web process: Collector → PageCache → doors → Flask, with the work behind it started."""

from collections.abc import Callable
from typing import Any

from campaign import registration_door
from content.pages import Generation, PageCache
from content.rooms import door as room_door
from core.settings import Settings, forget_environment
from core.steadying import steady
from tracking.collector import Collector
from tracking.recorder import Recorder
from webapp import background, logs
from webapp.affinity import Roaming
from webapp.create_app import create_app
from webapp.doors import doors
from webapp.runtime import Runtime, build

Application = Callable[..., Any]


def compose(runtime: Runtime) -> Application:
    """The line over the objects of `runtime`; starts nothing."""
    return _line(runtime, doors(runtime, create_app(runtime)))


def _line(runtime: Runtime, app: Application) -> Application:
    recorder = runtime.service(Recorder)
    return Collector(PageCache(app, recorder, runtime.service(Generation)), recorder)


def _stays(environ: dict[str, Any]) -> bool:
    return registration_door.is_form(environ) or room_door.is_step(environ)


def build_application(settings: Settings | None = None) -> Application:
    """The callable that a server worker loads: the line, and drain and scheduler beside it."""
    logs.configure()
    runtime = build(settings or Settings())
    forget_environment()
    background.start(runtime)
    roaming = Roaming(doors(runtime, create_app(runtime)), stays=_stays)
    line = _line(runtime, roaming)
    steady()
    roaming.settle()  # last: the jobs started above keep all cores
    return line
