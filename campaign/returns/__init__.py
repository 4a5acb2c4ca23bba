"""Activity returns: what an outlet reports after an activity, checked by its branch, counted as reach.

Responsible for `models` (a return and its versions, photos and what they look like), `words` (what can be chosen),
`form` (what was typed, read with every fault), `filing` (drafts, submitting, corrections, undoing), `photos` with
`likeness` (drawn anew, the same photo found again), `plausible` (figures that cannot be are marked), `deciding`
(four eyes), `reckoning` and `booking` (what counts, into the spool), `statistics` (a campaign's columns by province),
`keeping` (how long). May import content, tracking, institution, core.

The one flow: typed → `filing.save` (a draft loses nothing) → `filing.submit` (checked, marked, four eyes asked) →
verified: the lines that count are fixed in the same commit → `booking` deposits them under the version's name.
A correction is a new version; what it counts is the difference.
"""
