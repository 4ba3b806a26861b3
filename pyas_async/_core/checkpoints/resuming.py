"""Reads the text of either kind of checkpoint, and compares a checkpoint with the call that is to resume from it.

The account, the filters and the page size of a resumed listing come from its checkpoint, since a page token is valid
only with those that it was made with. The caller may repeat them; others are refused.
"""

from typing import Final

from pyas_async._core.calls.endpoints import MAX_PAGE_SIZE
from pyas_async._core.checkpoints import text
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async.checkpoints import Checkpoint, reads_checkpoints
from pyas_async.errors import CheckpointError


class _DefaultPageSize(int):
    """The type of `PAGE_SIZE`: a number like any other, except that it can be told from one that the caller wrote."""


PAGE_SIZE: Final[int] = _DefaultPageSize(MAX_PAGE_SIZE)
"""The default of the parameter `page_size`: calls are what is scarce, so it is Zoom's maximum."""


@reads_checkpoints
def parse(written: str) -> Checkpoint:
    """Read a checkpoint of either kind from its text.

    Raises:
        CheckpointError: If the text is damaged, or written by another version or another kind of Python.
    """
    document = text.unseal(written)
    filters = text.read_filters(document)
    if "kind" not in document:
        return ListingCheckpoint.read(document, filters)
    from pyas_async._core.checkpoints.accounts import AccountsCheckpoint  # noqa: PLC0415 -- seldom needed

    return AccountsCheckpoint.read(document, filters)


def check_account(checkpoint: ListingCheckpoint, given: str | None) -> str:
    """Return the account to list; `given` is ``None`` if the caller named none.

    Raises:
        CheckpointError: If the caller named another account.
    """
    if given is not None and given != checkpoint.account_id:
        raise CheckpointError("resume", f"a checkpoint of the account {given!r}", f"<one of {checkpoint.account_id!r}>")
    return checkpoint.account_id


def check_filters(checkpoint: Checkpoint, given: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return the filters to list with; `given` holds those that the caller named.

    Raises:
        CheckpointError: If the caller named a filter that the checkpoint lacks, or has with another value.
    """
    own = dict(checkpoint.filters)
    for name, value in given:
        if own.get(name) != value:
            got = f"<one with {name}={own[name]!r}>" if name in own else f"<one without {name}>"
            raise CheckpointError("resume", f"a checkpoint of a listing with {name}={value!r}", got)
    return checkpoint.filters


def check_page_size(checkpoint: Checkpoint, given: int) -> None:
    """Accept the checkpoint's own page size, or `PAGE_SIZE` itself, which says that the caller named none.

    `given` is the argument unchanged, after its check: it may be the digits of a number.

    Raises:
        CheckpointError: If the caller named another page size.
    """
    if isinstance(given, _DefaultPageSize):
        return
    # A listing whose 300 was refused asks for the service's own page size; its caller may still write 300.
    own = MAX_PAGE_SIZE if checkpoint.page_size is None else checkpoint.page_size
    if int(given) != own:
        raise CheckpointError("resume", f"a checkpoint with page_size={given}", f"<one with {checkpoint.page_size}>")
