"""Canaille, a real OpenID provider, on loopback with two users, two groups, one client: run as a program.

Arguments: port, the client's redirect address. Everything stays in memory.
"""

import sys
import warnings

warnings.simplefilter("ignore")

from canaille import create_app  # noqa: E402  (its imports warn)
from canaille.app import models  # noqa: E402
from canaille.backends import Backend  # noqa: E402
from joserfc import jwk  # noqa: E402
from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: E402

CLIENT, SECRET = "signpost", "a secret between the two"
PASSWORD = "correct horse of the provider"


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing."""


def main(port: int, callback: str) -> None:
    """Serve until the process is ended."""
    address = f"http://127.0.0.1:{port}"
    key = jwk.RSAKey.generate_key(2048, auto_kid=True)
    app = create_app(
        {
            "SECRET_KEY": "for tests",
            "SERVER_NAME": f"127.0.0.1:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {
                "DATABASE": "memory",
                "ENABLE_PASSWORD_COMPROMISSION_CHECK": False,
                "ACL": {
                    "DEFAULT": {
                        "PERMISSIONS": ["edit_self", "use_oidc"],
                        "READ": ["user_name", "groups"],
                        "WRITE": [],
                    }
                },
            },
            "CANAILLE_OIDC": {"ACTIVE_JWKS": [key.as_dict(private=True)], "ISSUER": address},
        }
    )
    with app.app_context(), Backend.instance.session():
        _populate(callback)
    make_server("127.0.0.1", port, app, request_handler=_Quiet).serve_forever()


def _populate(callback: str) -> None:
    people = []
    for login, given, family in (("fang", "方", "立"), ("gast", "甘", "思")):
        person = models.User(
            user_name=login,
            given_name=given,
            family_name=family,
            formatted_name=family + given,
            emails=[f"{login}@example.com"],
            password=PASSWORD,
        )
        Backend.instance.save(person)
        people.append(person)
    Backend.instance.save(models.Group(display_name="editors", members=[people[0]]))
    Backend.instance.save(models.Group(display_name="unmapped", members=[people[1]]))
    client = models.Client(
        client_id=CLIENT,
        client_secret=SECRET,
        client_name="Signpost",
        redirect_uris=[callback],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "profile", "email", "groups"],
        token_endpoint_auth_method="client_secret_basic",
    )
    Backend.instance.save(client)
    client.audience = [client]
    Backend.instance.save(client)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
