"""Background tasks that one call starts and another ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest

from prefetch.tools import tasks
from pyas_async import WrongEventLoopError
from pyas_async._runtime.background import BackgroundTasks
from resting import rest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio


class MistakeError(Exception):
    """Raised by a task."""


async def fail(error: BaseException) -> None:
    """Raise an exception."""
    await anyio.lowlevel.checkpoint()
    raise error


async def test_close() -> None:
    """Closing cancels the tasks, and those that they start meanwhile, and waits until all of them have ended."""
    ended: list[str] = []
    background, before = BackgroundTasks(), tasks()
    await background.close()  # not open: does nothing

    async def work(name: str) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(name)
            if name == "first":
                background.start_soon("second", work, "second")

    background.open()
    assert background.is_open
    background.start_soon("first", work, "first")
    await rest()
    await background.close()

    assert not background.is_open
    assert ["first", "second"] == ended
    assert before == tasks()


async def test_close_in_a_cancelled_scope() -> None:
    """Closing waits for the tasks even if the caller is cancelled."""
    ended: list[str] = []
    background = BackgroundTasks()

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
            ended.append("work")

    background.open()
    background.start_soon("work", work)
    await rest()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await background.close()
    assert ["work"] == ended


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_task_cancel_of_close() -> None:
    """`task.cancel()` of the task that closes is raised once all tasks have ended."""
    ended: list[str] = []
    background, may_end = BackgroundTasks(), asyncio.Event()

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await may_end.wait()
            ended.append("work")

    background.open()
    background.start_soon("work", work)
    await rest()
    closing = asyncio.ensure_future(background.close())
    await rest()
    closing.cancel()
    await rest()
    assert not closing.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert ["work"] == ended


async def test_the_error_of_a_block() -> None:
    """An exception of the block that the tasks belong to is raised as it is, not in an exception group."""
    background = BackgroundTasks()
    mistake = MistakeError()
    background.open()
    with pytest.raises(MistakeError) as caught:
        try:
            raise mistake
        finally:
            await background.close()

    assert mistake is caught.value


@pytest.mark.parametrize("error", [MistakeError(), KeyboardInterrupt(), SystemExit(3)], ids=repr)
async def test_the_error_of_a_task(error: BaseException) -> None:
    """What a task raises ends the other tasks, and is raised itself by closing."""
    background, before = BackgroundTasks(), tasks()
    background.open()
    background.start_soon("fails", fail, error)
    background.start_soon("hangs", anyio.sleep_forever)
    await rest()
    assert before == tasks()
    with pytest.raises(type(error)) as caught:
        await background.close()

    assert error is caught.value


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([KeyboardInterrupt(), SystemExit()], {KeyboardInterrupt, SystemExit}),
        ([MistakeError(), KeyboardInterrupt()], {BaseExceptionGroup}),
        ([MistakeError(), MistakeError()], {ExceptionGroup}),
    ],
    ids=repr,
)
async def test_the_errors_of_several_tasks(errors: list[BaseException], expected: set[type[BaseException]]) -> None:
    """If several tasks raise something, nothing of it is lost; exceptions that end the program need no group."""
    background = BackgroundTasks()

    async def fail_at_the_end(error: BaseException) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise error

    background.open()
    for error in errors:
        background.start_soon("fails", fail_at_the_end, error)
    await rest()
    with pytest.raises(BaseException) as caught:
        await background.close()

    assert type(caught.value) in expected
    if isinstance(caught.value, BaseExceptionGroup):
        assert set(map(id, errors)) == set(map(id, caught.value.exceptions))


async def in_another_loop(background: BackgroundTasks) -> None:
    """Close from another event loop."""
    await anyio.to_thread.run_sync(lambda: anyio.run(background.close))


async def after_a_fork(background: BackgroundTasks) -> None:
    """Close in what looks like a forked process."""
    process = os.getpid()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "getpid", lambda: process + 1)
        await background.close()


@pytest.mark.parametrize("close", [in_another_loop, after_a_fork])
async def test_closing_elsewhere(close: Callable[[BackgroundTasks], Awaitable[None]]) -> None:
    """Another event loop or process cannot end the tasks, and gets our error; their own event loop still can."""
    background, before = BackgroundTasks(), tasks()
    background.open()
    background.start_soon("hangs", anyio.sleep_forever)
    await rest()
    with pytest.raises(WrongEventLoopError):
        await close(background)
    await background.close()
    assert before == tasks()


@pytest.mark.parametrize("leaving", [MistakeError(), None], ids=["exception", "cancellation"])
async def test_the_exception_that_leaves_the_block(leaving: MistakeError | None) -> None:
    """The cancellations of the tasks do not refer to the exception with which the block is left, and its frames."""
    background, contexts = BackgroundTasks(), list[BaseException | None]()
    forbidden = MistakeError, anyio.get_cancelled_exc_class()

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        except BaseException as error:
            context: BaseException | None = error
            while (context := context and context.__context__) is not None:
                contexts.append(context)
            raise

    background.open()
    background.start_soon("work", work)
    await rest()
    with anyio.CancelScope() as scope, contextlib.suppress(MistakeError):
        try:
            if leaving is not None:
                raise leaving
            scope.cancel()
            await anyio.lowlevel.checkpoint()
        finally:
            await background.close()
    assert [] == [context for context in contexts if isinstance(context, forbidden)]
