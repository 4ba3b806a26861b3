"""What a row, a page, a call and the import cost, by counting: bounds a little above what they take today.

Times are measured by the benchmarks; they differ from machine to machine, and no test asserts one.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from clients import of_the_own_pool
from costs.counting import PAGE, blocks, calls, page, service, turns
from pyas_async._core.checkpoints.seen_rows import SeenRows
from pyas_async._core.codec import read_page
from pyas_async.models import Meeting
from runtime.wires import client_of, document, rows_after, wire


def test_decoding_calls_nothing_for_a_row() -> None:
    """A page is decoded without a single call of Python's for each of its rows."""
    read_page(page(1, 1))
    counts = []
    for rows in (30, PAGE):
        body = page(1, rows)
        with calls() as found:
            read_page(body)
        counts.append((found.own, found.builtin))

    assert counts[0] == counts[1]
    assert counts[0][0] <= 5


def test_an_odd_row_costs_what_one_row_costs() -> None:
    """One odd row does not send its page through cattrs: what it adds hardly hangs on how long the page is."""
    added = []
    for rows in (30, PAGE):
        body = page(1, rows)
        odd = body.replace(b'"duration":60', b'"duration":"60"', 1)
        read_page(odd)
        with calls() as found:
            read_page(odd)
        added.append(found.own)

    assert (added[1] - added[0]) / (PAGE - 30) <= 4


def test_remembering_calls_little_for_a_row() -> None:
    """A row is remembered by four calls of builtins and none of ours."""
    pages = [read_page(page(1, rows)).meetings for rows in (30, PAGE)]
    counts = []
    for rows in pages:
        with calls() as found:
            SeenRows().add_new(rows)
        counts.append((found.own, found.builtin))

    assert counts[0][0] == counts[1][0]
    assert (counts[1][1] - counts[0][1]) / (PAGE - 30) <= 4


def test_memory_of_a_row() -> None:
    """A row that is kept holds a block for each field that is no small number, one for itself, one for its place."""
    body = page(1, PAGE)
    rows, held = blocks(lambda: read_page(body).meetings)

    assert PAGE == len(rows)
    assert held / PAGE <= 12
    assert not hasattr(rows[0], "__dict__")


@pytest.mark.asyncio
async def test_iterating_calls_one_function_for_a_row() -> None:
    """Of a page in hand, the next row is one call away."""
    async with service(1) as client:
        listing = client.meetings.iter_all()
        assert isinstance(await anext(listing), Meeting)
        with calls() as found:
            for _ in range(PAGE - 1):
                await anext(listing)

    # On the way, anext() and await are no calls of ours.
    assert PAGE - 1 == found.own
    assert 0 == found.builtin


@pytest.mark.asyncio
async def test_calls_of_a_get() -> None:
    """A `get` that waits for nothing runs through so many functions of ours, from the call to the model."""
    async with service(1) as client:
        await client.meetings.get(7)
        with calls() as found:
            await client.meetings.get(7)

    assert found.own <= 105


@pytest.mark.asyncio
async def test_turns_of_the_event_loop_for_a_page() -> None:
    """A page costs the event loop as many turns as the request's task needs, and none for its rows."""
    counts = []
    for pages in (2, 12):
        async with service(pages, 30) as client:
            with turns() as found:
                count = len(await client.meetings.iter_all().collect())
            assert 30 * pages == count
            counts.append(found[0])

    assert (counts[1] - counts[0]) / 10 <= 4


@of_the_own_pool
@pytest.mark.asyncio
async def test_a_page_over_a_socket() -> None:
    """Over a connection of ours a page takes three turns of the event loop: one before it is sent for, two after."""
    counts = []
    for pages in (2, 12):
        with wire(lambda seen: document(rows_after(seen.query.get("nextPageToken"), pages=pages))) as server:  # noqa: B023
            async with client_of(server.url) as client:
                with turns() as found, calls() as made:
                    assert pages == len(await client.meetings.iter_all().collect())
                counts.append((found[0], made.own))

    assert (counts[1][0] - counts[0][0]) / 10 <= 3
    assert (counts[1][1] - counts[0][1]) / 10 <= 240


LATER = {
    "cattrs",
    "pyas_async._core.bulk",
    "pyas_async._core.codec.converter",
    "pyas_async._core.reconcile",
    "pyas_async._runtime.accounts.iterator",
    "pyas_async._runtime.bulk.run",
    "pyas_async._runtime.bulk.workers",
    "pyas_async._runtime.reconcile",
    "pyas_async.models.details",
    "pyas_async.models.settings",
    "pyas_async.plans._estimate",
}
_LOADED = """
import sys, httpx, attrs, anyio, asyncio, msgspec
before = set(sys.modules)
import pyas_async
new = set(sys.modules) - before
made = [
    thing for name in new for thing in vars(sys.modules[name]).values()
    if isinstance(thing, type) and "__attrs_attrs__" in vars(thing)
]
print(len(set(made)), *sorted(new))
"""


def test_what_the_import_loads() -> None:
    """The import loads what a listing needs, and does not grow unnoticed: modules, and classes that attrs makes."""
    output = subprocess.run([sys.executable, "-c", _LOADED], stdout=subprocess.PIPE, text=True, check=True).stdout
    classes, *modules = output.split()

    assert set() == LATER & set(modules)
    assert int(classes) <= 36
    assert len([name for name in modules if name.startswith("pyas_async")]) <= 79
    assert len(modules) <= 93


def test_what_was_left_for_later_comes() -> None:
    """Every public name can be had, in a process that has asked for nothing else, and says where it is from."""
    code = (
        "import pyas_async\n"
        "assert set(pyas_async.__all__) <= set(dir(pyas_async))\n"
        "for name in reversed(pyas_async.__all__):\n"
        "    thing = getattr(pyas_async, name)\n"
        "    if isinstance(thing, type): assert thing.__module__ == 'pyas_async', name\n"
        "from pyas_async import *\n"
        "try: pyas_async.nothing\n"
        "except AttributeError as error: print(error)\n"
        "from pyas_async import plans\n"
        "assert all(getattr(plans, name) is not None for name in plans.__all__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ})

    assert ("module 'pyas_async' has no attribute 'nothing'\n", "") == (done.stdout, done.stderr)
