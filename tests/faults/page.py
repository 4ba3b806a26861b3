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

Find the fault in the first column, and your call in the other columns.

- *answered*: the call returns, after one request.
- Any other cell names the error that the call raises if the fault happens **every time**.
  If the client retries the call, the cell gives the number of requests,
  or of attempts if no request reaches the service.
  If the fault has passed before the last attempt, the call returns as usual.
  Without a number, there is one request.
- For a write, the second word is the error's `write_state`:
  - *not_sent* and *rejected*: nothing was done. Send the write again once the cause of the error is removed.
  - *done*: the write was carried out, and only its response is lost.
  - *unknown*: the write may or may not have been carried out.
    Check before you repeat it, or let `create` check:
    [`on_unknown="reconcile"`](cookbook.md#a-create-that-was-not-answered).
- Requests are counted with the default settings: four attempts, 30 s for each, and 90 s for the whole call.
  So if no request gets a response, there is time for three.

These rules hold in every row:

- The client stays usable.
  When the fault has passed, the next call gets its own response at its first request.
- No call waits beyond its `deadline`: if a wait would end after the deadline, the call fails at once.
  Pages of a listing and bulk calls wait for the call budget as long as it takes,
  but no response makes a call wait for more than an hour.
- All retries of a client share a quota.
  If the service fails for every call, the quota runs out: 10,000 calls make at most 11,000 requests.
- The client reads at most 16 MiB of a response, counted after decompression, and stops decompressing there:
  a gzip bomb takes no more memory than any other response that is too large.
- The status of an error response counts, even if its body is cut off, stalls, or cannot be read.
- The client does not follow redirects, so the key is not sent to another host.
  After 307 and 308 a write was certainly not carried out; after the others it may have been.
- A call that names a meeting by number returns that meeting.
  A response about another meeting belongs to another request: the call raises `DecodeError`,
  for an update with the state *unknown*.
  If the call names a uuid, the client does not compare, since every instance of a meeting has its own uuid.

Tests check this page: a service on a raw socket causes each fault for each of the five calls,
on asyncio and trio, through the client's own connections, and for three of the calls through an injected httpx2 client.
The rows come from `tests/faults/table.py`, and `python3 noxfile.py -s pages` writes this page.
"""


def page() -> str:
    """Return the page's text."""
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
    """Describe how the calls of a column end: in one phrase if they end alike, otherwise one by one."""
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
            parts.append(f"`retry_after` {ending.retry_after:,} s")
    if ending.attempts > 1:
        parts.append(f"{ending.attempts} {'requests' if ending.requests else 'attempts'}")
    return ", ".join(parts)


if __name__ == "__main__":
    FILE.write_text(page(), "utf-8")
