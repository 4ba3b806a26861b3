"""A secret is found by the stem of its name, in every syntax; names that only look like one keep their values."""

from __future__ import annotations

import html
import json
import logging
import pickle
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from core.exchanges import play
from core.tools import answer
from pyas_async import (
    InvalidArgumentError,
    Meeting,
    MeetingCreate,
    MeetingDetail,
    MeetingUpdate,
    Outcome,
    OutcomeUnknownError,
    from_dict,
)
from pyas_async._core.calls import endpoints
from pyas_async._core.redact import redact
from pyas_async._masking import is_secret_name, mask_secrets
from pyas_async._runtime.secrets.log_filter import install_log_filter, masking_logs

if TYPE_CHECKING:
    from collections.abc import Callable

often = settings(max_examples=40, deadline=None)

STEMS = (
    "password", "passcode", "passwd", "pwd", "pin", "pin_code", "host_key", "api_key", "access_token", "token",
    "secret", "client_secret", "zak", "credential", "passphrase", "access_code", "pass_code", "private_key",
    "start_url", "tokens",
)  # fmt: skip
PREFIXES = (
    "", "encrypted", "h323", "pstn", "dynamic", "meeting", "participant", "download", "user", "my", "old", "webinar",
    "sip", "zoom", "x", "new_2", "the_host",
)  # fmt: skip
SUFFIXES = ("", "value", "text", "plain", "hash", "2", "old", "for_host", "raw", "copy")


def camel(words: list[str]) -> str:
    """Write words as ``inCamelCase``."""
    return words[0].lower() + "".join(word.capitalize() for word in words[1:])


STYLES: dict[str, Callable[[list[str]], str]] = {
    "snake": "_".join,
    "kebab": "-".join,
    "upper": lambda words: "_".join(words).upper(),
    "camel": camel,
    "pascal": lambda words: "".join(word.capitalize() for word in words),
    "capitals": lambda words: "-".join(word.capitalize() for word in words),
}


@st.composite
def secret_names(draw: st.DrawFn) -> str:
    """Draw the name of a secret: a stem with a prefix and a suffix, in any style."""
    parts = (draw(st.sampled_from(PREFIXES)), draw(st.sampled_from(STEMS)), draw(st.sampled_from(SUFFIXES)))
    words = [word for part in parts for word in part.split("_") if word]
    return STYLES[draw(st.sampled_from(sorted(STYLES)))](words)


values = st.builds(
    "{}{}{}".format,
    st.sampled_from("QXqx"),
    st.text("abcdefghkmnpqrstuvwxyzABCDEFGHJK0123456789@_*-.", min_size=5, max_size=20),
    st.integers(10, 99),
)


def nested(name: str, value: str, depth: int) -> str:
    """Write JSON as text in JSON, several times."""
    text = json.dumps({name: value, "topic": "Planning"})
    for _ in range(depth):
        text = json.dumps({"error": text})
    return text


SYNTAXES: dict[str, Callable[[str, str], str]] = {
    "JSON": lambda name, value: json.dumps({"id": 1, name: value, "topic": "Planning"}),
    "compact JSON": lambda name, value: json.dumps({name: value, "topic": "Planning"}, separators=(",", ":")),
    "indented JSON": lambda name, value: json.dumps({name: value, "topic": "Planning"}, indent=2),
    "JSON, a list": lambda name, value: json.dumps({name: [value, value], "topic": "Planning"}),
    "JSON, an object": lambda name, value: json.dumps({name: {"a": [1, {"b": value}]}, "topic": "Planning"}),
    "JSON, cut": lambda name, value: json.dumps({"topic": "Planning", name: value})[:-2],
    "JSON, a cut list": lambda name, value: json.dumps({"topic": "Planning", name: [{"a": value}]})[:-4],
    "JSON, text before": lambda name, value: json.dumps({"topic": "Planning", name: f'a"b\\c {value}'}),
    "JSON in JSON": lambda name, value: nested(name, value, 1),
    "JSON in JSON, text before": lambda name, value: nested(name, f'a"b\\c {value}', 1),
    "JSON in JSON in JSON": lambda name, value: nested(name, value, 2),
    "JSON in JSON, a list": lambda name, value: json.dumps({"error": json.dumps({name: [value], "topic": "Planning"})}),
    "JSON in a URL": lambda name, value: "Planning?a=" + quote(json.dumps({name: value})),
    "JSON in HTML": lambda name, value: html.escape(json.dumps({name: value, "topic": "Planning"})),
    "every character escaped": lambda name, value: "Planning "
    + "".join(f"\\u{ord(letter):04x}" for letter in json.dumps({name: value})),
    "a pair": lambda name, value: json.dumps([["topic", "Planning"], [name, value]]),
    "Python": lambda name, value: repr({name: value, "topic": "Planning"}),
    "Python, a list": lambda name, value: repr({name: [value, value], "topic": "Planning"}),
    "Python, a tuple": lambda name, value: repr({name: (value, value), "topic": "Planning"}),
    "Python, bytes": lambda name, value: repr({name: value.encode(), "topic": "Planning"}),
    "Python, bytes of JSON": lambda name, value: repr(json.dumps({name: value, "topic": "Planning"}).encode()),
    "Python, pairs": lambda name, value: repr([("topic", "Planning"), (name, value)]),
    "Python, pairs of bytes": lambda name, value: repr([(b"topic", b"Planning"), (name.encode(), value.encode())]),
    "Python, an object": lambda name, value: f"Meeting(id=1, {name}={value!r}, topic='Planning')",
    "Python, a repr of a repr": lambda name, value: repr(repr({name: value, "topic": "Planning"})),
    "query": lambda name, value: f"https://zoom.example/j/8?topic=Planning&{urlencode({name: value})}&b=1",
    "query, first": lambda name, value: f"https://zoom.example/j/8?{urlencode({name: value})}#Planning",
    "query, a list": lambda name, value: f"topic=Planning&{name}[]={value}&{name}[1]={value}",
    "query in a query": lambda name, value: "?topic=Planning&next="
    + quote(f"https://zoom.example/j/8?{urlencode({name: value})}&b=1", safe=""),
    "query in a query in a query": lambda name, value: "?topic=Planning&next="
    + quote(quote(f"https://zoom.example/j/8?{urlencode({name: value})}&b=1", safe=""), safe=""),
    "query in JSON": lambda name, value: json.dumps({"topic": "Planning", "url": f"https://z/?a=1&{name}={value}&b"}),
    "query in HTML": lambda name, value: html.escape(f"https://z/?topic=Planning&{name}={value}&b=1"),
    "form": lambda name, value: f"{urlencode({'topic': 'Planning', name: value, 'b': 1}, quote_via=quote_plus)}",
    "multipart": lambda name, value: '--x\r\nContent-Disposition: form-data; name="topic"\r\n\r\nPlanning\r\n--x\r\n'
    f'Content-Disposition: form-data; name="{name}"\r\nContent-Type: text/plain\r\n\r\n{value}\r\n--x--',
    "YAML": lambda name, value: f"topic: Planning\n{name}: {value}\nid: 1",
    "YAML, quoted": lambda name, value: f"topic: Planning\n{name}: '{value}'\nid: 1",
    "YAML, the next line": lambda name, value: f"topic: Planning\n{name}:\n  {value} 1\nid: 1",
    "YAML, a list": lambda name, value: f"topic: Planning\n{name}:\n  - {value}\n  - {value}\nid: 1",
    "YAML, a list in a line": lambda name, value: f"topic: Planning\n{name}: [{value}, {value}]\nid: 1",
    "YAML, a block": lambda name, value: f"topic: Planning\n{name}: |\n  {value}\n  {value}\nid: 1",
    "YAML, with a tag": lambda name, value: f"topic: Planning\n{name}: !!str {value}\nid: 1",
    "YAML in JSON": lambda name, value: json.dumps({"agenda": f"topic: Planning\n{name}: {value}\nid: 1"}),
    "TOML": lambda name, value: f'topic = "Planning"\n{name} = "{value}"\nid = 1',
    "an environment": lambda name, value: f"TOPIC=Planning {name}={value} ID=1",
    "JavaScript": lambda name, value: f"{{topic: 'Planning', {name}: '{value}', id: 1}}",
    "Ruby": lambda name, value: f'{{"topic" => "Planning", "{name}" => "{value}"}}',
    "Go": lambda name, value: f"{{Topic:Planning {name}:{value} ID:1}}",
    "a header": lambda name, value: f"Topic: Planning\r\n{name}: {value}\r\nId: 1",
    "an option": lambda name, value: f"pyas --topic Planning --{name} {value} --id 1",
    "an option with a sign": lambda name, value: f"pyas --topic Planning --{name}={value} --id 1",
    "XML": lambda name, value: f"<meeting><topic>Planning</topic><{name}>{value}</{name}></meeting>",
    "XML, an attribute": lambda name, value: f'<meeting topic="Planning" {name}="{value}"/>',
    "XML, a pair": lambda name, value: f'<p name="topic" value="Planning"/><p name="{name}" value="{value}"/>',
    "XML, an entry": lambda name, value: f'<e key="topic">Planning</e><e key="{name}">{value}</e>',
    "HTML": lambda name, value: f"<p>Planning</p><b>{name}:</b> {value}<br>",
    "Markdown": lambda name, value: f"Planning\n**{name}:** {value}\n",
    "a validator": lambda name, value: json.dumps({"msg": "Planning", "param": name, "value": value}),
    "a newer validator": lambda name, value: json.dumps({"value": value, "msg": "Planning", "path": name}),
    "FastAPI": lambda name, value: json.dumps({"detail": [{"msg": "Planning", "loc": ["body", name], "input": value}]}),
}  # fmt: skip
NUMBERS: dict[str, Callable[[str, int], str]] = {
    "JSON": lambda name, value: json.dumps({name: value, "topic": "Planning"}),
    "JSON, a list": lambda name, value: json.dumps({name: [value], "topic": "Planning"}),
    "JSON in JSON": lambda name, value: json.dumps({"error": json.dumps({name: value, "topic": "Planning"})}),
    "Python": lambda name, value: repr({name: value, "topic": "Planning"}),
    "YAML": lambda name, value: f"topic: Planning\n{name}: {value}\n",
    "query": lambda name, value: f"?topic=Planning&{name}={value}&b=1",
}


@pytest.mark.parametrize("write", SYNTAXES.values(), ids=SYNTAXES)
@often
@given(name=secret_names(), value=values)
def test_syntaxes(write: Callable[[str, str], str], name: str, value: str) -> None:
    """The value of a secret is masked in every syntax, and the field beside it stays."""
    text = write(name, value)
    for shown in (mask_secrets(text), redact(text)):
        assert value not in shown, text
        assert "Planning" in shown, text
        assert "***" in shown, text


@pytest.mark.parametrize("write", NUMBERS.values(), ids=NUMBERS)
@often
@given(name=secret_names(), value=st.integers(1_000, 10**12))
def test_numbers(write: Callable[[str, int], str], name: str, value: int) -> None:
    """So is a passcode that is a number."""
    shown = mask_secrets(write(name, value))

    assert str(value) not in shown
    assert "Planning" in shown


@often
@given(st.lists(st.tuples(secret_names(), values, st.sampled_from(sorted(SYNTAXES))), min_size=1, max_size=4))
def test_masking_twice(parts: list[tuple[str, str, str]]) -> None:
    """What is masked once stays as it is when it is masked again."""
    text = " | ".join(SYNTAXES[syntax](name, value) for name, value, syntax in parts)
    once = mask_secrets(text)

    assert once == mask_secrets(once)


@often
@given(st.text("\\\"'%&#;<>[]{}(),:=-*+/ \n" + "passwordpintokenkey25x2F0u", max_size=60))
def test_any_text(text: str) -> None:
    """Any text can be masked, and what is masked is never longer than a few masks."""
    assert len(mask_secrets(text)) <= len(text) * 4 + 6


BODIES: dict[str, Callable[[str, str, str], object]] = {
    "text": lambda text, name, value: text.encode(),
    "error": lambda text, name, value: {"error": text},
    "an object": lambda text, name, value: {"error": {"message": text, "code": text, "errors": [{"message": text}]}},
    "a list": lambda text, name, value: {"message": [text, text]},
    "by field": lambda text, name, value: {"errors": {name: [value]}},
    "XML": lambda text, name, value: f"<a><b>x</b><{name}>{value}</{name}><c key='{name}'>{value}</c></a>".encode(),
    "a validator": lambda text, name, value: {
        "errors": [{"msg": text, "path": "topic"}, {"path": name, "value": value}]
    },
    "HTML": lambda text, name, value: f"<html><body><pre>{html.escape(text)}</pre>".encode(),
    "no words": lambda text, name, value: {"oops": [text], name: value},
    "false": lambda text, name, value: {"success": "false", "data": {"message": text}},
    "a meeting": lambda text, name, value: {"meeting": {"id": "x", "agenda": text, name: value}},
    "a page": lambda text, name, value: {"data": {"meetings": {"agenda": text, name: value}}},
}
CALLS = (endpoints.list_meetings("acc", ()), endpoints.get_meeting("acc", 81))


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@often
@given(secret_names(), values, st.sampled_from(sorted(SYNTAXES)), st.sampled_from([200, 400, 404, 500]), st.data())
def test_errors(
    body: Callable[[str, str, str], object], name: str, value: str, syntax: str, status: int, data: st.DataObject
) -> None:
    """No error shows a secret of a response: not by its text, its arguments, its attributes or its pickle."""
    response = answer(status, body(SYNTAXES[syntax](name, value), name, value))
    error = play(data.draw(st.sampled_from(CALLS)), [response] * 4).error

    assert error is not None
    for shown in (str(error), repr(error), repr(error.args), repr(vars(error)), pickle.dumps(error).decode("latin-1")):
        assert value not in shown


@often
@given(secret_names(), values, st.sampled_from(sorted(SYNTAXES)))
def test_models(name: str, value: str, syntax: str) -> None:
    """No ``repr`` shows a secret in a title or a description, and no refusal of one repeats it."""
    text = SYNTAXES[syntax](name, value)
    short = f"?{name}={value}"
    row = from_dict(Meeting, {"id": 1, "uuid": "u", "topic": text, "agenda": text, "join_url": short})
    lost = OutcomeUnknownError("lost", "meetings.create", datetime.now(UTC), candidates=[row])
    tracking = [{"field": "note", "value": text}]
    things: list[object] = [
        row,
        from_dict(MeetingDetail, {"id": 1, "topic": text, name: value, "tracking_fields": tracking}),
        MeetingCreate(title=short, description=text, start_date=datetime.now(UTC), type=2),
        MeetingUpdate(title=short, description=text),
        Outcome(key=1, value=row, state="ok"),
        InvalidArgumentError("topic", "something else", text),
        (lost.args, str(lost)),
    ]
    for thing in things:
        for shown in (repr(thing), pretty_repr(thing, max_width=10_000), f"{thing}"):
            assert value not in shown


@often
@given(secret_names(), values, st.sampled_from(sorted(SYNTAXES)))
def test_logs(name: str, value: str, syntax: str) -> None:
    """No record of httpx or httpcore about our requests shows a secret of a response."""
    record = logging.LogRecord(
        "httpcore.http11", logging.DEBUG, "", 0, "%s %d", (SYNTAXES[syntax](name, value), 5), None
    )
    install_log_filter()
    with masking_logs(redact):
        assert logging.getLogger("httpcore.http11").filter(record)

    assert value not in record.getMessage()


SPOKEN = [
    "Meeting ID: 814 2192 1915\nPasscode: 778899\n",
    "Meeting ID: 814 2192 1915 Passcode: 778899 One tap mobile",
    "Passcode: 778 899",
    "the passcode is 778899.",
    "passcode 778899",
    "Passcode - 778899",
    "(Passcode #778899)",
    "Password: 778899",
    "PIN: 778899",
    "Passcode\n778899",
    "the passcode (778899)",
    "Passcode [778899]",
    "Host PIN 778899",
    "Host Key: 778899",
    "Access code: 778899#",
    "Kenncode: 778899",
    "Kennwort: 778899",
    "Code d'accès : 778899",
    "Código de acceso: 778899",
    "Senha de acesso: 778899",
    "Codice d'accesso: 778899",
    "Toegangscode: 778899",
    "Код доступа: 778899",
    "パスコード: 778899",
    "密码\uff1a778899",
    "암호: 778899",
    "<dt>Passcode</dt><dd>778899</dd>",
    "<td><b>Passcode</b></td>\n<td>778899</td>",
    "Passcode:&nbsp;778899",
    "Passcode:\t778899",
    "*Passcode*: 778899",
    "_Passcode:_ 778899",
    "Passcode%3A+778899",
    "https://zoom.us/j/81398421915?pwd=778899#success",
    "https://zoom.us/j/81398421915%253Fpwd%253D778899",
    "https://zoom.us/w/8?tk=778899&uuid=WN_1",
    "https://user:778899@zoom.us/j/8",
    "+16465588656,,81398421915#,,,,*778899# US (New York)",
    "+13017158592,,81398421915#,,,,,,0#,,778899# US",
    "tel:+16465588656,,81398421915%23,,,,*778899%23",
    "162.255.37.11##81398421915#778899",
    "sip:81398421915.778899@zoomcrc.com",
    "Authorization: Bearer eyJhbGciOiJIUzI1.eyJzdWIiOiI3Nzg4OTki.778899",
    "a token eyJhbGciOiJIUzI1.eyJzdWIiOiI3Nzg4OTki.778899 of ours",
]


@pytest.mark.parametrize("text", SPOKEN)
def test_invitations(text: str) -> None:
    """A passcode is masked as invitations write it, in several languages, and in links, dial strings and addresses."""
    shown = mask_secrets(text)

    assert "778899" not in shown
    assert "***" in shown
    assert redact(text) == redact(shown)


def test_meeting_numbers_stay() -> None:
    """Of a dial string, only the passcode is masked."""
    assert ",,81398421915#,,,,****# US" == mask_secrets(",,81398421915#,,,,*778899# US")
    assert "Meeting ID: 814 2192 1915" in mask_secrets(SPOKEN[0])


HARMLESS = [
    '{"token_type": "bearer", "expires_in": 3600}',
    '{"tokenType": "Bearer", "token_expires_in": 3600, "token_ttl": 5, "token_count": 7}',
    '{"passcode_required": true, "password_enabled": false, "password": null, "passcode": ""}',
    '{"passcode_required": "yes", "passwordRequired": "always", "password_length": 8, "password_policy": "strict"}',
    '{"use_passcode": "always", "require_password_for_pmi_meetings": "jbh_only", "has_password": 1}',
    '{"embed_password_in_join_link": 1, "enforce_passcode": "all", "max_tokens": 500}',
    '{"password": true, "pin": false, "passwords": [], "secret": {}, "token": "null"}',
    "{'password': None, 'token': True, 'pin': ''}",
    '{"code": 300, "message": "Meeting does not exist"}',
    '{"error_code": "E7", "status_code": 404, "country_code": "DE", "zip_code": "10115", "language_code": "de"}',
    '{"key": "value", "state": "open", "keyboard": "qwerty", "keynote": "x", "monkey": "y"}',
    '{"author": "Ada", "authority": "x", "authentication": "on", "meeting_authentication": true}',
    '{"authentication_domains": "example.com", "authentication_name": "x", "authorized_users": ["ada"]}',
    '{"compass": "north", "passenger": "Bob", "passive": "x", "bypass": "lane", "spin": "fast", "pinned": 5}',
    '{"opinion": "x", "shipping": "y", "secretary": "Bob", "tokenizer": "bpe", "statement": "x", "encoded": "y"}',
    '{"encryption_type": "e2ee", "host_video": true, "host_id": "abc", "host_email": "ada@example.com"}',
    '{"errors": [{"msg": "Invalid value", "param": "startDate", "value": "x"}]}',
    '{"errors": [{"msg": "Too short", "param": "password"}, {"msg": "x", "param": "topic", "value": "y"}]}',
    "The next page token is invalid or expired.",
    "Invalid access token, does not contain scopes:[meeting:read]",
    "Unauthorized. Invalid API key.",
    "password: must have at least 8 characters",
    "Passcode: required",
    "token: expired; secret: not found",
    "Passcode must be 10 characters",
    "api_key: it is empty. Set PYAS_API_KEY, or pass api_key=",
    "no slot was free (page_token_ttl=), 900 s (page_token_ttl=900.0)",
    "GET /zoom/meetings?accountId=a&type=scheduled&maxResults=300 HTTP/1.1",
    "https://zoom.example/j/81398421915?from=addon&key_of=2",
    "Planning of the token sale 2026, room 10:30@Berlin",
    "Code review: monday, state: open, key: result",
    "+1 323-849-4874,,123456789# United States",
    "mailto:ada@example.com, ada@example.com:25",
    "authorization failed for cookie banner; state unknown, code 300",
    "The meeting's password has been changed 3 times",
    "Passwords and tokens: see the handbook",
    "Pin the message, spin 4000 times",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_texts_stay(text: str) -> None:
    """Words about secrets, names of other things and answers without a secret stay as they are."""
    assert text == mask_secrets(text)
    assert text == redact(text)


@pytest.mark.parametrize("name", ["token_type", "passcodeRequired", "keyboard", "Code", "state", "page_token_ttl", "x"])
def test_other_names(name: str) -> None:
    """A name that only contains a stem, or says something about a secret, names no secret."""
    assert not is_secret_name(name)


@often
@given(secret_names())
def test_names(name: str) -> None:
    """A name with the stem of a secret names one, whatever stands around the stem."""
    assume(name)
    assert is_secret_name(name)


SLOW = [
    "password" * 1_300, "password: " * 1_000, 'password="' * 1_000, '"password":[' * 900, '"password":{"a":' * 700,
    "password" + " " * 9_000, "password=" + "a." * 5_000, "a-" * 5_000, "pass-" * 2_000, "<password" * 1_100,
    "<password>" * 1_000, "password</b>" * 800, "password<b>" * 900, '{"param": "password", ' * 450, "--pin " * 1_900,
    "123456789#" * 1_000, "123456789#" + ",1" * 5_000, "://a:" * 2_000, "://" + "a" * 9_000, "eyJaaaaaaaa." * 800,
    "Bearer " * 1_400, "123456789.1234" * 700, 'name="password"\r\n' * 600, "password:\n- a\n" * 700, "[[(" * 3_000,
    "('password', " * 800, "password is is is " * 600, "%2525" * 2_000, "&amp;" * 2_000, '\\\\"' * 3_000,
]  # fmt: skip


@pytest.mark.parametrize("text", SLOW, ids=[text[:14] for text in SLOW])
def test_time(text: str) -> None:
    """No text takes long: masking must not block the event loop."""
    began = time.thread_time()
    mask_secrets(text)

    assert time.thread_time() - began < 0.25
