"""Who vouches for the services of the tests, and how a client with connections of its own is told."""

from __future__ import annotations

import functools
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import trustme

import inside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AUTHORITY = trustme.CA()


@functools.cache
def served() -> ssl.SSLContext:
    """Give the context of a service on this machine that the authority vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    return context


@contextmanager
def trusted(folder: Path) -> Iterator[pytest.MonkeyPatch]:
    """Let the environment name the authority, and give what else it may be made to say; the folder is for a file."""
    AUTHORITY.cert_pem.write_to_path(folder / "trusted.pem")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(folder / "trusted.pem"))
        inside.forget_ssl_context()
        yield environment
        inside.forget_ssl_context()
