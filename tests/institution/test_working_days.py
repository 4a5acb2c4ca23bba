"""institution.working_days: weekends, public holidays and the weekends on which people work."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from institution.working_days import WorkingDays

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_days_are_counted_over_weekends_and_holidays() -> None:
    plain, china = WorkingDays(SHANGHAI), WorkingDays(SHANGHAI, "CN")
    friday = datetime(2025, 9, 26, 2, tzinfo=UTC)
    assert plain.after(friday, 1).date() == date(2025, 9, 29)
    # Sunday 28 September 2025 was worked for the long holiday of 1 to 8 October
    assert china.after(friday, 1).date() == date(2025, 9, 28)
    assert china.after(friday, 4).date() == date(2025, 10, 9)
    assert china.works(date(2025, 9, 28)) and not china.works(date(2025, 10, 3))
    assert plain.after(friday, 3).strftime("%H:%M %Z") == "23:59 CST"
