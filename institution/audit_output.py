"""The audit log written out: CSV and XLSX for people, JSON lines with every field for checking elsewhere."""

import io
import json
from collections.abc import Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from core.cells import SafeWriter, to_xlsx
from core.errors import Invalid
from core.i18n import gettext, mark, using_locale
from institution import audit_words
from institution.audit_models import AuditRecord

FORMS = ("csv", "xlsx", "jsonl")
MIME = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson",
}
LONGEST_SHEET = 50_000
_HEADINGS = (
    mark("序号"), mark("时间"), mark("谁"), mark("途径"), mark("地址"), mark("做了什么"), mark("对象"), mark("编号"),
    mark("所属机构"), mark("原来"), mark("现在"), mark("说明"), mark("哈希"),
)  # fmt: skip


def chunks(batches: Iterable[list[AuditRecord]], form: str, zone: ZoneInfo, locale: str) -> Iterator[bytes]:
    """A file in pieces, one per batch (an XLSX in one): what a long answer streams.

    The language is put in force for each piece alone: the request may be over by then.
    """
    if form == "xlsx":
        yield _sheet(batches, zone)
        return
    if form == "csv":
        with using_locale(locale):
            yield b"\xef\xbb\xbf" + _rows([[gettext(word) for word in _HEADINGS]])
    for batch in batches:
        if form == "jsonl":
            yield b"".join(line(one) for one in batch)
            continue
        with using_locale(locale):
            made = _rows([_cells(one, zone) for one in batch])
        yield made


def line(one: AuditRecord) -> bytes:
    """One record as a line of JSON: every field, so that the chain can be checked by any program."""
    fields = one.model_dump() | {"at": one.at.isoformat()}
    return json.dumps(fields, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass") + b"\n"


def _rows(rows: Iterable[Iterable[object]]) -> bytes:
    out = io.StringIO(newline="")
    writer = SafeWriter(out)
    for row in rows:
        writer.row(row)
    return out.getvalue().encode("utf-8", "replace")


def _cells(one: AuditRecord, zone: ZoneInfo) -> list[Any]:
    return [
        one.id, one.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"), one.actor, audit_words.via(one), one.address,
        audit_words.action(one), audit_words.kind(one.kind), one.subject, one.outlet_code,
        _json(one.before), _json(one.after), one.note, one.hash,
    ]  # fmt: skip


def _json(values: dict[str, Any]) -> str:
    return (
        json.dumps(values, ensure_ascii=False)[:32_000] if values else ""
    )  # a cell of a sheet holds no more


def _sheet(batches: Iterable[list[AuditRecord]], zone: ZoneInfo) -> bytes:
    rows: list[list[Any]] = []
    for batch in batches:
        rows += [_cells(one, zone) for one in batch]
        if len(rows) > LONGEST_SHEET:
            raise Invalid(
                mark("超过 %(most)s 条，一张表放不下：请缩小日期范围，或改用 CSV。"), most=LONGEST_SHEET
            )
    return to_xlsx([gettext(word) for word in _HEADINGS], rows)
