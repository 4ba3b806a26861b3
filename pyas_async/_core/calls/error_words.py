"""Finds the words in the body of an error: its message, its code, and its complaints about single fields.

The vendor's pages show several shapes, Zoom's own pass through, and gateways have others: text or objects under
``error`` or ``message``, lists of complaints, problem details, JSON as text in JSON, plain text, XML and HTML.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import islice
from typing import Any

import attrs

from pyas_async._core.codec.decoding import parse
from pyas_async._core.codec.failures import normalized
from pyas_async._masking import is_secret_name
from pyas_async.errors import DecodeError

_MAX_COMPLAINTS = 100
"""Complaints that are kept of one response: more than there are fields."""
_MAX_DEPTH = 5
"""How deep an error may be wrapped in others."""
_MAX_TEXT = 20_000
"""Bytes of a body that is not JSON which are searched for words: the words of an error page stand at its beginning."""

# The names of fields are without separators and in lower case, as `normalized` returns them.
_MESSAGES = ("message", "msg", "errormessage", "detail", "details", "description", "reason", "title", "faultstring")
_TEXTS = ("error", *_MESSAGES, "errordescription")
_LISTS = ("errors", "validationerrors", "fielderrors", "invalidparams", "issues", "violations", "details")
_WRAPPERS = ("details", "fault", "data", "errors", "response", "body", "result", "meta", "status")
_CODES = ("code", "errorcode")
_FIELDS = (
    "param",
    "path",
    "field",
    "loc",
    "property",
    "propertypath",
    "parameter",
    "fieldname",
    "instancepath",
    "name",
)
_PHRASES = {status.phrase.lower() for status in HTTPStatus} | {"error", "fail", "failed"}
"""Texts that say no more than the status does."""
_IN_XML = (
    r"(?is)<(?:[\w-]+:)?(?:message|msg|errormessage|error_message|faultstring|detail|description|"
    r"error_description|reason|title)(?:\s[^<>]*)?>(?P<text>[^<]*)"
)
_CODE_IN_XML = r"(?i)<(?:[\w-]+:)?(?:code|errorcode|error_code|faultcode)(?:\s[^<>]*)?>([^<]{1,100})<"
_IN_HTML = r"(?is)<(?:h1|title)(?:\s[^<>]*)?>(?P<text>[^<]*)"
_ELEMENT = r"<(?:[\w-]+:)?(?P<name>[\w-]+)(?P<attributes>[^<>]*)>(?P<text>[^<]*)"
_INVISIBLE = r"(?is)<(?:script|style)\b[^<]*(?:<(?!/(?:script|style))[^<]*)*|<!--[^-]*(?:-(?!->)[^-]*)*(?:-->)?"


@attrs.frozen
class Complaint:
    """What a response says about one field; `field` is ``None`` if it names none."""

    text: str
    field: str | None = None


@attrs.frozen
class Words:
    """What a response says; as it came, so secrets are not masked.

    Attributes:
        message: Its message; empty if it has none, or one that says no more than the status.
        code: Its code; ``None`` if it has none.
        complaints: Its complaints about single fields.
    """

    message: str = ""
    code: int | str | None = None
    complaints: tuple[Complaint, ...] = ()


def words_of(body: bytes) -> Words:
    """Find the words in a body."""
    try:
        document = parse(body)
    except DecodeError:
        return _words_of_text(body[:_MAX_TEXT].decode(errors="replace"))
    return words_of_document(document)


def words_of_document(document: object) -> Words:
    """Find the words in a JSON document."""
    if isinstance(document, str):
        return _words_of_text(document[:_MAX_TEXT])
    if isinstance(document, list):
        document = {"errors": document}
    return _words(document, 0) if isinstance(document, dict) else Words()


def _words(document: Mapping[str, Any], depth: int) -> Words:
    names = normalized(document)
    own = next((found for name in (*_LISTS, *_TEXTS) if (found := _complaints(name, names.get(name)))), ())
    inner = [_inner_words(names[name], depth) for name in _TEXTS if name in names]
    wrapped = [_words(value, depth + 1) for name in _WRAPPERS if (value := _object(names.get(name), depth)) is not None]
    if own:
        message = _introduced(_first(names, _MESSAGES), own)
    else:
        texts = [words.message for words in inner if words.message]
        message = next((text for text in texts if text.lower() not in _PHRASES), texts[0] if texts else "")
        more = [_first(names, ("errordescription",)), *(words.message for words in wrapped)]
        message = next((f"{message}: {text}" if message else text for text in more if text not in message), message)
    parts = [Words(code=_code(names), complaints=own), *inner, *wrapped]
    return Words(
        message,
        next((words.code for words in parts if words.code is not None), None),
        next((words.complaints for words in parts if words.complaints), ()),
    )


def _inner_words(value: object, depth: int) -> Words:
    document = _object(value, depth)
    words = Words() if document is None else _words(document, depth + 1)
    return Words(value.strip()) if isinstance(value, str) and not words.message else words


def _object(value: object, depth: int) -> Mapping[str, Any] | None:
    """Return an object, which may be written as text; ``None`` if it is none, or wrapped too often."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            value = parse(value.encode(errors="replace"))
        except DecodeError:
            return None
        value = {"errors": value} if isinstance(value, list) else value
    return value if isinstance(value, dict) and depth < _MAX_DEPTH else None


def _introduced(introduction: str, complaints: tuple[Complaint, ...]) -> str:
    """Return the texts of complaints, after the message that introduces them."""
    text = "; ".join(dict.fromkeys(complaint.text for complaint in complaints))
    if not introduction or introduction in text or introduction.lower() in _PHRASES:
        return text
    return f"{introduction}{'' if introduction[-1] in '.!:;' else ':'} {text}"


def _first(names: Mapping[str, Any], wanted: tuple[str, ...]) -> str:
    texts = (names.get(name) for name in wanted)
    return next((text.strip() for text in texts if isinstance(text, str) and text.strip()), "")


def _code(names: Mapping[str, Any]) -> int | str | None:
    codes = (names.get(name) for name in _CODES)
    return next((code for code in codes if isinstance(code, (int, str)) and not isinstance(code, bool)), None)


def _complaints(name: str, value: object) -> tuple[Complaint, ...]:
    """Return the complaints in a list, or in an object that has the fields as names."""
    if isinstance(value, list):
        found = (_complaint(item, needs_text=name != "errors") for item in value[:_MAX_COMPLAINTS])
        return tuple(complaint for complaint in found if complaint is not None)
    if name in _LISTS and isinstance(value, dict) and not _first(normalized(value), _TEXTS):
        return tuple(islice(_by_field(value), _MAX_COMPLAINTS))
    return ()


def _by_field(complaints: Mapping[str, Any]) -> Iterator[Complaint]:
    for field, value in complaints.items():
        for item in value if isinstance(value, list) else [value]:
            found = _complaint(item, needs_text=True)
            if found is not None:
                # A single word may be the field's value rather than a complaint: behind its name it is masked.
                is_value = " " not in found.text and is_secret_name(field)
                yield Complaint(f"{field}: {found.text}" if is_value else found.text, field)


def _complaint(item: object, *, needs_text: bool) -> Complaint | None:
    if isinstance(item, str):
        return Complaint(item.strip()) if item.strip() else None
    if not isinstance(item, dict):
        return None
    names = normalized(item)
    texts: list[Any] = [names.get(name) for name in ("msg", *_TEXTS)]
    if isinstance(rules := names.get("constraints"), dict):
        texts.append("; ".join(str(text) for text in rules.values()))
    text = next((text for text in texts if text and isinstance(text, (str, int, float))), None)
    if text is None and needs_text:
        return None
    return Complaint("refused" if text is None else str(text), _field(names))


def _field(names: Mapping[str, Any]) -> str | None:
    places = [names.get(name) for name in _FIELDS]
    if isinstance(source := names.get("source"), dict):
        places += [source.get("pointer"), source.get("parameter")]
    found = next((place for place in places if place), None)
    if isinstance(found, list):
        return ".".join(str(part) for part in found[:_MAX_DEPTH])
    return str(found) if isinstance(found, (str, int, float)) else None


def _words_of_text(text: str) -> Words:
    """Find the words in plain text, XML or HTML; JSON that cannot be read has none."""
    text = text.strip().removeprefix("\ufeff")
    if text[:1] in ("", "{", "[") or "\0" in text:
        return Words()
    if not text.startswith("<"):
        return Words(text)
    is_page = re.search(r"(?i)<(?:!doctype html|html|body|head|h1|pre)\b", text) is not None
    text = re.sub(_INVISIBLE, " ", text.replace("<![CDATA[", " ").replace("]]>", " "))
    code = None if is_page else re.search(_CODE_IN_XML, text)
    found = re.finditer(_IN_HTML if is_page else _IN_XML, text)
    message = next((text for one in found if (text := html.unescape(one["text"]).strip())), "")
    return Words(message or _without_tags(text), code[1].strip() or None if code else None)


def _without_tags(text: str) -> str:
    """Return the text of XML or HTML; a secret stays behind its name, so that it is masked."""
    whole = html.unescape(re.sub(r"<[^<>]*>", " ", re.sub(_ELEMENT, _named, text))).strip()
    return "" if whole.startswith("<") else whole


def _named(element: "re.Match[str]") -> str:
    names = [element["name"], *re.findall(r"""\s(?:name|key|id)=["']([^"']{1,100})""", element["attributes"])]
    name = next((name for name in names if is_secret_name(name)), None)
    return f" {name}: {json.dumps(element['text'].strip())} " if name and element["text"].strip() else element[0]
