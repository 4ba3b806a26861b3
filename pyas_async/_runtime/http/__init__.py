"""Bytes out, bytes in: the only room that knows httpx.

It never cancels httpx but by an anyio scope, and turns whatever httpx raises into a `Fault` that says whether the
request may have reached the service. Nothing of httpx leaves it: its exceptions hold the request, and so the API key.
"""

from pyas_async._runtime.http.face import HttpClient, HttpTimeout
from pyas_async._runtime.http.timeouts import Timeouts
from pyas_async._runtime.http.transport import Transport

__all__ = ["HttpClient", "HttpTimeout", "Timeouts", "Transport"]
