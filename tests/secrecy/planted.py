"""Secrets that are easy to find, and the search for them in every form that texts write them in."""

from __future__ import annotations

import base64
import html
import re
from urllib.parse import unquote

# Each secret repeats one mark, so that a part of it is found as well as the whole. Between the marks are characters
# that URLs, JSON, HTML and Python escape.
_MARK = "qz7jx"
KEY = f"k{_MARK}/k{_MARK}+k{_MARK}=\"k{_MARK}%41k{_MARK}\\k{_MARK}&lt;k{_MARK}'k{_MARK}"
TOKEN = f"t{_MARK}+t{_MARK}/t{_MARK}=="
CODE = f'c{_MARK}%41c{_MARK}&c{_MARK}"c{_MARK}'
STATE = f"s{_MARK} s{_MARK}&s{_MARK}"
HEADER = f"h{_MARK}-h{_MARK}; h{_MARK}"
"""The value of a header that the user adds."""
PASSCODE = f"p{_MARK}.p{_MARK}"
"""The passcode of a meeting, which is in its links as well."""
KINDS = {"k": "key", "t": "token", "c": "code", "s": "state", "h": "header", "p": "passcode"}

_PLAIN = re.compile(rf"([{''.join(KINDS)}]){_MARK}", re.IGNORECASE)
_ESCAPE = re.compile(r"\\+(?:u00|x)([0-9a-f]{2})", re.IGNORECASE)


def _in_base64(letter: str) -> str:
    """Return a pattern for a mark in base64, at each of the three offsets at which it may begin."""
    found = set()
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + f"{letter}{_MARK}".encode()).decode().rstrip("=")
        # The first characters have bits of the text before the mark, and the last one bits of the text after it.
        found.add(coded[(before * 4 + 2) // 3 : -1])
    return "|".join(sorted(found))


_BASE64 = re.compile("|".join(f"(?P<{letter}>{_in_base64(letter)})" for letter in KINDS))
# What is the same for all letters: to look for three words takes a tenth of the time that the pattern takes.
_HINTS = tuple(
    base64.b64encode(b"\0" * (before + 1) + _MARK.encode()).decode().rstrip("=")[(before * 4 + 6) // 3 : -1]
    for before in range(3)
)
assert all(any(hint in form for hint in _HINTS) for letter in KINDS for form in _in_base64(letter).split("|"))


def leaks(text: str | bytes, *, allowed: str = "") -> set[str]:
    """Return the kinds of secrets that a text shows, whole or in part, in any of the usual forms.

    Args:
        text: The text to search.
        allowed: First letters of the kinds that the text may have.
    """
    written = text.decode("latin-1") if isinstance(text, bytes) else text
    found = {match[1].lower() for match in _PLAIN.finditer(written)}
    if any(sign in written for sign in "\\%&"):
        plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), written)
        plain = html.unescape(unquote(unquote(plain, "latin-1"), "latin-1"))
        found |= {match[1].lower() for match in _PLAIN.finditer(plain)}
    if any(hint in written for hint in _HINTS):
        found |= {match.lastgroup or "" for match in _BASE64.finditer(written)}
    return {KINDS[letter] for letter in found if letter not in allowed}
