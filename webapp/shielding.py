"""What every answer and every cookie carries so that a browser defends its user."""

from typing import Any

from flask import Flask, request
from flask.wrappers import Response

from core.settings import Settings

CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)
# Nothing here asks for a device; a script that got in should not be able to either.
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope",
        "magnetometer", "microphone", "midi", "payment", "publickey-credentials-get", "usb",
        "xr-spatial-tracking",
    )
)  # fmt: skip
# The one page with a button that asks for a position.
_NEAR = ("campaign.finder",)
_YEAR = 365 * 24 * 3600


def cookie_config(settings: Settings) -> dict[str, Any]:
    """Flask's settings for the session cookie: behind TLS no other host or path can set it (`__Host-`)."""
    tls = settings.public_url.startswith("https:")
    return {
        "SESSION_COOKIE_NAME": "__Host-sp_session" if tls else "sp_session",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": tls,
        "SESSION_COOKIE_PATH": "/",
        "SESSION_COOKIE_DOMAIN": None,
    }


def headers(settings: Settings) -> dict[str, str]:
    """What goes with every answer that does not say otherwise."""
    found = {
        "Content-Security-Policy": CSP,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "SAMEORIGIN",
        "Permissions-Policy": PERMISSIONS,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if settings.public_url.startswith("https:"):
        found["Strict-Transport-Security"] = f"max-age={_YEAR}"
    return found


def register(app: Flask, settings: Settings) -> None:
    """Set the headers of every answer."""
    usual = headers(settings)

    @app.after_request
    def shield(response: Response) -> Response:
        if request.path.startswith("/media/"):  # also shown by web mail and by whoever shares a page
            response.headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
        if request.endpoint in _NEAR:
            response.headers["Permissions-Policy"] = PERMISSIONS.replace(
                "geolocation=()", "geolocation=(self)"
            )
        for name, value in usual.items():
            response.headers.setdefault(name, value)
        if request.path.startswith("/desk"):
            response.headers["Cache-Control"] = "no-store"
        return response
