"""For tests of code that uses the client: everything but the service itself, in process.

With pytest, tests take the fixtures ``pyas`` (an `Offline`), ``pyas_client``, ``pyas_sandbox`` and ``pyas_clock``; the
plugin is found by itself. Without pytest, an `Offline` is a context manager::

    with Offline(meetings=50) as pyas:
        asyncio.run(my_code(pyas.client))

It needs the extra ``pyas_async[sandbox]``. Nothing of it is loaded before a test asks for it.

For pytest: PYTEST_DONT_REWRITE. Failed assertions here say what they have to say.
"""

from pyas_async.testing._calls import Calls
from pyas_async.testing._clock import Clock
from pyas_async.testing._offline import ClientOptions, Offline, SandboxSettings

__all__ = ["Calls", "ClientOptions", "Clock", "Offline", "SandboxSettings"]

# Where plugins are not found by themselves, `pytest -p pyas_async.testing` loads the fixtures.
pytest_plugins: tuple[str, ...] = ("pyas_async_pytest",)
