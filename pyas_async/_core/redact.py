"""Masking: text of the service or the network that may be shown, without the secrets in it."""

import base64
import re
from collections.abc import Iterable

# These patterns are compiled when they are first used: together, that takes longer than to decode a page.
# (?<!…) and the possessive plus keep the time linear: a run of backslashes is tried from its start only.
_ESCAPED_QUOTE = r'(?<!\\)\\++"'
_ESCAPED = r"(?i)(?<!\\)\\++u00([2-7][0-9a-f])"
# One escaped character, as a URL, JSON, Python or HTML may write it; also one that was escaped several times.
_FORM = (
    r"(?i)%(?:25)*([0-9a-f]{2})"
    r"|(?<!\\)(\\)\\*+(?:(?:u00|x)([0-9a-f]{2})|([!-/:-@\[-`{-~]))?"
    r"|&(?:amp;)*(?:#(?:0{0,4}([0-9]{2,3})|x0{0,4}([0-9a-f]{2}));|(quot|apos|lt|gt|amp);)"
)
# What may be left of an escape, or of nested ones, where a text was cut.
_CUT_FORMS = r"[%\\&#;\w]*\Z"
_LONGEST_CUT_FORMS = 12
_MAX_NESTING = 5
"""How many of these forms may be nested in one another, such as a URL in JSON in HTML."""
_NAMED_ENTITIES = {"quot": '"', "apos": "'", "lt": "<", "gt": ">", "amp": "&"}
# For the search, letters are lower case, and a plus is the blank that a URL-encoded form writes as one.
_NORMALIZED = {ord("+"): " ", **{ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}}
_BASE64 = r"[A-Za-z0-9+/_-]"
_MIN_SECRET = 4
"""Characters of the shortest secret, or beginning of one, that is masked: fewer would leave nothing to read."""


def redact(text: str, secrets: Iterable[str] = (), limit: int | None = 500) -> str:
    """Mask the given secrets and what looks like one (`mask_secrets`) in a text, and shorten it.

    A given secret is found in upper and lower case; with any of its characters escaped as in URLs, JSON, Python or
    HTML; in base64, alone or within a longer text; and where a text was cut, so that it ends with the beginning of one.

    Args:
        text: The text to show.
        secrets: The secrets of this call and of the client.
        limit: The most characters that are returned; ``None`` for all.
    """
    from pyas_async._masking import mask_secrets  # noqa: PLC0415 -- only errors and logs need it

    # Secrets are masked before the cut at the limit, which could halve one. Text far beyond the limit is dropped first.
    text = text if limit is None else text[: limit * 20]
    # The given secrets come first: a pattern that ends inside one would leave the rest of it.
    text = _without_secrets(text, [secret for secret in secrets if len(secret) >= _MIN_SECRET])
    text = mask_secrets(text)
    if "\\" in text:
        text = re.sub(_ESCAPED, _unescape, text).replace("\\/", "/")
        if '"' in text and "\\" in text:  # JSON inside JSON has its quotes escaped
            text = re.sub(_ESCAPED_QUOTE, '"', text)
    return text if limit is None else text[:limit]


def _unescape(found: "re.Match[str]") -> str:
    letter = chr(int(found[1], 16))
    # An escaped quote does not end a JSON text, and an escaped backslash does not escape what follows.
    return f"\\{letter}" if letter in '"\\' else letter


def _without_secrets(text: str, secrets: list[str]) -> str:
    """Mask secrets in each of their forms, and the beginning of one at the end of the text."""
    if not secrets:
        return text
    normalized = text.translate(_NORMALIZED)
    plain: str = text
    offsets: list[int] | range = range(len(text) + 1)
    normalized_plain = normalized
    if any(sign in text for sign in "%\\&"):
        plain, offsets = _unescaped(text)
        normalized_plain = plain.translate(_NORMALIZED)
    cut = re.compile(_CUT_FORMS).search(plain, max(0, len(plain) - _LONGEST_CUT_FORMS))
    certain = len(plain) if cut is None else cut.start()
    spans: list[tuple[int, int]] = []
    for whole in secrets:
        secret = whole[: len(text) + 1]  # of a secret longer than the text, only the beginning can be in it
        spans += _spans(normalized, secret.translate(_NORMALIZED), len(normalized))
        spans += _base64_spans(text, secret)
        wanted = _unescaped(secret)[0].translate(_NORMALIZED)
        if len(wanted) >= _MIN_SECRET:
            spans += [(offsets[begin], offsets[end]) for begin, end in _spans(normalized_plain, wanted, certain)]
    return _masked(text, sorted(spans))


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    parts, done = [], 0
    for begin, end in spans:
        if begin >= done:
            parts += [text[done:begin], "***"]
        done = max(done, end)
    return "".join([*parts, text[done:]]) if parts else text


def _spans(text: str, secret: str, certain: int) -> list[tuple[int, int]]:
    """Find a secret in a text, and the beginning of one at its end.

    Characters from `certain` on may be the rest of an escape that was cut, so they need not match.
    """
    found = []
    at = text.find(secret)
    while at >= 0:
        found.append((at, at + len(secret)))
        at = text.find(secret, at + len(secret))
    after = found[-1][1] if found else 0
    at = text.find(secret[:_MIN_SECRET], max(after, certain - len(secret) + 1))
    while at >= 0:
        if secret.startswith(text[at:certain]):
            found.append((at, len(text)))
            break
        at = text.find(secret[:_MIN_SECRET], at + 1)
    return found


def _unescaped(text: str) -> tuple[str, list[int] | range]:
    """Return a text without escapes, and the offset in the original of each character and of the end."""
    plain: str = text
    offsets: list[int] | range = range(len(text) + 1)
    for _ in range(_MAX_NESTING):
        again, inner = _unescaped_once(plain)
        if again == plain:
            break
        plain, offsets = again, [offsets[offset] for offset in inner]
    return plain, offsets


def _unescaped_once(text: str) -> tuple[str, list[int]]:
    letters: list[str] = []
    offsets: list[int] = []
    done = 0
    for found in re.finditer(_FORM, text):
        letters.append(text[done : found.start()])
        offsets.extend(range(done, found.start()))
        letters.append(_letter(found))
        offsets.append(found.start())
        done = found.end()
    letters.append(text[done:])
    offsets.extend(range(done, len(text) + 1))
    return "".join(letters), offsets


def _letter(found: "re.Match[str]") -> str:
    percent, backslash, escaped, itself, number, hexadecimal, named = found.groups()
    if digits := percent or escaped or hexadecimal:
        return chr(int(digits, 16))
    return chr(int(number)) if number else itself or backslash or _NAMED_ENTITIES[named.lower()]


def _base64_spans(text: str, secret: str) -> list[tuple[int, int]]:
    """Find a secret in base64, with any text before and after it; the whole of the base64 text is masked."""
    found: list[tuple[int, int]] = []
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + secret.encode("utf-8", "replace")).decode().rstrip("=")
        # The first characters have bits of the text before the secret, and the last one bits of the text after it.
        middle = coded[(before * 4 + 2) // 3 : -1]
        for form in {middle, middle.replace("+", "-").replace("/", "_")}:
            if len(form) >= _MIN_SECRET:
                found += [_whole_base64(text, *span) for span in _spans(text, form, len(text))]
    return found


def _whole_base64(text: str, begin: int, end: int) -> tuple[int, int]:
    while begin > 0 and re.match(_BASE64, text[begin - 1]):
        begin -= 1
    while end < len(text) and re.match(_BASE64, text[end]):
        end += 1
    return begin, end
