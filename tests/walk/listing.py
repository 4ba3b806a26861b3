"""The values of the model: rows, page tokens, plans for requests, and responses to an expired token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs

if TYPE_CHECKING:
    from hypothesis.vendor.pretty import RepresentationPrinter

Key: TypeAlias = tuple[int, str, datetime | None]
"""What tells one row from another: id, uuid and start time."""
Filters: TypeAlias = tuple[tuple[str, str], ...]

EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The wall clock when virtual time begins."""
ATTEMPT: Final = 30.0
"""Seconds after which the client gives up an attempt."""
_EAST: Final = timezone(timedelta(hours=2))

EXPIRED: Final[tuple[tuple[int, str, bool], ...]] = (
    (400, '{"success":false,"error":"The next page token is invalid or expired.","code":300}', True),
    (400, '{"success":false,"errors":[{"msg":"Invalid value","param":"nextPageToken"}]}', True),
    (400, '{"code":300,"message":"Invalid token"}', True),
    (200, '{"success":false,"error":"next_page_token has expired"}', True),
    (410, '{"message":"Page token expired"}', True),
    (410, '{"success":false,"error":"Gone"}', False),
    (400, '{"success":false,"error":"Bad Request"}', False),
    (400, '{"success":false,"error":{"message":"Validation Failed","code":300}}', False),
    (200, '{"success":false,"error":"Failed to fetch meetings"}', False),
    (404, '{"success":false,"error":"Not found"}', False),
    (422, "<html>Unprocessable</html>", False),
)
"""Responses to an expired token: status, body, and whether it is clear that the token has expired."""


class ShortRepr:
    """Shows in a failing example only the fields that differ from their defaults."""

    def __repr__(self) -> str:
        kind: Any = type(self)
        fields = ((field, getattr(self, field.name)) for field in attrs.fields(kind))
        said = ", ".join(f"{field.name}={value!r}" for field, value in fields if value != field.default)
        return f"{type(self).__name__}({said})"

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        printer.text(repr(self))


@attrs.frozen(repr=False)
class Row(ShortRepr):
    """A row of the listing; `kind` is what the filter asks for."""

    id: int
    uuid: str
    start: datetime | None
    kind: str

    @property
    def key(self) -> Key:
        """Its identity."""
        return self.id, self.uuid, self.start

    def document(self, *, east: bool) -> dict[str, object]:
        """Write it as the service does: the same moment may be written with different offsets."""
        start = self.start.astimezone(_EAST) if self.start and east else self.start
        text = {} if start is None else {"start_time": start.isoformat()}
        return {"id": self.id, "uuid": self.uuid, "topic": f"{self.id}/{self.uuid}", **text}


@attrs.frozen(kw_only=True, repr=False)
class Plan(ShortRepr):
    """What happens to one request.

    Attributes:
        what: The response: ``"page"``; ``"short"``, ``"empty"`` or ``"loop"`` for an odd page; ``"unclear"`` for a 4xx
            without an explanation; ``"server"``, ``"limit"``, ``"key"``, ``"garbage"``; ``"refused"``, ``"cut"`` or
            ``"silence"`` for a network fault.
        before: Seconds until the service processes the request.
        after: Seconds until the response arrives.
        kill: Which tokens expire meanwhile: ``"before"`` the response all tokens, or ``"after"`` it the one in it.
        drift: What happens to the listing before the response: ``"insert"`` inserts a row at the front, ``"remove"``
            removes the first, ``"sink"`` makes it the last, ``"rise"`` makes the last the first.
        retry_after: Seconds that a 429 or 5xx asks for.
    """

    what: str = "page"
    before: float = 0.0
    after: float = 0.0
    kill: str = ""
    drift: str = ""
    retry_after: int | None = None


FAULTS: Final = {"server", "limit", "refused", "cut", "silence"}
"""Plans after which the same request is sent again."""


@attrs.define(eq=False, kw_only=True)
class Cursor:
    """A position in a walk, for which a page token stands.

    Attributes:
        text: The token; ``None`` after the last page.
        filters: The filters of the walk.
        offset: Rows of the live listing before it.
        sent: Rows that were sent before it in this walk.
        present: Rows that were in the listing all the time since the walk's first page.
        passed: Rows that moved before it without having been sent.
        totals: The totals that the walk's pages reported.
        aside: The totals that pages reported which led back here.
        count: Rows on the walk's pages, repeated ones included.
        issued: When the service issued it.
        killed: Whether it was made to expire early.
    """

    text: str | None
    filters: Filters
    offset: int = 0
    sent: frozenset[Key] = frozenset()
    present: set[Key] = attrs.field(factory=set)
    passed: set[Key] = attrs.field(factory=set)
    totals: tuple[int, ...] = ()
    aside: tuple[int, ...] = ()
    count: int = 0
    issued: float = 0.0
    killed: bool = False
