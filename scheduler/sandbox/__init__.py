"""Faithful stand-ins of the platforms that channels talk to, on loopback: for newcomers without accounts, and for tests.

Responsible for: one file per platform on the contract of `core` (signatures verified, limits enforced, documented
error codes, results per recipient, receipts), faults on demand, the inbox that shows what arrived as the app would.
May import: scheduler.channels.base, core. Knows nothing of plans, contacts or the outbox.
The one flow: a request reaches a stand-in → it is judged as the platform would → accepted messages enter the inbox.
"""
