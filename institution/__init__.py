"""The institution itself: its outlets, its staff, who may do what, and what needs a second person.

Responsible for the tree of outlets with its history, staff accounts and sign-in, permissions, and
`approvals`, the one mechanism for four eyes. May import only `core`.

The one flow: an outlet file → `outlet_files.read` (rows) → `outlet_changes.plan` (what would change, what is
wrong) → `outlet_changes.apply` (the tree as it stands, and dated spans) → `tracking.dimensions` reads the
spans, so last year's names stay true. A form on the desk is an import of one row.
"""
