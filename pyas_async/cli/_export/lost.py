"""The values that a format cannot hold: each costs its own cell, and the user is told."""

from collections import Counter
from typing import Final

from pyas_async.cli._output import plural

_NAMED: Final = 3
"""The values that the message names; of the others, it only tells the number."""


class LostValues:
    """Counts the values that are left out of a file, because its format cannot hold them."""

    def __init__(self, holder: str) -> None:
        """Begin with none.

        Args:
            holder: The format, as the message names it.
        """
        self._holder = holder
        self._number = 0
        self._first = Counter[str]()

    def add(self, column: str, meeting_id: int) -> None:
        """Count the value of a column in the row of a meeting."""
        self._number += 1
        name = f"{column} of meeting {meeting_id}"
        if len(self._first) < _NAMED or name in self._first:
            self._first[name] += 1

    @property
    def note(self) -> str:
        """What to tell the user; empty if no value was lost."""
        if not self._number:
            return ""
        more = self._number - self._first.total()
        names = ", ".join(self._first) + (f", and {plural(more, 'more value')}" if more else "")
        verb = "was" if self._number == 1 else "were"
        return (
            f"pyas: warning: {plural(self._number, 'value')} {verb} left out, since {self._holder} cannot hold "
            f"{'it' if self._number == 1 else 'them'}: {names}. JSON lines and CSV hold every value."
        )
