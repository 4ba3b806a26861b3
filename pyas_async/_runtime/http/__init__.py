"""The HTTP transport: the only package that imports httpx.

It cancels httpx only through anyio scopes, and turns every exception of httpx into a `Fault` that says whether the
request may have reached the service. No object of httpx leaves this package: its exceptions hold the request, and so
the
API key.
"""

from pyas_async._runtime.http.face import HttpClient, HttpTimeout
from pyas_async._runtime.http.timeouts import Timeouts
from pyas_async._runtime.http.transport import Transport

__all__ = ["HttpClient", "HttpTimeout", "Timeouts", "Transport"]
