"""The SQL of one registration, written by hand: what any program must do that takes a place and keeps it.

Hold the occurrence, see that neither form nor telephone number is there, look at the choices' seats, take the seat,
write party and person, commit. Over one connection of the driver, with encryption and codes made beforehand.
"""

import json
import secrets
import sqlite3
import time
from datetime import UTC, datetime
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

_HOLD = "SELECT * FROM event_occurrence WHERE id = ?"
_FORM = "SELECT id FROM event_registration WHERE request_key = ?"
_SERIES = "SELECT * FROM event_series WHERE id = ?"
_PHONE = "SELECT id, occurrence_id, state FROM event_registration WHERE phone_index IN (?, ?)"
_OPTIONS = "SELECT * FROM event_option WHERE occurrence_id = ?"
_TAKE = "UPDATE event_occurrence SET taken = taken + ? WHERE id = ? AND taken + ? <= capacity"
_PARTY = (
    "INSERT INTO event_registration (code, request_key, occurrence_id, state, size, minors, name_sealed, phone_sealed, "
    "phone_index, email_sealed, answers_sealed, options, consent_version, language, via, created_at, joined_at, "
    "changed_at, reason, channel, campaign_code, counted, counted_registered, counted_attended) "
    "VALUES (?, ?, ?, 'confirmed', 1, 0, ?, ?, ?, '', '', ?, '2026-11', 'zh', 'self', ?, ?, ?, '', '', '', ?, 0, 0) "
    "RETURNING id"
)
_PERSON = "INSERT INTO event_person (registration_id, number, name_sealed, under_14, arrived_by) VALUES (?, 1, ?, ?, '')"


def bare(url: str, occurrence_id: int, count: int) -> float:
    """Registrations a second of a loop that does nothing else."""
    address = make_url(url)
    rows = [(secrets.token_hex(6), secrets.token_hex(16), secrets.token_hex(32)) for _ in range(count)]
    connection: Any
    if address.get_backend_name() == "sqlite":
        connection = sqlite3.connect(address.database or "", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        run, dialect = connection.execute, ("BEGIN IMMEDIATE", "")
    else:
        connection = psycopg.connect(
            address.set(drivername="postgresql").render_as_string(False), autocommit=True
        )

        def run(text: str, values: Any = ()) -> Any:
            return connection.execute(text.replace("?", "%s"), values)

        dialect = ("BEGIN", " FOR UPDATE")
    begun = time.perf_counter()
    for row in rows:
        _one(run, dialect, occurrence_id, row)
    seconds = time.perf_counter() - begun
    connection.close()
    return count / seconds


def _one(run: Any, dialect: tuple[str, str], occurrence_id: int, row: tuple[str, str, str]) -> None:
    (begin, lock), (code, key, phone), sealed = dialect, row, "k2:" + "x" * 65
    now = datetime.now(UTC) if lock else datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    run(begin)
    run(_HOLD + lock, (occurrence_id,)).fetchone()
    run(_FORM, (key,)).fetchone()
    run(_SERIES, (1,)).fetchone()
    run(_PHONE, (phone, phone)).fetchall()
    run(_OPTIONS, (occurrence_id,)).fetchall()
    if run(_TAKE, (1, occurrence_id, 1)).rowcount != 1:
        raise RuntimeError("no seat was left")
    values = (code[:12], key, occurrence_id, sealed, sealed, phone, json.dumps([]), now, now, now, False)
    ((number,),) = run(_PARTY, values).fetchall()
    run(_PERSON, (number, sealed, False))
    run("COMMIT")
