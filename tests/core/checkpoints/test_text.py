"""What a checkpoint's fields may be: to the last value that is taken, and the first that is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pyas_async import CheckpointError
from pyas_async._core.checkpoints import text

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 2**63 - 1
CHECKS: dict[Callable[[object], bool], tuple[list[object], list[object]]] = {
    text.is_count: ([0, 1, LARGEST], [-1, LARGEST + 1, True, 1.0, "1", None, ...]),
    text.is_positive: ([1, 2, LARGEST], [0, -1, LARGEST + 1, True]),
    text.is_moment: ([0, -1.5, 999_999_999_999], [1e12, -1e12, float("nan"), float("inf"), True, "0", None]),
    text.is_flag: ([True, False], [0, 1, None, "true"]),
    text.is_text: (["a", " ", "é"], ["", "\ud83d", b"a", 1, None]),
    text.is_filled: (["a", "é "], ["", " ", "\ud83d", 1]),
    text.is_list: ([[], [1]], [(), {}, None]),
    text.nullable(text.is_positive): ([None, 1], [0, ..., "x"]),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__qualname__)
def test_what_is_taken(check: Callable[[object], bool]) -> None:
    """Each check takes what this library writes, and nothing that would fail later."""
    taken, refused = CHECKS[check]

    assert [True] * len(taken) == [bool(check(value)) for value in taken]
    assert [False] * len(refused) == [bool(check(value)) for value in refused]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (5, "the text of a checkpoint, got <int>"),
        ("[1]", "<damage: it is not a JSON object>"),
        ("{", "<damage: it is not a JSON object>"),
    ],
)
def test_what_is_no_checkpoint(given: object, says: str) -> None:
    """Whoever gives something else is told what was expected, and what came."""
    with pytest.raises(CheckpointError) as caught:
        text.unseal(given)

    assert says in str(caught.value)


def test_a_digit_that_was_changed() -> None:
    """A text that was changed by hand does not fit its check sum, and says so."""
    document = json.loads(text.seal({"n": 1}))
    document["n"] = 2

    with pytest.raises(CheckpointError, match="<damage: its check sum does not fit>"):
        text.unseal(json.dumps(document))
