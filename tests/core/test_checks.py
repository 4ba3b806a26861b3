"""The checks of numbers: their bounds, their messages, and the class of the error."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pyas_async import ConfigurationError, InvalidArgumentError
from pyas_async._checks import number, whole_number

each_class = pytest.mark.parametrize("error", [ConfigurationError, InvalidArgumentError])


@pytest.mark.parametrize(
    ("bounds", "within", "outside", "expected"),
    [
        ({}, [0, 0.5, 10**300], [-1, -0.1], "a number >= 0"),
        ({"above": True, "unit": "seconds"}, [0.001, 1], [0, -1], "seconds above 0"),
        ({"minimum": 1, "maximum": 900}, [1, 1.5, 900], [0.9, 900.1], "a number from 1 to 900"),
        ({"above": True, "maximum": 86_400}, [0.1, 86_400], [0, 86_401], "a number above 0 and at most 86,400"),
    ],
)
@each_class
def test_number(
    bounds: dict[str, Any], within: list[float], outside: list[float], expected: str, error: type[Any]
) -> None:
    """A number within its bounds is returned; any other value raises an error that names the bounds."""
    assert within == [number("n", value, error=error, **bounds) for value in within]
    for value in (*outside, math.nan, math.inf, True, "1", None):
        with pytest.raises(error) as caught:
            number("n", value, error=error, **bounds)
        assert f"n: expected {expected}, got {value!r}" == str(caught.value)


@pytest.mark.parametrize(
    ("bounds", "within", "outside", "expected"),
    [
        ({"minimum": 1}, [1, 2**63 - 1], [0, 2**63], "a whole number >= 1"),
        (
            {"minimum": 0, "maximum": 5_000, "unit": "a whole number of calls"},
            [0, 5_000],
            [-1, 5_001],
            "a whole number of calls from 0 to 5,000",
        ),
    ],
)
@each_class
def test_whole_number(
    bounds: dict[str, Any], within: list[int], outside: list[int], expected: str, error: type[Any]
) -> None:
    """A whole number within its bounds is returned; any other value raises an error that names the bounds."""
    assert within == [whole_number("n", value, error=error, **bounds) for value in within]
    for value in (*outside, 1.0, True, "1.5", "٣", None):
        with pytest.raises(error) as caught:
            whole_number("n", value, error=error, **bounds)
        assert f"n: expected {expected}, got {value!r}" == str(caught.value)


@each_class
def test_digits(error: type[Any]) -> None:
    """Digits are read as a whole number, unless the argument does not take them."""
    assert 12 == whole_number("n", "12", minimum=1, error=error)
    with pytest.raises(error, match="got '12'"):
        whole_number("n", "12", minimum=1, digits=False, error=error)
