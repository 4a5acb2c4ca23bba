"""What a login and an e-mail address of staff look like; addresses are kept encrypted."""

import re

from core.errors import Invalid
from core.i18n import mark
from core.privacy import Vault, normal_email


def normal_login(login: str) -> str:
    """A login as it is stored; Invalid when it cannot be one."""
    login = login.strip().lower()
    if not login or len(login) > 60 or not all(ch.isalnum() or ch in "._-@" for ch in login):
        raise Invalid(mark("登录名只能用字母、数字和 . _ - @，最多 60 个字符。"), field="login")
    return login


def checked_email(text: str) -> str:
    """An address in the form it is stored in, empty for none; Invalid when it cannot be one."""
    address = normal_email(text)
    if (address and not re.fullmatch(r"[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)+", address)) or len(address) > 200:
        raise Invalid(mark("这个邮箱地址不对，请检查。"), field="email")
    return address


def sealed_email(vault: Vault, text: str) -> str | None:
    """The same, encrypted; None for none."""
    address = checked_email(text)
    return vault.encrypt(address) if address else None
