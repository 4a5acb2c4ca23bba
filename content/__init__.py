"""What people read: pieces, their immutable revisions, and the pages made of them.

Responsible for the life of a piece (`lifecycle`, `history`), its folder form (`frontmatter`, `library`,
`media`), what it looks like (`rendering`, `reading`, `diary`, `feed`) and the cache of published pages
(`pages`). May import `tracking`, `institution` and `core`.

The one flow: a Markdown file → `library.read_folder` (checked whole) → `lifecycle.save` (a revision that
never changes) → `submit` → a second person's approval of exactly that hash → `publish` → a page rendered
once by `views`, declared by `pages.mark`, served as bytes and counted by `pages.PageCache`.
"""
