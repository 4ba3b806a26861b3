"""Common mistakes raise a `TypeError` that says what to write instead."""

from __future__ import annotations

import inspect
import operator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import pyas_async
from contract.tools import Service, listing, rows_of
from pyas_async import InvalidArgumentError, MeetingUpdate, PyasClient
from pyas_async.meetings import Meetings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio


async def loop(thing: Any) -> None:  # noqa: ANN401  (in this module, anything)
    """Loop over something as over a list."""
    for _ in thing:
        raise AssertionError


async def async_loop(thing: Any) -> None:  # noqa: ANN401
    """Loop over something asynchronously."""
    async for _ in thing:
        raise AssertionError


async def wait(thing: Any) -> None:  # noqa: ANN401
    """Await something."""
    await thing
    raise AssertionError


async def block(thing: Any) -> None:  # noqa: ANN401
    """Enter something as a synchronous block."""
    with thing:
        raise AssertionError


async def async_block(thing: Any) -> None:  # noqa: ANN401
    """Enter something as a block."""
    async with thing:
        raise AssertionError


async def count(thing: Any) -> None:  # noqa: ANN401
    """Ask for a length."""
    len(thing)
    raise AssertionError


async def index(thing: Any) -> None:  # noqa: ANN401
    """Ask for the first item."""
    thing[0]
    raise AssertionError


async def contains(thing: Any) -> None:  # noqa: ANN401
    """Ask whether something contains an item."""
    assert 81 in thing


async def step(thing: Any) -> None:  # noqa: ANN401
    """Take one step of a loop."""
    next(thing)
    raise AssertionError


async def as_list(thing: Any) -> None:  # noqa: ANN401
    """Make a list of something."""
    list(thing)
    raise AssertionError


async def as_sorted(thing: Any) -> None:  # noqa: ANN401
    """Sort something."""
    sorted(thing, key=operator.attrgetter("start_time"))
    raise AssertionError


SEQUENCE = (loop, block, count, index, contains, step, as_list, as_sorted)
THINGS: dict[str, tuple[Callable[[PyasClient], Any], tuple[Callable[[Any], Awaitable[None]], ...], str]] = {
    "iter_all": (lambda client: client.meetings.iter_all(), (*SEQUENCE, wait), "client.meetings.iter_all(…)"),
    "pages": (
        lambda client: client.meetings.iter_all().pages(),
        (*SEQUENCE, wait, async_block),
        "async for page in client.meetings.iter_all(…).pages()",
    ),
    "iter_accounts": (
        lambda client: client.meetings.iter_accounts(["acc"]),
        (*SEQUENCE, wait, async_loop),
        "async with client.meetings.iter_accounts(…) as pairs",
    ),
    "changes": (
        lambda client: client.meetings.changes(),
        (*SEQUENCE, wait),
        "client.meetings.changes(…)",
    ),
    "chunks of changes": (
        lambda client: client.meetings.changes().chunks(),
        (*SEQUENCE, wait, async_block),
        "async for changes, state in feed.chunks()",
    ),
    "watch": (
        lambda client: client.meetings.watch(["acc"], store=":memory:"),
        (*SEQUENCE, wait, async_loop),
        "async with client.meetings.watch(…) as changes",
    ),
    "get_many": (lambda client: client.meetings.get_many([81]), (*SEQUENCE, async_loop), "run"),
    "create_many": (lambda client: client.meetings.create_many([]), (*SEQUENCE, async_loop), "run"),
    "update_many": (lambda client: client.meetings.update_many({}), (*SEQUENCE, async_loop), "run"),
    "delete_many": (lambda client: client.meetings.delete_many([81]), (*SEQUENCE, async_loop), "run"),
    "meetings": (
        lambda client: client.meetings,
        (*SEQUENCE, wait, async_loop, async_block),
        "async for meeting in client.meetings.iter_all(…)",
    ),
    "accounts": (lambda client: client.accounts, (loop, wait, async_loop, count, index), "connect(…)"),
    "client": (lambda client: client, (block, wait), "async with PyasClient(…) as client"),
    "view": (lambda client: client.for_account("a"), (block, wait), "async with PyasClient(…) as client"),
}
MISUSES = [
    pytest.param(make, misuse, hint, id=f"{name}: {misuse.__name__}")
    for name, (make, misuses, hint) in THINGS.items()
    for misuse in misuses
]


@pytest.mark.parametrize(("make", "misuse", "hint"), MISUSES)
async def test_misuse(make: Callable[[PyasClient], Any], misuse: Callable[[Any], Awaitable[None]], hint: str) -> None:
    """A thing that is used in another way than it can be says what to write, and nothing is sent."""
    service = Service()
    async with service.client() as client:
        with pytest.raises(TypeError, match=r"write|is opened with|needs a block|keep the") as caught:
            await misuse(make(client))
    assert hint in str(caught.value)
    assert [] == service.requests


@pytest.mark.parametrize("misuse", [async_loop, index])
async def test_page(misuse: Callable[[Any], Awaitable[None]]) -> None:
    """A page is complete: it is neither awaited row by row, nor is it a list."""
    async with Service(listing(rows_of(1, 2))).client() as client:
        page = await client.meetings.list()
        with pytest.raises(TypeError, match=r"write `(for meeting in page:|page.meetings)"):
            await misuse(page)
        assert 2 == len(page) == len(list(page))


@pytest.mark.parametrize("misuse", [loop, wait, block, async_block, count, index, step])
async def test_inside_of_blocks(misuse: Callable[[Any], Awaitable[None]]) -> None:
    """What the blocks of a bulk run and of many accounts hand out explains itself as well."""
    async with Service().client() as client:
        async with client.meetings.get_many([]) as outcomes:
            with pytest.raises(TypeError, match="async for outcome in outcomes"):
                await misuse(outcomes)
        async with client.meetings.iter_accounts([]) as pairs:
            with pytest.raises(TypeError, match=r"in pairs\.chunks\(\):`"):
                await misuse(pairs.chunks())


async def test_truth() -> None:
    """A listing or a run without a length is true, as any object is."""
    async with Service().client() as client:
        things: list[object] = [client.meetings, client.meetings.iter_all(), client.accounts]
        things += [client.meetings.get_many([]), client.meetings.iter_accounts([])]
        assert all(things)


USAGE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "create(title=)": (lambda meetings: meetings.create(title="t"), "create(MeetingCreate(title=…, start_date=…)"),
    "create(fields)": (lambda meetings: meetings.create("t", None), "create(MeetingCreate(title=…, start_date=…)"),
    "create()": (lambda meetings: meetings.create(), "create(MeetingCreate(title=…, start_date=…)"),
    "update(title=)": (lambda meetings: meetings.update(81, title="t"), "update(meeting_id, MeetingUpdate(title=…)"),
    "update(id)": (lambda meetings: meetings.update(81), "update(meeting_id, MeetingUpdate(title=…)"),
    "update(id, id)": (lambda meetings: meetings.update(81, "acc", "t"), "MeetingUpdate(title=…)"),
    "create_many(title=)": (lambda meetings: meetings.create_many(title="t"), "create_many([MeetingCreate(…)"),
    "update_many(id, title=)": (lambda meetings: meetings.update_many(81, title="t"), "MeetingUpdate(…)"),
    "update_many(id, changes)": (lambda meetings: meetings.update_many(81, MeetingUpdate(title="t")), "MeetingUpdate"),
    "get(id, account)": (lambda meetings: meetings.get(81, "acc"), "get(meeting_id, account_id=…)"),
    "get()": (lambda meetings: meetings.get(), "get(meeting_id, account_id=…)"),
    "delete(id, account)": (lambda meetings: meetings.delete(81, "acc"), "delete(meeting_id, account_id=…)"),
    "list(account)": (lambda meetings: meetings.list("acc"), "list(account_id=…, start_date=…)"),
    "list(page_size=)": (lambda meetings: meetings.list(page_size=3), "list(account_id=…, start_date=…)"),
    "iter_all(account)": (lambda meetings: meetings.iter_all("acc"), "iter_all(account_id=…, start_date=…)"),
    "changes(account)": (lambda meetings: meetings.changes("acc"), "changes(account_id=…, store=…)"),
    "watch()": (lambda meetings: meetings.watch(["acc"]), "watch(account_ids, store=…)"),
    "get_many(1, 2)": (lambda meetings: meetings.get_many(1, 2), "get_many([meeting_id, …]"),
    "delete_many(1, 2)": (lambda meetings: meetings.delete_many(1, 2), "delete_many([meeting_id, …]"),
    "iter_accounts(a, b)": (lambda meetings: meetings.iter_accounts("a", "b"), "iter_accounts(account_ids)"),
}


@pytest.mark.parametrize(("call", "hint"), USAGE.values(), ids=USAGE)
async def test_wrong_arguments(call: Callable[[Any], Any], hint: str) -> None:
    """A call with arguments that it does not have says how it is called, besides what Python says."""
    service = Service()
    async with service.client() as client:
        with pytest.raises(TypeError, match=r"argument.*\. Write `") as caught:
            await call(client.meetings)
    assert hint in str(caught.value)
    assert caught.value.__context__ is None
    assert [] == service.requests


@pytest.mark.parametrize(
    "call",
    [
        lambda meetings: meetings.list(next_page_token="s3cret", size=3),
        lambda meetings: meetings.iter_all(resume="s3cret", size=3),
    ],
)
async def test_no_secret_in_frames(call: Callable[[Any], Any]) -> None:
    """The frames of a call with wrong arguments hold none of the others, which may be secrets."""
    async with Service().client() as client:
        with pytest.raises(TypeError) as caught:
            await call(client.meetings)
    package = Path(pyas_async.__file__).parent
    ours = [entry for entry in caught.traceback if package in Path(entry.path).parents]
    assert ours
    assert not any("s3cret" in repr(entry.frame.f_locals) for entry in ours)


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda meetings: meetings.create({"title": "t"}), "Build one: MeetingCreate(title=…, start_date=…)"),
        (lambda meetings: meetings.update(81, {"title": "t"}), "Build one: MeetingUpdate(title=…)"),
    ],
)
async def test_documents_for_models(call: Callable[[Any], Any], hint: str) -> None:
    """A dict in the place of a model is refused with the model's name."""
    async with Service().client() as client:
        with pytest.raises(InvalidArgumentError) as caught:
            await call(client.meetings)
    assert hint in str(caught.value)


def test_every_call_explains_itself() -> None:
    """Each call about meetings has a hint, and keeps its signature, its documentation and its kind."""
    for name, method in inspect.getmembers(Meetings, inspect.isfunction):
        if name[0] != "_":
            bare = inspect.unwrap(method)
            assert bare is not method, name
            assert inspect.signature(bare) == inspect.signature(method)
            assert bare.__doc__ == method.__doc__
            assert inspect.iscoroutinefunction(bare) == inspect.iscoroutinefunction(method)


async def test_errors_of_the_call_itself() -> None:
    """A `TypeError` that is not about the arguments is raised as it is."""

    class Odd(dict[str, Any]):
        def items(self) -> Any:  # noqa: ANN401
            message = "something else"
            raise TypeError(message)

    async with Service().client() as client:
        with pytest.raises(TypeError, match=r"^something else$"):
            await client.meetings.create_many(Odd())
