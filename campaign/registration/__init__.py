"""Registration: a person's place, or waiting place, in an occurrence; never oversold, never wasted.

Responsible for `seats` (the only writer of what is taken), `registering` (a person with companions: all or none),
`waiting_list` (who is next, offers that end), `changing` (leave, grow, shrink, decide, promote), `occasions` (what
becomes of registrations when an occurrence is moved, resized or called off), `work` (the proof of work instead of a
captcha), `consent` (the texts people agreed to). May import `campaign.events`, institution, core.

The one flow: a form → `registrar` (checks and seals it) → `registering.enter`, which holds the occurrence's row, takes seats or a place in the queue
→ seats that come free go at once through `waiting_list.next_up` → a letter says so → `checkin`.
"""
