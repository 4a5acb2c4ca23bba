"""Links by which a person says no: a channel, the hash of an address and what the letter was about, signed; they open
nothing else."""

import base64
import binascii
from dataclasses import dataclass

from campaign.addresses import KINDS, kind_of
from campaign.contacts import DIARY
from core.errors import NotFound
from core.i18n import mark
from core.signing import Keys, Signer

PATH = "/u/"
_LETTERS = {one.name: one.letter for one in KINDS.values()}
_CHANNELS = {letter: channel for channel, letter in _LETTERS.items()}
_MATTERS = {
    "D": DIARY
}  # stands before the channel where the letter was about something that can be left alone


@dataclass(frozen=True, slots=True)
class Said:
    """What a link stands for; `about`: the purpose within which it can be said no to that alone."""

    channel: str
    address_index: str
    about: str = ""


class Unsubscriptions:
    """Makes and reads the links; a link works without sign-in, cookie or the contact's own row."""

    def __init__(self, keys: Keys) -> None:
        self._signer = Signer(keys.derive("campaign/unsubscribe"))

    def token(self, channel: str, address_index: str, purpose: str = "") -> str:
        """The signed part of the link, about 62 characters; `purpose` of the letter in which it stands."""
        packed = base64.urlsafe_b64encode(bytes.fromhex(address_index)).rstrip(b"=").decode()
        matter = next((letter for letter, about in _MATTERS.items() if about == purpose), "")
        return self._signer.sign(matter + _LETTERS[kind_of(channel)] + packed)

    def path(self, channel: str, address_index: str, purpose: str = "") -> str:
        """The path of the link on our site."""
        return PATH + self.token(channel, address_index, purpose)

    def read(self, token: str) -> Said:
        """Who refuses what; NotFound for a link that is not ours."""
        text = self._signer.open(token) or ""
        about = _MATTERS.get(text[:1], "")
        text = text[1:] if about else text
        if not text or text[0] not in _CHANNELS:
            raise NotFound(mark("这个退订链接不完整，请从邮件里重新点一次，或拨打客服电话。"))
        try:
            index = base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)).hex()
        except (binascii.Error, ValueError) as error:
            raise NotFound(mark("这个退订链接不完整，请从邮件里重新点一次，或拨打客服电话。")) from error
        return Said(_CHANNELS[text[0]], index, about)
