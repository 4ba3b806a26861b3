"""What the environment says about HTTP: the certificates to trust, and whether there is a proxy."""

import os
import re
import ssl
from functools import lru_cache
from pathlib import Path
from urllib.request import getproxies

import httpx

from pyas_async.errors import ConfigurationError

# OpenSSL finds certificates in a folder by these names, which `openssl rehash` makes.
_HASH_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+")


def names_proxy(scheme: str, host: str) -> bool:
    """Whether the environment, or the system, names a proxy that may be used. By which rules, httpx knows."""
    proxies = getproxies()
    # httpx cannot read an address in brackets.
    exceptions = [entry.strip() for entry in proxies.get("no", "").split(",")]
    return bool(proxies.get(scheme) or proxies.get("all")) and f"[{host}]" not in exceptions


def tls_context() -> ssl.SSLContext:
    """Return the TLS context for the certificates that the environment names, as httpx reads it.

    Building one takes as long as a hundred requests, so all clients of the process share it.

    Raises:
        ConfigurationError: If the environment names certificates, or a log of TLS keys, that cannot be used.
    """
    file, folder = os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")
    if folder and not file:
        _check_folder(folder)
    try:
        return _tls_context(file, folder, os.environ.get("SSLKEYLOGFILE"))
    except OSError as error:  # so are the errors of ssl
        flaw = _flaw(file, error)
    # Outside the handler: the text of the exception has the path of the log.
    raise ConfigurationError(flaw)


@lru_cache(maxsize=4)
def _tls_context(*_environment: str | None) -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _check_folder(folders: str) -> None:
    flaw = (
        "has no certificate under the name that OpenSSL looks for, such as 5ed36f99.0; `openssl rehash` makes these "
        "names"
    )
    for folder in filter(None, folders.split(os.pathsep)):  # as OpenSSL reads it
        try:
            if any(_HASH_NAME.fullmatch(entry.name) for entry in Path(folder).iterdir()):
                return
        except OSError as error:
            flaw = f"cannot be read as a folder of certificates: {error.strerror}"
    msg = f"SSL_CERT_DIR: {folders} {flaw}"
    raise ConfigurationError(msg)


def _flaw(file: str, error: OSError) -> str:
    """Name the variable of the environment to which an error is due."""
    reason = error.strerror or type(error).__name__
    if file:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
        except OSError as own:
            return f"SSL_CERT_FILE: {file} cannot be read as a file of certificates: {own.strerror or own}"
    if os.environ.get("SSLKEYLOGFILE"):
        return f"SSLKEYLOGFILE: the file that it names cannot be written: {reason}"
    return f"the certificates to trust cannot be read: {error}"


def proxy_flaw(error: Exception) -> str:
    """Describe what makes the proxy of the environment unusable. The address may hold a password, and is not shown."""
    name = "the proxy of the environment (HTTPS_PROXY, ALL_PROXY, NO_PROXY) cannot be used"
    if isinstance(error, ImportError):
        return f"{name}: SOCKS needs another package; install httpx[socks]"
    expected = "expected an address such as http://proxy.example:3128"
    return f"{name}: {expected}, and hosts or addresses without brackets in NO_PROXY"


@lru_cache(maxsize=1)
def no_context() -> ssl.SSLContext:
    """Return a context that encrypts nothing, for plain http. Without one, httpx builds one for each transport."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
