"""Events: series such as 相约星期二, their dates with themes, and the occurrences one can attend.

Responsible for `recurrence` (which days a rule means, holidays and working weekends known), `planning` (a month
of occurrences for many outlets from one series, with the gaps), `series` and `occurrences` (their verbs: save,
move, resize, cancel) and what pages and calendars say of them. May import tracking, institution, core and, of
campaign, only what knows no events.

The one flow: a series with its rule → `planning` shows the days and what is missing → occurrences, each with its
own seats → `registration` fills them → `checkin` lets people in → reach.
"""
