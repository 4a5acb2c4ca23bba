"""The check before review: what in a text breaks a rule, where, and the way out.

Responsible for the dated rule sets in `rules/` (data: each rule with its law, severity, sentence and way out), for
reading a text as passages with their context (`source`, `context`), for the checks themselves (`words`, `personal`,
`figures`, `structure`, `links` with what stands `elsewhere`, `ease`, `whole`, `pictures`), for warnings that an
editor overruled (`overruling`) and for what falls due (`due`). May import `content`'s models, rendering and front
matter, `institution` and `core`; no Flask.

The one flow: `checking.check(text)` → `source.read` (passages: blocks, speakers, quotes) → every rule in force that
day → findings in the order of the text → `overruling` takes away what has a reason → `require_clean` at submission.
"""
