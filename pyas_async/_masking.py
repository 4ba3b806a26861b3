"""Masking: what looks like a secret in a text is replaced, and the rest stays.

A secret is found by the stem of the name in front of it, since services add names: ``h323_passcode``,
``participantPinCode``, ``download_access_token``. The name and its value may be written as in JSON, Python, URLs,
forms, headers, XML, YAML, command lines and pasted invitations, also if such a text is escaped within another one.
Some secrets have a form of their own: dial strings, SIP addresses, passwords in URLs, and JSON web tokens.

Words about a secret stay: "the token is invalid", "password: must have 8 characters", ``token_type``,
``passcode_required``.
"""

import functools
import re
from collections.abc import Iterator

MASK = "***"
_MAX_LEVELS = 5
"""How many texts may be escaped in one another, as JSON in a URL in HTML."""
_MAX_NAME = 60
"""Characters of a name that are looked at on each side of its stem."""
_NEAR = 400
"""Characters around the name of a field in which the value that was refused is looked for."""

# The patterns are compiled when they are first used: together, that takes longer than to decode a page.
_FOREIGN = (
    "kennwort|kenncode|passwort|zugangscode|contraseña|contrasena|c[óo]digo de (?:acceso|acesso)|senha(?: de acesso)?|"
    "mot de passe|code d.acc[èe]s|codice d.accesso|wachtwoord|toegangscode|adgangskode|l[öo]senord|has[łl]o|heslo|"
    "parola|пароль|"
    "код доступа|パスコード|パスワード|密码|密碼|口令|암호|비밀번호"
)
_STEMS = (
    rf"(?i){_FOREIGN}|pass|pwd|psw|pin|token|secret|credential|cookie|auth|bearer|zak|tk|otp|jwt|key|code|state"
    r"|start[_-]?url|signature"
)
_HINTS = (
    "pass", "pwd", "psw", "pin", "token", "secret", "cred", "cookie", "auth", "bearer", "zak", "tk", "otp", "jwt",
    "signature", "key", "code", "state", "start", "kenn", "contrase", "digo", "senha", "mot", "acc", "wacht", "kod",
    "senord", "has", "heslo", "parola", "пароль", "код", "パス", "密", "口令", "암호", "비밀", "zugang", "toegang",
    "adgang",
)  # fmt: skip
"""What a text has, in lower case, in which one of the stems may be: to look for these is ten times as fast."""
# Parts of a name without its separators, in lower case.
_LONG = (
    r"password|passwd|passcode|passphrase|pwd|secret(?!ar)|token(?!i[sz])|credential|authorization|cookie|bearer|signature"
    r"|(?:host|api|access|private|secret|signing|encryption|shared|auth|session|account|license)keys?"
    r"|(?:pin|access|security|verification|auth|authorization|conference|participant|onetime|entry|login|recovery|backup)"
    r"codes?|(?:user|host|meeting|participant|login|db|smtp|sip)pin"
)
# Whole words of a name.
_SHORT = {"pin", "pins", "pass", "psw", "pw", "zak", "tk", "otp", "jwt", "auth"}
_NO_PASSWORDS = {"bypass", "compass", "encompass", "surpass", "trespass", "overpass", "underpass"}
# A name that ends or begins with one of these words is about a secret, and its value is none.
_ABOUT = {
    "type", "types", "ttl", "required", "require", "requires", "requirement", "requirements", "enabled", "enable",
    "disabled", "length", "expiry", "expires", "expired", "expiration", "expire", "in", "at", "count", "policy",
    "policies", "status", "strength", "limit", "limits", "size", "min", "max", "minimum", "maximum", "rules", "usage",
    "used", "url", "uri", "endpoint", "name", "names", "field", "fields", "format", "error", "errors", "pattern",
    "regex", "charset", "authentication", "protected", "banner", "consent",
}  # fmt: skip
_QUESTIONS = {
    "is", "has", "have", "use", "uses", "using", "require", "requires", "required", "need", "needs", "enforce", "show",
    "allow", "enable", "disable", "embed", "include", "max", "min", "num", "count", "total", "supports",
}  # fmt: skip
# Ordinary words, which name a secret only where a query can have them; the last one also before a text in JSON.
_IN_QUERIES = {"key", "state", "token", "tk", "code"}
_HEADERS = {"authorization", "proxyauthorization", "cookie", "setcookie", "xapikey"}
"""Headers whose value is the rest of the line."""
_BEFORE_KEY_OR_CODE = (
    r"(?i)\b(host|api|access|private|secret|signing|encryption|security|verification|auth|authorization|pin|pass|"
    r"participant|conference|entry|login|recovery|one-time)[ ]\Z"
)
# Between a name and its value: a sign, with tags of HTML and asterisks of Markdown around it. YAML's lists have dashes.
_TAGS = r"(?:</?\w[^<>]{0,100}>[^\S\r\n]{0,3}){0,4}"
_SEPARATOR = (
    r"""(?P<closed>["'`]?)[*_]{0,3}(?:\[\w{0,20}\]|\])?[^\S\r\n]{0,8}"""
    + _TAGS
    + r"(?P<sign>=>|->|:=|[:=\uff1a→])(?:\*{1,2}(?!\*)|_{1,2}(?!_))?(?P<gap>[^\S\r\n]{0,8}(?:\r?\n[^\S\r\n]{0,8})?)"
    + _TAGS
    + r"(?:[!&][\w!]{0,20}[ ])?"  # a tag or an anchor of YAML
)
_YAML_BLOCK = r"[|>][-+]?[^\S\r\n]*(?:\r?\n[^\S\r\n]+[^\r\n]*)+"
_YAML_ITEM = r"\r?\n?[^\S\r\n]*-[^\S\r\n]+(?P<value>[^\r\n]+)"
_CELL = r"[^\S\r\n]{0,8}(?:</?\w[^<>]{0,100}>\s{0,8}){1,6}(?=[^<>\s\d]{0,40}\d)(?P<value>[^<>\s]{4,})"
# A part of a form (multipart), and an attribute of XML that names a value beside it or inside.
_PART = r"""["']?[^\r\n]{0,100}\r?\n(?:[^\r\n]{1,200}\r?\n){0,3}\r?\n(?P<value>[^\r\n]+)"""
_ATTRIBUTE = r"""["']\s{1,8}value=["'](?P<value>[^"']+)|["'][^<>]{0,100}(?<!/)>(?P<inner>[^<>]+)<"""
_SPOKEN = (
    r"(?i)(?:[ \t]{1,3}|[ \t]{0,8}\r?\n[ \t]{0,8})[(\[]?"
    r"(?:(?:is|was|are|ist|est|set to|-|\u2013|\u2014|#|no\.?)[ \t]{0,2}){0,2}#?"
    r"(?=[^\s\d]{0,40}\d)(?P<value>[^\s,;\"'<>(){}\[\]]{4,})"
)
_SPOKEN_QUOTED = r"(?i)[ \t]{1,3}(?:(?:is|was|ist|set to)[ \t]{1,2})?(?P<quote>[\"'`“])"
_WORDS = {
    "a", "already", "an", "and", "are", "as", "ask", "at", "bad", "be", "been", "between", "blank", "can", "can't",
    "cannot", "characters", "contain", "contains", "could", "denied", "did", "digits", "do", "does", "doesn't", "don't",
    "empty", "enter", "error", "expected", "expired", "failed", "failure", "false", "field", "for", "forbidden", "from",
    "got", "had", "has", "have", "hidden", "if", "in", "incorrect", "invalid", "is", "it", "its", "length", "less",
    "malformed", "masked", "max", "maximum", "may", "min", "minimum", "mismatch", "missing", "more", "must", "n/a",
    "nil", "no", "none", "not", "null", "of", "ok", "on", "only", "optional", "or", "our", "please", "redacted",
    "required", "same", "see", "should", "string", "text", "than", "that", "the", "these", "this", "to", "too", "true",
    "unauthorized", "undefined", "unknown", "unset", "unsupported", "use", "used", "valid", "value", "was", "were",
    "when", "will", "with", "without", "would", "wrong", "yes", "you", "your",
}  # fmt: skip
"""Words that follow a name and a colon in a sentence about a secret; no secret is one of them."""
_BARE = r"""(?:[^\s"'`<>&,;{}\[\]()\\]|\\(?![nrtu"'\\/])|[,;()\[\]{}](?=[^\s"'`<>&,;{}\[\]()\\]))+"""
_IN_QUERY = r"""(?:[^\s"'`<>&#\\]|\\(?![nrtu"'\\/]))+"""
_PLAIN_VALUE = r"[^\s,}\])&\"'<>]+"
_NUMBER_GROUPS = r"\d+(?:[ -]\d{2,})+"
_OPENING = {"[": "]", "{": "}", "(": ")"}
_DIALED = r"(\d{9,12}#)([,;*#\d]+)"
_OTHER_FORMS = (
    r"(?i)(?<=,\*)\d{4,}(?=#)"  # ``,,,,*778899#``
    r"|(?<=\d{9}\.)\d{4,}(?=[.\d]{0,20}@)"  # 81398421915.778899@zoomcrc.com
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"  # a JSON web token
    r"|(?<=\bBearer )(?=[^\s\d]{0,200}\d)[\w+/=.~-]{8,}"
)
_IN_ADDRESS = r"://[^/\s:@\"'<>]{0,100}:([^@\s/\"'<>]+)@"  # https://user:password@host
_REFUSED_VALUE = r"""["'](?:values?|got|input|received)["']\s{0,8}:\s{0,8}"""
_NAMES_A_FIELD = (
    r"""["'](?:param|path|field|name|key|header|loc|property|parameter)["']\s{0,8}:\s{0,8}(?:\[[^\[\]{}]{0,60})?\Z"""
)
# One escape of each kind, once: what is escaped twice is found by looking twice.
_ESCAPE = (
    r"(?i)%([0-9a-f]{2})|\\(?:u00([0-9a-f]{2})|x([0-9a-f]{2})|([\"'\\/nrt]))"
    r"|&(?:#(?:0{0,4}([0-9]{2,3})|x0{0,4}([0-9a-f]{2}));|(quot|apos|lt|gt|amp|nbsp);)"
)
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t"}
_ENTITIES = {"quot": '"', "apos": "'", "lt": "<", "gt": ">", "amp": "&", "nbsp": " "}
Span = tuple[int, int, str]
"""Where a secret begins and ends, and what replaces it."""


def mask_secrets(text: str) -> str:
    """Replace what looks like a secret in a text."""
    spans = list(_spans(text))
    plain: str = text
    offsets: list[int] | range = range(len(text) + 1)
    for _ in range(_MAX_LEVELS):
        if not any(sign in plain for sign in "%\\&"):
            break
        again, inner = _unescaped(plain)
        if again == plain:
            break
        plain, offsets = again, [offsets[offset] for offset in inner]
        spans += [(offsets[begin], offsets[end], MASK) for begin, end, _ in _spans(plain)]
    return _replaced(text, spans) if spans else text


def is_secret_name(name: str) -> bool:
    """Whether the value of a field with this name is a secret, by the stem of the name."""
    return _kind(name) in ("secret", "header")


@functools.lru_cache(maxsize=1024)
def _kind(name: str) -> str:
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+", name)]
    joined = "".join(words)
    if joined in _HEADERS:
        return "header"
    if "starturl" in joined or re.search(_FOREIGN, name.lower()):
        return "secret"
    named = [word for word in words if not word.isdigit()] or [""]
    if len(words) > 1 and (named[-1] in _ABOUT or named[0] in _QUESTIONS):
        return "harmless"
    is_short = any(word in _SHORT or (word.endswith("pass") and word not in _NO_PASSWORDS) for word in words)
    if is_short or re.search(_LONG, joined):
        return "secret"
    return "query" if joined in _IN_QUERIES else "harmless"


def _spans(text: str) -> Iterator[Span]:
    if "#" in text:
        for found in re.finditer(_DIALED, text):
            for digits in re.finditer(r"\d{4,}", found[2]):
                yield found.start(2) + digits.start(), found.start(2) + digits.end(), MASK
    if "@" in text:
        for found in re.finditer(_IN_ADDRESS, text):
            yield *found.span(1), MASK
    lower = text.lower()
    if any(sign in lower for sign in ("#", "@", "eyj", "bearer ")):
        for found in re.finditer(_OTHER_FORMS, text):
            yield *found.span(), MASK
    if any(hint in lower for hint in _HINTS):
        yield from _named(text)


def _named(text: str) -> Iterator[Span]:
    """Find what belongs to the names of secrets."""
    done = 0
    for found in re.finditer(_STEMS, text):
        if found.start() < done:
            continue
        begin, done = _name_around(text, *found.span())
        kind = _kind(text[begin:done])
        if kind == "query" and text[begin:done].lower() in ("key", "code"):
            before = re.search(_BEFORE_KEY_OR_CODE, text[max(0, begin - 16) : begin])
            kind = "secret" if before else kind
        if kind == "harmless":
            continue
        for span in _values(text, begin, done, kind):
            yield span
            done = max(done, span[1])


def _name_around(text: str, begin: int, end: int) -> tuple[int, int]:
    first, last = max(0, begin - _MAX_NAME), min(len(text), end + _MAX_NAME)
    while begin > first and _in_name(text[begin - 1]):
        begin -= 1
    while end < last and _in_name(text[end]):
        end += 1
    return begin, end


def _in_name(letter: str) -> bool:
    return letter.isalnum() or letter in "_-"


def _values(text: str, begin: int, end: int, kind: str) -> Iterator[Span]:
    """Find what belongs to a name: the value after it, and the one that was refused for it."""
    before = text[begin - 1 : begin]
    if kind == "query":
        quoted = before in ('"', "'") and text[begin:end].lower() == "code"
        if not (before in ("", "?", "&", "#", ";") or (quoted and _text_follows(text, end))):
            return
    if kind != "query" and before in ('"', "'") and text[end : end + 1] == before:
        yield from _refused(text, begin, end)
    if before == "<" or (before == ":" and re.search(r"<\w+:\Z", text[max(0, begin - 20) : begin])):
        element = re.compile(r"(?:\s[^<>]*)?>([^<]+)").match(text, end)
        if element is not None:
            yield *element.span(1), MASK
        return
    separator = re.compile(_SEPARATOR).match(text, end)
    if separator is not None:
        yield from _value(text, separator, begin, kind)
    elif kind != "query":
        yield from _value_beside(text, begin, end)


def _value_beside(text: str, begin: int, end: int) -> Iterator[Span]:
    """Find the value of a name that no sign separates from it."""
    head, before = text[max(0, begin - 8) : begin], text[begin - 1 : begin]
    if before in ('"', "'") and text[end : end + 1] == before:
        # A pair of Python or JSON, as of headers; a part of a form; a value of XML.
        pair = re.compile(r"""["'],\s{0,3}b?(?=["'])""").match(text, end)
        if (head.endswith((f"({before}", f"(b{before}")) and pair is not None) or (
            head.endswith(f"[{before}") and pair is not None and _is_last(text, pair.end())
        ):
            yield from _quoted(text, pair.end())
        elif head.endswith((f"name={before}", f"key={before}", f"id={before}")):
            found = re.compile(_ATTRIBUTE).match(text, end) or re.compile(_PART).match(text, end)
            if found is not None:
                yield *found.span(found.lastgroup or 0), MASK
    elif text[begin : begin + 2] == "--":
        option = re.compile(r"[ \t]+(?!-)([^\s\"']+|(?=[\"']))").match(text, end)
        if option is not None:
            yield from ([(*option.span(1), MASK)] if option[1] else _quoted(text, option.end()))
    elif _is_spoken(text[begin:end]):
        spoken = re.compile(_SPOKEN_QUOTED).match(text, end)
        if spoken is not None:
            yield from _quoted(text, spoken.start("quote"))
        elif (spoken := re.compile(_SPOKEN).match(text, end) or re.compile(_CELL).match(text, end)) is not None:
            yield *spoken.span("value"), MASK


def _is_last(text: str, at: int) -> bool:
    """Whether the text in quotes that begins at an index is the last of its list."""
    return re.compile(r"""(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')\s{0,3}\]""").match(text, at) is not None


def _text_follows(text: str, at: int) -> bool:
    return re.compile(r"""["']\s{0,8}:\s{0,8}["']""").match(text, at) is not None


def _is_spoken(name: str) -> bool:
    """Whether people say this name before its value, as in "the passcode is 778899"."""
    return re.search(r"(?i)pass|pwd|pin|code|" + _FOREIGN, name) is not None


def _refused(text: str, begin: int, end: int) -> Iterator[Span]:
    """Find the value that a validator shows beside the name of a field."""
    if not re.search(_NAMES_A_FIELD, text[max(0, begin - 100) : begin - 1]):
        return
    first = max(text.rfind("{", max(0, begin - _NEAR), begin), begin - _NEAR, 0)
    last = text.find("}", end, end + _NEAR)
    for found in re.compile(_REFUSED_VALUE).finditer(text, first, last if last >= 0 else min(len(text), end + _NEAR)):
        yield from _json_value(text, found.end(), '"')


def _value(text: str, separator: "re.Match[str]", begin: int, kind: str) -> Iterator[Span]:
    at, closed, sign = separator.end(), separator["closed"], separator["sign"]
    start = re.compile(r"(?i)[bruf]{0,2}(?=[\"'`])").match(text, at)
    if start is not None:
        yield from _quoted(text, start.end())
    elif kind == "header" and not closed:
        line = re.compile(r"[^\r\n\"'<]+").match(text, at)
        if line is not None and not _is_word(line[0].partition(" ")[0]):
            yield *line.span(), MASK
    elif closed or text[at : at + 1] in _OPENING:
        yield from _json_value(text, at, closed)
    elif (block := re.compile(_YAML_BLOCK).match(text, at)) is not None:
        yield *block.span(), MASK
    elif (key := re.compile(r"-----BEGIN[^-]{1,40}-----[\w+/=\s\\]*").match(text, at)) is not None:
        yield *key.span(), MASK
    elif "\n" in separator["gap"] and text[at : at + 1] == "-":
        while (item := re.compile(_YAML_ITEM).match(text, at)) is not None:
            yield *item.span("value"), MASK
            at = item.end()
    else:
        in_query = sign == "=" and text[begin - 1 : begin] in ("?", "&", "#", ";", "")
        value = re.compile(_IN_QUERY if in_query else _BARE).match(text, at)
        if value is None or _is_word(value[0]) or ("\n" in separator["gap"] and value[0].strip(".,").isalpha()):
            return  # a word on the next line is another sentence
        groups = re.compile(_NUMBER_GROUPS).match(text, at)
        last = value.end() if groups is None else max(value.end(), groups.end())
        last -= 0 if in_query else len(value[0]) - len(value[0].rstrip(".!?:"))
        yield at, last, MASK


def _quoted(text: str, at: int) -> Iterator[Span]:
    """Return the text in quotes that begins at an index; it may be cut."""
    quote = {"“": "”"}.get(text[at], text[at])
    inner = re.compile(rf"(?s)(?:[^{quote}\\]|\\.)*+\\?").match(text, at + 1)
    if inner is not None and inner[0] and not _is_empty(inner[0]):
        yield *inner.span(), MASK


def _json_value(text: str, at: int, quote: str) -> Iterator[Span]:
    """Return a value of JSON or of Python."""
    if text[at : at + 1] in _OPENING:
        end = _closing(text, at)
        if text[at + 1 : end - 1].strip():
            yield at, end, f"{quote}{MASK}{quote}"
    elif text[at : at + 1] in ('"', "'", "`"):
        yield from _quoted(text, at)
    else:
        value = re.compile(_PLAIN_VALUE).match(text, at)
        if value is not None and not _is_empty(value[0]):
            yield *value.span(), f"{quote}{MASK}{quote}"


def _closing(text: str, at: int) -> int:
    """Return the end of the list or object that begins at an index; the end of the text, if it is cut."""
    depth = 0
    for found in re.compile(r"""(?s)"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|[\[\](){}]""").finditer(text, at):
        sign = found[0]
        depth += 1 if sign in _OPENING else -1 if sign in ("]", ")", "}") else 0
        if depth == 0:
            return found.end()
    return len(text)


def _is_empty(value: str) -> bool:
    return value.strip().lower() in ("", MASK, "true", "false", "none", "null", "undefined", "yes", "no")


def _is_word(value: str) -> bool:
    return value.strip(".,;:!?()[]{}").lower() in ("", MASK, *_WORDS)


def _replaced(text: str, spans: list[Span]) -> str:
    parts, done = [], 0
    # Of two that begin together, the longer one comes first.
    for begin, end, mask in sorted(spans, key=lambda span: (span[0], -span[1])):
        if begin >= done:
            parts += [text[done:begin], mask]
        done = max(done, end)
    return "".join([*parts, text[done:]])


def _unescaped(text: str) -> tuple[str, list[int]]:
    """Return a text without one layer of escapes, and the offset in it of each character and of the end."""
    letters: list[str] = []
    offsets: list[int] = []
    done = 0
    for found in re.finditer(_ESCAPE, text):
        letters += [text[done : found.start()], _letter(found)]
        offsets += [*range(done, found.start()), found.start()]
        done = found.end()
    letters.append(text[done:])
    offsets += range(done, len(text) + 1)
    return "".join(letters), offsets


def _letter(found: "re.Match[str]") -> str:
    percent, code, hexadecimal, simple, number, hexadecimal_number, named = found.groups()
    if digits := percent or code or hexadecimal or hexadecimal_number:
        return chr(int(digits, 16))
    return _SIMPLE.get(simple, simple) if simple else chr(int(number)) if number else _ENTITIES[named.lower()]
