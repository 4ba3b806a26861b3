"""The results of a run: figures, their goals, and the table of both."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

RATIO: Final = "ratio"
_UNITS: Final = {RATIO: 2, "ns": 0, "µs": 1, "ms": 2, "bytes": 0, "": 2}
"""The units of figures, and the digits after the decimal point shown of each."""


@attrs.frozen
class Figure:
    """One figure of a run, with a value for each round.

    Attributes:
        name: Its name in files, which begins with the name of its section.
        what: What was measured, in words.
        unit: The unit of its values; `RATIO` for a ratio.
        values: One for each round.
        goal: The goal of the median, such as ``("<=", 1.0)``; ``None`` if the figure is only for comparison.
    """

    name: str
    what: str
    unit: str = attrs.field(validator=attrs.validators.in_(_UNITS))
    values: list[float]
    goal: tuple[str, float] | None = None

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.values)

    @property
    def reached(self) -> bool | None:
        """Whether the median reaches the goal; ``None`` without a goal."""
        if self.goal is None:
            return None
        sign, bound = self.goal
        return self.median <= bound if sign == "<=" else self.median >= bound

    def document(self) -> dict[str, Any]:
        """Return the figure for the JSON file."""
        return {
            "name": self.name,
            "what": self.what,
            "unit": self.unit,
            "median": round(self.median, 4),
            "least": round(min(self.values), 4),
            "most": round(max(self.values), 4),
            "rounds": len(self.values),
            "goal": None if self.goal is None else list(self.goal),
            "reached": self.reached,
        }


def shown(value: float, unit: str) -> str:
    """Format a value with its unit."""
    text = f"{value:,.{_UNITS[unit]}f}"
    return f"{text}\N{MULTIPLICATION SIGN}" if unit == RATIO else f"{text} {unit}".rstrip()


def rows(documents: Sequence[dict[str, Any]]) -> list[tuple[str, str, str, str, str]]:
    """Return the table's rows: what, median, spread, goal, and whether the goal was reached."""
    found = []
    for figure in documents:
        unit, goal, least, most = figure["unit"], figure["goal"], figure["least"], figure["most"]
        spread = "" if figure["rounds"] == 1 else f"{shown(least, unit)} to {shown(most, unit)}"
        wanted = "" if goal is None else f"{goal[0]} {shown(goal[1], unit)}"
        verdict = {None: "", True: "reached", False: "missed"}[figure["reached"]]
        found.append((figure["what"], shown(figure["median"], unit), spread, wanted, verdict))
    return found


def lines(documents: Sequence[dict[str, Any]]) -> list[str]:
    """Return a table for the terminal."""
    table = [("", "median", "least to most", "goal", ""), *rows(documents)]
    wide = [max(len(row[column]) for row in table) for column in range(5)]
    return [
        f"{row[0]:{wide[0]}}  {row[1]:>{wide[1]}}  {row[2]:>{wide[2]}}  {row[3]:>{wide[3]}}  {row[4]}".rstrip()
        for row in table
    ]
