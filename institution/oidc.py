"""OpenID Connect with one provider: who it says is signed in, checked at every step.

Authorization code flow with PKCE (S256), state and nonce; the token's signature, issuer, audience, times and
nonce are checked (OpenID Connect Core §3.1.3.7), the answer's issuer too (RFC 9207). Pure of Flask.
"""

import hmac
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from core import clock
from core.errors import Conflict, Invalid
from core.i18n import mark
from core.settings import Settings

log = structlog.get_logger()
# What a provider signs with; never "none", never a secret that we know too.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
# RFC 8176: methods that are a second factor or stronger than a password.
STRONG_METHODS = frozenset({"mfa", "otp", "hwk", "swk", "sc", "fpt", "face", "iris"})
FRESH = timedelta(minutes=10)
_KEPT_METADATA = timedelta(hours=1)
_KEYS_EVERY = timedelta(seconds=30)
_TIMEOUT = 10.0
_LEEWAY = 60
_LARGEST = 1024 * 1024
_LONGEST_SUBJECT = 255

UNREACHABLE = mark("现在连不上统一登录，请稍后再试，或用密码登录。")
REFUSED = mark("统一登录没有成功，请回到登录页再试一次。")


@dataclass(frozen=True, slots=True)
class Started:
    """What the browser keeps between leaving for the provider and coming back."""

    state: str
    nonce: str
    verifier: str
    at: float

    def as_json(self) -> dict[str, Any]:
        """The form kept in the browser's session."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider vouches for. `strong`: it says that a second factor was shown."""

    issuer: str
    subject: str
    login: str
    name: str
    groups: tuple[str, ...]
    strong: bool


class Provider:
    """The provider of the settings; what it publishes about itself is fetched once and kept for an hour."""

    def __init__(self, settings: Settings, now: Callable[[], datetime] = clock.now) -> None:
        self._settings = settings
        self._now = now
        self._lock = threading.Lock()
        self._metadata: tuple[datetime, dict[str, Any]] | None = None
        self._keys: tuple[datetime, KeySet] | None = None

    @property
    def set_up(self) -> bool:
        """Whether the settings name a provider."""
        return bool(self._settings.oidc_issuer and self._settings.oidc_client_id)

    def start(self, redirect_uri: str) -> tuple[str, Started]:
        """The provider's address to send the browser to, and what the browser is to keep."""
        started = Started(
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(48),
            self._now().timestamp(),
        )
        with self._client(redirect_uri) as client:
            url, _state = client.create_authorization_url(
                self._endpoint("authorization_endpoint"),
                state=started.state,
                nonce=started.nonce,
                code_verifier=started.verifier,
            )
        return url, started

    def finish(
        self, kept: Mapping[str, Any] | None, answer: Mapping[str, str], redirect_uri: str
    ) -> Identity:
        """Whom the provider's answer vouches for; Invalid with one sentence for every forged or stale one."""
        started = self._fresh(kept, answer)
        tokens = self._exchange(started, answer["code"], redirect_uri)
        claims = self._claims(str(tokens.get("id_token", "")), started.nonce)
        if self._settings.oidc_groups_claim not in claims and tokens.get("access_token"):
            claims = {**self._userinfo(tokens, claims["sub"]), **claims}
        return self._identity(claims)

    def _fresh(self, kept: Mapping[str, Any] | None, answer: Mapping[str, str]) -> Started:
        """What we began, if this answer belongs to it."""
        try:
            started = Started(**(kept or {}))
        except TypeError as error:
            raise _refused("nothing was begun in this browser") from error
        if not hmac.compare_digest(started.state.encode(), answer.get("state", "").encode()):
            raise _refused("wrong state")
        if not 0 <= self._now().timestamp() - started.at <= FRESH.total_seconds():
            raise _refused("begun too long ago")
        if answer.get("iss", self._settings.oidc_issuer) != self._settings.oidc_issuer or (
            "iss" not in answer and self._about().get("authorization_response_iss_parameter_supported")
        ):
            raise _refused("answer of another issuer")
        if "error" in answer or not answer.get("code"):
            raise _refused("the provider refused", said=answer.get("error", "")[:60])
        return started

    def _exchange(self, started: Started, code: str, redirect_uri: str) -> Mapping[str, Any]:
        with self._client(redirect_uri) as client:
            try:
                found: Mapping[str, Any] = client.fetch_token(
                    self._endpoint("token_endpoint"),
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=started.verifier,
                    allow_redirects=False,
                    timeout=_TIMEOUT,
                )
            except OAuthError as error:
                raise _refused("the code was refused", said=str(error.error)[:60]) from error
            except (OSError, ValueError) as error:
                raise _unreachable(error) from error
        return found

    def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token that is signed by the issuer, for us, now, and for this very sign-in."""
        client_id = self._settings.oidc_client_id
        rules = jwt.JWTClaimsRegistry(
            now=int(self._now().timestamp()),
            leeway=_LEEWAY,
            iss={"essential": True, "value": self._settings.oidc_issuer},
            sub={"essential": True},
            aud={"essential": True, "value": client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = dict(self._decoded(token).claims)
            rules.validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise _refused("the token does not hold", said=type(error).__name__) from error
        if not 0 < len(claims["sub"]) <= _LONGEST_SUBJECT:
            raise _refused("the token names nobody")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", client_id) != client_id or (several and "azp" not in claims):
            raise _refused("the token is for another client")
        return claims

    def _decoded(self, token: str) -> jwt.Token:
        """The token under the provider's keys; they are asked for again when none fits (it may have new ones)."""
        try:
            return jwt.decode(token, self._key_set(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            return jwt.decode(token, self._key_set(again=True), algorithms=ALGORITHMS)

    def _userinfo(self, tokens: Mapping[str, Any], subject: str) -> dict[str, Any]:
        """More about the same person, where the provider tells groups only there."""
        endpoint = self._about().get("userinfo_endpoint")
        if not endpoint:
            return {}
        with self._client("", token=dict(tokens)) as client:
            found = _json(client, str(endpoint), withhold_token=False)
        if found.get("sub") != subject:
            raise _refused("the provider speaks of somebody else")
        return found

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        groups = claims.get(self._settings.oidc_groups_claim) or ()
        names = (groups,) if isinstance(groups, str) else tuple(one for one in groups if isinstance(one, str))
        subject, methods = str(claims["sub"]), claims.get("amr") or ()
        login = str(claims.get("preferred_username") or claims.get("email") or subject)
        name = str(claims.get("name") or claims.get("given_name") or login)
        return Identity(
            self._settings.oidc_issuer,
            subject,
            login.partition("@")[0],
            name[:60],
            names,
            self._settings.oidc_second_factor == "always"
            or (
                self._settings.oidc_second_factor == "amr"
                and not STRONG_METHODS.isdisjoint(one for one in methods if isinstance(one, str))
            ),
        )

    def _client(self, redirect_uri: str, token: dict[str, Any] | None = None) -> OAuth2Session:
        secret = self._settings.oidc_client_secret
        offered = self._about().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
        return OAuth2Session(
            client_id=self._settings.oidc_client_id,
            client_secret=secret.get_secret_value() if secret else None,
            token_endpoint_auth_method=method if secret else "none",
            scope=self._settings.oidc_scopes,
            redirect_uri=redirect_uri or None,
            code_challenge_method="S256",
            token=token,
        )

    def _endpoint(self, name: str) -> str:
        return _secure(str(self._about().get(name, "")))

    def _about(self) -> dict[str, Any]:
        """What the provider publishes about itself (OpenID Connect Discovery)."""
        with self._lock:
            now = self._now()
            if self._metadata is None or now - self._metadata[0] > _KEPT_METADATA:
                issuer = self._settings.oidc_issuer
                with OAuth2Session() as client:
                    found = _json(client, issuer.rstrip("/") + "/.well-known/openid-configuration")
                if found.get("issuer") != issuer:
                    raise _unreachable(ValueError("the provider calls itself otherwise"))
                self._metadata = (now, found)
            return self._metadata[1]

    def _key_set(self, *, again: bool = False) -> KeySet:
        uri = self._endpoint("jwks_uri")
        with self._lock:
            now = self._now()
            age = now - self._keys[0] if self._keys else None
            if self._keys is None or age is None or age > _KEPT_METADATA or (again and age > _KEYS_EVERY):
                with OAuth2Session() as client:
                    found = _json(client, uri)
                self._keys = (now, KeySet.import_key_set(found))  # type: ignore[arg-type]
            return self._keys[1]


def _json(client: OAuth2Session, url: str, *, withhold_token: bool = True) -> dict[str, Any]:
    """A JSON object from the provider; Conflict in a sentence when it cannot be had."""
    try:
        answer = client.get(
            _secure(url), timeout=_TIMEOUT, allow_redirects=False, withhold_token=withhold_token
        )
        if answer.status_code != 200 or len(answer.content) > _LARGEST:
            raise ValueError(f"answer {answer.status_code}")
        found = json.loads(answer.content)
    except (OSError, ValueError, OAuthError) as error:
        raise _unreachable(error) from error
    if not isinstance(found, dict):
        raise _unreachable(ValueError("not an object"))
    return found


def _secure(url: str) -> str:
    """The address if nobody on the way can read along: TLS, or this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    ):
        return url
    raise _unreachable(ValueError("an address without TLS"))


def _refused(reason: str, **facts: object) -> Invalid:
    """One sentence for the browser; the reason is for the log."""
    log.warning("sign-in by OpenID Connect refused", reason=reason, **facts)
    return Invalid(REFUSED)


def _unreachable(error: Exception) -> Conflict:
    log.warning(
        "the OpenID Connect provider cannot be reached", reason=type(error).__name__, said=str(error)[:200]
    )
    return Conflict(UNREACHABLE)
