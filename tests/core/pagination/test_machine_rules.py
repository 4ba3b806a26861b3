"""The transitions of the pagination machine, one by one, and how it treats each error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.machines import EXPIRED, OTHERS, SIZE, TOO_OLD, UNCLEAR, following, page
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


TRANSITION_CASES: dict[
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
    (ListingState.FOLLOWING, ListingEvent.TOKEN_EXPIRED): (following, lambda m: m.on_error(EXPIRED)),
    (ListingState.FOLLOWING, ListingEvent.STOPPED): (following, lambda m: m.stop()),
    (ListingState.DONE, ListingEvent.STOPPED): (ended, lambda m: m.stop()),
}


def test_cases_are_complete() -> None:
    """The tests have a case for each transition of the table, and every state can be stopped."""
    assert set(TRANSITION_CASES) == set(TRANSITIONS)
    assert {(state, ListingEvent.STOPPED) for state in ListingState} <= set(TRANSITIONS)


@pytest.mark.parametrize("case", TRANSITION_CASES, ids=lambda case: f"{case[0].name}-{case[1].name}")
def test_transition(case: tuple[ListingState, ListingEvent]) -> None:
    """Each event leads from its state to the state in the table."""
    make, step = TRANSITION_CASES[case]
    machine = make()
    before = machine.state
    step(machine)

    assert (case[0], TRANSITIONS[case]) == (before, machine.state)
    assert machine.ended is (machine.next() is None) is (machine.state is ListingState.DONE)


steps = st.sampled_from(
    [page(), page(1), page(2, token="a"), page(token="b"), EXPIRED, TOO_OLD, UNCLEAR, SIZE, *OTHERS, "next", "stop"]
)


@brisk
@given(st.lists(steps, max_size=12), st.sampled_from(["restart", "raise"]), st.integers(1, 3) | st.none())
def test_any_course(
    course: list[Page | PyasError | str], on_expired: Literal["restart", "raise"], max_items: int | None
) -> None:
    """Whatever is called, also after the end, the machine makes a transition of its table or raises a `PyasError`."""
    machine = PaginationMachine(ListingRules(on_expired=on_expired, max_items=max_items))
    for step in course:
        try:
            if isinstance(step, Page):
                machine.on_page(step, 0.0, 0.0)
            elif isinstance(step, PyasError):
                machine.on_error(step)
            elif step == "stop":
                machine.stop()
            else:
                machine.next()
        except PyasError:
            continue


def test_page_after_the_end() -> None:
    """A page that arrives after the listing was closed changes nothing, and raises nothing."""
    machine = following()
    machine.stop()

    assert () == machine.on_page(page(2, token="b"), 0.0, 0.0)
    assert machine.ended


def test_token_is_used_while_it_lives() -> None:
    """A token is sent until shortly before its end; the request for the first page has none."""
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


@pytest.mark.parametrize(("error", "reason"), [(EXPIRED, "answer"), (TOO_OLD, "age"), (UNCLEAR, "answer")])
def test_dead_token(error: PyasError, reason: str) -> None:
    """After an expired token, or an error that may mean one, a fresh walk skips the rows that were yielded."""
    machine = following()

    assert reason == machine.on_error(error)
    request = machine.next()
    assert request is not None
    assert request.token is None
    assert [2] == [row.id for row in machine.on_page(page(1, 2), 0.0, 0.0)]
    assert (1, 1) == (machine.counts.restarts, machine.counts.duplicates_skipped)


def test_fresh_query_decides() -> None:
    """If the fresh query fails like the unclear refusal before, its error is raised: the token was not to blame."""
    machine = following()
    machine.on_error(UNCLEAR)
    with pytest.raises(NotFoundError) as caught:
        machine.on_error(again := NotFoundError("again", status=404))

    assert again is caught.value


@pytest.mark.parametrize("error", [EXPIRED, TOO_OLD, UNCLEAR])
def test_raise_when_expired(error: PyasError) -> None:
    """With ``on_expired="raise"``, the error of a dead token is raised."""
    machine = following(ListingRules(on_expired="raise"))
    with pytest.raises(type(error)) as caught:
        machine.on_error(error)

    assert error is caught.value


@pytest.mark.parametrize("error", OTHERS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("make", [following, lambda: PaginationMachine(ListingRules())], ids=["following", "fresh"])
def test_other_errors(make: Callable[[], PaginationMachine], error: PyasError) -> None:
    """An error that has nothing to do with the token is raised, and the next request stays the same."""
    machine = make()
    before = machine.next()
    with pytest.raises(type(error)):
        machine.on_error(error)

    assert before == machine.next()
