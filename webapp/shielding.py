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


def register(app: Flask, settings: Settings) -> None:
    """Set the headers of every answer."""
    tls = settings.public_url.startswith("https:")

    @app.after_request
    def shield(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", CSP)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("X-Frame-Options", "SAMEORIGIN")
        headers.setdefault("Permissions-Policy", PERMISSIONS)
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        # Pictures are also shown by web mail and by whoever shares a page.
        shown = request.path.startswith("/media/")
        headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin" if shown else "same-origin")
        if tls:
            headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR}")
        if request.path.startswith("/desk"):
            headers["Cache-Control"] = "no-store"
        return response
