"""Counts reach: who-less facts about what was shown, read, sent and attended.

Responsible for `events` (the fact and its line), `attribution` (what a link carries), `visitors`, `bots`,
`recorder` (keeps or drops, with a counted reason), `collector` (the fast path of the beacon), `spool`
(durable segments), `drain`, `store`, `dimensions`, `definition`, `periods`, `reports`, `charts`,
`overview` (the report page), `behind` (the rows behind a figure), `view_saving`; pages beside the report plug
into `tabs`, who knows batches into `origins`.
May import `institution` and `core`.

The one flow: visit or beacon → recorder → spool segment → drain → store → reports. An event is answered
only after it was written; it is deleted from the spool only after the store confirmed it; the segment's
name makes shipping it twice harmless. Counting never breaks a page.
"""
