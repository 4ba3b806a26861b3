"""A document without its secrets: what ``to_dict(…, secrets=False)`` and ``to_row`` leave out.

The service adds fields without notice, so a secret is recognised by the name of its field, wherever the field is.
Hosts paste invitations into topics and agendas, so text is searched as well.
"""

import functools
import re
from typing import Any

from pyas_async._core.redact import redact
from pyas_async.models._base import MASK

# Parts of names, without the underscores and in lower case: `h323_password`, `encryptedPasscode`, `start_url`.
_STEMS = (
    "password|passcode|passphrase|passwd|pwd|pincode|hostkey|secret|token|apikey|accesskey|privatekey|authorization"
    "|credential|cookie|starturl|hosturl"
)
_WORDS = "zak|pin|jwt|tk"
_SECRET_NAME = re.compile(rf"(?:.*(?:{_STEMS}).*|{_WORDS})")
# A page token opens nothing without the API key, and a page in a browser needs it for the next one.
_PAGE_TOKENS = ("nextpagetoken", "pagetoken")
# What `redact` leaves of the parameters of a link; of several in a row, the first sign and the last one matter.
_MASKED_PARAMETERS = re.compile(rf"([?&;#])(?:[\w-]+={re.escape(MASK)}&)*[\w-]+={re.escape(MASK)}(&?)")
# What an invitation calls the passcode, in some of Zoom's languages; the line says nothing else.
_LABELLED = re.compile(
    r"(?i)(\b(?:pass\s?code|password|pwd|pin(?:\s?code)?|host\s?key|kenncode|kennwort|passwort|mot de passe"
    r"|code secret|contraseña|código de acceso|senha|пароль|код доступа)|パスコード|パスワード|密码|密碼|암호)"
    r"(\s{0,3}[:=\uff1a]\s{0,3})[^\s,;<>\"']+"
)
# Without one of these, a text has nothing that the patterns here, or those of `redact`, could find. To look for them
# takes a twentieth of the time. A backslash may hide a name.
_IN_NAMES = ("pass", "pwd", "pin", "key", "secret", "token", "tk", "code", "state", "auth", "cookie", "zak", "start_")
_IN_LABELS = ("kennwort", "mot de", "contraseña", "código", "senha", "пароль", "код", "パス", "密", "암호")
_HINTS = (*_IN_NAMES, *_IN_LABELS, ",,", "@", "\\")
# The number, the meeting and its passcode, as a telephone dials them: +16699006833,,81398421915#,,,,*778899#
_DIALLED = re.compile(r"(,,\d{6,}#)[,#*]*\d+#")
# The meeting and its passcode in an address of a room system: 81398421915.778899@zoomcrc.com
_ROOM_ADDRESS = re.compile(r"(?i)\b(\d{6,})\.[\w.]+(?=@[\w.-]*zoom)")


@functools.lru_cache(maxsize=1_024)
def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret: in snake_case, camelCase or kebab-case."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return plain not in _PAGE_TOKENS and _SECRET_NAME.fullmatch(plain) is not None


def without_secrets(value: Any) -> Any:  # noqa: ANN401  (a JSON value can be anything)
    """Return a JSON value without its secret fields, and with the secrets in its text cut off or masked.

    A flag such as ``"password_required": true`` is no secret, whatever its name.
    """
    if isinstance(value, dict):
        return {
            key: without_secrets(item)
            for key, item in value.items()
            if isinstance(item, bool) or not is_secret_name(key)
        }
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return text_without_secrets(value) if isinstance(value, str) else value


def text_without_secrets(text: str) -> str:
    """Return text without passcodes: cut out of the queries of links, and masked elsewhere."""
    lowered = text.lower()
    if not any(hint in lowered for hint in _HINTS):
        return text
    redacted = redact(text, limit=None)
    # `redact` also takes escapes out of a text, which is no reason to change one without a secret.
    if redacted.count(MASK) > text.count(MASK):
        text = _MASKED_PARAMETERS.sub(_cut, redacted)
    text = _LABELLED.sub(rf"\1\2{MASK}", text)
    text = _DIALLED.sub(rf"\1,,,,*{MASK}#", text)
    return _ROOM_ADDRESS.sub(rf"\1.{MASK}", text)


def _cut(found: "re.Match[str]") -> str:
    # The first parameter leaves its question mark to the next one.
    return found[1] if found[2] else ""
