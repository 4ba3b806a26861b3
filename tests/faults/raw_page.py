"""Writes ``docs/raw-answers.md`` from the table: ``python3 noxfile.py -s pages``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from faults.raw import N
from faults.raw_answers import ROWS, TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from faults.raw import Next, RawAnswer, Reading

FILE = Path(__file__).parent.parent.parent / "docs" / "raw-answers.md"
LEAD = f"""\
# How HTTP answers are read

The client reads HTTP/1.1 answers as [httpx](https://www.python-httpx.org) does, or more strictly.
This page lists {len(ROWS)} answers, most of them invalid, and what both make of each.

The client is stricter only where two readers of the same bytes can disagree about where an answer ends.
A proxy or a service that sends such bytes can make one call receive the answer to another (response smuggling).
The last column gives the reason.

- The first column names what is special about the answer.
  Everything else in it is valid: the status 200, a meeting as the body, and its length.
  The length is N, {N} bytes.
- The second column is what `httpx.AsyncClient` reads: the status, and the exception if it refuses the answer.
  *Id* is the value of the header `X-Request-Id`, with its bytes read as Latin-1.
- The third column is how `client.meetings.get` ends: *answered*, or with an error.
  The client repeats reads after a `TransportError`; [the table of faults](faults.md) lists what becomes of each call.
- *Kept* means that the next call reuses the connection, *closed* that it opens another one.
  In every row, the client's next call gets its own answer.
  "Next call gets the stray answer" means that httpx returns the bytes after the answer to the next call.

It does not matter how the network divides an answer: each row ends in the same way in pieces of three bytes.
Tests check this page with stock httpx and with the client, on asyncio and trio.
The rows come from `tests/faults/raw_answers.py`, and `python3 noxfile.py -s pages` writes this page.
"""
NEXT: Mapping[Next, str] = {
    "reused": "kept",
    "new": "closed",
    "wrong": "kept, **next call gets the stray answer**",
    "fails": "kept, next call fails",
}


def page() -> str:
    """Return the page's text."""
    return "\n".join([LEAD, *(line for title, rows in TABLE.items() for line in _section(title, rows))])


def _section(title: str, rows: tuple[RawAnswer, ...]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield "| the answer | httpx | this client | why it is stricter |"
    yield "|---|---|---|---|"
    for row in rows:
        ours = row.ending if row.ending == "answered" else f"`{row.ending}`"
        cells = (
            row.name,
            f"{_words(row.httpx)}; {NEXT[row.httpx_next]}",
            f"{ours}; {NEXT[row.ours_next]}",
            row.reason,
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _words(reading: Reading) -> str:
    if reading.error is not None:
        return f"`{reading.error}`"
    words = f"{reading.status}"
    if not reading.body:
        words += ", no body"
    if reading.request_id is not None:
        # `repr` escapes the control characters.
        words += f", id `{repr(reading.request_id)[1:-1]}`" if reading.request_id else ", empty id"
    return words


if __name__ == "__main__":
    FILE.write_text(page(), "utf-8")
