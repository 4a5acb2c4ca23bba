"""What falls due in published pieces."""

from datetime import date, datetime

import pytest

from content.check import due
from content.drafting import check
from core.database import Database
from tests.content import pieces

TODAY = date(2026, 9, 15)
MORE = "review_by: 2026-10-01\nsources:\n  - {title: 某公告, date: 2025-01-01, until: 2026-09-01}\n"
BODY = "/// figure | 1.35%\n    unit: 年利率\n    source: 某银行公告，2026年7月\n    until: 2026-12-31\n\n以柜面为准。\n///\n"


@pytest.fixture
def published(database: Database, now: datetime) -> Database:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, now)
        pieces.to_the_site(session, pieces.text(body=BODY, more=MORE), editor, reviewer, now)
        pieces.saved(session, pieces.text("draft-only", body=BODY, more=MORE), editor.id or 0, now)
    return database


def test_days_of_review_figures_and_sources_come_soonest_first(published: Database) -> None:
    with published.reading() as session:
        found = due.due(session, TODAY, 120)
    assert [(one.on, one.kind, one.key, one.line) for one in found] == [
        (date(2026, 9, 1), due.SOURCE, "stop-first", 0),
        (date(2026, 10, 1), due.REVIEW, "stop-first", 0),
        (date(2026, 12, 31), due.FIGURE, "stop-first", 10),
    ]
    assert [one.is_over(TODAY) for one in found] == [True, False, False]
    assert found[2].what == "1.35%年利率"


def test_only_so_many_days_ahead_are_looked_at(published: Database) -> None:
    with published.reading() as session:
        assert [one.kind for one in due.due(session, TODAY, 0)] == [due.SOURCE]


def test_a_day_that_is_none_is_a_fault() -> None:

    _draft, faults = check("a.md", pieces.text(body=BODY.replace("2026-12-31", "明年")), {})
    assert [fault.field for fault in faults] == ["第 8 行"]
