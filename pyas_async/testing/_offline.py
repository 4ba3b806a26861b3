"""Everything that a test needs to do without the service: a sandbox, a clock for it, and clients of it."""

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

# Nothing is sent there: the transport leads to the sandbox. Error texts read as they do with the service.
_ADDRESS = "https://api.pyas.io"


class SandboxSettings(TypedDict, total=False):
    """How the sandbox behaves; `pyas_async.sandbox.Sandbox` says what each means."""

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
    expired_answer: str
    update_answer: Literal["meeting", "success", "empty", "no_content"]
    delete_answer: Literal["success", "empty", "no_content"]
    daily_writes: int | None
    keep_requests: int | None


class ClientOptions(TypedDict, total=False):
    """What a client can be told; `PyasClient` says what each means."""

    account_id: str | None
    base_url: str | None
    timeout: Any
    deadline: float | None
    retry: RetryPolicy | None
    budget: RateBudget | None
    priority: Priority
    single_flight: bool
    page_token_ttl: float
    on_event: Callable[[Event], None] | None


class Offline:
    """A service of one's own, in process, and clients of it whose time is the test's.

    ::

        with Offline(meetings=50, max_page_size=20) as pyas:
            pyas.sandbox.fail_next(503)
            rows = asyncio.run(my_code(pyas.client))
            pyas.calls.assert_made("meetings.list", times=4)

    Nothing is served on a socket, and nothing sleeps. It needs the extra ``pyas_async[sandbox]``.

    Attributes:
        sandbox: The service: its truth, its settings, and its faults.
        clock: The time of the sandbox and of all clients made here.
        calls: The requests that reached the sandbox.
    """

    def __init__(self, *, seed: int = 0, start: datetime = START, **settings: Unpack[SandboxSettings]) -> None:
        """Make the service; without settings, one account with 25 meetings.

        Args:
            seed: The same seed makes the same world, the same tokens and the same chance.
            start: The time that the clock shows at first; aware.
            settings: Any other of a `Sandbox`.

        Raises:
            TypeError: If there is no such setting.
            ValueError: If a setting cannot hold.
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
        # S311: no secret depends on it, and the same seed must repeat it.
        chance = Random(f"{seed}/client").random  # noqa: S311
        self._time = TimeSource(
            now=lambda: self.clock.elapsed,
            wall=lambda: self.clock.now,
            sleep=self.clock.sleep,
            move_on_after=self.clock.move_on_after,
            chance=chance,
        )
        self._client: PyasClient | None = None

    @property
    def account_id(self) -> str:
        """The id of the first account."""
        return self.sandbox.account_ids[0]

    @property
    def client(self) -> PyasClient:
        """A client of the sandbox, bound to the first account; always the same one."""
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
        """Make another client of the sandbox. It takes what `PyasClient` takes, so it can stand in for that.

        Args:
            api_key: The sandbox's unless given. A function may wait for real.
            max_connections: Taken, but there are no connections.
            http_client: Taken, but nothing goes through it.
            options: As for `PyasClient`.

        Raises:
            ConfigurationError: If an option cannot be.
        """
        del max_connections, http_client
        if options.get("base_url") is None:
            options["base_url"] = _ADDRESS
        key: str | Callable[[], Awaitable[str]] = self.sandbox.api_key if api_key is None else api_key
        if callable(key):
            key = self._fetching(key)
        client = PyasClient(key, **options, http_client=self._http)
        client._session.use_clock(self._time)  # noqa: SLF001  (users of the client have no clock to set)
        return client

    def _fetching(self, fetch: Callable[[], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
        """Let no deadline strike while a key is fetched: a wait for real looks as if nothing went on."""

        async def waited_for(coming: Awaitable[str]) -> str:
            with self.clock.waiting_for_real():
                return await coming

        def fetching() -> Awaitable[str]:
            coming = fetch()
            # Of what cannot be awaited, the client complains itself.
            return waited_for(coming) if isinstance(coming, Awaitable) else coming

        return fetching

    def close(self) -> None:
        """Close the sandbox: clients reach nobody any more. What is asked of `calls` stays."""
        self.sandbox.close()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    async def __aenter__(self) -> Self:
        """Give itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, and the client, so that calls under way end."""
        if self._client is not None:
            await self._client.aclose()
        self.close()
