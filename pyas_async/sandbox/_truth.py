"""The truth behind the service: what its meetings are, and how a test changes them behind the client's back."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

from pyas_async.sandbox import _writing as writing
from pyas_async.sandbox._mint import Mint, host_id
from pyas_async.sandbox._settings import Settings, check_setting
from pyas_async.sandbox._times import DAY, zoom_time
from pyas_async.sandbox._world import cut_agenda, generate

if TYPE_CHECKING:
    from pyas_async.sandbox._service import Service
    from pyas_async.sandbox._store import Store

_HOSTS: Final = ("Ada", "Grace", "Zoë", "Søren", "美咲")
_ROW_FIELDS: Final = frozenset(
    ("uuid", "id", "host_id", "topic", "type", "start_time", "duration", "timezone", "agenda", "created_at", "join_url")
)


def populate(store: Store, seed: int, number: int, *, meetings: int, now: float, account_id: str | None = None) -> str:
    """Connect an account with generated meetings; the same arguments make the same. Return its id."""
    # S311: a world, not a secret. Accounts do not share a source, so that one more changes no other.
    mint = Mint(Random(f"{seed}/account/{number}"))  # noqa: S311
    account = mint.account(f"{_HOSTS[number % len(_HOSTS)]} {number + 1}", f"user{number + 1}@example.com")
    if account_id is not None:
        account["accountId"] = account_id
    world = generate(mint, account, meetings, now)
    store.add_account(account)
    store.insert(account["accountId"], world.rows)
    store.set_detail(account["accountId"], world.details.items())
    return str(account["accountId"])


class Truth(Settings):
    """The half of a sandbox that tells of the world, and changes it, without a request."""

    _store: Store
    _service: Service

    @property
    def account_ids(self) -> list[str]:
        """The ids of the connected accounts, in the order in which they were connected."""
        return self._store.account_ids()

    def rows(self, account_id: str) -> list[dict[str, Any]]:
        """Tell the truth about a listing: every row as the list call sends it, in listing order."""
        self._known(account_id)
        return self._store.rows(account_id)

    def document(self, account_id: str, meeting_id: int | str) -> dict[str, Any]:
        """Tell the truth about a meeting: its detail, by id or by uuid; ``LookupError`` if there is none."""
        self._known(account_id)
        with self._store.lock:
            rows = self._store.series(account_id, str(meeting_id))
            if not rows:
                message = f"account {account_id} has no meeting {meeting_id!r}"
                raise LookupError(message)
            return self._service.detail(account_id, rows)

    def add_account(self, account_id: str | None = None, meetings: int = 0) -> str:
        """Connect one more account.

        Args:
            account_id: Its id; made up if not given.
            meetings: Listed rows, generated.

        Returns:
            Its id.

        Raises:
            ValueError: The id is empty, or there is such an account.
        """
        check_setting("meetings", meetings)
        with self._store.lock:
            if account_id is not None and (not account_id or self._store.account(account_id) is not None):
                message = f"account_id must be text that is not empty, of no account that there is; got {account_id!r}"
                raise ValueError(message)
            number = len(self.account_ids)
            seed, now = self._service.seed, self.clock()
            return populate(self._store, seed, number, meetings=meetings, now=now, account_id=account_id)

    def add_meeting(
        self, account_id: str, document: dict[str, Any] | None = None, at: int | None = None
    ) -> dict[str, Any]:
        """Add a meeting, or a further row of one, under way.

        Args:
            account_id: Whose.
            document: The row, or the detail, as it shall be; ``id`` and ``uuid`` are made up if it has none, and
                nothing else is. Without it, a scheduled meeting of tomorrow.
            at: The index in the listing that its row shall have; without it, the last.

        Returns:
            The row as it will be listed.
        """
        self._known(account_id)
        mint, now = self._service.mint, self.clock()
        with self._store.lock:
            if document is None:
                host = host_id(self._store.account(account_id) or {})
                start = zoom_time(now + DAY)
                data = {"type": 2, "title": "Added under way", "description": "", "startDate": start}
                rows, extra = writing.create(data, mint, host, mint.meeting_id(), now)
                row = rows[0]
            else:
                whole = {"uuid": mint.uuid(), "id": mint.meeting_id()} | document
                row = cut_agenda({name: value for name, value in whole.items() if name in _ROW_FIELDS})
                extra = {"fields": {name: value for name, value in whole.items() if row.get(name, row) != value}}
            self._store.insert(account_id, [row], at)
            if extra["fields"]:
                self._store.set_detail(account_id, [(row["id"], extra)])
        return row

    def remove_row(self, account_id: str, index: int) -> dict[str, Any]:
        """Take the row at an index out of the listing, and return it; ``IndexError`` if there is none."""
        self._known(account_id)
        return self._store.pop(account_id, index)

    def move_row(self, account_id: str, from_index: int, to_index: int) -> None:
        """Move a row: it has ``to_index`` afterwards. ``IndexError`` if there is none at ``from_index``."""
        self._known(account_id)
        with self._store.lock:
            self._store.insert(account_id, [self._store.pop(account_id, from_index)], to_index)

    def _known(self, account_id: str) -> None:
        if self._store.account(account_id) is None:
            message = f"unknown account id {account_id!r}; there are {', '.join(self.account_ids) or 'none'}"
            raise LookupError(message)
