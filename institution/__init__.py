"""The institution itself: its outlets, its staff, who may do what, and what needs a second person.

Responsible for the tree of outlets with its history, staff accounts and sign-in, permissions, and
`approvals`, the one mechanism for four eyes. May import only `core`.

The one flow: an outlet file → `outlets.read` (rows, faults) → `outlets.plan` (changes) → `outlets.apply`
(current row and dated spans) → `tracking.dimensions` reads the spans, so last year's names stay true.
"""
