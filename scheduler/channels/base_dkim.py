"""Signatures of letters (DKIM, RFC 6376), and which of an account's secrets is the key and which the password."""

import dkim

from core.i18n import mark
from scheduler.channels.base import Account, DeliveryError

_KEY = "-----BEGIN"
# RFC 8058 §4: the signature covers both of List-Unsubscribe
_SIGNED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"list-unsubscribe", b"list-unsubscribe-post",
    b"auto-submitted", b"mime-version", b"content-type",
)  # fmt: skip


class Signer:
    """Signs letters for a domain (DKIM, RFC 6376), so that receivers know whom they come from."""

    def __init__(self, domain: str, selector: str, key: str) -> None:
        self._domain = domain.encode("idna")
        self._selector = selector.encode()
        self._key = key.encode()

    @classmethod
    def of(cls, account: Account) -> "Signer | None":
        """The one of an account, whose secrets hold the password and, in PEM, the key; None without DKIM."""
        domain, selector = account.options.get("dkim_domain", ""), account.options.get("dkim_selector", "")
        key = next((one for one in account.secrets if one.startswith(_KEY)), "")
        if not domain and not selector and not key:
            return None
        if not (domain and selector and key):
            raise _unsigned()
        return cls(domain, selector, key)

    def signed(self, content: bytes) -> bytes:
        """The letter with its signature on top; DeliveryError for a key that is none."""
        try:
            head: bytes = dkim.sign(
                content,
                self._selector,
                self._domain,
                self._key,
                canonicalize=(b"relaxed", b"relaxed"),
                include_headers=[one for one in _SIGNED if b"\n" + one + b":" in b"\n" + content.lower()],
            )
        except (dkim.DKIMException, ValueError, TypeError, IndexError) as error:
            raise _unsigned() from error
        return head + content


def _unsigned() -> DeliveryError:
    return DeliveryError(
        mark("邮件不能做 DKIM 签名：请管理员核对域名、选择器和 PEM 格式的 RSA 私钥。"),
        permanent=True,
        everyone=True,
    )


def password(account: Account) -> str:
    """The password of an account: the first secret that is no key."""
    return next((one for one in account.secrets if not one.startswith(_KEY)), "")
