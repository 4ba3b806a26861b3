"""Sends requests over HTTP: the only package that imports httpx.

Each request goes through the `send` of an `httpx.AsyncClient`: our own, with a transport of ours below it, or the one
that was passed. The package turns every exception of httpx into a `Fault` that says whether the request may have
reached the service. No object of httpx leaves it: its exceptions hold the request, and so the API key.
"""

from pyas_async._runtime.http.http_client import HttpClient
from pyas_async._runtime.http.sender import Sender

__all__ = ["HttpClient", "Sender"]
