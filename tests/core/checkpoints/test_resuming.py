"""The arguments of a call that resumes from a checkpoint: left out, repeated, or others, which are refused."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from pyas_async import Checkpoint, CheckpointError, Meetings, PyasClient
from pyas_async._core.checkpoints.accounts import AccountsCheckpoint
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.checkpoints.resuming import PAGE_SIZE, check_account, check_filters, check_page_size

if TYPE_CHECKING:
    from collections.abc import Callable

FILTERS = (("startDate", "01-31-2026"), ("type", "live"))


def checkpoint(page_size: int | None = 300) -> ListingCheckpoint:
    """Make a checkpoint of one listing."""
    return ListingCheckpoint(account_id="a", filters=FILTERS, page_size=page_size)


def accounts_checkpoint(page_size: int) -> AccountsCheckpoint:
    """Make a checkpoint of many accounts, none of which was begun."""
    return AccountsCheckpoint(
        items=0, done=False, filters=FILTERS, page_size=page_size, ids_read=0, ids_crc=0, active=(), failures=[], end=0
    )


def refusal(refused: Callable[[], object]) -> CheckpointError:
    """Return the error with which a call is refused."""
    with pytest.raises(CheckpointError) as caught:
        refused()
    assert "resume" == caught.value.field
    return caught.value


def test_account() -> None:
    """The account may be left out or repeated; another one is refused."""
    error = refusal(lambda: check_account(checkpoint(), "b"))

    assert ["a", "a"] == [check_account(checkpoint(), given) for given in (None, "a")]
    assert ("'b'" in error.expected, "'a'" in error.got) == (True, True)


def test_filters() -> None:
    """Filters may be left out or repeated; others, and more of them, are refused."""
    other = refusal(lambda: check_filters(checkpoint(), (("type", "scheduled"),)))
    more = refusal(lambda: check_filters(checkpoint(), (("endDate", "02-01-2026"),)))

    assert [FILTERS, FILTERS, FILTERS] == [check_filters(checkpoint(), given) for given in ((), FILTERS, FILTERS[1:])]
    assert ("type='scheduled'" in other.expected, "type='live'" in other.got) == (True, True)
    assert ("endDate" in more.expected, "without endDate" in more.got) == (True, True)


@pytest.mark.parametrize("own", [1, 10, 300, 500])
def test_page_size(own: int) -> None:
    """The page size may be left out or repeated; another one is refused, though it is the default's number."""
    for accepted in (PAGE_SIZE, own):
        check_page_size(checkpoint(own), accepted)
        check_page_size(accounts_checkpoint(own), accepted)
    for other in {9, 20, 300, 301} - {own}:
        for made in (checkpoint(own), accounts_checkpoint(own)):
            error = refusal(lambda made=made, other=other: check_page_size(made, other))  # type: ignore[misc]
            assert (f"a checkpoint with page_size={other}", f"<one with {own}>") == (error.expected, error.got)


def test_page_size_that_the_service_refused() -> None:
    """A listing whose 300 was refused asks for the service's own size; its caller may repeat 300, and nothing else."""
    check_page_size(checkpoint(None), PAGE_SIZE)
    check_page_size(checkpoint(None), 300)

    assert "<one with None>" == refusal(lambda: check_page_size(checkpoint(None), 30)).got


def test_default_page_size() -> None:
    """The default is shown as 300, is the number 300, and is still the default after a copy or pickle."""
    for method in (Meetings.iter_all, Meetings.iter_accounts):
        assert "page_size: int = 300" in str(inspect.signature(method)).replace("'", "")
    assert (300, "300", 600) == (PAGE_SIZE, f"{PAGE_SIZE}", PAGE_SIZE * 2)
    for copied in (copy.deepcopy(PAGE_SIZE), pickle.loads(pickle.dumps(PAGE_SIZE))):
        check_page_size(checkpoint(10), copied)


def iter_all(made: Checkpoint, **arguments: Any) -> object:  # noqa: ANN401
    """Resume a listing of one account."""
    return PyasClient("key").meetings.iter_all(resume=made, **arguments)


def iter_accounts(made: Checkpoint, **arguments: Any) -> object:  # noqa: ANN401
    """Resume the listings of many accounts."""
    return PyasClient("key").meetings.iter_accounts([], resume=made, **arguments)


@pytest.mark.parametrize(
    ("call", "made"), [(iter_all, checkpoint(10)), (iter_accounts, accounts_checkpoint(10))], ids=["one", "many"]
)
def test_page_size_of_a_call(call: Callable[..., object], made: Checkpoint) -> None:
    """Both calls refuse a page size that differs from the checkpoint's, the number of the default included."""
    call(made)
    call(made, page_size=10)
    call(made, page_size="10")  # digits are accepted for a number

    for other in (20, 300, "300"):
        refusal(lambda other=other: call(made, page_size=other))  # type: ignore[misc]
