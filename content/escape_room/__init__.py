"""Escape rooms (密室探索): a room is a file, its rules are pure, and it is proved before it is published.

Responsible for the file (`format`, of `texts`, `conditions` and `locks`; read by `reading` with `yamls` and
`references`; `outline`, `schema`, `faults`), the engine (`game`, `deeds`, `judging`, `codes`, `state`, `rules`: no
database, no clock, no web, at most 600 lines) with what it shows (`view`) and how it is made (`compiling`), the proof
(`proof`: `moves`, `reduction`, `exploring`, `leaving`, `coverage`, `walks`, `ways`, `telling`), the picture of a room
for editors (`graph`) and its questions (`learning`). May import `content.frontmatter`, `content.faults`,
`content.svg` and `core`.

The one flow: `room.yaml` → `reading.read_folder` (every fault at once) → `compiling.compile_room` (once) →
`proof.prove` → `rules.start` → `view.view` → `rules.step` → … → an ending; `state.encode` carries it between steps.
"""
