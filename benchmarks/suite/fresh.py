"""Measurements that need a new process.

    python fresh.py WHAT URL

It prints seconds.
"""

# Only the clock is imported before the measurement.
import sys
import time

KEY = "benchmark-key"


def import_ours(_: str) -> float:
    """Import the package."""
    began = time.process_time()
    import pyas_async  # noqa: F401

    return time.process_time() - began


def import_floor(_: str) -> float:
    """Import the libraries that the package is built on."""
    began = time.process_time()
    import anyio  # noqa: F401
    import attrs  # noqa: F401
    import httpx  # noqa: F401

    return time.process_time() - began


def import_libraries(_: str) -> float:
    """Import all of the libraries that it needs."""
    began = time.process_time()
    import asyncio  # noqa: F401

    import anyio  # noqa: F401
    import attrs  # noqa: F401
    import cattrs.preconf.msgspec  # noqa: F401
    import httpx  # noqa: F401
    import msgspec  # noqa: F401

    return time.process_time() - began


def first_ours(url: str) -> float:
    """Get the first row after all imports."""
    import asyncio

    from pyas_async import PyasClient

    async def main() -> None:
        async with PyasClient(KEY, base_url=url) as client:
            assert await client.meetings.iter_all(account_id="rows-2").first() is not None

    began = time.process_time()
    asyncio.run(main())
    return time.process_time() - began


def _first_httpx(url: str, *, verify: bool) -> float:
    import asyncio

    import httpx

    from suite.peers.structs import DECODER

    async def main() -> None:
        query: dict[str, str | int] = {"accountId": "rows-2", "maxResults": 300}
        async with httpx.AsyncClient(base_url=url, headers={"x-api-key": KEY}, verify=verify) as client:
            response = await client.get("/zoom/meetings", params=query)
            assert DECODER.decode(response.content).data.meetings

    began = time.process_time()
    asyncio.run(main())
    return time.process_time() - began


def first_httpx(url: str) -> float:
    """Get the first row by hand."""
    return _first_httpx(url, verify=True)


def first_httpx_plain(url: str) -> float:
    """Get the first row by hand, with a client that reads no certificates, which plain http does not need."""
    return _first_httpx(url, verify=False)


def second_client(url: str) -> float:
    """Make a second client."""
    from pyas_async import PyasClient

    first = PyasClient(KEY, base_url=url)
    began = time.process_time()
    second = PyasClient(KEY, base_url=url)
    took = time.process_time() - began
    assert first is not second
    return took


if __name__ == "__main__":
    what, url, folder = sys.argv[1:]
    sys.path.insert(0, folder)
    print(globals()[what](url))
