"""The results of a bulk run: an `Outcome` for each item, and their counts."""

from typing import Generic, Literal, TypeVar, cast

import attrs

from pyas_async._public import public
from pyas_async.errors import PyasError

K_co = TypeVar("K_co", covariant=True)
V_co = TypeVar("V_co", covariant=True)


@public
@attrs.frozen(kw_only=True)
class Outcome(Generic[K_co, V_co]):
    """The result of one item of a bulk run.

    Attributes:
        key: The item: the meeting's id as it was given, or, where it has no id yet (`create_many`), its key in a
            mapping, or its position in any other input. For an item that names no meeting at all, the item itself.
        value: The call's result; ``None`` unless it succeeded.
        error: The call's error; ``None`` exactly if it succeeded. For an item that was not started, the error that
            ended the run. Its `write_state` says whether a write took place.
        state: ``"ok"``; ``"failed"`` if this item's own call failed and changed nothing, or was refused before it was
            sent; ``"unknown"`` if a write was sent and its response was lost or cannot be read: the write may have
            been carried out; ``"not_started"`` if the run ended before anything was sent for it. What failed or was not
            started can be repeated. A create whose outcome is unknown must not be: its meeting may exist.
    """

    key: K_co
    value: V_co | None = None
    error: PyasError | None = None
    state: Literal["ok", "failed", "unknown", "not_started"]

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.state == "ok"

    def unwrap(self) -> V_co:
        """Return `value`, or raise `error`.

        Raises:
            PyasError: The outcome's `error`, if it has one.
        """
        if self.error is not None:
            # Without this, a second call would raise it with the frames of both calls in its traceback.
            raise self.error.with_traceback(None)
        return cast("V_co", self.value)  # for a call without a result, the value is ``None``


@public
@attrs.frozen(kw_only=True)
class BulkStats:
    """The counts of a bulk run so far.

    Attributes:
        ok: Items whose call succeeded.
        failed: Items whose call failed, or that were refused.
        unknown: Items whose write may have been carried out.
        not_started: Items for which nothing was sent, because the run had ended.
        calls: Requests sent, including retries.
    """

    ok: int
    failed: int
    unknown: int = 0
    not_started: int
    calls: int
