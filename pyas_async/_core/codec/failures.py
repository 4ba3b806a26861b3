"""Whether the document of a response says that the call has failed, whatever its status is.

Under a success status, ``success`` decides if there is one. Without it, a document without the result that the call
asks for has failed if it describes an error. The vendor's own answer to too many requests is one: it has no
``success``.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_FALSE = {"false", "f", "no", "n", "off", "0", "fail", "failed", "failure", "error", "unsuccessful"}
_TRUE = {"true", "t", "yes", "y", "on", "1", "ok", "success", "succeeded"}
_NOTHING = {"", "null", "none", "nil", "undefined", "false", "no", "0"}
"""What a field holds, as text, that says that there is no error."""
_ERRORS = ("error", "errors", "errormessage", "errorcode", "fault")
"""Fields that only errors have; their names without separators, in lower case."""
_VERDICTS = ("ok", "status", "result")
_STATUSES = ("status", "statuscode", "httpstatus")
_TEXTS = ("message", "msg", "errormessage")
# Words that a success has beside a code, as in ``{"code": 200, "message": "Meeting deleted"}``. Zoom's errors use such
# codes, too: its 200 is "No permission".
_DONE = r"(?i)\b(?:ok|success\w*|done|accepted|created|updated|deleted|removed|cancell?ed)\b"
_NOT_DONE = r"(?i)\b(?:no|not|un\w+|fail\w*|cannot|can't|invalid|error\w*|denied|only)\b"


def says_no(value: object) -> bool:
    """Whether the value of a ``success`` says that there was none: ``false`` in any spelling. ``null`` does not."""
    if isinstance(value, str):
        return value.strip().lower() in _FALSE
    return isinstance(value, (bool, int, float)) and not value


def _says_yes(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in _TRUE
    return isinstance(value, (bool, int, float)) and bool(value)


def normalized(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with its names in lower case and without separators, as in ``errorcode``."""
    return {re.sub(r"[\W_]", "", name).lower(): value for name, value in document.items()}


def describes_failure(document: Mapping[str, Any]) -> bool:
    """Whether a document without the result of a call says that the call has failed."""
    return not _says_yes(normalized(document).get("success")) and any(map(_fails, _parts(document)))


def _parts(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield (names := normalized(document))
    if isinstance(data := names.get("data"), dict):
        yield normalized(data)


def _fails(names: Mapping[str, Any]) -> bool:
    if says_no(names.get("success")) or any(_is_given(names.get(name)) for name in _ERRORS):
        return True
    if any(says_no(names[name]) for name in _VERDICTS if isinstance(names.get(name), (bool, str))):
        return True
    text = next((value for name in _TEXTS if _is_given(value := names.get(name))), None)
    if text is None:
        return False
    return any(_is_error_status(names.get(name)) for name in _STATUSES) or _is_error_code(names.get("code"), str(text))


def _is_given(value: object) -> bool:
    return bool(value) and not (isinstance(value, str) and value.strip().lower() in _NOTHING)


def _is_error_status(value: object) -> bool:
    number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{3}", value.strip()) else value
    return isinstance(number, int) and 400 <= number < 600


def _is_error_code(code: object, text: str) -> bool:
    if isinstance(code, bool) or not isinstance(code, (int, str)):
        return False
    if str(code).strip().lower() in ("", "0", "null", "none", *_TRUE):
        return False
    done = re.fullmatch(r"2[0-9]{2}", str(code).strip()) and re.search(_DONE, text) and not re.search(_NOT_DONE, text)
    return not done
