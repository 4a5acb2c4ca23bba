"""Every periodic job of a process, one line each."""

from collections.abc import Callable

from campaign.base.carrying import Archives
from campaign.contact_imports.carrying import Imports
from campaign.registration import telling, waiting_list
from campaign.registration.counting import EVERY_SECONDS as COUNT_SECONDS
from campaign.registration.counting import Counting
from campaign.registration.telling import Telling
from campaign.registration.work import Doorkeeper
from campaign.returns import booking, keeping
from campaign.returns.booking import Bookkeeper
from content import releases
from content.finding.documents import Documents
from content.off_site import expiring
from content.off_site.expiring import Keeper
from content.poster import making
from content.poster.making import Posters
from content.releases import Releaser
from content.rooms import tally
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from institution import audit_chain, personal_data, retention, uploads
from institution.approval_reminders import EVERY_SECONDS, Reminders
from scheduler import early, receipts, serial_letters
from scheduler.correcting import Corrector
from scheduler.figures import Reading
from scheduler.jobs import Job, Outgoing
from scheduler.mailroom import Mailroom
from scheduler.polling import Poller
from scheduler.texts import NoticeTexts, TextRoom
from tracking import closing, report_sender
from tracking.drain import Drain
from tracking.imports.depositing import Depositor
from tracking.recorder import Recorder
from tracking.report_sender import Reports
from tracking.store import ReachStore
from tracking.watching import watch
from tracking.watching.watch import Watch
from webapp import personal
from webapp.runtime import Runtime

CLOSE_DAYS_SECONDS = 60.0
RETENTION_SECONDS = 600.0  # it looks this often and clears once a night
READ_SECONDS = 20.0
ANCHOR_SECONDS = (
    300.0  # it looks this often and notes once an hour, so that restarts do not put it off for ever
)


def jobs(runtime: Runtime) -> list[Job]:
    """The jobs of the embedded shape: reach recorded, shipped and closed, plans carried out."""
    settings = runtime.service(Settings)
    carried_out = _carried_out(runtime) if settings.scheduler else []
    return [
        Job("reach.tick", 1.0, runtime.service(Recorder).tick),
        Job("reach.drain", settings.drain_seconds, runtime.service(Drain).run_once),
        Job("reach.imports", 2.0, runtime.service(Depositor).run_once),
        Job("returns.book", booking.EVERY_SECONDS, runtime.service(Bookkeeper).run_once),
        Job("returns.sweep", keeping.EVERY_SECONDS, _sweep(runtime)),
        Job("reach.close", CLOSE_DAYS_SECONDS, _close_days(runtime)),
        Job("reach.watch", watch.EVERY_SECONDS, _watch(runtime).run_once),
        Job("finding.read", READ_SECONDS, _read(runtime)),
        Job("rooms.tally", tally.EVERY_SECONDS, runtime.service(tally.Tally).run_once),
        Job("audit.anchor", ANCHOR_SECONDS, _anchor(runtime)),
        Job("privacy.retention", RETENTION_SECONDS, _retention(runtime)),
        *carried_out,
    ]


def _carried_out(runtime: Runtime) -> list[Job]:
    mailroom = Mailroom(
        runtime.service(Settings), runtime.service(Database), runtime.service(Vault), clock.now
    )
    reminders = Reminders(
        runtime.service(Settings), runtime.service(Database), runtime.service(Vault), clock.now
    )
    return [
        *runtime.service(Outgoing).jobs(),
        *_receipts(runtime),
        _plaques(runtime),
        _posters(runtime),
        _imports(runtime),
        Job("letters.carry", 2.0, mailroom.run_once),
        Job("letters.text", 2.0, _texts(runtime).run_once),
        Job("approvals.remind", EVERY_SECONDS, reminders.run_once),
        Job(
            "content.release", releases.EVERY_SECONDS, Releaser(runtime.service(Database), clock.now).run_once
        ),
        Job("serials.letter", serial_letters.EVERY_SECONDS, _serials(runtime)),
        Job("content.expire", expiring.EVERY_SECONDS, _keeper(runtime).run_once),
        Job("events.count", COUNT_SECONDS, _counting(runtime).run_once),
        Job("events.lapse", 10.0, _lapse(runtime)),
        Job("events.tell", telling.EVERY_SECONDS, _telling(runtime).run_once),
        Job("reports.send", report_sender.EVERY_SECONDS, runtime.service(Reports).run_once),
    ]


def _serials(runtime: Runtime) -> Callable[[], int]:
    database, settings = runtime.service(Database), runtime.service(Settings)
    return lambda: serial_letters.tick(database, settings.zone, settings.holidays, clock.now())


def _keeper(runtime: Runtime) -> Keeper:
    settings = runtime.service(Settings)
    return Keeper(settings, runtime.service(Database), runtime.service(Vault), clock.now)


def _texts(runtime: Runtime) -> TextRoom:
    dispatcher = runtime.service(Outgoing).dispatcher
    return TextRoom(
        runtime.service(Database), runtime.service(Vault), dispatcher.opener, dispatcher.channels, clock.now
    )


def _receipts(runtime: Runtime) -> list[Job]:
    """What platforms say later: asked for, put to its row when it came too early, counted back."""
    database, sending = runtime.service(Database), runtime.service(Outgoing).dispatcher
    poller = Poller(database, sending.vault, sending.opener, sending.channels, clock.now)
    zone = runtime.service(Settings).zone
    return [
        Job("receipts.poll", 10.0, poller.run_once, poller.stop),
        Job("receipts.early", 3.0, _early(database)),
        Job(
            "receipts.correct", 5.0, Corrector(database, runtime.service(Recorder), zone, clock.now).run_once
        ),
    ]


def _figures(runtime: Runtime) -> Reading:
    sending, zone = runtime.service(Outgoing).dispatcher, runtime.service(Settings).zone
    return Reading(
        runtime.service(Database),
        runtime.service(Recorder),
        sending.opener,
        sending.channels,
        zone=zone,
        clock=clock.now,
    )


def _early(database: Database) -> Callable[[], int]:
    def settle() -> int:
        now = clock.now()
        if not database.ask(early.WAITING, {"now": now}):
            return 0
        with database.transaction() as session:
            return receipts.settle_early(session, now)

    return settle


def _plaques(runtime: Runtime) -> Job:
    archives = runtime.service(Archives)
    return Job("base.plaques", 2.0, archives.run_once, archives.stop)


def _posters(runtime: Runtime) -> Job:
    posters = runtime.service(Posters)
    return Job("content.pictures", making.EVERY_SECONDS, posters.run_once, posters.stop)


def _imports(runtime: Runtime) -> Job:
    imports = runtime.service(Imports)
    return Job("audience.imports", 2.0, imports.run_once, imports.stop)


def _close_days(runtime: Runtime) -> Callable[[], int]:
    store, database = runtime.service(ReachStore), runtime.service(Database)
    zone = runtime.service(Settings).zone
    return lambda: closing.close_past(store, database, clock.today(zone))


def _read(runtime: Runtime) -> Callable[[], int]:
    """Have what was published read before somebody searches it."""
    database, documents = runtime.service(Database), runtime.service(Documents)

    def read() -> int:
        with database.reading() as session:
            return documents.warm(session)

    return read


def _sweep(runtime: Runtime) -> Callable[[], int]:
    database, files_dir = runtime.service(Database), runtime.service(Settings).files_dir
    return lambda: keeping.sweep(database, files_dir, clock.now())


def _watch(runtime: Runtime) -> Watch:
    return Watch(
        runtime.service(Settings), runtime.service(Database), runtime.service(ReachStore), runtime.service(Vault),
        clock.now,
    )  # fmt: skip


def _counting(runtime: Runtime) -> Counting:
    database, zone = runtime.service(Database), runtime.service(Settings).zone
    return Counting(database, runtime.service(Recorder), zone, clock.now)


def _telling(runtime: Runtime) -> Telling:
    return Telling(
        runtime.service(Settings), runtime.service(Database), runtime.service(Vault),
        runtime.service(Doorkeeper), clock.now, texts=NoticeTexts(runtime.service(Vault)),
    )  # fmt: skip


def _lapse(runtime: Runtime) -> Callable[[], int]:
    """End offers whose time is over, each occurrence in a transaction of its own."""
    database = runtime.service(Database)

    def lapse() -> int:
        now = clock.now()
        with database.reading() as session:
            found = list(waiting_list.with_ended_offers(session, now))
        ended = 0
        for occurrence_id in found:
            with database.transaction() as session:
                ended += waiting_list.lapse_due(session, occurrence_id, now)
        return ended

    return lapse


def _anchor(runtime: Runtime) -> Callable[[], bool]:
    database, home = runtime.service(Database), runtime.service(Settings).home
    return lambda: audit_chain.anchor(database, home, clock.now())


def _retention(runtime: Runtime) -> Callable[[], int]:
    """Clear what is over its time in the small hours, once a night; clearing again changes nothing."""
    assert personal.institution  # noqa: S101  (importing it plugs in the kinds of data)
    database, settings = runtime.service(Database), runtime.service(Settings)
    nights = retention.Nights(settings.zone)

    def clear() -> int:
        now = clock.now()
        uploads.clear(settings.home / "uploads", now)
        if not nights.due(now):
            return 0
        with database.transaction() as session:
            lapsed = personal_data.lapse(session, now)
        return lapsed + sum(retention.run(database, settings.retention_days, now).values())

    return clear
