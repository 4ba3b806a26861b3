"""How calls are made, as far as their user says."""

from collections.abc import Mapping

import attrs

from pyas_async._core.calls.exchange import Limits
from pyas_async._runtime.http.timeouts import Timeouts
from pyas_async.options import Priority


@attrs.frozen(kw_only=True)
class CallOptions:
    """How calls are made; each view of a client has its own."""

    phases: Timeouts
    limits: Limits
    priority: Priority
    headers: Mapping[str, str] = attrs.field(repr=False)
    single_flight: bool = False

    def for_bulk(self) -> "CallOptions":
        """Give the same options for the calls of an iteration, which let single calls go first."""
        return attrs.evolve(self, priority="bulk", limits=attrs.evolve(self.limits, patient=True))
