"""What a reviewer works with: the checklist that is answered, what is said of single passages, and the figures of it.

Responsible for the dated checklist (`checklist`: ours in `checklist.yaml`, the institution's own in the database), the
answers that belong to exactly one hash (`answering`), remarks at passages, which follow their words through later
revisions (`anchoring`, `remarks`), and the statistics (`figures`). May import `content`'s models, history and check,
`institution` and `core`; no Flask.

The one flow: `review.submit` → the reviewer answers every item and remarks on passages → `answering.keep` →
`approvals.decide`, which asks `answering.require` before it lets a step pass → the writers see what was said.
"""
