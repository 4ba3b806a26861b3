"""The bounds of the phases of an attempt."""

from typing import Protocol

import attrs


class HttpTimeout(Protocol):
    """An `httpx.Timeout`, or an `httpx2.Timeout`: seconds for each phase, ``None`` for no bound."""

    @property
    def connect(self) -> float | None: ...
    @property
    def read(self) -> float | None: ...
    @property
    def write(self) -> float | None: ...
    @property
    def pool(self) -> float | None: ...


@attrs.frozen(kw_only=True)
class Timeouts:
    """Seconds for the phases of one attempt; ``None`` for no bound. The exchange bounds the whole attempt.

    Attributes:
        connect: For opening a connection.
        read: For each piece of the response.
        write: For each piece of the request.
        pool: For a connection of a passed client's pool.
        slot: For one of `max_connections` to be free. This wait comes before the attempt begins.
    """

    connect: float | None
    read: float | None
    write: float | None
    pool: float | None
    slot: float | None

    @classmethod
    def of(cls, timeout: float | HttpTimeout | None) -> tuple["Timeouts", float | None]:
        """Return the phases and the bound of the whole attempt for the user's setting."""
        if isinstance(timeout, (int, float)) or timeout is None:
            # Waiting for a connection ends a little before the attempt does, so that it is certain that nothing was
            # sent. The later phases are bounded by the whole: a bound for each step would cost more than the step.
            early = None if timeout is None else 0.95 * timeout
            return cls(connect=early, read=None, write=None, pool=early, slot=None), timeout
        phases = cls(
            connect=timeout.connect, read=timeout.read, write=timeout.write, pool=timeout.pool, slot=timeout.pool
        )
        bounds = (phases.connect, phases.read, phases.write, phases.pool)
        whole = None if None in bounds else sum(seconds for seconds in bounds if seconds is not None)
        return phases, whole

    def starting_within(self, seconds: float | None) -> "Timeouts":
        """Return the same, for a request that is useless if it has no connection within `seconds`."""
        if seconds is None:
            return self
        connect, pool = _sooner(self.connect, seconds), _sooner(self.pool, seconds)
        if connect == self.connect and pool == self.pool:  # the usual case: a token lives long
            return self
        return attrs.evolve(self, connect=connect, pool=pool)

    def extension(self) -> dict[str, float | None]:
        """Return them in the form of httpx's transports."""
        return {"connect": self.connect, "read": self.read, "write": self.write, "pool": self.pool}


def _sooner(bound: float | None, seconds: float) -> float:
    return seconds if bound is None else min(bound, seconds)
