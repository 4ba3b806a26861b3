"""The doctor's calls: each returns its result or its error, and the headers of the response."""

import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

import anyio
import attrs

from pyas_async import APIStatusError, AttemptEnded, AttemptStarted, Event, MeetingDetail, Page, PyasClient, PyasError

# Statuses about the key, its rights, the account, and limits, rather than about the request.
_NOT_THE_REQUEST: Final = (401, 403, 404, 408, 429)
T_co = TypeVar("T_co", covariant=True)


@attrs.frozen(kw_only=True)
class CallResult(Generic[T_co]):
    """The result of a call.

    Attributes:
        value: The call's result; ``None`` if it failed.
        error: Why it failed.
        headers: The last response's headers, with lower-case names.
        seconds: How long it took.
        at: The wall-clock time at its end, in epoch seconds.
    """

    value: T_co | None
    error: PyasError | None
    headers: Mapping[str, str]
    seconds: float
    at: float

    @property
    def refused(self) -> bool:
        """Whether the service refused this request, so that another request may succeed."""
        error = self.error
        return isinstance(error, APIStatusError) and error.status < 500 and error.status not in _NOT_THE_REQUEST


@attrs.define
class Clock:
    """The doctor's sources of time; tests replace them."""

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep


CLOCK: Final = Clock()


class Calls:
    """Makes calls, one after the other, and keeps their results with their headers.

    Attributes:
        count: The number of requests sent.
        results: All results so far.
    """

    def __init__(self, make: Callable[..., PyasClient], account_id: str) -> None:
        """Make a client.

        Args:
            make: Makes the client, given an event handler.
            account_id: The account to look at.
        """
        self.count = 0
        self.results: list[CallResult[Any]] = []
        self._headers: Mapping[str, str] = {}
        self._client = make(on_event=self._on_event)
        self._account_id = account_id
        self._meetings = self._client.for_account(account_id).meetings

    async def list(self, *, date_format: str | None = None, **query: Any) -> CallResult[Page]:  # noqa: ANN401  (the arguments of `Meetings.list`)
        """Get a page; `date_format` says how its filters write a day."""
        client = self._client if date_format is None else self._client.with_options(date_format=date_format)
        return await self._call(client.for_account(self._account_id).meetings.list(**query, on_unreadable="skip"))

    async def get(self, meeting_id: int | str) -> CallResult[MeetingDetail]:
        """Get a meeting."""
        return await self._call(self._meetings.get(meeting_id))

    @property
    def left(self) -> int | None:
        """Calls that remain in the window, if the library could read it."""
        return self._client.rate_limit.remaining

    async def _call(self, call: Awaitable[T_co]) -> CallResult[T_co]:
        value, error = None, None
        self._headers, began = {}, CLOCK.now()
        try:
            value = await call
        except PyasError as raised:
            error = raised
        result = CallResult(
            value=value, error=error, headers=self._headers, seconds=CLOCK.now() - began, at=CLOCK.wall()
        )
        self.results.append(result)
        return result

    def _on_event(self, event: Event) -> None:
        self.count += isinstance(event, AttemptStarted)
        if isinstance(event, AttemptEnded) and event.headers:
            self._headers = dict(event.headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.aclose()
