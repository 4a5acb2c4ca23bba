"""What readers say of a piece: whether it helped, a reason, a few words; counted for each revision, of nobody.

Responsible for one answer a day of each visitor to a piece (`giving`), the figures and the list for editors
(`telling`), and how long it is kept (`keeping`). May import the pieces, `institution` and `core`.

The one flow: a form at the end of a page → `giving.give` (masked, sealed, the last answer of the day counts) →
`telling` → the piece's page on the desk. Of the visitor a keyed hash is kept that is another one every day and for
every piece: it tells two answers of a day apart and nothing else.
"""
