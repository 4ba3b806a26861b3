"""What a client does after responses whose limit headers have every form, on a clock that jumps."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from pyas_async import RateBudget, RateLimitError, ServerError
from runtime.socket_server import KEY_LIMIT, MEETING
from runtime.test_limits import NOON, get, play, resets_in

if TYPE_CHECKING:
    from pyas_async import PyasClient

EPOCH = int(NOON.timestamp())


def forms(seconds: int) -> dict[str, str]:
    """Write a moment some seconds from noon in the forms that services use."""
    moment = NOON + timedelta(seconds=seconds)
    return {
        "seconds": f"{seconds}",
        "fraction": f"{seconds}.0",
        "blanks": f" {seconds}\t",
        "repeated": f"{seconds}, {seconds}",
        "epoch seconds": f"{EPOCH + seconds}",
        "epoch milliseconds": f"{(EPOCH + seconds) * 1_000}",
        "HTTP date": resets_in(seconds),
        "ISO 8601": moment.isoformat(),
        "JavaScript": f"{moment:%a %b %d %Y %H:%M:%S} GMT+0000 (Coordinated Universal Time)",
    }


UNREADABLE: dict[str, str | None] = {
    "empty": "",
    "words": "soon",
    "negative": "-7",
    "huge": "9" * 30,
    "nan": "nan",
    "epoch milliseconds of 2001": "1000000000000",
    "neither seconds nor a moment": "500000000",
    "first day of time": "0001-01-01T00:00:00Z",
    "last day of time": "9999-12-31T23:59:59Z",
}
RESETS: dict[str, str | None] = {"missing": None, **forms(200), **UNREADABLE}
WAITS = forms(2)
NO_WAIT: dict[str, str | None] = {"missing": None, "zero": "0", "past": resets_in(-60), **UNREADABLE}


async def three(client: PyasClient) -> None:
    """Make a call, and two more while the first one is limited."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(get, client)
        await anyio.sleep(0.5)
        tasks.start_soon(get, client)
        tasks.start_soon(get, client)


def refusal(**headers: str | None) -> httpx.Response:
    """Write the service's 429 with some headers; ``None`` leaves one out."""
    written = {name.replace("_", "-"): text for name, text in headers.items() if text is not None}
    return httpx.Response(429, json=KEY_LIMIT, headers=written)


@pytest.mark.parametrize("limit", [None, 100])
@pytest.mark.parametrize("reset", RESETS.values(), ids=RESETS)
def test_the_key_waits_as_long_as_it_is_told(reset: str | None, limit: int | None) -> None:
    """The key's 429 with ``Retry-After: 2`` stops its calls for about two seconds, whatever its reset says."""
    limited = refusal(retry_after="2", x_ratelimit_remaining="0", x_ratelimit_limit="100", x_ratelimit_reset=reset)
    times = play(three, limited, budget=RateBudget(limit))

    assert (4, 0.0) == (len(times), times[0])
    assert 2.0 <= min(times[1:])
    assert max(times) < 6.0  # the wait, the guard, and two seconds over which the calls are spread


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_every_form_of_retry_after(wait: str) -> None:
    """``Retry-After`` counts in every form."""
    times = play(three, refusal(retry_after=wait, x_ratelimit_remaining="0", x_ratelimit_reset=resets_in(250)))

    assert 4 == len(times)
    assert 2.0 <= min(times[1:])
    assert max(times) < 6.0


@pytest.mark.parametrize("limit", ["0", "-1", "many", "", "1e9"])
def test_limit_that_is_none(limit: str) -> None:
    """A limit of 0 is no limit: the key waits for ``Retry-After`` and no longer, and later calls go out freely."""

    async def more(client: PyasClient) -> None:
        await get(client)
        for _ in range(5):
            await get(client)

    for remaining in (None, "0", "0, 0"):
        times = play(more, refusal(retry_after="1", x_ratelimit_limit=limit, x_ratelimit_remaining=remaining))
        assert 7 == len(times)
        assert 1.0 <= times[1]
        assert max(times) < 4.0


@pytest.mark.parametrize("wait", NO_WAIT.values(), ids=NO_WAIT)
def test_no_busy_loop(wait: str | None) -> None:
    """A 429 that asks for no wait, or for one that cannot be read, is not repeated at once."""
    times = play(get, refusal(retry_after=wait), refusal(retry_after=wait))

    assert [0.0, 2.0, 4.0] == pytest.approx(times, abs=0.5)


@pytest.mark.parametrize("reset", forms(40).values(), ids=forms(40))
def test_every_form_of_reset(reset: str) -> None:
    """After a response with which no calls remain, the next call waits for the reset, in whatever form it is."""

    async def two(client: PyasClient) -> None:
        await get(client)
        await get(client)

    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    times = play(two, httpx.Response(200, json=MEETING, headers=headers))

    assert [0.0, 41.0] == pytest.approx(times, abs=1.0)


def test_retry_after_of_an_outage() -> None:
    """A server that is out of order names when it is back, and not when the key's window ends."""

    async def two(client: PyasClient) -> None:
        with pytest.raises(ServerError):
            await get(client)
        await get(client)

    headers = {"Retry-After": "1", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": resets_in(60)}
    times = play(two, httpx.Response(501, headers=headers))

    assert [0.0, 61.0] == pytest.approx(times, abs=1.0)


@pytest.mark.parametrize("reset", forms(200).values(), ids=forms(200))
def test_error_says_when(reset: str) -> None:
    """Without ``Retry-After``, the error says when the window ends, from every form of its reset."""

    async def one(client: PyasClient) -> None:
        with pytest.raises(RateLimitError) as caught:
            await get(client)
        assert pytest.approx(200.0) == caught.value.retry_after

    assert [0.0] == play(one, refusal(x_ratelimit_remaining="0", x_ratelimit_reset=reset), deadline=90.0)
