"""Exceptions that end the program leave task groups without an exception group."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from pyas_async._runtime.exits import bare_exits

pytestmark = pytest.mark.anyio


class OwnExit(BaseException):
    """The exception with which an application exits."""


def group(*errors: BaseException) -> BaseExceptionGroup[BaseException]:
    """Make an exception group, as a task group does."""
    return BaseExceptionGroup("unhandled errors in a TaskGroup", errors)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), OwnExit()], ids=repr)
async def test_one_exit(error: BaseException) -> None:
    """The exception is raised itself, however deep the task groups are, and has no group as its context."""
    with pytest.raises(BaseException) as caught, bare_exits:
        async with anyio.create_task_group(), anyio.create_task_group():
            raise error

    assert error is caught.value
    assert (None, None) == (error.__context__, error.__cause__)


async def test_several_exits() -> None:
    """The first of several such exceptions is raised."""
    first = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt) as caught, bare_exits:
        raise group(group(first), SystemExit(3))

    assert first is caught.value


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_exit_beside_cancellations() -> None:
    """Cancellations beside it are no errors: a task group ends its tasks with them."""
    with pytest.raises(KeyboardInterrupt), bare_exits:
        raise group(asyncio.CancelledError(), KeyboardInterrupt())
    with pytest.raises(BaseExceptionGroup), bare_exits:
        raise group(asyncio.CancelledError())


async def test_an_exit_beside_an_error() -> None:
    """An error beside it is not lost: the group is raised as it is."""
    both = group(KeyboardInterrupt(), ValueError("mine"))
    with pytest.raises(BaseExceptionGroup) as caught, bare_exits:
        raise both

    assert both is caught.value


async def test_other_errors() -> None:
    """Groups of other errors are raised as they are, and so is any other exception."""
    with pytest.raises(ExceptionGroup), bare_exits:
        raise group(ValueError("mine"))
    with pytest.raises(ValueError, match="mine"), bare_exits:
        raise ValueError("mine")
    with bare_exits:
        pass
