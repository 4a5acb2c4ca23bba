"""The write path alone, as a WSGI application: what `bench.beacons` measures and kills."""

from collections.abc import Iterable
from typing import Any

from core.settings import Settings, forget_environment
from core.signing import Keys, load_secret
from tracking.attribution import Attributions
from tracking.collector import Collector
from tracking.recorder import Recorder, Ticker
from tracking.spool import Spool


def _nothing(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("404 Not Found", [("Content-Length", "0")])
    return ()


def build_application() -> Collector:
    """The collector over an application that knows no page, with settings from the environment."""
    settings = Settings()
    forget_environment()
    attributions = Attributions(Keys(load_secret(settings)))
    spool = Spool.of(settings)
    recorder = Recorder(spool, attributions, settings)
    Ticker(recorder).start()
    return Collector(_nothing, recorder)
