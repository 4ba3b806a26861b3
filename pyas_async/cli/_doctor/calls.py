"""The doctor's calls: each returns its result or its error, and the headers of the response."""

import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

import anyio
import attrs

from pyas_async import (
    APIStatusError,
    AttemptEnded,
    AttemptStarted,
    Event,
    MeetingDetail,
    NotFoundError,
    Page,
    PyasClient,
    PyasError,
    RateLimitSnapshot,
)

# Statuses about the key, its rights, and limits, rather than about the request.
_NOT_THE_REQUEST: Final = (401, 402, 403, 407, 408, 425, 429)
T_co = TypeVar("T_co", covariant=True)


@attrs.frozen(kw_only=True)
class CallResult(Generic[T_co]):
    """The result of a call, or of one that was not made since the key has no calls left.

    Attributes:
        value: The call's result; ``None`` if it failed.
        error: Why it failed; ``None`` also if it was not made.
        headers: The last response's headers, with lower-case names.
        seconds: How long it took.
        at: The wall-clock time at its end, in epoch seconds.
        sent: The number of requests that had been sent at its end, by all calls.
        limit: What the library knew of the key's limit at its end.
    """

    value: T_co | None
    error: PyasError | None
    headers: Mapping[str, str]
    seconds: float
    at: float
    sent: int
    limit: RateLimitSnapshot

    @property
    def refused(self) -> bool:
        """Whether the service refused this very request, so that another one may succeed.

        Everything else that is no value says nothing about the request: a limit, a key without the right, an unknown
        account, a failure of the service or of the network.
        """
        error = self.error
        if not isinstance(error, APIStatusError):
            return False
        if 300 <= error.status < 400:
            return False  # a redirect comes from something between us and the service
        # Under a status of success, the code in the body says what failed; it may also be a number of Zoom's own.
        stated = [error.status, *([error.code] if isinstance(error.code, int) and error.code < 600 else [])]
        about_account = isinstance(error, NotFoundError) and "account" in error.message.lower()
        return not about_account and all(status < 500 and status not in _NOT_THE_REQUEST for status in stated)

    @property
    def answered(self) -> bool:
        """Whether the service answered this very request, with a value or a refusal. Nothing else decides a check."""
        return self.value is not None or self.refused

    @property
    def failure(self) -> str:
        """What happened instead of a value."""
        if self.error is not None:
            return f"{type(self.error).__name__}: {self.error}"
        ends = "" if self.limit.resets_at is None else f" until {self.limit.resets_at:%H:%M:%S} UTC"
        return f"not asked, since the key has no calls left{ends}"


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
        meetings = client.for_account(self._account_id).meetings
        return await self._call(lambda: meetings.list(**query, on_unreadable="skip"))

    async def get(self, meeting_id: int | str) -> CallResult[MeetingDetail]:
        """Get a meeting."""
        return await self._call(lambda: self._meetings.get(meeting_id))

    async def _call(self, call: Callable[[], Awaitable[T_co]]) -> CallResult[T_co]:
        """Make a call, unless the key has no calls left: a check is not worth a wait of minutes."""
        value, error = None, None
        self._headers, began = {}, CLOCK.now()
        if asks := self._client.rate_limit.remaining != 0:
            try:
                value = await call()
            except PyasError as raised:
                error = raised
        result = CallResult(
            value=value,
            error=error,
            headers=self._headers,
            seconds=CLOCK.now() - began,
            at=CLOCK.wall(),
            sent=self.count,
            limit=self._client.rate_limit,
        )
        if asks:
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
