"""Playing a room together: an outlet hosts a session, phones join by code, a screen shows how all get on.

Responsible for sessions (`hosting`: opened, ended, who may not be shown), joining them (`joining`: code and nickname),
what the server keeps of a member (`progress`: locks open, points, ending; never an answer), boards (`boards`: of a
session, an outlet, a campaign), how long nicknames are kept (`keeping`). No Flask in here.
May import `content`, the modules of `campaign`, `tracking`, `institution`, `core`.

The one flow: `hosting.open_session` → code and QR → `joining.join` (a member, a play whose signed state names it) →
each lock that opens is told to `progress` → `boards` → the screen asks again every few seconds, until the end.
"""
