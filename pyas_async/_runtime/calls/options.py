"""How calls are made: what a user can set."""

from collections.abc import Mapping

import attrs

from pyas_async._core.calls.retry import Limits
from pyas_async._runtime.timeouts import Timeouts
from pyas_async.options import Priority

_MIN_SECRET = 8
"""The value of a header that the user has set is masked if it has at least this many characters. A shorter one is more
likely a word that also occurs in other texts."""


@attrs.frozen(kw_only=True)
class CallOptions:
    """The options of calls; each view of a client has its own."""

    phases: Timeouts
    limits: Limits
    priority: Priority
    headers: Mapping[str, str] = attrs.field(repr=False)
    single_flight: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values of the user's headers that are masked in texts: those that are not too short."""
        return tuple(value for value in self.headers.values() if len(value) >= _MIN_SECRET) if self.headers else ()

    def for_bulk(self) -> "CallOptions":
        """Return the same options for the calls of an iteration or a bulk run, which let single calls go first."""
        return attrs.evolve(self, priority="bulk", limits=attrs.evolve(self.limits, waits_excluded=True))
