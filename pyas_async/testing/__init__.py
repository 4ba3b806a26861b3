"""Tools to test code that uses the client: a stand-in for the service, a clock, and clients, all in process.

With pytest, tests use the fixtures ``pyas`` (an `Offline`), ``pyas_client``, ``pyas_sandbox`` and ``pyas_clock``;
pytest finds the plugin automatically. Without pytest, an `Offline` is a context manager::

    with Offline(meetings=50) as pyas:
        asyncio.run(my_code(pyas.client))

It needs the extra ``pyas_async[sandbox]``. Nothing of it is loaded before a test uses it.

For pytest: PYTEST_DONT_REWRITE. Failed assertions here have a message of their own.
"""

from pyas_async.testing._calls import Calls
from pyas_async.testing._clock import Clock
from pyas_async.testing._offline import ClientOptions, Offline, SandboxSettings

__all__ = ["Calls", "ClientOptions", "Clock", "Offline", "SandboxSettings"]

# Where pytest's plugin autoload is off, `pytest -p pyas_async.testing` loads the fixtures.
pytest_plugins: tuple[str, ...] = ("pyas_async_pytest",)
