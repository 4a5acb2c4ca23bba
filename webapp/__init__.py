"""The composition root: everything is put together here and nowhere else.

Responsible for `runtime` (which objects exist), `create_app` (Flask), `blueprints`, `jobs` and `cli`
(routes, periodic jobs and commands, one line each), `errors` (status codes), migrations, translations,
the layout templates and the starter library. May import every package; none imports it.

The one flow: environment → `core.settings` → `runtime.build` → `create_app` → the WSGI line
Collector → PageCache → Flask, served by `serve`.
"""
