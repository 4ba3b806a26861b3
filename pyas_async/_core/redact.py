"""Text that may be shown: what the service or the network said, without the secrets in it."""

import base64
import re
from collections.abc import Iterable

from pyas_async.models._base import MASK, mask_url

_MASKED_FIELDS = (
    "start_url|password|h323_password|pstn_password|encrypted_password|passcode|host_key|next_page_token|nextPageToken"
    "|code|x-api-key|api_key|apiKey|access_token|refresh_token|client_secret|token|zak|authorization|cookie"
)
# The patterns are compiled when something is masked for the first time: together, they take longer than a page.
# A text, or a bare number of a password; the number of an error's ``code`` is no secret.
_IN_JSON = rf'(?i)("(?:{_MASKED_FIELDS})"\s*:\s*")(?:[^"\\]|\\.)*("?)|("\w*(?:password|passcode)"\s*:\s*)[^",}}\s]+'
# What others have put around our request: the credentials of an injected client, or of a proxy.
_IN_HEADERS = (
    r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key)(['\"]?\s{0,3}[:=,]\s{0,3}(?:b?['\"])?)[^\r\n'\"<]+"
)
# (?<!…) and the possessive plus: nowhere is a run of backslashes looked at from each of them.
_ESCAPED_QUOTE = r'(?<!\\)\\++"'
_ESCAPED = r"(?i)(?<!\\)\\++u00([2-7][0-9a-f])"
# One character, as a URL, JSON, Python or HTML may write it, once or more than once.
_FORM = (
    r"(?i)%(?:25)*([0-9a-f]{2})"
    r"|(?<!\\)(\\)\\*+(?:(?:u00|x)([0-9a-f]{2})|([!-/:-@\[-`{-~]))?"
    r"|&(?:amp;)*(?:#(?:0{0,4}([0-9]{2,3})|x0{0,4}([0-9a-f]{2}));|(quot|apos|lt|gt|amp);)"
)
# What may be left of one, and of one within it, where a text was cut.
_HALF_FORMS = r"[%\\&#;\w]*\Z"
_LONGEST_FORMS = 12
_NESTED = 5
"""In how many of these forms a text may have been written, one within the other."""
_NAMED = {"quot": '"', "apos": "'", "lt": "<", "gt": ">", "amp": "&"}
# Capitals are not told from small letters, and a form writes a blank as a plus.
_ALIKE = {ord("+"): " ", **{ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}}
_BASE64 = r"[A-Za-z0-9+/_-]"
_SHORT = 4
"""Characters from which on a text may be a secret, or its beginning: to mask fewer would leave nothing to read."""


def _hide(found: "re.Match[str]") -> str:
    return f'{found[3]}"{MASK}"' if found[3] else f"{found[1]}{MASK}{found[2]}"


def redact(text: str, secrets: Iterable[str] = (), limit: int | None = 500) -> str:
    """Mask passwords, links, tokens and the given secrets in a text, and shorten it.

    A given secret is found in capitals and in small letters; with any of its characters written as URLs, JSON, Python
    or HTML write them; in base64, alone or within a longer text; and where its beginning stands at the end of a text
    that was cut.

    Args:
        text: What to show.
        secrets: What must not be in it.
        limit: Characters that are left at most; ``None`` for all.
    """
    # A secret that the cut would halve must be masked before the cut; far beyond it, nothing is shown anyway.
    text = text if limit is None else text[: limit * 20]
    # Secrets that are known come first: a pattern that ends within one would leave the rest of it behind.
    text = _without(text, [secret for secret in secrets if len(secret) >= _SHORT])
    if "\\" in text:
        text = re.sub(_ESCAPED, _unescape, text).replace("\\/", "/")
    if '"' in text:
        text = re.sub(_IN_JSON, _hide, text)
        if "\\" in text:  # JSON inside of JSON has its quotes escaped
            text = re.sub(_IN_JSON, _hide, re.sub(_ESCAPED_QUOTE, '"', text))
    if any(sign in text for sign in "=:,%"):
        text = mask_url(re.sub(_IN_HEADERS, rf"\1\2{MASK}", text))
    return text if limit is None else text[:limit]


def _unescape(found: "re.Match[str]") -> str:
    letter = chr(int(found[1], 16))
    # An escaped quote is no end of a text, nor does a backslash escape what follows.
    return f"\\{letter}" if letter in '"\\' else letter


def _without(text: str, secrets: list[str]) -> str:
    """Mask secrets in each of their forms, and the beginning of one at the end of the text."""
    if not secrets:
        return text
    alike = text.translate(_ALIKE)
    plain: str = text
    places: list[int] | range = range(len(text) + 1)
    plain_alike = alike
    if any(sign in text for sign in "%\\&"):
        plain, places = _plain(text)
        plain_alike = plain.translate(_ALIKE)
    cut = re.compile(_HALF_FORMS).search(plain, max(0, len(plain) - _LONGEST_FORMS))
    sure = len(plain) if cut is None else cut.start()
    spans: list[tuple[int, int]] = []
    for whole in secrets:
        secret = whole[: len(text) + 1]  # what is longer than the text has but its beginning there
        spans += _spans(alike, secret.translate(_ALIKE), len(alike))
        spans += _in_base64(text, secret)
        wanted = _plain(secret)[0].translate(_ALIKE)
        if len(wanted) >= _SHORT:
            spans += [(places[begin], places[end]) for begin, end in _spans(plain_alike, wanted, sure)]
    return _masked(text, sorted(spans))


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    parts, done = [], 0
    for begin, end in spans:
        if begin >= done:
            parts += [text[done:begin], MASK]
        done = max(done, end)
    return "".join([*parts, text[done:]]) if parts else text


def _spans(text: str, secret: str, sure: int) -> list[tuple[int, int]]:
    """Find a secret, and its beginning at the end of the text, of which the last characters need not be `sure`."""
    found = []
    at = text.find(secret)
    while at >= 0:
        found.append((at, at + len(secret)))
        at = text.find(secret, at + len(secret))
    after = found[-1][1] if found else 0
    at = text.find(secret[:_SHORT], max(after, sure - len(secret) + 1))
    while at >= 0:
        if secret.startswith(text[at:sure]):
            found.append((at, len(text)))
            break
        at = text.find(secret[:_SHORT], at + 1)
    return found


def _plain(text: str) -> tuple[str, list[int] | range]:
    """Write each character as itself; and say where in the text each of them began, and the text ended."""
    plain: str = text
    places: list[int] | range = range(len(text) + 1)
    for _ in range(_NESTED):
        again, inner = _once_plain(plain)
        if again == plain:
            break
        plain, places = again, [places[place] for place in inner]
    return plain, places


def _once_plain(text: str) -> tuple[str, list[int]]:
    letters: list[str] = []
    places: list[int] = []
    done = 0
    for found in re.finditer(_FORM, text):
        letters.append(text[done : found.start()])
        places.extend(range(done, found.start()))
        letters.append(_letter(found))
        places.append(found.start())
        done = found.end()
    letters.append(text[done:])
    places.extend(range(done, len(text) + 1))
    return "".join(letters), places


def _letter(found: "re.Match[str]") -> str:
    percent, backslash, escaped, itself, number, hexadecimal, named = found.groups()
    if digits := percent or escaped or hexadecimal:
        return chr(int(digits, 16))
    return chr(int(number)) if number else itself or backslash or _NAMED[named.lower()]


def _in_base64(text: str, secret: str) -> list[tuple[int, int]]:
    """Find a secret in base64, whatever stands before and behind it there; the whole text around it is masked."""
    found: list[tuple[int, int]] = []
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + secret.encode("utf-8", "replace")).decode().rstrip("=")
        # The first characters hold bits of what stands before it, and the last one of what stands behind it.
        sure = coded[(before * 4 + 2) // 3 : -1]
        for form in {sure, sure.replace("+", "-").replace("/", "_")}:
            if len(form) >= _SHORT:
                found += [_around(text, *span) for span in _spans(text, form, len(text))]
    return found


def _around(text: str, begin: int, end: int) -> tuple[int, int]:
    while begin > 0 and re.match(_BASE64, text[begin - 1]):
        begin -= 1
    while end < len(text) and re.match(_BASE64, text[end]):
        end += 1
    return begin, end
