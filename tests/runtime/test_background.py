"""A task group that lives between two calls."""

from __future__ import annotations

import anyio
import pytest

from pyas_async._runtime.background import BackgroundTasks

pytestmark = pytest.mark.anyio


class MistakeError(Exception):
    """Raised by a task."""


@pytest.mark.parametrize("cancel", [False, True])
async def test_close(cancel: bool) -> None:
    """Closing waits for the tasks, cancelled or not, for those that tasks start meanwhile as well."""
    ended: list[str] = []
    tasks = BackgroundTasks()
    await tasks.close(cancel=True)  # not open: does nothing

    async def work(name: str) -> None:
        await anyio.wait_all_tasks_blocked()
        ended.append(name)

    async def work_twice() -> None:
        with anyio.CancelScope(shield=True):
            await work("first")
        tasks.start_soon(work, "second")

    await tasks.open()
    assert tasks.is_open
    tasks.start_soon(work_twice)
    await tasks.close(cancel=cancel)

    assert not tasks.is_open
    assert (["first"] if cancel else ["first", "second"]) == ended


async def test_the_error_of_a_block() -> None:
    """An exception of the block that the tasks belong to is raised as it is, not in an exception group."""
    tasks = BackgroundTasks()
    mistake = MistakeError()
    await tasks.open()
    with pytest.raises(MistakeError) as caught:
        try:
            raise mistake
        finally:
            await tasks.close(cancel=True)

    assert mistake is caught.value


async def test_the_error_of_a_task() -> None:
    """What a task raises is raised by closing."""
    tasks = BackgroundTasks()

    async def fail() -> None:
        raise MistakeError

    await tasks.open()
    tasks.start_soon(fail)
    with pytest.raises(ExceptionGroup) as caught:
        await tasks.close(cancel=False)

    assert [MistakeError] == [type(error) for error in caught.value.exceptions]
