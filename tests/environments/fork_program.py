"""A program that forks: `python fork_program.py URL BACKEND` prints the result of each process's calls."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import anyio

from pyas_async import PyasClient, PyasError, RateBudget, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

URL, BACKEND = sys.argv[1:]


def client_with(budget: RateBudget | None = None) -> PyasClient:
    """Make a client, with its own budget unless one is given."""
    return PyasClient("key", account_id="acc", base_url=URL, budget=budget, retry=RetryPolicy.none())


def say(line: str) -> None:
    """Print a line for the test and flush it: several processes write."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


async def attempt(name: str, do: Callable[[], Awaitable[object]]) -> None:
    """Make an attempt, and print its result."""
    try:
        await do()
    except PyasError as error:
        say(f"{name}: {type(error).__name__}: {error}")
    else:
        say(f"{name}: ok")


def in_a_child(name: str, *attempts: tuple[str, Callable[[], Awaitable[object]]]) -> None:
    """Make attempts in a forked child, outside of an event loop, with a new loop for each."""
    if os.fork():
        assert os.wait()[1] == 0
        return
    for what, do in attempts:
        anyio.run(attempt, f"{name}: {what}", do, backend=BACKEND)
    os._exit(0)


async def serve(client: PyasClient) -> None:
    """Use a client before, during and after a fork whose child tries to use it in the same loop."""
    await attempt("parent", lambda: client.meetings.get(1))
    if not os.fork():
        # An attempt that must not touch the loop must not wait for it either.
        for what, do in (("get", lambda: client.meetings.get(2)), ("aclose", client.aclose)):
            await attempt(f"child in the parent's loop: {what}", do)
        os._exit(0)
    assert os.wait()[1] == 0  # noqa: ASYNC222  (the parent has nothing else to do)
    await attempt("parent", lambda: client.meetings.get(3))


def main() -> None:
    """Fork in every way."""
    made = client_with()
    in_a_child("child of an unused client", ("get", lambda: made.meetings.get(4)))
    budget = RateBudget(100)
    used = client_with(budget)
    anyio.run(serve, used, backend=BACKEND)
    in_a_child(
        "child of a used client",
        ("get", lambda: used.meetings.get(5)),
        ("aclose", used.aclose),
        ("another client on the same budget", lambda: client_with(budget).meetings.get(6)),
        ("another client", lambda: client_with().meetings.get(7)),
    )
    anyio.run(attempt, "parent of a child that used it", lambda: made.meetings.get(8), backend=BACKEND)


if __name__ == "__main__":
    main()
