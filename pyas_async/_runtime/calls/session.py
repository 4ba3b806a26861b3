"""Makes all calls of a client and of its views."""

from collections.abc import Callable, Coroutine
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from pyas_async._core.calls.messages import Call
from pyas_async._core.ratelimit.budget import RateBudget, RateLimitSnapshot
from pyas_async._runtime.attempts import Sender
from pyas_async._runtime.calls.execution import Execution, Listing
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.resources import CallResources
from pyas_async._runtime.calls.single_flight import SingleFlight
from pyas_async._runtime.calls.unsent import UnsentCall
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.events import CallTrace, EventEmitter
from pyas_async._runtime.secrets.api_key import ApiKey
from pyas_async._runtime.secrets.log_filter import install_log_filter
from pyas_async.events import Event

if TYPE_CHECKING:
    from pyas_async._core.reconcile.creations import Creations

T = TypeVar("T")


class Session:
    """Makes the calls of a client: the one way in which anything is sent.

    Attributes:
        resources: What all calls share.
        events: Where the client's events go.
    """

    def __init__(
        self,
        sender: Sender,
        key: ApiKey,
        *,
        budget: RateBudget,
        clock: Clock,
        on_event: Callable[[Event], None] | None,
    ) -> None:
        """Put the parts together; no connection is opened yet."""
        self.resources: CallResources = CallResources(sender, key, budget, clock)
        self.events: EventEmitter = self.resources.events
        self._single_flight = SingleFlight(self._make)
        if on_event is not None:
            self.events.subscribe(on_event)
        install_log_filter()

    @property
    def clock(self) -> Clock:
        """The clock of the client."""
        return self.resources.clock

    @cached_property
    def creations(self) -> "Creations":
        """The creates of this client that are in flight or ended not long ago."""
        from pyas_async._core.reconcile.creations import Creations  # noqa: PLC0415 -- many programs only read

        return Creations()

    async def aclose(self) -> None:
        """Close the connections. Calls in flight fail; later calls are refused."""
        await self.resources.aclose()
        await self._single_flight.wait_ended()
        self.events.flush()

    def rate_limit(self) -> RateLimitSnapshot:
        """Return the state of the call budget."""
        return self.resources.limiter.budget.snapshot(self.clock.now(), self.clock.wall())

    def use_clock(self, clock: Clock) -> None:
        """Replace the clock, as tests do; only before the first call."""
        self.resources.use_clock(clock)

    def update_listing(self, listing: Listing, expires_at: float | None, *, pages: int = 1) -> None:
        """Note when the page token of a listing expires (``None``: it has none), and how many pages are left."""
        self.resources.limiter.update_listing(listing, expires_at, pages=pages)

    def end_listing_with(self, owner: object, listing: Listing) -> None:
        """End a listing when the object that asks for its pages is garbage collected."""
        self.resources.limiter.end_listing_with(owner, listing)

    async def pause(self, seconds: float) -> None:
        """Sleep until the time has passed or the client is closed."""
        await self.resources.pause(seconds)

    def run(
        self,
        call: Call[T],
        options: CallOptions,
        trace: CallTrace | None = None,
        *,
        listing: Listing | None = None,
        on_wire: Callable[[], None] | None = None,
        unsent: UnsentCall | None = None,
    ) -> Coroutine[Any, Any, T]:
        """Make a call and return its value; the arguments are those of `Execution`.

        Raises:
            PyasError: What ended the call.
        """
        trace = CallTrace() if trace is None else trace
        if call.meeting_id is not None and options.single_flight and not call.writes:
            run: Callable[[], Coroutine[Any, Any, T]] = partial(self._run_shared, call, options, trace)
        elif call.writes:
            run = partial(self._write, Execution(self.resources, call, options, trace, unsent=unsent), call.path)
        else:
            run = Execution(self.resources, call, options, trace, listing=listing, on_wire=on_wire, unsent=unsent).run
        # The coroutine of the call is made by the one that awaits it: a task may be cancelled before its first step.
        return self.events.run_call(call, trace, run) if self.events.has_handlers else run()

    async def _make(self, call: Call[T], options: CallOptions, trace: CallTrace) -> T:
        return await Execution(self.resources, call, options, trace).run()

    async def _run_shared(self, call: Call[T], options: CallOptions, trace: CallTrace) -> T:
        self.resources.check_usable()
        return await self._single_flight.run(call, options, trace, now=self.clock.now())

    async def _write(self, execution: Execution[T], path: str) -> T:
        # A caller that reads after a write must not get the result of a read that began before the write began or
        # ended.
        self._single_flight.stop_sharing(path)
        try:
            return await execution.run()
        finally:
            self._single_flight.stop_sharing(path)
