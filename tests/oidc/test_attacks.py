"""A provider, or somebody in between, that lies: every forged, stale or foreign answer is refused."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwk

from core.errors import Conflict, Invalid
from core.settings import Settings
from institution.oidc import Provider, Started
from tests.oidc import lying_provider
from tests.oidc.conftest import BACK
from tests.oidc.lying_provider import CLIENT, Liar

Told = Callable[..., Any]


class Clock:
    """The time of day, moved by the test."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC) + self.ahead


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying_provider.serve() as liar:
        yield liar


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider(settings: Settings, liar: Liar, clock: Clock) -> Provider:
    told = {"oidc_issuer": liar.issuer, "oidc_client_id": CLIENT}
    return Provider(settings.model_copy(update=told), clock)


def honest(liar: Liar, started: Started) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": liar.issuer, "aud": CLIENT, "sub": "u1", "nonce": started.nonce, "iat": now, "exp": now + 300,
        "name": "方立", "preferred_username": "fang", "groups": ["g"],
    }  # fmt: skip


def finish(provider: Provider, liar: Liar, started: Started, **claims: Any) -> Any:
    liar.claims = {**honest(liar, started), **claims}
    liar.claims = {name: value for name, value in liar.claims.items() if value is not None}
    return provider.finish(started.as_json(), {"code": "c", "state": started.state}, BACK)


@pytest.fixture
def started(provider: Provider) -> Started:
    return provider.start(BACK)[1]


def test_the_honest_answer_is_taken(provider: Provider, liar: Liar, started: Started) -> None:
    found = finish(provider, liar, started)
    assert (found.subject, found.login, found.groups, found.strong) == ("u1", "fang", ("g",), False)
    assert started.verifier in liar.verifiers[0]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": []},
        {"aud": None},
        {"aud": [CLIENT, "another-client"]},
        {"aud": [CLIENT, "another-client"], "azp": "another-client"},
        {"azp": "another-client"},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"iat": 99_999_999_999},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 300},
        {"sub": 7},
    ],
)
def test_a_claim_that_does_not_hold_is_refused(
    provider: Provider, liar: Liar, started: Started, claims: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        finish(provider, liar, started, **claims)


def test_a_token_signed_by_another_key_is_refused(provider: Provider, liar: Liar, started: Started) -> None:
    liar.signer = jwk.RSAKey.generate_key(2048)
    with pytest.raises(Invalid):
        finish(provider, liar, started)


def test_an_unsigned_token_is_refused(provider: Provider, liar: Liar, started: Started) -> None:
    head, body = "eyJhbGciOiJub25lIn0", "e30"
    for token in (f"{head}.{body}.", "", "a.b.c", "a"):
        liar.raw_token = token
        with pytest.raises(Invalid):
            finish(provider, liar, started)


def test_a_token_signed_with_what_everybody_knows_is_refused(
    provider: Provider, liar: Liar, started: Started
) -> None:
    """Algorithm confusion: the public key taken for a shared secret."""
    liar.header = {"alg": "HS256"}
    liar.signer = jwk.OctKey.import_key(b"the public key, known to everybody, is long enough")
    with pytest.raises(Invalid):
        finish(provider, liar, started)


@pytest.mark.parametrize(
    "answer",
    [
        {"code": "c"},
        {"code": "c", "state": ""},
        {"code": "c", "state": "of somebody else"},
        {"state": "OWN"},
        {"state": "OWN", "error": "access_denied"},
        {"state": "OWN", "code": "c", "error": "access_denied"},
        {"state": "OWN", "code": "c", "iss": "https://elsewhere.example"},
    ],
)
def test_an_answer_that_is_not_ours_is_refused(
    provider: Provider, liar: Liar, started: Started, answer: dict[str, str]
) -> None:
    liar.claims = honest(liar, started)
    sent = {name: started.state if value == "OWN" else value for name, value in answer.items()}
    with pytest.raises(Invalid):
        provider.finish(started.as_json(), sent, BACK)
    assert liar.verifiers == []  # the code was not even shown to the provider


def test_an_issuer_that_promises_to_name_itself_must(provider: Provider, liar: Liar, clock: Clock) -> None:
    liar.about = {"authorization_response_iss_parameter_supported": True}
    clock.ahead = timedelta(hours=2)
    started = provider.start(BACK)[1]
    with pytest.raises(Invalid):
        finish(provider, liar, started)


def test_what_was_begun_long_ago_or_never_is_refused(
    provider: Provider, liar: Liar, started: Started, clock: Clock
) -> None:
    for kept in (None, {}, {"state": "x"}, {**started.as_json(), "more": 1}):
        with pytest.raises(Invalid):
            provider.finish(kept, {"code": "c", "state": started.state}, BACK)
    clock.ahead = timedelta(minutes=11)
    with pytest.raises(Invalid):
        finish(provider, liar, started)


def test_a_provider_that_calls_itself_otherwise_is_not_believed(
    settings: Settings, liar: Liar, clock: Clock
) -> None:
    liar.about = {"issuer": "https://elsewhere.example"}
    told = {"oidc_issuer": liar.issuer, "oidc_client_id": CLIENT}
    with pytest.raises(Conflict):
        Provider(settings.model_copy(update=told), clock).start(BACK)


def test_an_address_without_tls_is_not_used(settings: Settings, liar: Liar, clock: Clock) -> None:
    for issuer in ("http://provider.example", "ftp://provider.example", "file:///etc/passwd"):
        told = {"oidc_issuer": issuer, "oidc_client_id": CLIENT}
        with pytest.raises(Conflict):
            Provider(settings.model_copy(update=told), clock).start(BACK)
    liar.about = {"token_endpoint": "http://provider.example/token"}
    provider = Provider(
        settings.model_copy(update={"oidc_issuer": liar.issuer, "oidc_client_id": CLIENT}), clock
    )
    started = provider.start(BACK)[1]
    with pytest.raises(Conflict):
        finish(provider, liar, started)


def test_userinfo_about_somebody_else_is_refused(provider: Provider, liar: Liar, started: Started) -> None:
    liar.userinfo = {"sub": "u2", "groups": ["administrators"]}
    with pytest.raises(Invalid):
        finish(provider, liar, started, groups=None)
    liar.userinfo = {"sub": "u1", "groups": ["administrators"], "nonce": "x", "iss": "y"}
    assert finish(provider, liar, started, groups=None).groups == ("administrators",)


def test_new_keys_of_the_provider_are_learnt(
    provider: Provider, liar: Liar, started: Started, clock: Clock
) -> None:
    finish(provider, liar, started)
    liar.key = jwk.RSAKey.generate_key(2048, auto_kid=True)
    clock.ahead = timedelta(minutes=1)
    assert finish(provider, liar, started).subject == "u1"


def test_a_provider_that_is_down_is_said_in_a_sentence(settings: Settings, liar: Liar, clock: Clock) -> None:
    liar.fail = True
    told = {"oidc_issuer": liar.issuer, "oidc_client_id": CLIENT}
    with pytest.raises(Conflict, match="连不上"):
        Provider(settings.model_copy(update=told), clock).start(BACK)


@pytest.mark.parametrize(
    ("setting", "amr", "strong"),
    [
        ("amr", ["pwd", "otp"], True),
        ("amr", ["pwd"], False),
        ("amr", None, False),
        ("always", None, True),
        ("never", ["mfa"], False),
    ],
)
def test_a_second_factor_shown_there_counts_as_set(
    settings: Settings, liar: Liar, setting: str, amr: list[str] | None, strong: bool
) -> None:
    told = {"oidc_issuer": liar.issuer, "oidc_client_id": CLIENT, "oidc_second_factor": setting}
    provider = Provider(settings.model_copy(update=told))
    assert finish(provider, liar, provider.start(BACK)[1], amr=amr).strong is strong
