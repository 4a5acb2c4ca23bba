"""Secrets of accounts: made, sealed, opened only to send; a webhook's secret before is used for a day more."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlmodel import Session

from campaign.contacts import EMAIL, WEBHOOK
from core.i18n import mark
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from scheduler.channels import registry
from scheduler.channels.base import Account, DeliveryError
from scheduler.channels.registry import Kind
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

    def seal_all(self, kind: Kind, named: Mapping[str, str]) -> str:
        """Ciphertext of the secrets of an account: one alone as it is, several by their names."""
        if not _several(kind):
            return self.seal(named.get("secret", ""))
        return self.seal(json.dumps(dict(named))) if named else ""

    def named(self, account: ChannelAccount) -> dict[str, str]:
        """The secrets of now by the names of their fields."""
        current, kind = self.current(account), registry.KINDS.get(account.channel)
        if not current:
            return {}
        if not (kind and _several(kind)):
            return {"secret": current}
        try:
            found = json.loads(current)
        except ValueError:
            found = None
        # one alone was kept as it is by releases in which its kind had no others
        return dict(found) if isinstance(found, dict) else {"secret": current}

    def fingerprint(self, named: Mapping[str, str]) -> str:
        """A keyed hash (16 hex digits) by which one sees that secrets are others now, and nothing else."""
        text = json.dumps(dict(named), sort_keys=True).encode()
        return hmac.new(self._keys.derive("account/fingerprint"), text, hashlib.sha256).hexdigest()[:16]

    def of(self, account: ChannelAccount, now: datetime) -> tuple[str, ...]:
        """The secrets in force: of a webhook the newest first, of a platform in the order of its form."""
        kind = registry.KINDS.get(account.channel)
        if kind and _several(kind):
            named = self.named(account)
            found = [named.get(name, "") for name in kind.secrets]
            while found and not found[-1]:  # those at the end that the account has none of
                found.pop()
            return tuple(found)
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

    def account(self, row: ChannelAccount) -> Account:
        """An account as its channel takes it, secrets in clear."""
        named = {name: value for name, value in self._held.named(row).items() if name != "secret"}
        return Account(
            row.address,
            row.port,
            row.tls,
            row.login,
            row.sender,
            self._held.of(row, self._clock()),
            row.options | named,
            row.id or 0,
        )

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
        return self.account(row)


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


def _several(kind: Kind) -> bool:
    """Whether the secrets of a kind need their names: all but the one that is called `secret`."""
    return kind.secrets not in ((), ("secret",))


def made() -> str:
    """A new secret for a webhook: 256 random bits."""
    return "whsec_" + secrets.token_urlsafe(32)


def derived(keys: Keys, address: str) -> str:
    """The secret that the first releases gave to the receiver at an address."""
    return "whsec_" + base64.urlsafe_b64encode(keys.derive(f"webhook/{address}")).rstrip(b"=").decode()
