"""`PyasClient`: the settings, and the views that share them."""

import copy
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pyas_async._core.calls import endpoints
from pyas_async._core.ratelimit.budget import RateBudget, RateLimitSnapshot
from pyas_async._public import public
from pyas_async._runtime import settings
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.http import HttpClient, HttpTimeout, Transport
from pyas_async._runtime.secrets.api_key import ApiKey
from pyas_async.accounts import Accounts
from pyas_async.errors import ConfigurationError
from pyas_async.meetings import Meetings
from pyas_async.options import UNSET, Priority, RetryPolicy, Unset

if TYPE_CHECKING:
    from pyas_async.events import Event


@public
class PyasClient:
    """The client: one for the whole application, on asyncio or trio.

    ::

        async with PyasClient() as client:  # the key from PYAS_API_KEY
            async for meeting in client.meetings.iter_all(account_id="acc"):
                print(meeting.start_time, meeting.topic)

    It opens connections when they are first needed, and closes them with `aclose` or at the end of ``async with``.

    Attributes:
        meetings: The calls about meetings.
        accounts: The calls about accounts.
    """

    meetings: Meetings
    accounts: Accounts

    def __init__(
        self,
        api_key: str | Callable[[], Awaitable[str]] | None = None,
        *,
        account_id: str | None = None,
        base_url: str | None = None,
        timeout: float | HttpTimeout | Unset | None = UNSET,
        deadline: float | Unset | None = UNSET,
        retry: RetryPolicy | Unset | None = UNSET,
        budget: RateBudget | None = None,
        priority: Priority = "interactive",
        single_flight: bool = False,
        max_connections: int | Unset = UNSET,
        page_token_ttl: float = settings.PAGE_TOKEN_TTL,
        http_client: HttpClient | None = None,
        on_event: "Callable[[Event], None] | None" = None,
    ) -> None:
        """Set the client up. Nothing is opened or sent.

        Args:
            api_key: The API key, or an async function that is asked for it before each request, since keys expire. Else
                ``PYAS_API_KEY`` from the environment.
            account_id: Whose meetings are meant where a call does not say. Else ``PYAS_ACCOUNT_ID``, if that is set.
            base_url: Where the service is. Else ``PYAS_BASE_URL``, else https://api.pyas.io. Plain http is taken to
                this machine alone.
            timeout: Seconds for one attempt, last byte included; 30 unless given. An `httpx.Timeout` bounds its phases
                as well. ``None``: no bound.
            deadline: Seconds for a whole call: waits, attempts, body; 90 unless given. For pages and other bulk calls,
                waits for the call budget do not count. ``None``: no bound.
            retry: How often a call is tried; `RetryPolicy` has the defaults. ``None``: once.
            budget: The calls that the key may spend; without one, the service's answers alone are heeded.
            priority: Who goes first when the call budget is short; iterations are always ``"bulk"``.
            single_flight: Let equal `meetings.get` calls that are under way at the same moment share one call of the
                API; `with_options` says what that means.
            max_connections: Connections at most; 100 unless given.
            page_token_ttl: Seconds that a page token lives.
            http_client: An `httpx.AsyncClient`, or an `httpx2.AsyncClient`, to send through. It is used as it is, and
                never closed.
            on_event: Told of everything that the client does. What it raises is logged, never passed on.

        Raises:
            ConfigurationError: If a setting is missing or cannot be.
        """
        try:
            key = ApiKey(_api_key(api_key))
        except ConfigurationError as error:
            raise error.with_traceback(None) from None
        finally:
            del api_key  # tracebacks show variables: that of the caller is theirs, this one and those below are ours
        if http_client is not None and max_connections is not UNSET:
            msg = "max_connections: not together with http_client=, whose pool is its own; set its limits there"
            raise ConfigurationError(msg)
        connections = settings.connections(settings.MAX_CONNECTIONS if max_connections is UNSET else max_connections)
        transport = Transport(settings.base_url(base_url), key, max_connections=connections, http_client=http_client)
        self._account_id = settings.from_environment("account_id", "PYAS_ACCOUNT_ID", account_id)
        self._page_token_ttl = settings.seconds("page_token_ttl", page_token_ttl)
        self._options = settings.change_options(
            settings.default_options(),
            timeout=timeout,
            deadline=deadline,
            retry=retry,
            priority=priority,
            single_flight=single_flight,
        )
        settings.check_parts(budget, http_client, on_event)
        self._session = Session(
            transport,
            key,
            budget=RateBudget() if budget is None else budget,
            clock=Clock(),
            on_event=on_event,
        )
        self._is_view = False
        self._bind()

    @property
    def rate_limit(self) -> RateLimitSnapshot:
        """The call budget as it stands now."""
        return self._session.rate_limit()

    def subscribe(self, on_event: "Callable[[Event], None]") -> Callable[[], None]:
        """Tell one more of everything that this client and its views do, beside the ``on_event`` of the constructor.

        A handler is called at once, in the task that does what it is told of, and should take no time. What it raises
        is logged, never passed on.

        Returns:
            A function that ends it.

        Raises:
            ConfigurationError: If it is no ordinary function.
        """
        settings.check_handler(on_event)
        return self._session.listen(on_event)

    def for_account(self, account_id: str) -> Self:
        """Give a view of this client that is bound to one connected account: no call on it needs to say whose.

        Views share the pool, the budget and everything else. Closing one does nothing.

        Raises:
            InvalidArgumentError: If it is no account id.
        """
        return self._view(_account_id=endpoints.account(account_id))

    def with_options(
        self,
        *,
        timeout: float | HttpTimeout | Unset | None = UNSET,
        deadline: float | Unset | None = UNSET,
        retry: RetryPolicy | Unset | None = UNSET,
        priority: Priority | Unset = UNSET,
        single_flight: bool | Unset | None = UNSET,
        headers: Mapping[str, str] | Unset | None = UNSET,
    ) -> Self:
        """Give a view of this client whose calls are made otherwise. What is not given stays; ``None`` switches off.

        Views share the pool, the budget and everything else. Closing one does nothing.

        Args:
            timeout: Seconds for one attempt, last byte included, or an `httpx.Timeout`.
            deadline: Seconds for a whole call.
            retry: How often a call is tried; ``None``: once.
            priority: Who goes first when the call budget is short.
            single_flight: Let equal `meetings.get` calls that are under way at the same moment share one call of the
                API, and its outcome: each gets the meeting, or an error of its own that says the same. Equal are calls
                on the same client or its views, of the same account and id, with all options the same. Whoever is
                cancelled leaves the others alone; the call ends with the last of them. Its deadline is that of the
                first, so nobody joins it after half of that time. A write to the same id through this client ends the
                sharing: what is asked for after a write began is not answered by what was asked for before, nor after
                it ended by what was asked for meanwhile. The number and the uuid of a meeting are different ids here:
                a write to the one does not end the sharing of the other.
            headers: Sent with every request; ``x-api-key``, ``host`` and what describes the body are refused.

        Raises:
            ConfigurationError: If a value cannot be.
        """
        try:
            options = settings.change_options(
                self._options,
                timeout=timeout,
                deadline=deadline,
                retry=retry,
                priority=priority,
                single_flight=single_flight,
                headers=headers,
            )
        except ConfigurationError as error:
            raise error.with_traceback(None) from None
        finally:
            del headers  # as in `__init__`: a header may be a secret
        return self._view(_options=options)

    async def aclose(self) -> None:
        """Close the connections. Calls under way fail with `ClientClosedError`; so do calls to come."""
        if not self._is_view:
            await self._session.aclose()

    async def __aenter__(self) -> Self:
        """Give the client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the client; a view stays as it is."""
        await self.aclose()

    def __repr__(self) -> str:
        """Show what the client is bound to, and nothing secret."""
        account_id = getattr(self, "_account_id", None)  # a traceback may show a client that is still being made
        bound = "" if account_id is None else f"account_id={account_id!r}"
        return f"{type(self).__name__}({bound})"

    def _view(self, **changes: object) -> Self:
        view = copy.copy(self)
        vars(view).update(changes, _is_view=True)
        view._bind()  # noqa: SLF001  (it is one of us)
        return view

    def _bind(self) -> None:
        self.meetings = Meetings(self._session, self._options, self._account_id, self._page_token_ttl)
        self.accounts = Accounts(self._session, self._options)


def _api_key(given: str | Callable[[], Awaitable[str]] | None) -> str | Callable[[], Awaitable[str]]:
    if given is not None and not isinstance(given, str):
        return given
    key = settings.from_environment("api_key", "PYAS_API_KEY", given)
    if key is None:
        msg = "api_key: there is none. Set the environment variable PYAS_API_KEY, or pass api_key="
        raise ConfigurationError(msg)
    return key
