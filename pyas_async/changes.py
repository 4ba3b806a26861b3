"""Changes of a listing, as `Meetings.changes` and `Meetings.watch` yield them."""

from typing import Literal, TypeAlias

import attrs

from pyas_async._public import public
from pyas_async.models import Meeting

ChangeKind: TypeAlias = Literal["created", "updated", "deleted", "left"]
Keep: TypeAlias = Literal["documents", "digests"]
Confirm: TypeAlias = Literal["get", "off"]


@public
@attrs.frozen(kw_only=True)
class Change:
    """A row of a listing that has appeared, has changed, or is gone.

    To keep a copy, delete the row with the identity ``(id, uuid, start_time)`` of `before`, if there is one, and store
    `meeting`, if there is one.

    Attributes:
        kind: ``"created"``; ``"updated"``, which includes a move to another time; ``"deleted"``, if the service says
            that the meeting, or this date of its series, no longer exists; or ``"left"``, if the row has left the
            listing for another reason: it is over, or the filters no longer match it.
        account_id: The account of the meeting.
        meeting: The row as it is now; ``None`` if it is gone.
        before: The row as it was; ``None`` for a new row. With ``keep="digests"`` it has only `id`, `uuid` and
            `start_time`.
        fields: The names of the fields that have changed, as `to_dict` names them, in their order in the document. Only
            of updated rows.
        initial: Whether the change belongs to the first round of this state, in which every row is new.
    """

    kind: ChangeKind
    account_id: str
    meeting: Meeting | None = None
    before: Meeting | None = None
    fields: tuple[str, ...] = ()
    initial: bool = False


@public
@attrs.frozen(kw_only=True)
class ChangeStats:
    """What a round has done so far.

    Attributes:
        rows: Rows received in the last walk over the listing.
        pages: Pages received, in all walks.
        calls: Requests sent, for pages and for confirmations, retries included.
        created: New rows.
        updated: Changed rows.
        deleted: Rows whose meeting was deleted.
        left: Rows that have left the listing for another reason.
        drifted: Walks during which the listing changed, so that rows may have been missed.
        unconfirmed: Rows that were missing, and about which nothing was said. They stay in the state, and the next
            round looks at them again.
        unreadable: Rows that cannot be read, since they have no usable id.
    """

    rows: int = 0
    pages: int = 0
    calls: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    left: int = 0
    drifted: int = 0
    unconfirmed: int = 0
    unreadable: int = 0


@public
@attrs.frozen(kw_only=True)
class WatchStats(ChangeStats):
    """What a watch has done so far: the sums of its rounds, and its passes over all accounts.

    Attributes:
        accounts: How many accounts the last pass had.
        passes: How often all accounts were gone through.
        failing: How many accounts are set aside.
    """

    accounts: int = 0
    passes: int = 0
    failing: int = 0
