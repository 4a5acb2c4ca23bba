"""Check-in: who comes to an occurrence is let in, once, also where the network is gone.

Responsible for `doors` (an expiring link, limited to one occurrence, that signs a phone in), `guest_list` (what the
door sees: masked names, last four digits), `scanning` (what a scan means, named refusals, walk-ins, undoing) and
the merge of what phones did offline. May import `campaign.events`, `campaign.registration`, institution, core.

The one flow: a link for the phone → the list, kept on the phone → scans, each with its own nonce, at once or later
→ `scanning.apply`, which makes one arrival of however many scans → reach.
"""
