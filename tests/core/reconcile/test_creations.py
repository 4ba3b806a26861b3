"""The memory of creates, which keeps one meeting from being returned for two of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

import inside
from core.strategies import brisk
from pyas_async._core.reconcile.creations import REMEMBERED_FOR, Creation, Creations


def test_made_by_another() -> None:
    """A meeting is claimed by its create for creates of equal meetings, and for no others."""
    creations = Creations()
    first, second, other = (creations.begin(match_key, 0.0) for match_key in ("a", "a", "b"))
    first.id = 7
    creations.end(first, 1.0, in_doubt=False)
    assert [{7}, set(), set()] == [set(creations.claimed_ids(each)) for each in (second, other, first)]
    assert (False, False) == (creations.has_rival(second), creations.has_rival(other))


def test_another_under_way() -> None:
    """A create is a rival of equal ones until its meeting is known, or it is known that it made none."""
    creations = Creations()
    first, second = creations.begin("a", 0.0), creations.begin("a", 0.0)
    assert (True, True) == (creations.has_rival(second), creations.has_pending_rival(second))
    first.id = 7
    assert (False, False) == (creations.has_rival(second), creations.has_pending_rival(second))
    third = creations.begin("a", 0.0)
    creations.end(third, 1.0, in_doubt=False)
    assert not creations.has_rival(second)


def test_another_in_doubt() -> None:
    """A create that ended in doubt is a rival, but not a pending one."""
    creations = Creations()
    first, second = creations.begin("a", 0.0), creations.begin("a", 0.0)
    creations.end(first, 1.0, in_doubt=True)
    assert (True, False) == (creations.has_rival(second), creations.has_pending_rival(second))


def test_it_is_forgotten() -> None:
    """A create that has ended is forgotten after `REMEMBERED_FOR`, when another one begins."""
    creations = Creations()
    first = creations.begin("a", 0.0)
    first.id = 7
    creations.end(first, 1.0, in_doubt=False)
    assert {7} == creations.claimed_ids(creations.begin("a", REMEMBERED_FOR + 0.9))
    assert set() == creations.claimed_ids(creations.begin("a", REMEMBERED_FOR + 1.0))


@brisk
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["made", "doubt", "nothing"]), st.floats(0, 600))))
def test_nothing_is_kept_for_good(creates: list[tuple[str, str, float]]) -> None:
    """After `REMEMBERED_FOR` without creates, only the one that begins then is remembered."""
    creations, now = Creations(), 0.0
    for number, (match_key, end, seconds) in enumerate(creates):
        creation = creations.begin(match_key, now)
        now += seconds
        creation.id = number if end == "made" else None
        creations.end(creation, now, in_doubt=end == "doubt")
    last = creations.begin("c", now + REMEMBERED_FOR)
    assert {"c": [last]} == inside.creations_by_key(creations)
    assert not inside.ended(creations)


def test_nothing_is_shown() -> None:
    """The key of a creation contains the title of the meeting: the ``repr`` does not show it."""
    assert "Planning" not in repr(Creation("Planning"))
