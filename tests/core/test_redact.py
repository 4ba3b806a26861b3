"""Text that may be shown: secrets are masked in every form, and everything else stays as it was."""

from __future__ import annotations

import pytest

from pyas_async._core.redact import redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"password": "x\\"y", "a": "b"}', '{"password": "***", "a": "b"}'),
        ('{"password": 123456, "a": 1}', '{"password": "***", "a": 1}'),
        ('{"h323_password":123456}', '{"h323_password":"***"}'),
        ('{"TOKEN" : "x"}', '{"TOKEN" : "***"}'),
        ('{"code": "abc"}', '{"code": "***"}'),
        ('{"code": 300}', '{"code": 300}'),
        ('{"password": "unterminated', '{"password": "***'),
        ('{\\"token\\": \\"abc\\"}', '{"token": "***"}'),
        ('{\\\\\\"token\\\\\\": \\\\\\"abc\\\\\\"}', '{"token": "***"}'),
        ("https:\\/\\/zoom.us\\/j\\/1?pwd=abc\\u0026x=1", "https://zoom.us/j/1?pwd=***&x=1"),
        ("a key key-1 and key-2, key-1 again", "a key *** and ***, *** again"),
        ("nothing secret", "nothing secret"),
    ],
)
def test_what_is_masked(text: str, shown: str) -> None:
    """Passwords, tokens and codes in JSON and in JSON inside JSON, links, and the given secrets are masked."""
    assert shown == redact(text, ("key-1", "", "key-2"))


def test_it_is_shortened() -> None:
    """A text is cut at the limit after it was masked, so that a secret across the cut is not halved."""
    assert ("x" * 500, "x" * 10) == (redact("x" * 600), redact("x" * 600, limit=10))
    assert "x" * 8 + "**" == redact("x" * 8 + "key-1", ("key-1",), limit=10)
    assert '"password": "***"' == redact('"password": "' + "s" * 180 + '"', limit=17)


def test_no_secrets_given() -> None:
    """Without given secrets, patterns are still masked."""
    assert '{"zak": "***"}' == redact('{"zak": "z"}')
