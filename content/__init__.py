"""What people read: pieces, their immutable revisions, and the pages made of them.

Responsible for the life of a piece (`lifecycle`, `review`, `history`), which belongs to a node of the tree; its
folder form (`frontmatter`, `library`, `media`), what it looks like (`rendering`, `reading`, `diary`, `feed`) and
the cache of published pages (`pages`). `escape_room` is the pure heart of rooms to play. May import `tracking`, `institution` and `core`.

The one flow: a Markdown file → `library.read_folder` (checked whole) → `lifecycle.save` (a revision that
never changes) → `review.submit` → the approval of exactly that hash by others (`institution.approvals`) →
`publish` → a page rendered once by `views`, declared by `pages.mark`, served as bytes, counted by `PageCache`.
"""
