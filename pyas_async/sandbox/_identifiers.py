"""Random identifiers: meeting ids, uuids, passcodes, account ids. The same seed repeats them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

    from pyas_async.sandbox._responses import Json

_UNUSUAL_UUIDS: Final = 4
_BIG_IDS: Final = 9
_HUGE_IDS: Final = 23


class IdentifierSource:
    """A source of identifiers that look like Zoom's."""

    def __init__(self, random: Random) -> None:
        self.random: Final = random
        self._uuids = 0
        self._ids = 0

    def meeting_id(self) -> int:
        """Return a meeting id: most have 10 or 11 digits, some 16, and some need all of 64 bits."""
        self._ids += 1
        if self._ids % _HUGE_IDS == 0:
            return self.random.randrange(2**62, 2**63)
        if self._ids % _BIG_IDS == 0:
            return self.random.randrange(10**15, 10**16)
        return self.random.randrange(10**9, 10**11)

    def uuid(self) -> str:
        """Return a uuid: base64 of 16 bytes. Every fourth has characters that paths must encode with care."""
        text = base64.b64encode(self.random.randbytes(16)).decode()
        self._uuids += 1
        turn, rest = divmod(self._uuids, _UNUSUAL_UUIDS)
        if rest:
            return text
        # The last character before the padding is kept: only four values of it are valid base64 of 16 bytes.
        unusual = ("/" + text[1:], text[:7] + "//" + text[9:], text[:5] + "+" + text[6:11] + "/" + text[12:])
        return unusual[turn % len(unusual)]

    def passcode(self) -> str:
        """Return the value of ``pwd=`` in a join URL."""
        return base64.urlsafe_b64encode(self.random.randbytes(24)).decode()

    def account(self, name: str, email: str) -> Json:
        """Return the document of a connected account."""
        bits = f"{self.random.getrandbits(136):034x}"
        return {
            "accountId": f"{bits[:6]}-{bits[6:14]}-{bits[14:18]}-{bits[18:22]}-{bits[22:]}",
            "email": email,
            "name": name,
            "provider": "zoom",
            "status": "active",
            "scopes": ["meeting:read", "meeting:write", "user:read"],
        }


def host_id(account: Json) -> str:
    """Derive the Zoom user id that an account's meetings have as their host."""
    return base64.urlsafe_b64encode(str(account["accountId"]).encode())[:22].decode()


def join_url(meeting_id: int, passcode: str) -> str:
    """Return the URL with which participants join; the passcode in it is a secret."""
    return f"https://us05web.zoom.us/j/{meeting_id}?pwd={passcode}"
