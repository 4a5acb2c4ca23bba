"""The institution itself: its outlets, its people, who may do what, and what needs a second person.

Responsible for the tree of outlets with its history (`outlet*`), accounts and signing in (`people`, `sign_in`,
`second_factor`, `oidc`), powers by role and part of the tree (`powers`, `access`), four eyes (`approval*`), the
audit log (`audit*`), personal data on request (`personal_data`), letters to staff. May import only `core`.

The one flow of an act: a request → `access.requires` (session, permission, place) → a verb in a transaction →
`approvals` where a second person decides on exactly this hash → `audit.record`, kept if and only if the act is.
An outlet file: `outlet_files.read` (rows) → `outlet_changes.plan` (what would change, what is wrong) →
`outlet_changes.apply` (the tree as it stands, and dated spans that keep last year's names true).
"""
