"""Whether a document says that the call has failed: every spelling, and nothing that only looks like one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strategies import brisk, json_values
from pyas_async._core.codec.failures import describes_failure, says_no

FALSE = ("false", "f", "no", "n", "off", "0", "fail", "failed", "failure", "error", "unsuccessful")
TRUE = ("true", "t", "yes", "y", "on", "1", "ok", "success", "succeeded")
blanks = st.text(" \t\n", max_size=3)


@brisk
@given(st.sampled_from(FALSE), blanks, blanks, st.sampled_from([str.upper, str.lower, str.title]))
def test_false_is_false(word: str, before: str, after: str, case: Any) -> None:  # noqa: ANN401
    """Case and blanks around a word do not matter."""
    text = before + case(word) + after

    assert says_no(text)
    assert describes_failure({"success": text})
    assert describes_failure({"data": {"success": text}})


@brisk
@given(st.sampled_from([True, 1, 1.0, 2, *TRUE]), json_values, json_values)
def test_a_success_is_none(word: object, error: object, code: object) -> None:
    """What says that it succeeded has succeeded, whatever else it says."""
    assert not says_no(word)
    assert not describes_failure({"success": word, "error": error, "errors": [error], "code": code, "message": "x"})


@pytest.mark.parametrize("value", [None, "", " ", [], {}, "maybe", [False], {"a": 0}])
def test_no_verdict(value: object) -> None:
    """``null`` and what is no verdict count as missing."""
    assert not says_no(value)
    assert not describes_failure({"success": value})
    assert describes_failure({"success": value, "error": "x"})


@pytest.mark.parametrize(
    "name", ["error", "errors", "Error", "ERRORS", "error_message", "errorMessage", "errorCode", "fault"]
)
def test_fields_of_errors(name: str) -> None:
    """A field that only errors have is one, unless it says that there is none."""
    assert [True] * 4 == [describes_failure({name: value}) for value in ("x", ["x"], {"a": 1}, 7)]
    nothing: tuple[object, ...] = (None, "", " ", "none", "NULL", "false", "no", 0, "0", False, [], {})
    assert [False] * len(nothing) == [describes_failure({name: value}) for value in nothing]


@pytest.mark.parametrize(
    ("code", "text", "fails"),
    [
        (300, "Validation Failed", True),
        ("3001", "Meeting does not exist", True),
        ("E7", "x", True),
        (200, "No permission.", True),
        (200, "Only available for paid accounts, not for deleted ones", True),
        (200, "Meeting deleted", False),
        ("204", "OK", False),
        (201, "Created successfully", False),
        (0, "x", False),
        ("0", "x", False),
        ("", "x", False),
        ("ok", "x", False),
        (None, "x", False),
        (True, "x", False),
        (2000, "Meeting deleted", True),
        (300, "", False),
        (300, None, False),
    ],
)
def test_codes(code: object, text: str | None, fails: bool) -> None:
    """A code with a message is an error, unless both say that it is none; a code alone says nothing."""
    assert fails is describes_failure({"code": code, "message": text})
    assert fails is describes_failure({"data": {"Code": code, "msg": text}})


@pytest.mark.parametrize("name", ["status", "statusCode", "status_code", "httpStatus"])
def test_statuses(name: str) -> None:
    """A status of 400 to 599 with a message is an error."""
    statuses = [399, 400, "404", " 599 ", 600, "ok", 4000, None, True]
    assert [False, True, True, True, False, False, False, False, False] == [
        describes_failure({name: status, "message": "x"}) for status in statuses
    ]
    assert not describes_failure({name: 404})


@pytest.mark.parametrize("name", ["status", "result", "ok"])
def test_verdicts(name: str) -> None:
    """A verdict under another name counts if it is a word."""
    assert [True, True, True, False, False, False] == [
        describes_failure({name: value}) for value in ("error", "Failed", False, "ok", "waiting", 0)
    ]
