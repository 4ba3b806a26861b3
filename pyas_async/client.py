"""`PyasClient`: the client's settings, and the views that share its connections and budget."""

import copy
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pyas_async._core.calls import endpoints
from pyas_async._core.ratelimit.budget import RateBudget, RateLimitSnapshot
from pyas_async._public import explains, public
from pyas_async._runtime import settings
from pyas_async._runtime.attempts import HttpClient, Sender
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.secrets.api_key import ApiKey
from pyas_async._runtime.timeouts import HttpTimeout
from pyas_async.accounts import Accounts
from pyas_async.errors import ConfigurationError
from pyas_async.meetings import Meetings
from pyas_async.options import UNSET, Priority, RetryPolicy, Unset

if TYPE_CHECKING:
    from pyas_async.events import Event


@public
@explains(
    block="a client is opened with `async with PyasClient(…) as client:`, inside an `async def`",
    wait="a client is not awaited: write `async with PyasClient(…) as client:`, or `client = PyasClient(…)` and, at "
    "the end, `await client.aclose()`",
)
class PyasClient:
    """The client. Make one for the whole application; it runs on asyncio and on trio.

    ::

        async with PyasClient() as client:  # the key from PYAS_API_KEY
            async for meeting in client.meetings.iter_all(account_id="acc"):
                print(meeting.start_time, meeting.topic)

    It opens connections when it first needs them, and closes them in `aclose` or at the end of ``async with``.

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
        date_format: str | None = None,
        insecure_http: bool = False,
        http_client: HttpClient | None = None,
        on_event: "Callable[[Event], None] | None" = None,
    ) -> None:
        """Set up the client. Nothing is opened or sent yet.

        Args:
            api_key: The API key, or an async function that returns it; the client calls the function before each
                request, since keys expire. Default: ``PYAS_API_KEY`` from the environment.
            account_id: The account that a call is about if the call does not name one. Default: ``PYAS_ACCOUNT_ID``
                from the environment, if set.
            base_url: The service's URL. Default: ``PYAS_BASE_URL``, then https://api.pyas.io. Plain http is allowed
                for this machine only, unless ``insecure_http`` says otherwise.
            timeout: Seconds for one attempt, up to the last byte of the response; default 30. An `httpx.Timeout` also
                bounds its phases. ``None``: no bound.
            deadline: Seconds for a whole call, with its waits, attempts and response bodies; default 90. For pages and
                other bulk calls, waits for the call budget do not count. ``None``: no bound.
            retry: How often a call is tried; see `RetryPolicy` for the defaults. ``None``: once.
            budget: How many calls the key may spend. Without a budget, the client follows the service's responses only.
            priority: Which calls go first when the call budget is short. Iterations are always ``"bulk"``.
            single_flight: Share one API call between equal `meetings.get` calls that run at the same time; see
                `with_options`.
            max_connections: The maximum number of connections; default 100. With ``http_client``, the maximum number of
                requests at once through it, or what its own pool allows, if that is less.
            page_token_ttl: Seconds until a page token expires.
            date_format: How the filters of listings write a day, as for `datetime.date.strftime`. Default:
                ``PYAS_DATE_FORMAT`` from the environment, then ``"%m-%d-%Y"``: the service's documentation does not say
                which it is.
            insecure_http: Allow plain http to other hosts, for a sandbox in another container or on another machine.
                Everyone on the way can then read the API key and all meetings, so never use it with a real key. The
                client logs a warning. Default: ``PYAS_INSECURE_HTTP``, where 1 means yes.
            http_client: An `httpx.AsyncClient` or an `httpx2.AsyncClient` to send requests through. It is used as it
                is, and never closed. The cookies of its jar are not sent, and plain http through a proxy is refused.
            on_event: A function that is called with every event of the client. What it raises is logged and does not
                reach the caller, except `KeyboardInterrupt` and `SystemExit`.

        Raises:
            ConfigurationError: If a setting is missing or not valid.
        """
        try:
            key = ApiKey(_api_key(api_key))
        except ConfigurationError as error:
            raise error.with_traceback(None) from None
        finally:
            del api_key  # tracebacks show local variables, so ours must hold no secret
        connections = settings.connections(settings.MAX_CONNECTIONS if max_connections is UNSET else max_connections)
        insecure_http = settings.allow_insecure_http(insecure_http)
        address = settings.base_url(base_url, insecure_http=insecure_http)
        sender = Sender(address, key, max_connections=connections, http_client=http_client)
        self._account_id = settings.account_id(account_id)
        self._page_token_ttl = settings.seconds("page_token_ttl", page_token_ttl)
        self._date_format = settings.date_format(date_format)
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
            sender,
            key,
            budget=RateBudget() if budget is None else budget,
            clock=Clock(),
            on_event=on_event,
        )
        self._is_view = False
        self._bind()

    @property
    def rate_limit(self) -> RateLimitSnapshot:
        """The current state of the call budget."""
        return self._session.rate_limit()

    def subscribe(self, on_event: "Callable[[Event], None]") -> Callable[[], None]:
        """Add an event handler for this client and its views, next to the constructor's ``on_event``.

        The client calls the handler synchronously, in the task that the event is about, so the handler must be quick.
        What it raises is logged and does not reach the caller, except `KeyboardInterrupt` and `SystemExit`.

        Returns:
            A function that removes the handler.

        Raises:
            ConfigurationError: If the handler is not an ordinary (synchronous) function.
        """
        settings.check_handler(on_event)
        return self._session.events.subscribe(on_event)

    def for_account(self, account_id: str) -> Self:
        """Return a view of this client that is bound to one connected account, so that its calls need no `account_id`.

        Views share the connections, the budget and everything else. Closing a view does nothing.

        Raises:
            InvalidArgumentError: If it is not a valid account id.
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
        date_format: str | Unset | None = UNSET,
    ) -> Self:
        """Return a view of this client with other options. Options that are left out stay; ``None`` switches one off.

        Views share the connections, the budget and everything else. Closing a view does nothing.

        Args:
            timeout: Seconds for one attempt, up to the last byte of the response, or an `httpx.Timeout`.
            deadline: Seconds for a whole call.
            retry: How often a call is tried; ``None``: once.
            priority: Which calls go first when the call budget is short.
            single_flight: Share one API call between equal `meetings.get` calls that run at the same time. Each of them
                gets the same outcome: the meeting, or its own copy of the error. Calls are equal if they are made on
                the same client or its views, for the same account and id, with the same options. Cancelling one caller
                does not affect the others; the shared call is cancelled when its last caller is. The shared call has
                the deadline of the first caller, so no caller joins after half of that time. A write to the same id
                through this client ends the sharing: a get that starts after the write began never uses the response of
                a get from before the write, and a get that starts after the write ended never uses that of a get from
                during the write. A meeting's number and its uuid are different ids here: a write to one does not end
                the sharing for the other.
            headers: Headers to send with every request. Refused are ``x-api-key``, ``host``, headers that describe the
                body (``Content-…``), headers about the connection (such as ``Connection``, ``Transfer-Encoding``,
                ``Expect``, ``Upgrade``, ``TE`` and ``Proxy-…``), and headers that replace the method or the path (such
                as ``X-HTTP-Method-Override``). Case does not matter, and underscores count as hyphens.
            date_format: How the filters of listings write a day; ``None``: as for a new client.

        Raises:
            ConfigurationError: If a value is not valid.
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
        form = self._date_format if date_format is UNSET else settings.date_format(date_format)
        return self._view(_options=options, _date_format=form)

    async def aclose(self) -> None:
        """Close the connections. Calls that are running, and later ones, fail with `ClientClosedError`."""
        if not self._is_view:
            await self._session.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        account_id = getattr(self, "_account_id", None)  # a traceback may show a client whose __init__ still runs
        bound = "" if account_id is None else f"account_id={account_id!r}"
        return f"{type(self).__name__}({bound})"

    def _view(self, **changes: object) -> Self:
        view = copy.copy(self)
        vars(view).update(changes, _is_view=True)
        view._bind()  # noqa: SLF001 -- a view is an instance of this class
        return view

    def _bind(self) -> None:
        self.meetings = Meetings(
            self._session,
            self._options,
            self._account_id,
            page_token_ttl=self._page_token_ttl,
            date_format=self._date_format,
        )
        self.accounts = Accounts(self._session, self._options)


def _api_key(given: str | Callable[[], Awaitable[str]] | None) -> str | Callable[[], Awaitable[str]]:
    if given is not None and not isinstance(given, str):
        return given
    key = settings.from_environment("api_key", "PYAS_API_KEY", given)
    if key is None:
        msg = "api_key: there is none. Set the environment variable PYAS_API_KEY, or pass api_key="
        raise ConfigurationError(msg)
    return key
