"""Makes the attempts of calls: each sends one request, and returns its response or what went wrong.

Each request goes through the `send` of an `httpx.AsyncClient`: our own (`_runtime/http/`), or the one that was passed.
The package turns every exception of httpx into a `Fault` that says whether the request may have reached the service.
No object of httpx leaves it: its exceptions hold the request, and so the API key.
"""

from pyas_async._runtime.attempts.passed_client import HttpClient
from pyas_async._runtime.attempts.sender import Sender

__all__ = ["HttpClient", "Sender"]
