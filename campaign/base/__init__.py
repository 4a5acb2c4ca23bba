"""Outlets as 消费者权益保护教育宣传基地: what each offers, its plaque, and the screen in its waiting hall.

Responsible for `keeping` (services, facilities, the shelf of an outlet or its branch) with `files` (all outlets
from CSV or XLSX) and `page` (what a visitor sees); `plaque` (one plaque as SVG), `archives` with `carrying` (plaques,
or a long graphic stamped for each outlet, all of a branch in one ZIP, by a job that a kill does not stop);
`screens` (who may count), `slides` (what a screen shows) and `showings` (what it showed, once). May import
content, tracking, institution, core and its siblings `programme` and `calendar`.

The one flow: a form or file → `keeping.save` → pages bumped → `page` and `slides` show it → a paired screen
counts what it showed into its own store → `showings.take` once → SPOOL.
"""
