"""Making escape rooms: what the desk needs to show a room as a picture, to change its file by forms, to try it out.

Responsible for the drawn graph (`layout`, `drawing`), forms made from the models of a
room's format (`labels`, `spec`, `tree`), changes of a file that leave alone what they do not touch
(`merging`, `document`), trying a room out from any place (`trial`), a room as one file (`archive`). No Flask in here.
May import `content.escape_room`, `content.rooms`, the modules of `content`, `core`.

The one flow: text of a revision → `document.read` → `tree.build` → form → `tree.read` → `document.put` → text,
which is checked, kept and proved like any other.
"""
