"""Direct access to a sandbox's data: a test reads it, and changes it without a request of the client."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

from pyas_async.sandbox import _writing as writing
from pyas_async.sandbox._generated import cut_agenda, generate
from pyas_async.sandbox._identifiers import IdentifierSource, host_id
from pyas_async.sandbox._settings import Settings, check_setting
from pyas_async.sandbox._times import DAY, zoom_time

if TYPE_CHECKING:
    from pyas_async.sandbox._service import Service
    from pyas_async.sandbox._store import Store

_HOSTS: Final = ("Ada", "Grace", "Zoë", "Søren", "美咲")
_ROW_FIELDS: Final = frozenset(
    ("uuid", "id", "host_id", "topic", "type", "start_time", "duration", "timezone", "agenda", "created_at", "join_url")
)


def populate(store: Store, seed: int, number: int, *, meetings: int, now: float, account_id: str | None = None) -> str:
    """Connect an account with generated meetings, and return its id. The same arguments make the same account."""
    # S311: nothing secret. Each account has its own random source, so that adding one does not change the others.
    ids = IdentifierSource(Random(f"{seed}/account/{number}"))  # noqa: S311
    account = ids.account(f"{_HOSTS[number % len(_HOSTS)]} {number + 1}", f"user{number + 1}@example.com")
    if account_id is not None:
        account["accountId"] = account_id
    generated = generate(ids, account, meetings, now)
    store.add_account(account)
    store.insert(account["accountId"], generated.rows)
    store.set_detail(account["accountId"], generated.details.items())
    return str(account["accountId"])


class SandboxData(Settings):
    """The part of a sandbox with which a test reads and changes its data without a request."""

    _store: Store
    _service: Service

    @property
    def account_ids(self) -> list[str]:
        """The ids of the connected accounts, in the order in which they were connected."""
        return self._store.account_ids()

    def rows(self, account_id: str) -> list[dict[str, Any]]:
        """Return a listing's true content: every row as the list call sends it, in listing order."""
        self._known(account_id)
        return self._store.rows(account_id)

    def document(self, account_id: str, meeting_id: int | str) -> dict[str, Any]:
        """Return a meeting's true details, by id or by uuid; ``LookupError`` if there is no such meeting."""
        self._known(account_id)
        with self._store.lock:
            rows = self._store.series(account_id, str(meeting_id))
            if not rows:
                message = f"account {account_id} has no meeting {meeting_id!r}"
                raise LookupError(message)
            return self._service.detail(account_id, rows)

    def add_account(self, account_id: str | None = None, meetings: int = 0) -> str:
        """Connect another account.

        Args:
            account_id: Its id; default: a random one.
            meetings: The number of listed rows, which are generated.

        Returns:
            Its id.

        Raises:
            ValueError: The id is empty, or there is such an account already.
        """
        check_setting("meetings", meetings)
        with self._store.transaction():
            if account_id is not None and (not account_id or self._store.account(account_id) is not None):
                message = f"account_id must be text that is not empty, of no existing account; got {account_id!r}"
                raise ValueError(message)
            number = len(self.account_ids)
            seed, now = self._service.seed, self.clock()
            return populate(self._store, seed, number, meetings=meetings, now=now, account_id=account_id)

    def add_meeting(
        self, account_id: str, document: dict[str, Any] | None = None, at: int | None = None
    ) -> dict[str, Any]:
        """Add a meeting, or another row of one, at any time.

        Args:
            account_id: The account to add it to.
            document: The row, or the details. If it has no ``id`` or ``uuid``, these are generated; nothing else is.
                Default: a scheduled meeting for tomorrow.
            at: The row's index in the listing; default: at the end.

        Returns:
            The row as the list call will send it.
        """
        self._known(account_id)
        ids, now = self._service.ids, self.clock()
        with self._store.transaction():
            if document is None:
                host = host_id(self._store.account(account_id) or {})
                start = zoom_time(now + DAY)
                data = {"type": 2, "title": "Added later", "description": "", "startDate": start}
                rows, extra = writing.create(data, ids, host, ids.meeting_id(), now)
                row = rows[0]
            else:
                whole = {"uuid": ids.uuid(), "id": ids.meeting_id()} | document
                row = cut_agenda({name: value for name, value in whole.items() if name in _ROW_FIELDS})
                extra = {"fields": {name: value for name, value in whole.items() if row.get(name, row) != value}}
            self._store.insert(account_id, [row], at)
            if extra["fields"]:
                self._store.set_detail(account_id, [(row["id"], extra)])
        return row

    def remove_row(self, account_id: str, index: int) -> dict[str, Any]:
        """Remove the row at an index from the listing, and return it; ``IndexError`` if there is none."""
        self._known(account_id)
        return self._store.pop(account_id, index)

    def move_row(self, account_id: str, from_index: int, to_index: int) -> None:
        """Move the row at ``from_index`` to ``to_index``; ``IndexError`` if there is no such row."""
        self._known(account_id)
        with self._store.transaction():
            self._store.insert(account_id, [self._store.pop(account_id, from_index)], to_index)

    def _known(self, account_id: str) -> None:
        if self._store.account(account_id) is None:
            message = f"unknown account id {account_id!r}; there are {', '.join(self.account_ids) or 'none'}"
            raise LookupError(message)
