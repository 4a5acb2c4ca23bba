"""Importing contacts from a CSV file into an empty database: `python -m bench.contacts --rows 1000000`.

Prints the seconds for so many rows and `import_s`, what a million takes at that pace (measured when --rows is a million,
scaled when it is fewer: `scaled` says so), how far memory grew while the file was read, the seconds of importing the
same file again, and those of counting a segment and of paging through everybody. Names in `_cpu_s` are seconds of the
processor, for a machine that is shared; `loop_s` is what a bare loop takes there, 0.08 where nothing else runs.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlmodel import Session, SQLModel

from campaign import audience, recipients, segments
from campaign.contact_imports import register
from campaign.contact_imports.carrying import Imports
from campaign.contact_imports.models import DONE, ContactImport
from campaign.contacts import EDUCATION
from campaign.recipients import Audience
from campaign.segments import Filters
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from core.steadying import spare_rounds
from webapp import tables  # noqa: F401  (all tables register themselves)

_HEAD = "姓名,邮箱,手机,省份,人群,语言,同意用途,同意时间,同意来源,同意文本版本\n"
_PROVINCES = ("浙江省", "四川省", "河南省", "广东省")
_GROUPS = ("老年人", "新市民", "学生", "")


def main() -> None:
    """Write the file, import it twice, count and page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    spare_rounds()  # as the web process that imports does at its start
    print("RESULT", json.dumps(measured(parser.parse_args().rows)))


def measured(rows: int) -> dict[str, float]:
    """All figures of so many rows."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        file = home / "people.csv"
        _write(file, rows)
        settings = Settings(_env_file=None, home=home)
        database = Database(settings.relational_url)
        SQLModel.metadata.create_all(database.engine)
        imports = Imports(settings, database, Vault(Keys(b"of no value")), clock.now)
        before = _peak_mib()
        found: dict[str, float] = {"rows": rows}
        processor = time.process_time()
        found["seconds"] = _timed(lambda: _import(database, file, imports))
        found["cpu_s"] = round(time.process_time() - processor, 2)
        found["import_s"] = round(found["seconds"] * 1_000_000 / rows, 1)
        found["import_cpu_s"] = round(found["cpu_s"] * 1_000_000 / rows, 1)
        found["scaled"] = rows != 1_000_000
        found["loop_s"] = _loop()
        found["growth_mib"] = round(_peak_mib() - before, 1)
        found["again_s"] = _timed(lambda: _import(database, file, imports))
        found |= _asked(database)
        database.close()
    return found


def _write(file: Path, rows: int) -> None:
    with file.open("w") as out:
        out.write(_HEAD)
        for n in range(rows):
            out.write(
                f"张{n},p{n}@example.com,1{3_000_000_000 + n},{_PROVINCES[n % 4]},{_GROUPS[n // 4 % 4]},中文,"
                f"education,2026-03-{1 + n % 28:02} {n % 24:02}:{n % 60:02},柜面签署,v3\n"
            )


def _import(database: Database, file: Path, imports: Imports) -> None:
    """As the desk does it: the upload is saved, then read, sealed, checked and applied by the background's worker."""
    with file.open("rb") as data:
        folder, size = imports.save(data)
    one = ContactImport(list_name="老客户", folder=folder, bytes=size, asked_at=clock.now())
    with database.transaction() as session:
        register.ask(session, one)
    imports.carry(one.id or 0)
    with database.reading() as session:
        found = register.get(session, one.id or 0)
        assert found.state == DONE and found.bad == 0, found


def _asked(database: Database) -> dict[str, float]:
    filters = Filters(province="浙江省", groups=("elders", "students"), channel="email")
    with database.reading() as session:
        found = audience.find_list(session, "老客户")
        number = found.id or 0 if found else 0
        return {
            "count_s": _timed(lambda: print(segments.count(session, filters, ""), "in the segment")),
            "count_cpu_s": _processor(lambda: segments.count(session, filters, "")),
            "count_list_s": _timed(
                lambda: print(recipients.left_out(session, Audience(list_id=number), "email", EDUCATION))
            ),
            "page_s": _timed(lambda: _page_through(session, number)),
        }


def _loop() -> float:
    """Processor seconds of a bare loop of ten million: 0.08 on an idle machine, more when its cores are shared."""
    begun = time.process_time()
    sum(range(10_000_000))
    return round(time.process_time() - begun, 3)


def _page_through(session: Session, list_id: int) -> None:
    """As a push cuts its pages."""
    after, whole = 0, Audience(list_id=list_id)
    while (
        page := session.connection()
        .execute(recipients.chosen(whole, "email", EDUCATION, after_id=after, limit=1_000))
        .all()
    ):
        after = page[-1][0]


def _timed(run: Callable[[], None]) -> float:
    begun = time.perf_counter()
    run()
    return round(time.perf_counter() - begun, 2)


def _processor(run: Callable[[], object]) -> float:
    begun = time.process_time()
    run()
    return round(time.process_time() - begun, 2)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
