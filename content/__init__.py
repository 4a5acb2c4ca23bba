"""What people read and play: pieces, their immutable revisions, and the pages made of them.

Responsible for the life of a piece (`lifecycle`, `review`, `history`), which belongs to a node of the tree; its
folder form (`frontmatter`, `library`, `media`), what it looks like (`rendering`, `reading`, `diary`, `feed`) and
the cache of published pages (`pages`), what breaks a rule (`check`). Rooms to play: their pure heart (`escape_room`), playing them (`rooms`),
making them (`making`, `room_desk`); long graphics as pictures (`poster`), what a machine made (`machine_made`), what a picture's file tells (`picture_facts`). May import `tracking`, `institution` and `core`.

The one flow: a Markdown file → `library.read_folder` (checked whole) → `lifecycle.save` (a revision that
never changes) → `review.submit` (no error of `check`) → the approval of exactly that hash by others (`institution.approvals`) →
`publish` → a page rendered once by `views`, declared by `pages.mark`, served as bytes, counted by `PageCache`.
"""
