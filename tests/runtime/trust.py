"""The certificate authority of the tests' services, and how a client is made to trust it."""

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
def served(*names: str) -> ssl.SSLContext:
    """Return the TLS context of a service with a certificate of the authority; by default for this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(*names or ("127.0.0.1",)).configure_cert(context)
    return context


@contextmanager
def trusted(folder: Path) -> Iterator[pytest.MonkeyPatch]:
    """Name the authority in the environment, and yield the patch for further variables; `folder` is for its file."""
    AUTHORITY.cert_pem.write_to_path(folder / "trusted.pem")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(folder / "trusted.pem"))
        inside.forget_ssl_context()
        yield environment
        inside.forget_ssl_context()
