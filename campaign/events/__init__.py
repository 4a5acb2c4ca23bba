"""Events: series such as 相约星期二, their dates with themes, and the occurrences one can attend.

Responsible for `days` (which days a rule means, holidays and moved weekends known), `planning` (a month of
occurrences for many outlets from one series, with the gaps), `series` with `following` and `occurrences` (their
verbs: save, move, resize, call off), `event_file` (occurrences from a file), `load` (how full), and what pages,
calendar files and search engines are told (`listing`, `month`, `subscription`, `structured`). May import content,
tracking, institution, core and, of campaign, `recurrence`, `programme`, and of `registration` who is registered and
what becomes of them (`models`, `seats`, `occasions`).

The one flow: a series with its rule → `planning` shows the days and what is missing → occurrences, each with its
own seats → `registration` fills them → `checkin` lets people in → reach.
"""
