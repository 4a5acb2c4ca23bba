"""All plaques of the demo institution as one archive, drawings and pages: `python -m bench.plaques`."""

import json
import resource
import tempfile
import time
import zipfile
from pathlib import Path

from sqlalchemy import insert
from sqlmodel import SQLModel, select

from campaign.base import archives, carrying
from campaign.base.carrying import Archives
from core import clock
from core.database import Database
from core.settings import Settings
from core.signing import Keys
from institution.models import Outlet
from institution.outlets import EVERYWHERE
from tracking import links, printing
from tracking.attribution import Attributions
from tracking.links import Aim
from webapp import demo_tree, tables  # noqa: F401  (all tables register themselves)


def main() -> None:
    """Make the archive once with SVG alone, once with SVG and PDF where there is a browser."""
    results: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, home=Path(folder))
        database = Database(settings.relational_url)
        SQLModel.metadata.create_all(database.engine)
        _fill(database)
        for pdf in (False, True) if printing.installed() else (False,):
            results |= _make(settings, database, pdf=pdf)
        database.close()
    print("RESULT", json.dumps(results))


def _fill(database: Database) -> None:
    now = clock.now()
    with database.transaction() as session:
        rows = [each.values | {"demo": True, "updated_at": now} for each in demo_tree.tree()]
        session.execute(insert(Outlet), rows)
        codes = list(session.exec(select(Outlet.code).where(Outlet.kind == "outlet")))
        links.for_outlets(session, Aim(), codes, node="", by=None, today=now.date(), now=now)


def _make(settings: Settings, database: Database, *, pdf: bool) -> dict[str, float]:
    with database.transaction() as session:
        codes = [one.code for one in links.outlets_of(session, demo_tree.HEAD_OFFICE, EVERYWHERE)]
        one = archives.ask(session, "", codes, size="A3", pdf=pdf, by=None, now=clock.now())
    worker = Archives(settings, database, Attributions(Keys(b"of no value")), clock.now)
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    worker.run_once()
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    path = carrying.file_of(settings, one.id or 0)
    with zipfile.ZipFile(path) as file:
        files = len(file.namelist())
    name = "svg_pdf" if pdf else "svg"
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{name}: {len(codes)} plaques in {seconds:.1f} s, {path.stat().st_size / 2**20:.1f} MiB, {files} files"
    )
    return {
        f"{name}_s": round(seconds, 1),
        f"{name}_own_cpu_s": round(own, 1),
        f"{name}_mib": round(path.stat().st_size / 2**20, 1),
    }


if __name__ == "__main__":
    main()
