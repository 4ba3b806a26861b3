"""Words for what became of many calls: one `Outcome` for each, and their count."""

from typing import Generic, Literal, TypeVar, cast

import attrs

from pyas_async._public import public
from pyas_async.errors import PyasError

K_co = TypeVar("K_co", covariant=True)
V_co = TypeVar("V_co", covariant=True)


@public
@attrs.frozen(kw_only=True)
class Outcome(Generic[K_co, V_co]):
    """What became of one item of a bulk run.

    Attributes:
        key: Which item: the meeting's id as it was given, or its position if there was none (`create_many`). Of an item
            that names no meeting at all, the item as it was given.
        value: What the call gave; ``None`` unless it succeeded.
        error: Why it did not; ``None`` if, and only if, it did. Of an item that was not started, the error that ended
            the run. Its `write_state` says whether a write took place.
        state: ``"ok"``; ``"failed"`` if this item's own call failed, or was refused before it was sent;
            ``"not_started"`` if the run ended before anything of it was sent.
    """

    key: K_co
    value: V_co | None = None
    error: PyasError | None = None
    state: Literal["ok", "failed", "not_started"]

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.state == "ok"

    def unwrap(self) -> V_co:
        """Give the value.

        Raises:
            PyasError: The outcome's `error`, if it has one.
        """
        if self.error is not None:
            # Whoever unwraps twice would find the frames of both in one traceback.
            raise self.error.with_traceback(None)
        return cast("V_co", self.value)  # where a call gives nothing, ``None`` is its value


@public
@attrs.frozen(kw_only=True)
class BulkStats:
    """What a bulk run has done so far.

    Attributes:
        ok: Items whose call succeeded.
        failed: Items whose call failed, or that were refused.
        not_started: Items of which nothing was sent, because the run had ended.
        calls: Requests sent, retries included.
    """

    ok: int
    failed: int
    not_started: int
    calls: int
