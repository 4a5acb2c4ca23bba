"""Secrets of accounts: made, sealed, opened only to send; a webhook's secret before is used for a day more."""

import base64
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from campaign.contacts import EMAIL, WEBHOOK
from core.i18n import mark
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from scheduler.channels.base import Account, DeliveryError
from scheduler.models import ChannelAccount, Push

OVERLAP = timedelta(hours=24)


class Secrets:
    """Seals and opens the secrets of accounts; nothing else does."""

    def __init__(self, keys: Keys, vault: Vault) -> None:
        self._keys = keys
        self._vault = vault

    def seal(self, text: str) -> str:
        """Ciphertext for the row; empty stays empty."""
        return self._vault.encrypt(text) if text else ""

    def of(self, account: ChannelAccount, now: datetime) -> tuple[str, ...]:
        """The secrets in force, the newest first."""
        current = self.current(account)
        until = account.previous_until
        if account.previous_sealed and until is not None and now < until:
            return (current, self._vault.decrypt(account.previous_sealed))
        return (current,) if current else ()

    def current(self, account: ChannelAccount) -> str:
        """The secret of now; receivers of the first releases hold one derived from their address."""
        if account.secret_sealed:
            return self._vault.decrypt(account.secret_sealed)
        return derived(self._keys, account.address) if account.channel == WEBHOOK else ""


class Opener:
    """Opens the account by which a push goes out, or says why it must not."""

    def __init__(self, settings: Settings, held: Secrets, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._held = held
        self._clock = clock

    def open(self, session: Session, push: Push) -> Account:
        """The account of a push; DeliveryError when it was closed, or changed since the push was approved."""
        if push.account_id is None and push.channel == EMAIL:
            return mail_server(self._settings)
        row = session.get(ChannelAccount, push.account_id) if push.account_id else None
        if row is None or not row.active:
            raise DeliveryError(
                mark("渠道账号已停用。启用后再继续，或取消这次推送。"), permanent=True, everyone=True
            )
        if row.line != push.target:
            raise DeliveryError(
                mark("渠道账号在批准之后改过，不能再用它发。请取消这次推送，重新提交计划。"),
                permanent=True,
                everyone=True,
            )
        return Account(
            row.address, row.port, row.tls, row.login, row.sender, self._held.of(row, self._clock())
        )


def mail_server(settings: Settings) -> Account:
    """The mail server of the settings; without an address when none is set."""
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
    return Account(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_tls,
        settings.smtp_user,
        settings.mail_from,
        (password,) if password else (),
    )


def made() -> str:
    """A new secret for a webhook: 256 random bits."""
    return "whsec_" + secrets.token_urlsafe(32)


def derived(keys: Keys, address: str) -> str:
    """The secret that the first releases gave to the receiver at an address."""
    return "whsec_" + base64.urlsafe_b64encode(keys.derive(f"webhook/{address}")).rstrip(b"=").decode()
