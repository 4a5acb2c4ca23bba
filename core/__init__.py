"""What everything stands on: a closed list of small modules.

Responsible for settings, the relational database, the clock, errors, privacy, signing, the one
Flask-aware corner (`http`) and translation. May import none of our other packages.

The one flow: `settings` is read once, `database.Database` is made from it, a request, job or command
opens `Database.transaction()` and hands the session to the verbs of a domain package.
"""
