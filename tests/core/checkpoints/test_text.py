"""The text of a checkpoint: the checks of its fields, at the last accepted and first refused value, and its seal."""

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
def test_checks(check: Callable[[object], bool]) -> None:
    """Each check accepts the values that this library writes, and none that would fail later."""
    accepted, refused = CHECKS[check]

    assert [True] * len(accepted) == [bool(check(value)) for value in accepted]
    assert [False] * len(refused) == [bool(check(value)) for value in refused]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (5, "the text of a checkpoint, got <int>"),
        ("[1]", "<damage: it is not a JSON object>"),
        ("{", "<damage: it is not a JSON object>"),
    ],
)
def test_texts_that_are_no_checkpoint(given: object, says: str) -> None:
    """The error says what was expected and what was given."""
    with pytest.raises(CheckpointError) as caught:
        text.unseal(given)

    assert says in str(caught.value)


def test_check_sum() -> None:
    """A text with one changed digit does not match its checksum, and the error says so."""
    document = json.loads(text.seal({"n": 1}))
    document["n"] = 2

    with pytest.raises(CheckpointError, match="<damage: its checksum does not match>"):
        text.unseal(json.dumps(document))
