"""Writes ``docs/faults.md`` from the table: ``python3 noxfile.py -s pages``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from faults.endings import AGAIN, READS
from faults.table import TABLE
from pyas_async import APIStatusError, RateLimitError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.endings import Ending
    from faults.fault import Fault

FILE = Path(__file__).parent.parent.parent / "docs" / "faults.md"
COLUMNS = (READS, ("create",), AGAIN)
LEAD = """\
# What becomes of a call when something goes wrong

Look for what happened to you in the first column, and for your call in the others.

- *answered*: the call returns, after one request.
- Everything else is what it raises if the fault happens **every time**.
  A number of requests, or of attempts where no request gets through, says that the call was tried again:
  a fault that is over by then is not seen at all, and the call returns.
  No number is one.
- Of a write, the second word is the error's `write_state`.
  *not_sent* and *rejected*: nothing was done; send it again when what the error speaks of is put right.
  *done*: it was carried out, and its answer alone is lost.
  *unknown*: nobody can tell.
  Look before you do it again, or let `create` look:
  [`on_unknown="reconcile"`](cookbook.md#a-create-that-was-not-answered).
- Requests are counted with the default settings: four attempts, 30 s for each, and 90 s for the whole call.
  So there is time for three that are not answered.

What holds in every row:

- The client goes on.
  When the fault has passed, the next call gets the answer to its own question, at its first request.
- No call waits beyond its `deadline`: a wait that would is not begun, and the call fails at once.
  Pages of a listing and bulk calls wait for the call budget as long as it takes,
  but no answer makes anybody wait for more than an hour.
- All retries of a client share a quota, which runs out when the service fails everybody:
  10,000 calls make at most 11,000 requests.
- An answer has 16 MiB at most, decompressed, and is put together within that:
  a bomb takes no more memory than any other answer that is too large.
- An error's status speaks for itself, also where its body is cut, stalls, or cannot be read.
- A redirect is not followed, so the key does not go there.
  After 307 and 308 a write was surely not carried out; the others may follow on one that was.
- Whoever asks for a meeting by number gets that meeting.
  An answer about another one belongs to another question: it is a `DecodeError`, for an update an *unknown* one.
  By uuid nothing is compared, since every instance of a meeting has its own.

The tests hold this page: a service on a raw socket does each of these things to each of the five calls,
on asyncio and trio, through the client's own connections, and to three of them through an injected client of httpx2's.
The rows come from `tests/faults/table.py`, and `python3 noxfile.py -s pages` writes this page anew.
"""


def page() -> str:
    """Write the page."""
    return "\n".join([LEAD, *(line for title, faults in TABLE.items() for line in _section(title, faults))])


def _section(title: str, faults: tuple[Fault, ...]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield f"| what happens | {' | '.join(', '.join(f'`{call}`' for call in calls) for calls in COLUMNS)} |"
    yield "|---|---|---|---|"
    for fault in faults:
        yield f"| {fault.name} | {' | '.join(_cell(fault, calls) for calls in COLUMNS)} |"
    yield ""


def _cell(fault: Fault, calls: tuple[str, ...]) -> str:
    """Say how calls end: once if they end alike, else each by its name."""
    words = {call: _words(fault.endings[call]) for call in calls}
    if len(set(words.values())) == 1:
        return words[calls[0]]
    return "; ".join(f"`{call}`: {ending}" for call, ending in words.items())


def _words(ending: Ending) -> str:
    if ending.error is None:
        return "answered"
    parts = [f"`{ending.error.__name__}`"]
    if ending.error is APIStatusError:
        parts[0] += f" ({ending.status})"
    if ending.state is not None:
        parts.append(f"*{ending.state}*")
    if ending.error is RateLimitError:
        parts.append(f'scope "{ending.scope}"')
        if ending.retry_after is not None:
            parts.append(f"free again in {ending.retry_after:,} s")
    if ending.attempts > 1:
        parts.append(f"{ending.attempts} {'requests' if ending.requests else 'attempts'}")
    return ", ".join(parts)


if __name__ == "__main__":
    FILE.write_text(page(), "utf-8")
