"""The desk of escape rooms: the room as a picture with its proof, its parts in forms, trying out, the file.

Responsible for the staff pages under `/desk/pieces/<key>/room`. What is changed here becomes a new revision by
`content.lifecycle`, as from the form of the text. The one flow: `overview` → `editing` (a part) → `keeping` →
`overview` with the new proof → `trial`; `files` carries the whole folder out and in.
"""

from content.room_desk import editing, files, overview, trial
from content.room_desk.routes import blueprint

__all__ = ["blueprint", "editing", "files", "overview", "trial"]
