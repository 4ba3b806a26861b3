"""How calls are made: what a user can set."""

from collections.abc import Mapping

import attrs

from pyas_async._core.calls.retry import Limits
from pyas_async._runtime.timeouts import Timeouts
from pyas_async.options import Priority


@attrs.frozen(kw_only=True)
class CallOptions:
    """The options of calls; each view of a client has its own."""

    phases: Timeouts
    limits: Limits
    priority: Priority
    headers: Mapping[str, str] = attrs.field(repr=False)
    single_flight: bool = False

    def for_bulk(self) -> "CallOptions":
        """Return the same options for the calls of an iteration or a bulk run, which let single calls go first."""
        return attrs.evolve(self, priority="bulk", limits=attrs.evolve(self.limits, waits_excluded=True))
