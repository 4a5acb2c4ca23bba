"""The only reader of the environment: one frozen class; every setting has a default that works."""

import json
import os
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from core.brand import BrandSettings

PREFIX = "SIGNPOST_"
_SHORTEST_KEY = 16
# What libraries of a serving process read from the environment: certificates, proxies, places, language.
_KEPT = re.compile(
    r"PATH|HOME|LANG|LC_\w+|TZ|TMPDIR|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|(?:https?|no)_proxy", re.IGNORECASE
)


class _FileSource(EnvSettingsSource):
    """`SIGNPOST_NAME_FILE=/path` gives the setting NAME the file's content (container secrets)."""

    def __call__(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in self.settings_cls.model_fields:
            path = self.env_vars.get(f"{PREFIX}{name}_FILE".lower())
            if path:
                values[name] = Path(path).read_text(encoding="utf-8").strip()
        return values


class Settings(BrandSettings):
    """Settings from the environment and `.env`, prefix `SIGNPOST_`; README lists them (tested)."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", frozen=True, extra="ignore")

    home: Path = Field(Path("var"), description="Folder of everything the embedded shape keeps")
    host: str = Field("127.0.0.1", description="Address that `signpost serve` listens on")
    port: int = Field(8000, ge=0, le=65535, description="Port that `signpost serve` listens on")
    public_url: str = Field(
        "",
        validate_default=True,
        description="Address under which visitors see the site; used in links, feeds and QR codes. Empty: this machine's own, `http://127.0.0.1:8000` with the port as set",
    )
    institution_name: str = Field("示范人寿保险", description="Name of the institution, Chinese")
    institution_name_en: str = Field("Model Life Insurance", description="Name of the institution, English")
    hotline: str = Field("12378", description="Telephone number behind the one-key human help")
    time_zone: str = Field("Asia/Shanghai", description="Time zone of the institution: what a day is")
    holidays: str = Field(
        "CN",
        pattern="^([A-Z]{2})?$",
        description="Country whose public holidays are no working days (ISO code); empty: Monday to Friday",
    )
    registration_bits: int = Field(
        13,
        ge=0,
        le=24,
        description="Work a browser does before it registers for an event, in zero bits; each doubles it",
    )
    alarm_hour: int = Field(
        6, ge=0, le=23, description="Hour at which the visits of the day before are looked at for alarms"
    )
    alarm_factor: float = Field(
        3.0, ge=1.5, le=100, description="An alarm is raised for so many times the usual visits, or that part"
    )
    alarm_least: int = Field(
        30, ge=1, description="… and only where the difference is at least so many visits a day"
    )
    locale: str = Field("zh", description="Language of pages for a visitor who has not chosen: zh or en")
    secret_key: SecretStr | None = Field(
        None, description="Secret from which all keys derive; made in `secret.key` under home when unset"
    )
    privacy_keys: SecretStr | None = Field(
        None,
        description="Keys that encrypt personal data, newest first, one per line or comma (make one: signpost privacy key); the key derived from the secret is always the last, alone when unset",
    )
    retention: str = Field(
        "",
        description="Days for which kinds of data are kept where other than the default, such as contact.idle=30, session=365 (kinds: signpost privacy retention --dry-run)",
    )
    database_url: str = Field(
        "",
        repr=False,
        description="Relational database; empty: SQLite under home. PostgreSQL: postgresql+psycopg://…",
    )
    reach_url: str = Field(
        "",
        repr=False,
        description="Reach store; empty: the embedded engine under home. Server: clickhouse://user:password@host:8123/database (clickhouses:// with TLS), a cluster with ?cluster=NAME; see docs/scaling.md",
    )
    threads: int = Field(16, ge=4, le=64, description="Blocking threads per web worker")
    spool_seal_seconds: float = Field(
        2.0, gt=0, description="Age in seconds at which an open spool segment is sealed"
    )
    spool_seal_bytes: int = Field(
        8_388_608, ge=1024, description="Size in bytes at which an open spool segment is sealed"
    )
    spool_sync: bool = Field(
        False,
        description="Whether an event is answered only after an fsync that covers it (shared by all that wait: set more threads); off: a power cut may take the last seconds, a crash nothing",
    )
    drain_seconds: float = Field(
        1.0, gt=0, description="Pause in seconds between two looks of the drain at the spool"
    )
    trusted_proxies: int = Field(
        0, ge=0, description="Number of reverse proxies whose X-Forwarded-For is believed"
    )
    reach_visitor_minute: int = Field(
        60,
        ge=0,
        description="Events of one visitor that count in a minute; what is more is no person. 0: no limit",
    )
    reach_visitor_hour: int = Field(600, ge=0, description="The same in an hour")
    reach_address_minute: int = Field(
        6000,
        ge=0,
        description="Events from one address that count in a minute: high, since a hall of people shares one. 0: no limit",
    )
    reach_address_hour: int = Field(120_000, ge=0, description="The same in an hour")
    session_hours: float = Field(12.0, gt=0, description="Hours until a staff session ends")
    second_factor: str = Field(
        "required",
        pattern="^(required|off)$",
        description="required: who publishes, sends or administers signs in with a second factor; off: nobody is asked",
    )
    invitation_hours: float = Field(
        72.0, gt=0, le=720, description="Hours until an invitation or a one-time password ends"
    )
    approval_remind_hours: float = Field(
        24.0,
        ge=1,
        le=240,
        description="Hours before an approval is due at which its deciders are reminded by mail",
    )
    smtp_host: str = Field("", description="Mail server; empty: e-mail is not set up")
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of the mail server")
    smtp_user: str = Field("", description="User at the mail server; empty: no sign-in")
    smtp_password: SecretStr | None = Field(None, description="Password at the mail server")
    smtp_tls: str = Field("starttls", pattern="^(starttls|tls|none)$", description="starttls, tls or none")
    mail_from: str = Field("", description="Sender of e-mail, such as 消保部 <edu@example.com>")
    oidc_issuer: str = Field(
        "", description="OpenID Connect provider (issuer) through which staff may sign in; empty: none"
    )
    oidc_client_id: str = Field("", description="Client identifier at the OpenID Connect provider")
    oidc_client_secret: SecretStr | None = Field(
        None, description="Client secret at the OpenID Connect provider; unset: a public client (PKCE alone)"
    )
    oidc_scopes: str = Field(
        "openid profile email", description="Scopes asked of the OpenID Connect provider"
    )
    oidc_groups_claim: str = Field("groups", description="Claim that holds a person's groups")
    oidc_roles: str = Field(
        "",
        description='Roles by group, JSON: {"group": [["editor", "330000"]]}; node "" is the whole institution',
    )
    oidc_second_factor: str = Field(
        "amr",
        pattern="^(amr|always|never)$",
        description="Whether the provider's sign-in counts as second factor: amr (when it says so), always, never",
    )
    plaque_days: int = Field(
        7,
        ge=1,
        le=90,
        description="Days for which a finished archive of plaques or posters is kept for download",
    )
    poster_days: int = Field(30, ge=1, le=3650, description="Days after which drawn pictures that nobody wanted are cleared")  # fmt: skip
    rate_storage: str = Field(
        "memory://",
        description="Where rate limits are counted: memory:// (each process for itself), redis://host:6379 (install redis); empty: not at all",
    )
    push_services: str = Field("fcm.googleapis.com, *.push.services.mozilla.com, *.push.apple.com, *.notify.windows.com", description="Hosts of the push services that browsers may be reached at, `*.` before one for all below it; a browser with another is told to try elsewhere")  # fmt: skip
    sandbox_port: int = Field(8099, ge=0, le=65500, description="Port on 127.0.0.1 at which `signpost serve` runs the sandbox of the push platforms (mail on the next), only while the demo institution is loaded; 0: never")  # fmt: skip
    scheduler: bool = Field(True, description="Whether `signpost serve` also carries out plans")
    push_threads: int = Field(2, ge=1, le=64, description="Messages, or calls with many recipients, that are on their way at a time for each channel of a process; of `signpost worker` with a broker: in all")  # fmt: skip
    broker_url: str = Field("", repr=False, description="Broker by which pushes go to workers on many machines (install signpost[broker]; start signpost worker): redis://host:6379/1, amqp://user:password@host; empty: threads of this process send")  # fmt: skip

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError("must be a name of the time zone database, such as Asia/Shanghai") from error
        return value

    @field_validator("locale")
    @classmethod
    def _known_locale(cls, value: str) -> str:
        if value not in ("zh", "en"):
            raise ValueError("must be zh or en")
        return value

    @field_validator("privacy_keys")
    @classmethod
    def _long_keys(cls, value: SecretStr | None) -> SecretStr | None:
        keys = [key.strip() for key in re.split(r"[,\n]", value.get_secret_value())] if value else []
        if any(0 < len(key) < _SHORTEST_KEY for key in keys):
            raise ValueError(
                f"each key must have {_SHORTEST_KEY} characters or more; signpost privacy key makes one"
            )
        return value

    @field_validator("retention")
    @classmethod
    def _named_days(cls, value: str) -> str:
        for pair in re.split(r"[,\n]", value):
            if pair.strip() and not re.fullmatch(r"\s*[a-z_.]+\s*=\s*\d{1,5}\s*", pair):
                raise ValueError("must read like contact.idle=30, session=365: a kind of data and days")
        return value

    @field_validator("public_url")
    @classmethod
    def _bare_url(cls, value: str, info: ValidationInfo) -> str:
        return value.rstrip("/") or f"http://127.0.0.1:{info.data.get('port', 8000)}"

    @field_validator("oidc_roles")
    @classmethod
    def _groups_to_roles(cls, value: str) -> str:
        try:
            found = json.loads(value or "{}")
            good = isinstance(found, dict) and all(
                len(grant) == 2 and all(isinstance(part, str) for part in grant)
                for grants in found.values()
                for grant in grants
            )
        except (ValueError, TypeError):
            good = False
        if not good:
            raise ValueError('must be JSON such as {"group": [["editor", "330000"]]}')
        return value

    @property
    def oidc_mapping(self) -> dict[str, list[tuple[str, str]]]:
        """Roles with their nodes by group of the OpenID Connect provider."""
        found = json.loads(self.oidc_roles or "{}")
        return {group: [(role, code) for role, code in grants] for group, grants in found.items()}

    @property
    def zone(self) -> ZoneInfo:
        """The institution's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def privacy_ring(self) -> tuple[str, ...]:
        """The keys of personal data that were set, newest first, without the derived one."""
        text = self.privacy_keys.get_secret_value() if self.privacy_keys else ""
        return tuple(key.strip() for key in re.split(r"[,\n]", text) if key.strip())

    @property
    def retention_days(self) -> dict[str, int]:
        """The days of the setting `retention`, by kind of data."""
        pairs = [pair.split("=") for pair in re.split(r"[,\n]", self.retention) if pair.strip()]
        return {name.strip(): int(days) for name, days in pairs}

    @property
    def relational_url(self) -> str:
        """The SQLAlchemy address of the relational database."""
        return self.database_url or f"sqlite:///{(self.home / 'signpost.db').resolve()}"

    @property
    def spool_dir(self) -> Path:
        """Folder of the spool's segments."""
        return self.home / "spool"

    @property
    def files_dir(self) -> Path:
        """Folder of stored files (pictures of pieces)."""
        return self.home / "files"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then NAME_FILE, then `.env`."""
        return init_settings, env_settings, _FileSource(settings_cls), dotenv_settings


def forget_environment() -> None:
    """Drop from this process's environment what the settings have read, and what nobody reads.

    A WSGI server copies the environment into every request: secrets have no business there, and with forty
    variables less a worker answers a tenth more beacons a second.
    """
    for name in [name for name in os.environ if not _KEPT.fullmatch(name)]:
        del os.environ[name]
