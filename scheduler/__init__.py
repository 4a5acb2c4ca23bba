"""Carries plans out: what was decided goes to whom it concerns, on time, once.

Responsible for plans and whom they mean (lists, segments, who got another push: `reaching`, `followups`), the hours and
quotas they keep to, pushes cut into batches, the outbox with its claims and leases, the composer of messages, the
dispatcher and its workers, accounts that take over, the channels (one file each), the runner.
May import campaign, content, tracking, institution and core.

The one flow: `planner` fires a due plan, `cutting` writes its `Push` page by page into batches (rows in the outbox) →
`dispatch` claims a batch under a lease → `composer` writes the messages → `admitting` says who may be sent to and
`quotas` how much may go → a channel hands it over (`sending` each alone and `abreast`, `calling` many at once) →
`settling` settles each recipient's one row → `counting` deposits the delivered events in the spool → `hearing` and
`polling` hear what became of them, `receipts` writes it down.
"""
