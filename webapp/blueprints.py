"""Every blueprint of the site, one line each."""

from flask import Flask
from flask_wtf.csrf import CSRFProtect


def register(app: Flask, csrf: CSRFProtect) -> None:
    """Plug in the public pages and the desk. Anything exempt from CSRF is named here."""
    for blueprint in _ALL:
        app.register_blueprint(blueprint)
    for endpoint in _CSRF_EXEMPT:
        csrf.exempt(endpoint)


_ALL: tuple = ()  # type: ignore[type-arg]
_CSRF_EXEMPT: tuple[str, ...] = ()
