"""Everything for a test without the service: a sandbox, its clock, and its clients."""

from __future__ import annotations

from collections.abc import Awaitable
from random import Random
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict, Unpack

import httpx

from pyas_async import PyasClient
from pyas_async._runtime.clock import Clock as TimeSource
from pyas_async.sandbox import Sandbox
from pyas_async.testing._calls import Calls
from pyas_async.testing._clock import START, Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import TracebackType

    from pyas_async import Event, Priority, RateBudget, RetryPolicy

# Requests go to the sandbox's transport. The real address makes error messages read as they do with the service.
_ADDRESS = "https://api.pyas.io"


class SandboxSettings(TypedDict, total=False):
    """The settings of the sandbox; see `pyas_async.sandbox.Sandbox`."""

    accounts: int
    meetings: int
    api_key: str
    token_ttl: float
    plan: Literal["developer", "growth", "scale", "none"]
    window: float
    latency: float
    max_page_size: int
    oversize: Literal["clamp", "refuse"]
    page_numbers: Literal["honour", "ignore"]
    date_format: str
    expired_answer: str
    update_answer: Literal["meeting", "success", "empty", "no_content"]
    delete_answer: Literal["success", "empty", "no_content"]
    daily_writes: int | None
    keep_requests: int | None


class ClientOptions(TypedDict, total=False):
    """The options of a client; see `PyasClient`."""

    account_id: str | None
    base_url: str | None
    timeout: Any
    deadline: float | None
    retry: RetryPolicy | None
    budget: RateBudget | None
    priority: Priority
    single_flight: bool
    page_token_ttl: float
    insecure_http: bool
    on_event: Callable[[Event], None] | None


class Offline:
    """A service in process, and clients of it, on a clock that the test moves.

    ::

        with Offline(meetings=50, max_page_size=20) as pyas:
            pyas.sandbox.fail_next(503)
            rows = asyncio.run(my_code(pyas.client))
            pyas.calls.assert_made("meetings.list", times=4)

    It opens no socket, and never sleeps in real time. It needs the extra ``pyas_async[sandbox]``.

    Attributes:
        sandbox: The service: its data, its settings, and its faults.
        clock: The clock of the sandbox and of all its clients.
        calls: The requests that reached the sandbox.
    """

    def __init__(self, *, seed: int = 0, start: datetime = START, **settings: Unpack[SandboxSettings]) -> None:
        """Make the service; by default with one account that has 25 meetings.

        Args:
            seed: The same seed makes the same data, the same tokens and the same random numbers.
            start: The clock's time at the start; aware.
            settings: Other settings of a `Sandbox`.

        Raises:
            TypeError: If there is no such setting.
            ValueError: If a setting is not valid.
            MissingExtraError: If Starlette is not installed.
        """
        if unknown := settings.keys() - SandboxSettings.__annotations__.keys():
            known = ", ".join(("seed", "start", *SandboxSettings.__annotations__))
            msg = f"there is no setting {', '.join(sorted(unknown))}; there are {known}"
            raise TypeError(msg)
        whole: SandboxSettings = {"accounts": 1, "meetings": 25, **settings}
        self.clock: Clock = Clock(start)
        self.sandbox: Sandbox = Sandbox(**whole, seed=seed, clock=self.clock.time, sleep=self.clock.sleep)
        self.calls: Calls = Calls(lambda: self.sandbox.requests)
        self._http = httpx.AsyncClient(transport=self.sandbox.transport(), trust_env=False)
        # S311: not a secret, and it must be repeatable by its seed.
        random = Random(f"{seed}/client").random  # noqa: S311
        self._time = TimeSource(
            now=lambda: self.clock.elapsed,
            wall=lambda: self.clock.now,
            sleep=self.clock.sleep,
            move_on_after=self.clock.move_on_after,
            random=random,
        )
        self._client: PyasClient | None = None

    @property
    def account_id(self) -> str:
        """The id of the first account."""
        return self.sandbox.account_ids[0]

    @property
    def client(self) -> PyasClient:
        """A client of the sandbox, bound to the first account; the same one every time."""
        if self._client is None:
            self._client = self.new_client(account_id=self.account_id)
        return self._client

    def new_client(
        self,
        api_key: str | Callable[[], Awaitable[str]] | None = None,
        *,
        max_connections: object = None,
        http_client: object = None,
        **options: Unpack[ClientOptions],
    ) -> PyasClient:
        """Make another client of the sandbox. It accepts the arguments of `PyasClient`, so it can stand in for it.

        Args:
            api_key: Default: the sandbox's key. A function may wait in real time.
            max_connections: Accepted and ignored: there are no connections.
            http_client: Accepted and ignored: requests go to the sandbox.
            options: See `PyasClient`.

        Raises:
            ConfigurationError: If an option is not valid.
        """
        del max_connections, http_client
        if options.get("base_url") is None:
            options["base_url"] = _ADDRESS
        key: str | Callable[[], Awaitable[str]] = self.sandbox.api_key if api_key is None else api_key
        if callable(key):
            key = self._without_deadlines(key)
        client = PyasClient(key, **options, http_client=self._http)
        client._session.use_clock(self._time)  # noqa: SLF001  (users of the client cannot set its clock)
        return client

    def _without_deadlines(self, fetch: Callable[[], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
        """Let no deadline pass while a key is fetched: to the clock, a wait in real time looks as if nothing ran."""

        async def awaited(result: Awaitable[str]) -> str:
            with self.clock.waiting_for_real():
                return await result

        def wrapped() -> Awaitable[str]:
            result = fetch()
            # If the result is not awaitable, the client raises the error.
            return awaited(result) if isinstance(result, Awaitable) else result

        return wrapped

    def close(self) -> None:
        """Close the sandbox: requests of clients fail from now on. `calls` keeps its requests."""
        self.sandbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The client is closed as well, so that calls that are still running end.
        if self._client is not None:
            await self._client.aclose()
        self.close()
