"""Escape rooms (密室探索): a room is a file, its rules are pure, and it is proved before it is published.

Responsible for the file (`texts`, `conditions`, `locks`, `format`; read by `reading`, `references`, `schema`), the
engine (`compiling`, `judging`, `codes`, `state`, `rules`, `view`: no database, no clock, no web, at most 600 lines),
the proof (`reduction`, `exploring`, `walks`, `proof`), the picture of a room for editors (`graph`) and its
questions (`learning`). May import `content.frontmatter`, `content.faults`, `content.svg` and `core`.

The one flow: `room.yaml` → `reading.read_folder` (every fault at once) → `compiling.compile_room` (once) →
`proof.prove` → `rules.start` → `view.view` → `rules.step` → … → an ending; `state.encode` carries it between steps.
"""
