"""The items of an iterable, synchronous or asynchronous, one at a time."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from typing import Generic, TypeVar

from pyas_async.errors import InvalidArgumentError

T = TypeVar("T")


class ItemSource(Generic[T]):
    """The input of a bulk run, or of an iteration over many accounts.

    The same task must read all items and close it: a generator may keep a cancel scope open from one item to the next.
    """

    def __init__(self, argument: str, expected: str, source: Iterable[T] | AsyncIterable[T]) -> None:
        """Keep the iterable; its iterator is made by the first `read_next`.

        Args:
            argument: The name of the caller's argument, for the error.
            expected: What the items should be, for the error.
            source: The argument.

        Raises:
            InvalidArgumentError: If it is not an iterable, or if it is text.
        """
        if isinstance(source, (str, bytes, bytearray)) or not isinstance(source, (AsyncIterable, Iterable)):
            raise InvalidArgumentError(argument, f"an iterable, or an async iterable, of {expected}", source)
        self._source = source
        self._iterator: Iterator[T] | None = None
        self._async_iterator: AsyncIterator[T] | None = None

    async def read_next(self) -> T:
        """Return the next item.

        Raises:
            StopAsyncIteration: After the last item.
        """
        if self._iterator is None and self._async_iterator is None:
            # An object that can be iterated in both ways is iterated in the one that does not block the event loop.
            if isinstance(self._source, AsyncIterable):
                self._async_iterator = aiter(self._source)
            else:
                self._iterator = iter(self._source)
        if self._async_iterator is not None:
            return await anext(self._async_iterator)
        for item in self._iterator or ():
            return item
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Close a generator: the caller cannot, if it was written right into the call. Other iterators stay open."""
        if isinstance(self._async_iterator, AsyncGenerator):
            await self._async_iterator.aclose()
        elif isinstance(self._iterator, Generator):
            self._iterator.close()
