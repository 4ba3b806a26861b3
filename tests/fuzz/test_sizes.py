"""Long responses of every shape take time and memory in proportion to their length: nothing is quadratic."""

from __future__ import annotations

import contextlib
import sys
import time
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pyas_async import APIStatusError, DecodeError
from pyas_async._core.calls.messages import Response
from pyas_async._core.calls.response_errors import error_from_response
from pyas_async._core.codec import NotSuccessError, read_account, read_detail, read_nothing, read_page
from pyas_async._runtime.secrets.api_key import ApiKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIZE = 1 << 17
SECONDS = 1.0
"""Processor time for `SIZE` bytes: the slowest shape takes half of it, and quadratic time would be hours."""
TIMES = 64
"""Bytes of memory for each byte of a response, at most."""
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def many(unit: bytes) -> bytes:
    """Repeat an item of a list."""
    return b",".join([unit] * (SIZE // (len(unit) + 1)))


def numbered(unit: bytes) -> bytes:
    """Repeat an item of a list with another number each time."""
    return b",".join(unit % number for number in range(SIZE // (len(unit) + 5)))


def page(rows: bytes) -> bytes:
    """Write a page."""
    return b'{"data": {"meetings": [' + rows + b'], "next_page_token": "t"}}'


def meeting(field: bytes, *, name: bytes = b"x") -> bytes:
    """Write a meeting with one more field."""
    return b'{"meeting": {"id": 1, "' + name + b'": ' + field + b"}}"


SHAPES: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "rows": (read_page, page(many(b'{"id":1,"uuid":"u","type":2,"start_time":"2026-11-22T08:00:00Z"}'))),
    "odd rows": (read_page, page(many(b'{"id":"1","uuid":null}'))),
    "rows of one unknown zone": (read_page, page(many(b'{"id":1,"start_time":"2026-11-22T08:00","timezone":"M/O"}'))),
    "rows of unknown zones": (read_page, page(numbered(b'{"id":1,"start_time":"2026-11-22T08:00","timezone":"M/%d"}'))),
    "a bad row at the end": (read_page, page(many(b'{"id":1}') + b',{"id":{}}')),
    "bad rows": (read_page, page(many(b"{}"))),
    "rows with types": (read_page, page(numbered(b'{"id":1,"type":%d}'))),
    "rows of many brackets": (read_page, page(many(b'{"id":1,"x":' + b"[" * 90 + b"]" * 90 + b"}"))),
    "lists": (read_detail, meeting(b"[" + many(b"[]") + b"]")),
    "objects": (read_detail, meeting(b"[" + many(b"{}") + b"]")),
    "deep lists": (read_detail, meeting(b"[" + many(b"[" * 80 + b"]" * 80) + b"]")),
    "too deep lists": (read_detail, meeting(b"[" + many(b"[" * 400 + b"]" * 400) + b"]")),
    "long numbers": (read_detail, meeting(b"[" + many(b"9" * 4_000) + b"]")),
    "a long number": (read_detail, meeting(b"9" * SIZE)),
    "a long fraction": (read_detail, meeting(b"0." + b"3" * SIZE)),
    "keys": (read_detail, b'{"meeting": {"id": 1, ' + numbered(b'"%d": 1') + b"}}"),
    "one key": (read_detail, b'{"meeting": {"id": 1, ' + many(b'"x": 1') + b"}}"),
    "occurrences": (read_detail, meeting(many(b'{"start_time":"2026-11-22"}').join([b"[", b"]"]), name=b"occurrences")),
    "a bad occurrence": (read_detail, meeting(b"[" + many(b"{}") + b",1]", name=b"occurrences")),
    "half characters": (read_detail, meeting(b'"' + b"\\ud83d" * (SIZE // 6) + b'"')),
    "broken UTF-8": (read_detail, meeting(b'"' + b"\xff" * SIZE + b'"')),
    "a long date": (read_detail, meeting(b'"' + b"2" * SIZE + b'"', name=b"start_time")),
    "a long zone": (
        read_detail,
        b'{"meeting": {"id": 1, "start_time": "2026-11-22", "timezone": "' + b"a/" * (SIZE // 2) + b'"}}',
    ),
    "digits": (read_detail, b'{"meeting": {"id": "' + b"1" * SIZE + b'"}}'),
    "blanks and a number": (read_detail, b'{"meeting": {"id": "' + b" " * SIZE + b'x"}}'),
    "scopes": (read_account, b'{"data": {"account": {"accountId": "a", "scopes": [' + many(b'"s"') + b"]}}}"),
    "brackets": (read_detail, b"[" * SIZE),
    "objects without an end": (read_detail, b'{"a":' * (SIZE // 5)),
    "backslashes": (read_detail, b'{"' + b"\\" * SIZE),
    "quotes": (read_detail, b'"' * SIZE),
    "blanks": (read_detail, b" " * SIZE),
    "HTML": (read_nothing, b"<html>" + b"<a href='?pwd=x'>" * (SIZE // 17)),
}


@pytest.fixture(autouse=True)
def untraced() -> Iterator[None]:
    """Switch off the measuring of coverage, which takes several times as long as the lines themselves."""
    tracer = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(tracer)


def seconds_of(work: Callable[[], object], *, again: bool = True) -> float:
    """Measure the processor's time; once more if it was too long, since a busy machine is slow now and then."""
    began = time.thread_time()
    work()
    took = time.thread_time() - began
    return seconds_of(work, again=False) if took >= SECONDS and again else took


@pytest.mark.parametrize("name", SHAPES)
def test_answers(name: str) -> None:
    """A response of any shape is read, or refused, within its time."""
    read, body = SHAPES[name]

    def work() -> None:
        try:
            read(body)
        except (DecodeError, NotSuccessError) as error:
            assert len(str(error)) < 1_000  # noqa: PT017  (either is fine)

    assert seconds_of(work) < SECONDS


@pytest.mark.parametrize(
    "name",
    [
        "odd rows",
        "bad rows",
        "lists",
        "too deep lists",
        "keys",
        # Takes two seconds while memory is traced, and what "bad rows" takes.
        pytest.param("a bad row at the end", marks=pytest.mark.long),
    ],
)
def test_memory(name: str) -> None:
    """The memory that reading a response takes is bounded by its length; these shapes take the most."""
    read, body = SHAPES[name]
    tracemalloc.start()
    try:
        with contextlib.suppress(DecodeError):
            read(body)
        assert tracemalloc.get_traced_memory()[1] < TIMES * len(body)
    finally:
        tracemalloc.stop()


ERRORS = {
    "complaints": b'{"errors":[' + many(b"{}") + b"]}",
    "texts": b'{"errors":[' + many(b'"a"') + b"]}",
    "long complaints": b'{"errors":[' + many(b'{"msg":"' + b"\\\\" * 5_000 + b'"}') + b"]}",
    "a list of words": b'{"errors":[{"msg":[' + many(b"[]") + b"]}]}",
    "an error of lists": b'{"error":[' + many(b"{}") + b"]}",
    "page tokens": b'{"message":"' + b"page token " * (SIZE // 11) + b'"}',
    "invalid page tokens": b'{"message":"' + b"invalid page " * (SIZE // 13) + b'"}',
    "a code": b'{"code":"' + b"%25" * (SIZE // 3) + b'"}',
    "backslashes": b'{"message":"' + b"\\\\" * (SIZE // 2) + b'"}',
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    """A long error response is read within its time; the message is short, and there are 100 complaints at most."""
    mask = ApiKey("key-of-forty-characters-0123456789abcdef").mask(("a-page-token-of-some-length",))
    errors: list[APIStatusError] = []

    def work() -> None:
        errors.append(
            error_from_response(Response(400, {}, ERRORS[name]), None, now=NOON, has_page_token=True, mask=mask)
        )

    assert seconds_of(work) < SECONDS
    error = errors[-1]
    assert len(str(error)) < 60_000
    assert len(error.errors) <= 100
