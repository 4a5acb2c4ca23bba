"""Counts reach: who-less facts about what was shown, read, sent and attended.

Responsible for `events` (the fact and its line), `attribution` (what a link carries), `visitors`, `bots`,
`suspicion` (ranges and rates), `recorder` (keeps or drops, with a counted reason), `collector` (the fast path of
the beacon), `batch*`, `pixel`, `link*`, `edge*` (the other ways in, docs/collecting.md), `spool` (durable
segments), `drain`, `store`, `dimensions`, `definition`, `proposing` (a new definition by four eyes), `imports/`
(what others counted), `periods`, `reports`, `charts`; on top of reports `insight` (growth, funnel,
likes, alignment), `targets`, `annotations`, `overview` (the report page), `behind` (the rows behind a figure); pages
beside the report plug into `tabs`, who knows batches into `origins`.
May import `institution` and `core`.

The one flow: visit or beacon → recorder → spool segment → drain → store → reports. An event is answered
only after it was written; it is deleted from the spool only after the store confirmed it; the segment's
name makes shipping it twice harmless. Counting never breaks a page.
"""
