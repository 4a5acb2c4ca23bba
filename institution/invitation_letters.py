"""How an invitation reaches somebody: by mail where a mail server and an address are known, else by hand."""

from datetime import datetime

from sqlmodel import Session

from core.i18n import current_locale, gettext
from core.privacy import Vault
from core.settings import Settings
from institution import letters
from institution.models import Staff


def link(settings: Settings, token: str) -> str:
    """The address that the invited person opens."""
    return f"{settings.public_url}/desk/invitation/{token}"


def send(
    session: Session, vault: Vault, settings: Settings, account: Staff, token: str, *, now: datetime
) -> bool:
    """Put the letter into the outbox; False when there is no way to send one and the link is to be handed over."""
    if not account.email or not letters.possible(settings):
        return False
    english = current_locale() == "en"
    text = gettext(
        "%(name)s，您好：\n\n请打开下面的链接，设一个自己的密码，然后用登录名 %(login)s 登录工作台。\n\n%(link)s\n\n"
        "链接 %(hours)s 小时内有效，只能用一次。如果您不知道这是怎么回事，请不要打开，告诉本单位的管理员。",
        name=account.name,
        login=account.login,
        link=link(settings, token),
        hours=round(settings.invitation_hours),
    )
    subject = gettext(
        "邀请您使用%(name)s的工作台",
        name=settings.institution_name_en if english else settings.institution_name,
    )
    letters.post(session, vault=vault, to=vault.decrypt(account.email), subject=subject, text=text, now=now)
    return True
