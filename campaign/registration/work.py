"""Proof of work instead of a captcha (no puzzle to see or hear), and the link with which people come back.

A form carries a signed challenge of its own: occurrence, when it was made, a random part. The browser looks for a
number whose SHA-256 with the challenge begins with `bits` zero bits: a second for one form, hours for thousands.
Where no script runs nothing is asked but patience: a form without proof is taken `PATIENCE` after it was opened, and
fewer of these are taken from one address (`webapp.limiting`). The random part
is the key under which the registration is kept, so each challenge registers once.
"""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from core.errors import Invalid
from core.i18n import mark
from core.signing import Keys, Signer

GOOD_FOR = timedelta(hours=4)
PATIENCE = timedelta(seconds=8)
_AGAIN = mark("这张报名表打开太久了，请重新打开再报名。")


class Doorkeeper:
    """Makes and checks challenges and personal links; `bits`: the work a form asks for."""

    def __init__(self, keys: Keys, bits: int) -> None:
        self.bits = bits
        self._challenges = Signer(keys.derive("registration/challenge"))
        self._links = Signer(keys.derive("registration/link"), 18)

    def challenge(self, occurrence_id: int, now: datetime) -> str:
        """A challenge for one form: `occurrence.seconds.random.bits.signature`."""
        made = f"{occurrence_id}.{int(now.timestamp())}.{secrets.token_urlsafe(12)}.{self.bits}"
        return self._challenges.sign(made)

    def opened(self, challenge: str, proof: str, now: datetime) -> tuple[int, str]:
        """The occurrence and the request key of a form whose challenge is ours, in time and worked for; else Invalid."""
        text = self._challenges.open(challenge[:200])
        parts = text.split(".") if text else []
        if len(parts) != 4:
            raise Invalid(_AGAIN)
        age = now - datetime.fromtimestamp(int(parts[1]), UTC)
        if age > GOOD_FOR:
            raise Invalid(_AGAIN)
        worked = solves(challenge, proof, int(parts[3]))
        if proof and not worked:  # a made-up proof must not pass for one that was found
            raise Invalid(_AGAIN)
        if not worked and age < PATIENCE:
            raise Invalid(mark("请稍等几秒再提交：这样机器就不能一口气占满位置。"))
        return int(parts[0]), f"{parts[0]}.{parts[2]}"

    def link(self, registration_id: int) -> str:
        """The token in a person's own link: who has it may change and cancel that registration, nothing else."""
        return self._links.sign(str(registration_id))

    def registration_of(self, token: str) -> int | None:
        """The registration of a link, None for a forged one."""
        text = self._links.open(token[:80])
        return int(text) if text and text.isdecimal() and len(text) < 12 else None


def solves(challenge: str, proof: str, bits: int) -> bool:
    """Whether the hash of challenge and proof begins with that many zero bits."""
    if bits <= 0:
        return True
    if not proof or len(proof) > 20:
        return False
    digest = hashlib.sha256(f"{challenge}{proof}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - bits) == 0


def solve(challenge: str, bits: int) -> str:
    """A proof, found as a browser finds it: for tests, measurements and our own command line."""
    return next(str(number) for number in range(1 << (bits + 8)) if solves(challenge, str(number), bits))
