"""Masking: a secret is found in every form and where a text was cut, and other text stays as it is."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.strategies import brisk
from pyas_async._core.redact import redact
from secrecy.planted import CODE, KEY, PASSCODE, STATE, TOKEN, leaks

if TYPE_CHECKING:
    from collections.abc import Callable

FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "capitals": str.upper,
    "percent": lambda text: quote(text, safe=""),
    "percent, small": lambda text: quote(text, safe="").lower(),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "form": quote_plus,
    "every percent": lambda text: "".join(f"%{ord(letter):02x}" for letter in text),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON twice": lambda text: json.dumps(json.dumps(text))[3:-3],
    "JSON of PHP": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON of Go": lambda text: json.dumps(text)[1:-1].replace("&", "\\u0026").replace("<", "\\u003c"),
    "every JSON": lambda text: "".join(f"\\u{ord(letter):04X}" for letter in text),
    "Python": lambda text: repr(text)[1:-1],
    "Python twice": lambda text: repr(repr(text))[2:-2],
    "Python bytes": lambda text: repr(text.encode())[2:-1],
    "every hexadecimal": lambda text: "".join(f"\\x{ord(letter):02x}" for letter in text),
    "HTML": html.escape,
    "HTML twice": lambda text: html.escape(html.escape(text)),
    "every number": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "every hexadecimal number": lambda text: "".join(f"&#x{ord(letter):X};" for letter in text),
    "JSON in a URL": lambda text: quote(json.dumps(text)[1:-1], safe=""),
    "a URL in JSON in HTML": lambda text: html.escape(json.dumps(quote(text))[1:-1]),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 in a header": lambda text: base64.b64encode(f"user:{text}\r\nx-y: z".encode()).decode(),
    "base64 at the second place": lambda text: base64.b64encode(f"users:{text}".encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(f"\xff\xfe{text}\xff\xfe".encode("latin-1")).decode(),
}
each_form = pytest.mark.parametrize("write", FORMS.values(), ids=FORMS)
each_secret = pytest.mark.parametrize("secret", [KEY, TOKEN, CODE, STATE], ids=["key", "token", "code", "state"])


@each_form
@each_secret
def test_forms(write: Callable[[str], str], secret: str) -> None:
    """A secret is masked in each usual form, and the text around it stays."""
    shown = redact(f"Bad request <{write(secret)}> of 12:00", (secret,))

    assert set() == leaks(shown)
    assert shown.startswith("Bad request <")
    assert shown.endswith("> of 12:00")
    assert "***" in shown


@each_form
@each_secret
def test_cut_anywhere(write: Callable[[str], str], secret: str) -> None:
    """A text that was cut inside a secret shows three characters of it at most."""
    whole = f"x {write(secret)}"

    for end in range(len(whole)):
        assert set() == leaks(redact(whole[:end], (secret,))), whole[:end]


@each_form
def test_own_cut(write: Callable[[str], str]) -> None:
    """The cut at the limit shows no part of a secret, however much was masked before it."""
    for before in (490, 499, 9_000, 9_990, 9_999):
        text = f"{'?pwd=' + 'y' * before} {write(KEY)} and more"
        assert set() == leaks(redact(text, (KEY,)))


visible = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
# A key that is little more than escapes, such as "%41%42", is beyond the promise.
keys = st.text(visible, min_size=8, max_size=40).filter(lambda key: len(re.sub(r"%..|&#?\w*;|\W", "", key)) >= 6)
signs = st.text("\\\"'%&#;<>+/ {}\n", max_size=9)


@brisk
@given(keys, signs, signs)
@example("%2525252525%41key", "", "")
@example("\\\\\\a\\b\\c\\d\\e\\f", "\\", "\\")
@example("&amp;amp;lt;&key&", "&", ";")
@example("&#38;#38;#x26;key", "", "amp;")
def test_any_key(key: str, before: str, after: str) -> None:
    """A key of any characters, with any characters around it, is found in each form."""
    for name, write in FORMS.items():
        written = write(key)

        shown = redact(f"{before} {written} {after}", (key,), None)

        assert written not in shown, name
        assert key.lower() not in shown.lower(), name


@pytest.mark.parametrize(
    "text",
    [
        "Meeting does not exist: 3001.",
        "The next page token is invalid or expired.",
        "Invalid account id. Account Not Found",
        "authorization failed for cookie banner; state unknown, code 300",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed (_ssl.c:1002)",
        "startDate: expected 12%, got 100%25 & more \\o/ C:\\temp\\new &amp; so on",
        "https://zoom.example/j/8?a=1&key_of=2&b=c+d",
        "a" * 480,
        "",
    ],
)
def test_words_stay(text: str) -> None:
    """A text without a secret stays as the service wrote it."""
    assert text == redact(text, (KEY, TOKEN))


@pytest.mark.parametrize(
    "text",
    [
        f'{{"password": "{PASSCODE}", "h323_password": 5, "start_url": "https://z?zak={PASSCODE}"}}',
        f'{{"password": "a\\"{PASSCODE}"}}',
        f"{{'passcode': 5}} join_url=https://zoom.example/j/8?a=1&pwd={PASSCODE}",
        f"https://zoom.example/j/8?next=https%3A%2F%2Fz%3Fpwd%3D{PASSCODE}%26b",
        f"GET /zoom/meetings?accountId=a&nextPageToken={PASSCODE} HTTP/1.1",
        f"query: next_page_token={PASSCODE}, again",
        f"authorization: Basic {PASSCODE}",
        f"[(b'authorization', b'Bearer {PASSCODE}'), (b'cookie', b'a={PASSCODE}')]",
        f"Set-Cookie: session={PASSCODE}; Path=/",
        f"https://z.example/cb?code={PASSCODE}&state={PASSCODE}#token={PASSCODE}",
        f'{{"debug": "{{\\"access_token\\": \\"{PASSCODE}\\"}}"}}',
        f"\\u0022pwd={PASSCODE}\\u0022",
    ],
)
def test_patterns(text: str) -> None:
    """Text that looks like a secret is masked without its value being known."""
    assert set() == leaks(redact(text))


@pytest.mark.parametrize("secret", ["", "a", "abc"])
def test_short_secrets(secret: str) -> None:
    """A secret of less than four characters is not masked: too little of the text would be left."""
    assert "a cab, abc" == redact("a cab, abc", (secret,))


SLOW = [
    "\\" * 10_000, '"' * 10_000, "%" * 10_000, "%25" * 3_300, "&" * 10_000, "&amp;" * 2_000, "&#0000" * 1_600,
    "\\u005c" * 1_600, '\\"' * 5_000, '"password":' * 900, '"password":"' + "\\" * 9_000, "authorization:" * 700,
    "authorization" + " " * 9_000, "pwd=" * 2_500, "%3Fpwd%3D" * 1_100, KEY[:20] * 500, "a" * 10_000, "k" * 9_999 + "q",
]  # fmt: skip


@pytest.mark.parametrize("text", SLOW, ids=[text[:12] for text in SLOW])
def test_time(text: str) -> None:
    """No text takes long: a response must not block the event loop."""
    began = time.thread_time()
    redact(text, (KEY, TOKEN, "a" * 5_000, "%41" * 400_000, "k" * 1_000_000))

    assert time.thread_time() - began < 0.25
