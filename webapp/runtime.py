"""Which objects exist: each made at first use from the settings, found by class."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

from sqlmodel import Session

from campaign import programme
from campaign.base.carrying import Archives
from campaign.base.poster_making import ForOutlets
from campaign.base.screens import ScreenKeys
from campaign.contact_imports.carrying import Imports
from campaign.play_sessions.hosting import ScreenLinks
from campaign.play_sessions.progress import Hall
from campaign.registration.registrar import Registrar
from campaign.registration.work import Doorkeeper
from campaign.returns.booking import Bookkeeper
from campaign.unsubscribe import Unsubscriptions
from content.ai_pictures import Served
from content.finding.documents import Documents
from content.off_site.pictures import Withheld
from content.pages import Generation
from content.picture_desk.plugs import Plugs
from content.poster.making import Posters
from content.rooms.envelope import Envelopes
from content.rooms.games import Games
from content.rooms.learners import Invitations
from content.rooms.playing import Table
from content.rooms.result import Results
from content.rooms.stage import Stage
from content.rooms.tally import Tally
from content.rooms.traces import Traces
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from scheduler.account_secrets import Opener, Secrets
from scheduler.hearing import Hearing
from scheduler.jobs import Outgoing, outgoing
from tracking.attribution import Attributions
from tracking.batches import Batches
from tracking.drain import Drain
from tracking.imports.depositing import Depositor
from tracking.periods import Period
from tracking.press import Press
from tracking.recorder import Recorder
from tracking.report_rhythm import Ended
from tracking.report_sender import Reports
from tracking.spool import Spool
from tracking.store import ReachStore
from tracking.waiting import Waiting
from webapp import linked, off_site

T = TypeVar("T")


class Runtime:
    """The objects of one process, by class. Nothing on disk is opened before it is asked for."""

    def __init__(self, settings: Settings) -> None:
        self._made: dict[type, Any] = {Settings: settings}
        self._makers: dict[type, Callable[[Runtime], Any]] = {}
        self._lock = threading.RLock()

    def offer(self, kind: type[T], maker: "Callable[[Runtime], T]") -> None:
        """Say how the instance of `kind` is made when it is first asked for."""
        self._makers[kind] = maker

    def service(self, kind: type[T]) -> T:
        """The one instance of `kind`."""
        return cast(T, self[kind])

    def __getitem__(self, kind: type) -> Any:
        """The same for `core.http.service`, which knows only a mapping."""
        made = self._made.get(kind)
        if made is None:
            with self._lock:
                made = self._made.get(kind)
                if made is None:
                    made = self._made[kind] = self._makers[kind](self)
        return made

    def made(self, kind: type[T]) -> T | None:
        """The instance if it was made already: closing must not open."""
        return cast("T | None", self._made.get(kind))

    def close(self) -> None:
        """Let go of what was opened, in the order that loses nothing: late reports, spool, store, database."""
        with self._lock:
            for kind in (Press, Waiting, Tally, Recorder, Spool, ReachStore, Database):
                instance = self._made.pop(kind, None)
                if instance is not None and hasattr(instance, "close"):
                    instance.close()


def build(settings: Settings) -> Runtime:
    """How every object is made; makes none but the settings."""
    settings.home.mkdir(parents=True, exist_ok=True)
    off_site.plug()
    linked.plug()
    runtime = Runtime(settings)
    runtime.offer(Keys, lambda _r: Keys(load_secret(settings)))
    runtime.offer(Vault, lambda r: Vault(r.service(Keys), settings.privacy_ring))
    runtime.offer(Database, lambda _r: Database(settings.relational_url))
    runtime.offer(Attributions, lambda r: Attributions(r.service(Keys)))
    runtime.offer(Spool, lambda _r: Spool.of(settings))
    runtime.offer(Recorder, lambda r: Recorder(r.service(Spool), r.service(Attributions), settings))
    runtime.offer(ReachStore, lambda _r: ReachStore.open(settings))
    runtime.offer(Waiting, lambda _r: Waiting())
    runtime.offer(
        Drain, lambda r: Drain(r.service(Spool), r.service(ReachStore), r.service(Recorder).count_drop)
    )
    runtime.offer(
        Depositor,
        lambda r: Depositor(r.service(Database), r.service(Recorder), settings.zone, clock.now),
    )
    runtime.offer(
        Bookkeeper,
        lambda r: Bookkeeper(r.service(Database), r.service(Recorder), settings.zone, clock.now),
    )
    _offer_pages(runtime)
    _offer_posters(runtime)
    runtime.offer(Unsubscriptions, lambda r: Unsubscriptions(r.service(Keys)))
    runtime.offer(Doorkeeper, lambda r: Doorkeeper(r.service(Keys), settings.registration_bits))
    runtime.offer(Registrar, _registrar)
    runtime.offer(ScreenKeys, lambda r: ScreenKeys(r.service(Keys)))
    runtime.offer(Batches, _batches)
    runtime.offer(Imports, lambda r: Imports(settings, r.service(Database), r.service(Vault), clock.now))
    runtime.offer(Outgoing, _outgoing)
    runtime.offer(Hearing, _hearing)
    runtime.offer(Reports, _reports)
    return runtime


def _offer_pages(runtime: Runtime) -> None:
    zone = runtime.service(Settings).zone
    runtime.offer(Documents, lambda _r: Documents())
    runtime.offer(Generation, lambda r: Generation(r.service(Database), zone))
    name = runtime.service(Settings).institution_name
    runtime.offer(Served, lambda r: Served(r.service(Database), r.service(Generation), name))
    runtime.offer(Withheld, lambda r: Withheld(r.service(Database), r.service(Generation)))
    runtime.offer(Games, lambda r: Games(r.service(Database), r.service(Generation)))
    runtime.offer(ScreenLinks, lambda r: ScreenLinks(r.service(Keys)))
    runtime.offer(Invitations, lambda r: Invitations(r.service(Keys)))
    runtime.offer(Tally, lambda r: Tally(r.service(Database), r.service(Settings).zone, clock.now))
    runtime.offer(Table, _table)
    runtime.offer(Stage, lambda _r: Stage())
    runtime.offer(Results, lambda r: Results(r.service(Keys)))


def _offer_posters(runtime: Runtime) -> None:
    settings = runtime.service(Settings)
    runtime.offer(Press, lambda _r: Press())
    runtime.offer(Posters, lambda r: Posters(settings, r.service(Database), r.service(Press)))
    runtime.offer(
        Archives,
        lambda r: Archives(
            settings, r.service(Database), r.service(Attributions), clock.now, posters=_for_outlets(r)
        ),
    )
    runtime.offer(Plugs, lambda _r: Plugs(programme.offered, lambda key: f"/desk/posters?piece={key}"))


def _for_outlets(runtime: Runtime) -> ForOutlets:
    database, attributions = runtime.service(Database), runtime.service(Attributions)
    return ForOutlets(runtime.service(Settings), database, attributions, runtime.service(Posters))


def _table(runtime: Runtime) -> Table:
    traces = Traces(runtime.service(Database))
    hall = Hall(runtime.service(Database), runtime.service(ScreenLinks))
    envelopes = Envelopes(runtime.service(Keys))
    tally, recorder = runtime.service(Tally), runtime.service(Recorder)
    return Table(runtime.service(Games), envelopes, traces, recorder, host=hall, tally=tally)


def _registrar(runtime: Runtime) -> Registrar:
    return Registrar(
        runtime.service(Database),
        runtime.service(Vault),
        runtime.service(Doorkeeper),
        runtime.service(Attributions),
    )


def _reports(runtime: Runtime) -> Reports:
    return Reports(
        settings=runtime.service(Settings),
        database=runtime.service(Database),
        vault=runtime.service(Vault),
        keys=runtime.service(Keys),
        store=lambda: runtime.service(ReachStore),
        now=clock.now,
        campaigns=_campaigns,
    )


def _batches(runtime: Runtime) -> Batches:
    return Batches(
        database=runtime.service(Database),
        recorder=runtime.service(Recorder),
        attributions=runtime.service(Attributions),
        keys=runtime.service(Keys),
        zone=runtime.service(Settings).zone,
        clock=clock.now,
    )


def _campaigns(session: Session) -> list[Ended]:
    """The campaigns that visitors see, for reports that follow their end."""
    return [
        Ended(one.code, Period(one.starts_on, one.ends_on), one.outlet_code)
        for one in programme.listing(session)
        if one.visible
    ]


def _hearing(runtime: Runtime) -> Hearing:
    settings, vault = runtime.service(Settings), runtime.service(Vault)
    opener = Opener(settings, Secrets(runtime.service(Keys), vault), clock.now)
    return Hearing(runtime.service(Database), vault, opener, settings.zone, clock.now)


def _outgoing(runtime: Runtime) -> Outgoing:
    return outgoing(
        settings=runtime.service(Settings),
        database=runtime.service(Database),
        keys=runtime.service(Keys),
        vault=runtime.service(Vault),
        attributions=runtime.service(Attributions),
        recorder=runtime.service(Recorder),
        clock=clock.now,
    )
