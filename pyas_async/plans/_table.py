"""Estimates as a text table."""

from collections.abc import Iterable
from typing import Final

from pyas_async.plans._estimate import Estimate, format_repeats

_HEADS: Final = ("plan", "calls", "time", "windows", "repeats a day", "month", "verdict")
_WORDS: Final = ("plan", "verdict")
"""Columns of text. The others are numbers and aligned to the right."""


def table(estimates: Iterable[Estimate]) -> str:
    """Format estimates as an aligned table: a heading, a line per estimate, and no line end after the last.

    The columns: the plan; the calls of a run; the time until its last response; its calls in windows' worth; the
    maximum number of runs a day; calls a month, and their share of the month's calls; whether it fits, or why not.
    """
    rows = [_HEADS, *map(_cells, estimates)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.ljust(width) if head in _WORDS else cell.rjust(width)
            for head, cell, width in zip(_HEADS, row, widths, strict=True)
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _cells(estimate: Estimate) -> tuple[str, ...]:
    month = f"{estimate.month_calls:,}"
    if estimate.month_share is not None:
        month += f" ({estimate.month_share:,.0%})"
    return (
        estimate.plan.name,
        f"{estimate.calls:,}",
        duration(estimate.seconds),
        "<0.01" if estimate.used < 0.01 else f"{estimate.used:,.2f}",
        format_repeats(estimate.repeats),
        month,
        "fits" if estimate.fits else "; ".join(estimate.reasons),
    )


def duration(seconds: float) -> str:
    """Format a duration in its two largest units; below 10 s with one decimal."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if (whole := round(seconds)) < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s"
    if (minutes := round(seconds / 60)) < 1_440:
        return f"{minutes // 60} h {minutes % 60} min"
    hours = round(seconds / 3_600)
    return f"{hours // 24:,} d {hours % 24} h"
