"""The paging machine's moves and guards, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.machines import DEAD, OTHERS, SIZE, TOO_OLD, UNCLEAR, following, page
from core.strategies import brisk
from pyas_async import (
    NotFoundError,
    Page,
    PyasError,
)
from pyas_async._core.pagination.listing_state import ListingRules
from pyas_async._core.pagination.machine import PaginationMachine
from pyas_async._core.pagination.transitions import TRANSITIONS, ListingEvent, ListingState

if TYPE_CHECKING:
    from collections.abc import Callable


REPAIR = ListingRules(verify_total="repair")


def ended() -> PaginationMachine:
    """Make a machine that has reached the end."""
    machine = PaginationMachine(ListingRules())
    machine.on_page(page(1), 0.0, 0.0)
    return machine


MOVES: dict[
    tuple[ListingState, ListingEvent], tuple[Callable[[], PaginationMachine], Callable[[PaginationMachine], object]]
] = {
    (ListingState.FRESH, ListingEvent.PAGE_WITH_TOKEN): (
        lambda: PaginationMachine(ListingRules()),
        lambda m: m.on_page(page(2, token="b"), 0.0, 0.0),
    ),
    (ListingState.FRESH, ListingEvent.LAST_PAGE): (
        lambda: PaginationMachine(ListingRules()),
        lambda m: m.on_page(page(2), 0.0, 0.0),
    ),
    (ListingState.FRESH, ListingEvent.ROWS_MISSING): (
        lambda: PaginationMachine(REPAIR),
        lambda m: m.on_page(page(2, total=9), 0.0, 0.0),
    ),
    (ListingState.FOLLOWING, ListingEvent.ROWS_MISSING): (
        lambda: following(REPAIR),
        lambda m: m.on_page(page(2, total=9), 0.0, 0.0),
    ),
    (ListingState.FRESH, ListingEvent.STOPPED): (lambda: PaginationMachine(ListingRules()), lambda m: m.stop()),
    (ListingState.FOLLOWING, ListingEvent.PAGE_WITH_TOKEN): (
        following,
        lambda m: m.on_page(page(2, token="b"), 0.0, 0.0),
    ),
    (ListingState.FOLLOWING, ListingEvent.LAST_PAGE): (following, lambda m: m.on_page(page(2), 0.0, 0.0)),
    (ListingState.FOLLOWING, ListingEvent.TOKEN_EXPIRED): (following, lambda m: m.on_error(DEAD)),
    (ListingState.FOLLOWING, ListingEvent.STOPPED): (following, lambda m: m.stop()),
    (ListingState.DONE, ListingEvent.STOPPED): (ended, lambda m: m.stop()),
}


def test_moves_are_complete() -> None:
    """The table of transitions is what these tests go through, and every state can be stopped."""
    assert set(MOVES) == set(TRANSITIONS)
    assert {(state, ListingEvent.STOPPED) for state in ListingState} <= set(TRANSITIONS)


@pytest.mark.parametrize("move", MOVES, ids=lambda move: f"{move[0].name}-{move[1].name}")
def test_move(move: tuple[ListingState, ListingEvent]) -> None:
    """Each move leads from its state to where the table says."""
    make, act = MOVES[move]
    machine = make()
    before = machine.state
    act(machine)

    assert (move[0], TRANSITIONS[move]) == (before, machine.state)
    assert machine.ended is (machine.next() is None) is (machine.state is ListingState.DONE)


acts = st.sampled_from(
    [page(), page(1), page(2, token="a"), page(token="b"), DEAD, TOO_OLD, UNCLEAR, SIZE, *OTHERS, "next", "stop"]
)


@brisk
@given(st.lists(acts, max_size=12), st.sampled_from(["restart", "raise"]), st.integers(1, 3) | st.none())
def test_any_course(
    course: list[Page | PyasError | str], on_expired: Literal["restart", "raise"], max_items: int | None
) -> None:
    """Whatever comes, and also after the end, the machine makes a move of its table or raises an error of ours."""
    machine = PaginationMachine(ListingRules(on_expired=on_expired, max_items=max_items))
    for act in course:
        try:
            if isinstance(act, Page):
                machine.on_page(act, 0.0, 0.0)
            elif isinstance(act, PyasError):
                machine.on_error(act)
            elif act == "stop":
                machine.stop()
            else:
                machine.next()
        except PyasError:
            continue


def test_page_after_the_end() -> None:
    """A page or a dead token that arrives when the listing was closed meanwhile changes nothing, and breaks nothing."""
    machine = following()
    machine.stop()

    assert () == machine.on_page(page(2, token="b"), 0.0, 0.0)
    assert machine.ended


def test_token_is_used_while_it_lives() -> None:
    """A token is asked with until shortly before its end; the first page has none."""
    machine = PaginationMachine(ListingRules(token_ttl=900.0))
    first = machine.next()
    machine.on_page(page(1, token="a"), 50.0, 50.0)
    second = machine.next()

    assert first is not None
    assert second is not None
    assert (None, None) == (first.token, first.not_after)
    assert "a" == second.token
    assert second.not_after is not None
    assert 50.0 + 880 <= second.not_after < 50.0 + 900


@pytest.mark.parametrize(("error", "reason"), [(DEAD, "answer"), (TOO_OLD, "age"), (UNCLEAR, "answer")])
def test_dead_token(error: PyasError, reason: str) -> None:
    """A dead token, and a refusal that may mean one, are answered by a fresh walk that skips what was yielded."""
    machine = following()

    assert reason == machine.on_error(error)
    ask = machine.next()
    assert ask is not None
    assert ask.token is None
    assert [2] == [row.id for row in machine.on_page(page(1, 2), 0.0, 0.0)]
    assert (1, 1) == (machine.counts.restarts, machine.counts.duplicates_skipped)


def test_fresh_query_settles_it() -> None:
    """If the fresh query fails like the refusal that was unclear, its error is raised: no token was to blame."""
    machine = following()
    machine.on_error(UNCLEAR)
    with pytest.raises(NotFoundError) as caught:
        machine.on_error(again := NotFoundError("again", status=404))

    assert again is caught.value


@pytest.mark.parametrize("error", [DEAD, TOO_OLD, UNCLEAR])
def test_raise_when_expired(error: PyasError) -> None:
    """With ``on_expired="raise"`` a dead token is the caller's."""
    machine = following(ListingRules(on_expired="raise"))
    with pytest.raises(type(error)) as caught:
        machine.on_error(error)

    assert error is caught.value


@pytest.mark.parametrize("error", OTHERS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("make", [following, lambda: PaginationMachine(ListingRules())], ids=["following", "fresh"])
def test_other_errors(make: Callable[[], PaginationMachine], error: PyasError) -> None:
    """An error that has nothing to do with the token is raised, and the listing stands where it stood."""
    machine = make()
    before = machine.next()
    with pytest.raises(type(error)):
        machine.on_error(error)

    assert before == machine.next()
