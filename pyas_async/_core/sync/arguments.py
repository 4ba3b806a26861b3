"""Checks the arguments of a round, and settles which state it continues from."""

from collections.abc import Collection

import attrs

from pyas_async import _checks
from pyas_async._core.calls import endpoints
from pyas_async._core.sync.state import SyncState, check_state
from pyas_async.changes import Confirm, Keep
from pyas_async.errors import InvalidArgumentError
from pyas_async.options import UNSET


@attrs.frozen
class RoundArguments:
    """The checked arguments of a round."""

    state: SyncState
    confirm: Confirm
    ignore: tuple[str, ...]


def round_arguments(
    account_id: str | None,
    since: SyncState | str | None,
    filters: tuple[tuple[str, str], ...],
    *,
    confirm: Confirm,
    ignore: Collection[str],
    keep: Keep,
) -> RoundArguments:
    """Check the arguments of a round. Without a state, it is a first round.

    Raises:
        InvalidArgumentError: If an argument is not as described.
        CheckpointError: If the state is damaged, or of another account or listing.
    """
    state = None if since is None else since if isinstance(since, SyncState) else SyncState.parse(since)
    if state is not None and account_id is None:
        account_id = state.account_id
    wanted = SyncState(
        account_id=endpoints.account(UNSET if account_id is None else account_id),
        filters=filters,
        keep=_checks.choice("keep", keep, ("documents", "digests")),
    )
    if state is not None:
        check_state(state, wanted)
    return RoundArguments(
        state=wanted if state is None else state,
        confirm=_checks.choice("confirm", confirm, ("get", "off")),
        ignore=_names(ignore),
    )


def _names(ignore: Collection[str]) -> tuple[str, ...]:
    if isinstance(ignore, str) or not isinstance(ignore, Collection):
        raise InvalidArgumentError("ignore", "a collection of field names", ignore, hint='For one: ignore=["topic"]')
    for index, name in enumerate(ignore):
        _checks.text(f"ignore[{index}]", name)
    return tuple(ignore)


def shard_argument(shard: tuple[int, int] | None) -> tuple[int, int] | None:
    """Check the argument ``shard``.

    Raises:
        InvalidArgumentError: If it is not ``(i, n)`` with ``0 <= i < n``.
    """
    if shard is None:
        return None
    if not isinstance(shard, (tuple, list)) or len(shard) != 2:
        raise InvalidArgumentError("shard", "(i, n): shard i of n, from 0", shard)
    shards = _checks.whole_number("shard[1]", shard[1], minimum=1, digits=False)
    return _checks.whole_number("shard[0]", shard[0], minimum=0, maximum=shards - 1, digits=False), shards
