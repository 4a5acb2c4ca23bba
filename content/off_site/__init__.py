"""How a piece leaves the site: taken down by a person at once, or by the clock when its time is over.

Responsible for the withdrawal and what is told of it (`withdrawing`), the pictures that are served no more
(`pictures`), the dates after which a piece is asked about or comes down (`policy`, `expiring`) and the letters about
both (`telling`). May import `content`'s models, history, moves, pages and check, `institution` and `core`; no Flask.
What lies above and shows or sends pieces plugs itself in by `withdrawing.on_withdraw`.

The one flow: `withdrawing.withdraw` → the revision is `withdrawn` → a new page generation, so that every process renders
anew → whoever plugged in stops what refers to it, in the same transaction → a second person is told and acknowledges.
"""
