"""List every meeting exactly once, although page tokens expire during the listing.

The program starts the sandbox in its own process, creates, changes and deletes one meeting, and lists all meetings of
several accounts at once. Page tokens expire after one second here. One consumer pauses for longer than that, and one
makes the service forget its tokens. At the end, the program compares the rows with the sandbox's database, which it
opens directly. The exit code is 0 only if everything agrees, and at least one token expired.

It needs ``pyas_async[sandbox]`` and ``rich``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import anyio.to_thread
import httpx
from rich import box
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from pyas_async import ListingRestarted, MeetingCreate, MeetingUpdate, NotFoundError, PyasClient, PyasError, to_dict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence

    from pyas_async import Event, Meeting, MeetingIterator

# Each consumer works for `WORK` seconds on every `BATCH` rows.
BATCH: Final = 50
WORK: Final = 0.04

console = Console(highlight=False)
# Wrap lines for a terminal, but not for a pipe, since programs read it line by line.
say = partial(console.print, markup=False, soft_wrap=not console.is_terminal)


@dataclass(frozen=True)
class Service:
    """What the sandbox prints when it is ready."""

    url: str
    api_key: str
    account_ids: list[str]
    db: str


@dataclass(frozen=True)
class Listing:
    """The listing of one account, the rows so far, and the incidents, by the number of rows after which they happen."""

    name: str
    iterator: MeetingIterator
    rows: list[Meeting] = field(default_factory=list)
    incidents: dict[int, Callable[[], Awaitable[None]]] = field(default_factory=dict)


@contextmanager
def sandbox(options: argparse.Namespace, folder: Path) -> Generator[Service]:
    """Run the sandbox on a free port until the context ends."""
    # -P: use the installed package, not one that happens to be in the working directory.
    command = [sys.executable, "-P", "-m", "pyas_async.sandbox", "--port=0", "--latency=0.05", f"--db={folder / 'db'}"]
    command += [f"--accounts={options.accounts}", f"--meetings={options.meetings}", f"--token-ttl={options.token_ttl}"]
    # Its errors go to a file: a pipe that is not read would block the sandbox once it is full.
    log = folder / "log"
    with log.open("w") as errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process:
        try:
            line = process.stdout.readline() if process.stdout else b""
            if not line:
                sys.exit(f"The sandbox did not start:\n{log.read_text().strip()}")
            yield Service(**json.loads(line))
        finally:
            process.kill()  # its data is not kept, so it need not shut down cleanly


def documents(service: Service, account_id: str, meeting_id: int | None = None) -> list[dict[str, Any]]:
    """Read rows from the sandbox's database, without the service and the SDK."""
    sql = "SELECT document FROM rows WHERE account_id = :account AND (:id IS NULL OR id = :id)"
    with closing(sqlite3.connect(f"{Path(service.db).as_uri()}?mode=ro", uri=True)) as database:
        return [json.loads(text) for (text,) in database.execute(sql, {"account": account_id, "id": meeting_id})]


def note(event: Event) -> None:
    """Print a line for each page token that expired; the table shows the rest."""
    if isinstance(event, ListingRestarted):
        why = "grew too old to be tried" if event.reason == "age" else "was refused by the service"
        say(f"{event.account_id:.6}: the page token {why}, at row {event.yielded:,}. Restarting.", style="yellow")


async def try_one_meeting(client: PyasClient, service: Service, account_id: str) -> list[str]:
    """Create, read, change and delete a meeting; return the differences from what the service and the database have."""
    meetings, faults = client.for_account(account_id).meetings, list[str]()
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)

    async def check(step: str, *wanted: tuple[str, datetime, int]) -> None:
        try:
            read = await meetings.get(created.id)
            served = [(read.topic, read.start_time, read.duration)]
        except NotFoundError:
            served = []
        rows = await anyio.to_thread.run_sync(documents, service, account_id, created.id)
        stored = [(row["topic"], datetime.fromisoformat(row["start_time"]), row["duration"]) for row in rows]
        for place, found in (("service", served), ("database", stored)):
            if found != list(wanted):
                faults.append(f"the meeting, {step}: the {place} has {found}, expected {list(wanted)}")

    created = await meetings.create(MeetingCreate("First run", start))
    await check("created", ("First run", start, 30))
    await meetings.update(created.id, MeetingUpdate(title="First run, longer", duration=45))
    await check("changed", ("First run, longer", start, 45))
    await meetings.delete(created.id)
    await check("deleted")
    say(f"{account_id:.6}: meeting {created.id} was created, read, changed and deleted.")
    return faults


async def read(listing: Listing) -> None:
    """Consume the rows of one listing, and do a little work on them."""
    async for meeting in listing.iterator:
        listing.rows.append(meeting)
        count = len(listing.rows)
        if count % BATCH == 0:
            await anyio.sleep(WORK)
        if incident := listing.incidents.get(count):
            await incident()
    say(f"{listing.name}: done, {len(listing.rows):,} rows.", style="green")


async def pause(name: str, seconds: float) -> None:
    """Wait until a page token has expired. The client knows the token's age, and does not spend a call on it."""
    say(f"{name}: the consumer pauses for {seconds:g} s.")
    await anyio.sleep(seconds)


async def forget_tokens(name: str, url: str) -> None:
    """Make the service forget its page tokens. The client notices only when the service refuses a token."""
    (await anyio.to_thread.run_sync(httpx.post, f"{url}/_sandbox/expire_tokens")).raise_for_status()
    say(f"{name}: the service has forgotten all page tokens.")


async def work(service: Service, options: argparse.Namespace) -> tuple[list[Listing], list[str]]:
    """Do the job with one client; return the listings, and the faults found with the one meeting."""
    url, ttl, size = service.url, options.token_ttl, options.meetings
    async with PyasClient(service.api_key, base_url=url, page_token_ttl=ttl, on_event=note) as client:
        faults = await try_one_meeting(client, service, service.account_ids[0])
        listings = [Listing(id_[:6], client.meetings.iter_all(account_id=id_)) for id_ in service.account_ids]
        first, last = listings[0], listings[-1]
        first.incidents[size // 3] = lambda: pause(first.name, ttl * 1.25)
        last.incidents[size * 2 // 3] = lambda: forget_tokens(last.name, url)
        # In a pipe, print only the lines, without the live table.
        live = Live(console=console, get_renderable=lambda: overview(listings, size), transient=True)
        with live if console.is_interactive else nullcontext():
            async with anyio.create_task_group() as group:
                for listing in listings:
                    group.start_soon(read, listing)
    return listings, faults


def overview(listings: Sequence[Listing], size: int, checks: Mapping[str, Sequence[str]] | None = None) -> Table:
    """Build the table with the listings' progress or, given ``checks``, with their comparison to the database."""
    stats = [(listing, listing.iterator.stats) for listing in listings]
    counts = [(len(one.rows), s.pages, s.calls, s.restarts, s.duplicates_skipped) for one, s in stats]
    names = ("rows", "pages", "calls", "restarts", "duplicates\nskipped")
    table = Table(box=box.SIMPLE_HEAD, show_footer=True)
    table.add_column("account", "total", no_wrap=True)
    for name, numbers in zip(names, zip(*counts, strict=True), strict=True):
        table.add_column(name, f"{sum(numbers):,}", justify="right")
    if checks is None:
        table.add_column("progress")
    else:
        table.add_column("database", "differs" if any(checks.values()) else "agrees")
    for listing, numbers in zip(listings, counts, strict=True):
        bar = ProgressBar(size, len(listing.rows), width=16)
        state = bar if checks is None else ", ".join(checks[listing.name]) or "agrees"
        table.add_row(listing.name, *(f"{number:,}" for number in numbers), state)
    return table


def compare(truth: Iterable[Mapping[str, Any]], rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the differences: rows that are missing, repeated, or not in the database with the same fields."""
    wanted, got = (Counter(json.dumps(row, sort_keys=True) for row in side) for side in (truth, rows))
    faults = {
        "missing": (wanted - got).total(),
        "repeated": sum(count - wanted[row] for row, count in got.items() if 0 < wanted[row] < count),
        "not in the database": sum(count for row, count in got.items() if row not in wanted),
    }
    return [f"{count:,} {fault}" for fault, count in faults.items() if count]


def verdict(checks: Mapping[str, Sequence[str]], meeting: Sequence[str], deaths: int) -> list[str]:
    """Return everything that failed; the list is empty if nothing did."""
    rows = [
        f"the rows of {name}, against the database: {', '.join(faults)}" for name, faults in checks.items() if faults
    ]
    tokens = [] if deaths else ["no page token expired; use more meetings or a shorter --token-ttl"]
    return [*rows, *meeting, *tokens]


def run(options: argparse.Namespace) -> int:
    """Start a sandbox, run the job and the checks, and return the exit code."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder, sandbox(options, Path(folder)) as service:
        size = f"{options.accounts} x {options.meetings:,} meetings"
        say(f"Sandbox at {service.url}: {size}, page tokens expire after {options.token_ttl:g} s.", style="bold")
        listings, meeting = anyio.run(work, service, options, backend="trio" if options.trio else "asyncio")
        truth = [documents(service, account_id) for account_id in service.account_ids]
    checks = {one.name: compare(true, map(to_dict, one.rows)) for one, true in zip(listings, truth, strict=True)}
    console.print(overview(listings, options.meetings, checks))
    deaths = sum(listing.iterator.stats.restarts for listing in listings)
    if failed := verdict(checks, meeting, deaths):
        for fault in failed:
            say(f"FAILED: {fault}", style="bold red")
        return 1
    say(f"Every row was yielded exactly once; page tokens that expired during the run: {deaths}.", style="bold green")
    say("Next: README.md shows a first program of your own.")
    say("      docs/ has the rest; this program is docs/examples/first_run.py.")
    return 0


def main() -> int:
    """Run the program; return its exit code."""
    parser = argparse.ArgumentParser(description="List every meeting exactly once, although page tokens expire.")
    add = parser.add_argument
    add("--meetings", type=int, default=2000, help="meetings of each account (default: %(default)s)")
    add("--accounts", type=int, default=3, help="connected accounts (default: %(default)s)")
    add("--token-ttl", type=float, default=1.0, help="seconds until a page token expires (default: %(default)s)")
    add("--trio", action="store_true", help="run on trio, if it is installed, instead of asyncio")
    options = parser.parse_args()
    if options.accounts < 1:
        parser.error("--accounts must be 1 or more")
    # Requests to the sandbox must not go through a proxy of the environment.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    # SIGTERM ends the program like Ctrl-C, so that no sandbox is left behind. SIGINT is set explicitly, because shells
    # ignore it for programs that they run in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    code = 1
    try:
        code = run(options)
    except* KeyboardInterrupt:
        say("Interrupted.")
        code = 130  # as shells report it
    except* PyasError as group:
        for error in group.exceptions:
            say(f"FAILED: {error}", style="bold red")
    return code


if __name__ == "__main__":
    sys.exit(main())
