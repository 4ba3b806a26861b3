"""The sections of the benchmarks: each measures some rows of the table of goals, and can be run alone."""

from __future__ import annotations

import attrs

from suite.peers import Where


@attrs.frozen
class Plan:
    """The settings of a run.

    Attributes:
        where: The service.
        facts: The sizes of its responses in bytes.
        rounds: Rounds of each comparison.
        quick: Whether to measure less, for a first impression.
    """

    where: Where
    facts: dict[str, int]
    rounds: int
    quick: bool

    def close(self) -> int:
        """Return the rounds of a comparison whose goal is within five percent of the expected value."""
        return self.rounds if self.quick else max(self.rounds, 15)
