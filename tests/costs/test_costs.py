"""The cost of a row, a page, a call and the import, in counts, with bounds slightly above today's values.

The benchmarks measure times. Those differ between machines, so no test asserts one.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from clients import own_pool_only
from costs.counting import PAGE, blocks, calls, page, service, turns
from pyas_async._core.checkpoints.seen_rows import SeenRows
from pyas_async._core.codec import read_page
from pyas_async.models import Meeting
from runtime.socket_server import client_of, document, rows_after, wire


def test_decoding_calls_nothing_for_a_row() -> None:
    """Decoding a page makes no Python call for each of its rows."""
    read_page(page(1, 1))
    counts = []
    for rows in (30, PAGE):
        body = page(1, rows)
        with calls() as found:
            read_page(body)
        counts.append((found.own, found.builtin))

    assert counts[0] == counts[1]
    assert counts[0][0] <= 5


def test_undocumented_row_costs_one_row() -> None:
    """One undocumented row does not send its page through cattrs: its cost hardly depends on the page's length."""
    added = []
    for rows in (30, PAGE):
        body = page(1, rows)
        odd = body.replace(b'"duration":60', b'"duration":"60"', 1)
        read_page(odd)
        with calls() as found:
            read_page(odd)
        added.append(found.own)

    assert (added[1] - added[0]) / (PAGE - 30) <= 4


def test_remembering_a_row_takes_four_builtin_calls() -> None:
    """Remembering a row takes four calls of builtins and none of ours."""
    pages = [read_page(page(1, rows)).meetings for rows in (30, PAGE)]
    counts = []
    for rows in pages:
        with calls() as found:
            SeenRows().add_new(rows)
        counts.append((found.own, found.builtin))

    assert counts[0][0] == counts[1][0]
    assert (counts[1][1] - counts[0][1]) / (PAGE - 30) <= 4


def test_memory_of_a_row() -> None:
    """A kept row holds a block for each field that is not a small number, one for itself, and one for its list slot."""
    body = page(1, PAGE)
    rows, held = blocks(lambda: read_page(body).meetings)

    assert PAGE == len(rows)
    assert held / PAGE <= 12
    assert not hasattr(rows[0], "__dict__")


@pytest.mark.asyncio
async def test_iterating_calls_one_function_for_a_row() -> None:
    """Within a fetched page, the next row takes one call."""
    async with service(1) as client:
        listing = client.meetings.iter_all()
        assert isinstance(await anext(listing), Meeting)
        with calls() as found:
            for _ in range(PAGE - 1):
                await anext(listing)

    # anext() and await are not calls of ours.
    assert PAGE - 1 == found.own
    assert 0 == found.builtin


@pytest.mark.asyncio
async def test_calls_of_a_get() -> None:
    """A `get` that waits for nothing makes a bounded number of calls of ours, from the call to the model."""
    async with service(1) as client:
        await client.meetings.get(7)
        with calls() as found:
            await client.meetings.get(7)

    assert found.own <= 126


@pytest.mark.asyncio
async def test_event_loop_iterations_of_a_page() -> None:
    """A page takes only the event loop iterations of its request's task, and none for its rows."""
    counts = []
    for pages in (2, 12):
        async with service(pages, 30) as client:
            with turns() as found:
                count = len(await client.meetings.iter_all().collect())
            assert 30 * pages == count
            counts.append(found[0])

    assert (counts[1] - counts[0]) / 10 <= 4


@own_pool_only
@pytest.mark.asyncio
async def test_a_page_over_a_socket() -> None:
    """Over a connection of ours, a page takes three iterations of the event loop: one before sending, two after."""
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
    "pyas_async._core.calls.error_words",
    "pyas_async._core.codec.converter",
    "pyas_async._core.codec.failures",
    "pyas_async._core.reconcile",
    "pyas_async._masking",
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
    """The import loads only what a listing needs: the numbers of modules and attrs classes do not grow unnoticed."""
    output = subprocess.run([sys.executable, "-c", _LOADED], stdout=subprocess.PIPE, text=True, check=True).stdout
    classes, *modules = output.split()

    assert set() == LATER & set(modules)
    assert int(classes) <= 41
    # A package for each domain has an `__init__` of its own: 12 of these.
    assert len([name for name in modules if name.startswith("pyas_async")]) <= 96
    assert len(modules) <= 110


def test_lazy_names_are_available() -> None:
    """Every public name is loaded on demand in a new process, and reports its public module."""
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
