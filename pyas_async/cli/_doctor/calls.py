"""The doctor's calls: each gives its answer or its error, and the headers that came with it.

The library shows no headers. They are seen here through the door that it has for that: a client of httpx, brought
along, with a hook.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

import anyio
import attrs
import httpx

from pyas_async import APIStatusError, AttemptStarted, Event, MeetingDetail, Page, PyasClient, PyasError

# The key, its rights, the account, and limits.
_NOT_THE_REQUEST: Final = (401, 403, 404, 408, 429)
T_co = TypeVar("T_co", covariant=True)


@attrs.frozen(kw_only=True)
class Reply(Generic[T_co]):
    """What a call came to.

    Attributes:
        value: What it gave; ``None`` if it failed.
        error: Why it failed.
        headers: The last answer's, names in lower case.
        seconds: How long it took.
        at: The wall clock when it was over, in seconds.
    """

    value: T_co | None
    error: PyasError | None
    headers: Mapping[str, str]
    seconds: float
    at: float

    @property
    def refused(self) -> bool:
        """Whether the service has refused the request as it was, and another one may do."""
        error = self.error
        return isinstance(error, APIStatusError) and error.status < 500 and error.status not in _NOT_THE_REQUEST


@attrs.define
class Clock:
    """Where the doctor's time comes from, and how it passes."""

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep


CLOCK: Final = Clock()


class Calls:
    """Makes calls, one after the other, and remembers what their answers' headers said.

    Attributes:
        count: Requests sent.
        replies: All of them so far.
    """

    def __init__(self, make: Callable[..., PyasClient], account_id: str) -> None:
        """Prepare.

        Args:
            make: Makes a client, given the client of httpx to send through and what to tell of events.
            account_id: Whose meetings.
        """
        self.count = 0
        self.replies: list[Reply[Any]] = []
        self._headers: Mapping[str, str] = {}
        self._http = httpx.AsyncClient(event_hooks={"response": [self._answered]})
        self._client = make(http_client=self._http, on_event=self._heard)
        self._meetings = self._client.for_account(account_id).meetings

    async def list(self, **query: Any) -> Reply[Page]:  # noqa: ANN401  (whatever a listing takes)
        """Ask for a page."""
        return await self._reply(self._meetings.list(**query))

    async def get(self, meeting_id: int | str) -> Reply[MeetingDetail]:
        """Ask for a meeting."""
        return await self._reply(self._meetings.get(meeting_id))

    @property
    def left(self) -> int | None:
        """Calls that are left, as far as the library could read that."""
        return self._client.rate_limit.remaining

    async def _reply(self, call: Awaitable[T_co]) -> Reply[T_co]:
        value, error = None, None
        self._headers, began = {}, CLOCK.now()
        try:
            value = await call
        except PyasError as raised:
            error = raised
        reply = Reply(value=value, error=error, headers=self._headers, seconds=CLOCK.now() - began, at=CLOCK.wall())
        self.replies.append(reply)
        return reply

    def _heard(self, event: Event) -> None:
        self.count += isinstance(event, AttemptStarted)

    async def _answered(self, response: httpx.Response) -> None:
        self._headers = {name.lower(): value for name, value in response.headers.items()}

    async def __aenter__(self) -> Self:
        """Give the calls."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close what was opened."""
        await self._client.aclose()
        await self._http.aclose()
