"""The sections of the benchmarks: each measures some rows of the table of goals, and can be run alone."""

from __future__ import annotations

import attrs

from suite.peers import Where


@attrs.frozen
class Plan:
    """How a run is made.

    Attributes:
        where: The service.
        facts: The sizes of its answers in bytes.
        rounds: Rounds of each comparison.
        quick: Whether to measure less, for a first look.
    """

    where: Where
    facts: dict[str, int]
    rounds: int
    quick: bool

    def close(self) -> int:
        """Give the rounds of a comparison whose goal is within five percent of what is to be expected."""
        return self.rounds if self.quick else max(self.rounds, 15)
