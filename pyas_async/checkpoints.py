"""`Checkpoint` as users see it.

Errors carry checkpoints, so this module is below `pyas_async.errors`, and must not import it. What reads a checkpoint's
text raises errors, and is therefore in a layer above: it registers itself here, see `reads_checkpoints`.
"""

import abc
from collections.abc import Callable
from typing import Any

import attrs

from pyas_async._public import public


@public
@attrs.frozen(kw_only=True, repr=False, eq=False)
class Checkpoint(abc.ABC):
    """A position in an iteration, for ``resume=…``; ``str(checkpoint)`` is its text, and `parse` reads it.

    It is cheap to take after every row; only its text costs. While the page token is valid (15 minutes), resuming a
    listing takes one call. After that, it takes a fresh walk that skips the rows yielded before. The rows are processed
    exactly once only if the result is stored together with the checkpoint, in one transaction.

    There are two kinds, one from ``iter_all`` and one from ``iter_accounts``. Each resumes the method it came from.

    Attributes:
        account_id: The account that is listed; ``None`` for a checkpoint of many accounts.
        items: Rows yielded so far.
        done: Whether the iteration has reached its end.
        filters: The filters, in the form in which the service gets them.
        page_size: The page size that is asked for; ``None`` for the service's own.
    """

    account_id: str | None
    items: int
    done: bool
    filters: tuple[tuple[str, str], ...]
    page_size: int | None

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read a checkpoint from its text.

        Raises:
            CheckpointError: If the text is damaged, or written by another version.
        """
        return _readers[0](text)

    @abc.abstractmethod
    def __str__(self) -> str:
        """Write the checkpoint as JSON. It holds page tokens: treat it like the data that they lead to."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Checkpoint) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash((self.account_id, self.items, self.done))

    def __reduce__(self) -> tuple[Any, ...]:
        return Checkpoint.parse, (str(self),)


_readers: list[Callable[[str], Checkpoint]] = []


def reads_checkpoints(function: Callable[[str], Checkpoint]) -> Callable[[str], Checkpoint]:
    """Make this function, of a layer above, what `Checkpoint.parse` calls."""
    _readers[:] = [function]
    return function
