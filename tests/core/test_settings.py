"""core.settings: environment, NAME_FILE and defaults."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.settings import Settings, forget_environment


def _settings() -> Settings:
    return Settings(_env_file=None)


def test_the_environment_is_read_with_its_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNPOST_PORT", "9001")
    monkeypatch.setenv("PORT", "1")
    assert _settings().port == 9001


def test_without_an_address_visitors_see_the_site_at_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _settings().public_url == "http://127.0.0.1:8000"
    monkeypatch.setenv("SIGNPOST_PORT", "9001")
    assert _settings().public_url == "http://127.0.0.1:9001"
    monkeypatch.setenv("SIGNPOST_PUBLIC_URL", "https://edu.example.com/")
    assert _settings().public_url == "https://edu.example.com"


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "smtp"
    secret.write_text("hunter2hunter2\n", encoding="utf-8")
    monkeypatch.setenv("SIGNPOST_SMTP_PASSWORD_FILE", str(secret))
    settings = _settings()
    assert settings.smtp_password is not None
    assert settings.smtp_password.get_secret_value() == "hunter2hunter2"
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"), [("TIME_ZONE", "Mars/Olympus"), ("LOCALE", "fr"), ("THREADS", "1"), ("PORT", "x")]
)
def test_a_wrong_value_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"SIGNPOST_{name}", value)
    with pytest.raises(ValidationError):
        _settings()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        _settings().port = 1  # type: ignore[misc]


def test_the_environment_is_forgotten_but_for_what_libraries_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))  # a copy: this process keeps its own
    os.environ.update({"SIGNPOST_SECRET_KEY": "x", "AWS_SECRET": "y", "HTTPS_PROXY": "z", "TZ": "UTC"})
    forget_environment()
    assert "SIGNPOST_SECRET_KEY" not in os.environ and "AWS_SECRET" not in os.environ
    assert os.environ["HTTPS_PROXY"] == "z" and os.environ["TZ"] == "UTC"
