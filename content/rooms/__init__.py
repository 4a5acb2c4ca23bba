"""Playing escape rooms on the site: the browser carries the state, the server believes none of it unsigned.

Responsible for a room as a piece (`file`), rooms ready to be played (`games`), the signed state (`envelope`), what
the server remembers of a play so that going back in time gains nothing (`traces`, `standing`), a step (`playing`),
what is shown (`scene`), the door before Flask (`door`), the certificate (`result`, `certificate`), who is told when
many play together (`hosting`), parallel questions (`learners`, `answers`, `gains`), what plays do (`tally`, `mistakes`).
May import `content.escape_room`, the modules of `content`, `tracking`, `institution`, `core`.

The one flow: form → `wanted.action` → `envelope.open` → `playing.advance` (rules, traces, recorder) →
`scene.page_of` → the next page, with the next envelope in it; at an ending `result.sign` → `certificate`.
"""
