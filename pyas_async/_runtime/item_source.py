"""The items of an iterable, one at a time, whether it is asynchronous or not."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from typing import Generic, TypeVar

from pyas_async.errors import InvalidArgumentError

T = TypeVar("T")


class ItemSource(Generic[T]):
    """What a run works on.

    One task steps it and closes it: a generator may hold scopes open from one item to the next.
    """

    def __init__(self, argument: str, expected: str, source: Iterable[T] | AsyncIterable[T]) -> None:
        """Keep the iterable; nothing is drawn, not even its iterator.

        Raises:
            InvalidArgumentError: If it is none.
        """
        if isinstance(source, (str, bytes, bytearray)) or not isinstance(source, (AsyncIterable, Iterable)):
            raise InvalidArgumentError(argument, f"an iterable, or an async iterable, of {expected}", source)
        self._source = source
        self._iterator: Iterator[T] | None = None
        self._async_iterator: AsyncIterator[T] | None = None

    async def draw(self) -> T:
        """Give the next item.

        Raises:
            StopAsyncIteration: If there is none.
        """
        if self._iterator is None and self._async_iterator is None:
            # What can be iterated in both ways is asked in the one that does not hold up the event loop.
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
        """Close a generator, which nobody else can do if it was written right into the call; leave others alone."""
        if isinstance(self._async_iterator, AsyncGenerator):
            await self._async_iterator.aclose()
        elif isinstance(self._iterator, Generator):
            self._iterator.close()
