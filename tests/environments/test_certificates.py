"""The certificates that the environment names: which are trusted, and what is said if they cannot be used."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest
import trustme

import inside
from clients import own_pool_only
from pyas_async import ConfigurationError, RateBudget, TransportError
from runtime.socket_server import NEW, client_of, found, wire
from runtime.trust import AUTHORITY, served

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from runtime.socket_server import Wire

pytestmark = [pytest.mark.anyio, own_pool_only]
VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve https on a socket."""
    with wire(found, served()) as server:
        yield server


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Remove the settings of the machine, and the contexts that were made with them."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    inside.forget_ssl_context()
    yield monkeypatch
    inside.forget_ssl_context()


def bundle(folder: Path, authority: trustme.CA = AUTHORITY) -> Path:
    """Write a file with the certificate of the authority."""
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return path


def by_hash(folder: Path, authority: trustme.CA = AUTHORITY) -> Path:
    """Put the certificate of the authority into a folder under the name that OpenSSL looks for."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the program openssl is not installed; it computes the name")
    folder.mkdir()
    file = bundle(folder, authority)
    asked = subprocess.run([openssl, "x509", "-hash", "-noout", "-in", file], capture_output=True, check=True)
    (folder / f"{asked.stdout.decode().strip()}.0").symlink_to(file.name)
    return folder


async def check_refused(url: str, *says: str, without: tuple[str, ...] = ()) -> None:
    """Check that a create and a get are refused with these words, and without the others."""
    budget = RateBudget(10)
    async with client_of(url, budget=budget) as client:
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: client.meetings.create(NEW),
            lambda: client.meetings.get(81),
        ]
        for call in calls:
            with pytest.raises(ConfigurationError) as caught:
                await call()
            text = str(caught.value)
            assert [True] * len(says) == [word in text for word in says], text
            assert [False] * len(without) == [word in text for word in without], text
            assert (None, None) == (caught.value.__cause__, caught.value.__context__)
        assert 10 == client.rate_limit.remaining
        assert {} == inside.under_way(client)


async def test_file(service: Wire, tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    """The certificates in `SSL_CERT_FILE` are trusted, whatever `SSL_CERT_DIR` says, as httpx reads them."""
    environment.setenv("SSL_CERT_FILE", str(bundle(tmp_path)))
    environment.setenv("SSL_CERT_DIR", str(tmp_path / "missing"))
    async with client_of(service.url) as client:
        assert 81 == (await client.meetings.get(81)).id


async def test_folder(service: Wire, tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    """The certificates in `SSL_CERT_DIR` are trusted. Like `PATH`, it may name several folders."""
    folder = by_hash(tmp_path / "certificates")
    for value in (f"{folder}", f"{folder}{os.pathsep}{tmp_path / 'missing'}", f"{tmp_path}{os.pathsep}{folder}"):
        environment.setenv("SSL_CERT_DIR", value)
        async with client_of(service.url) as client:
            assert 81 == (await client.meetings.get(81)).id


async def test_other_authority(service: Wire, tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    """Usable certificates of another authority are no flaw of the environment: the certificate does not fit."""
    for name, value in (
        ("SSL_CERT_FILE", bundle(tmp_path, trustme.CA())),
        ("SSL_CERT_DIR", by_hash(tmp_path / "certificates", trustme.CA())),
    ):
        for variable in VARIABLES:
            environment.delenv(variable, raising=False)
        environment.setenv(name, str(value))
        async with client_of(service.url) as client:
            with pytest.raises(TransportError, match="certificate does not fit") as caught:
                await client.meetings.create(NEW)
        assert "not_sent" == caught.value.write_state


def missing(path: Path) -> Path:
    """Return the name of nothing."""
    return path / "missing"


def in_a_file(path: Path) -> Path:
    """Return a name below a file."""
    return bundle(path) / "below"


def folder_without_names(path: Path) -> Path:
    """Return a folder with a certificate under another name than OpenSSL looks for."""
    folder = path / "certificates"
    folder.mkdir()
    return bundle(folder).parent


def empty_folder(path: Path) -> Path:
    """Return an empty folder."""
    folder = path / "empty"
    folder.mkdir()
    return folder


def empty_file(path: Path) -> Path:
    """Return an empty file."""
    (path / "empty.pem").touch()
    return path / "empty.pem"


def garbage(path: Path) -> Path:
    """Return a file that is no text."""
    (path / "garbage.pem").write_bytes(bytes(range(256)) * 10)
    return path / "garbage.pem"


def cut_off(path: Path) -> Path:
    """Return a file whose certificate is incomplete."""
    file = bundle(path)
    file.write_bytes(file.read_bytes()[:200])
    return file


def key_alone(path: Path) -> Path:
    """Return a file with a private key, and no certificate."""
    AUTHORITY.private_key_pem.write_to_path(path / "key.pem")
    return path / "key.pem"


FLAWS: dict[str, list[Callable[[Path], Path]]] = {
    "SSL_CERT_DIR": [missing, in_a_file, bundle, folder_without_names, empty_folder],
    "SSL_CERT_FILE": [missing, in_a_file, empty_folder, empty_file, garbage, cut_off, key_alone],
}


@pytest.mark.parametrize(("variable", "make"), [(name, make) for name, flaws in FLAWS.items() for make in flaws])
async def test_unusable(
    service: Wire, variable: str, make: Callable[[Path], Path], tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    """Certificates that cannot be used are refused with the variable and its value, and the reason."""
    path = make(tmp_path)
    environment.setenv(variable, str(path))
    other = "SSL_CERT_DIR" if variable == "SSL_CERT_FILE" else "SSL_CERT_FILE"
    connections = service.connections
    await check_refused(service.url, f"{variable}: {path} ", "certificate", without=(other, "SSLKEYLOGFILE"))
    assert connections == service.connections


async def test_several_unusable_folders(service: Wire, tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    """If none of several folders can be used, the error names them."""
    value = f"{empty_folder(tmp_path)}{os.pathsep}{missing(tmp_path)}"
    environment.setenv("SSL_CERT_DIR", value)
    await check_refused(service.url, f"SSL_CERT_DIR: {value} ", "certificate")


@pytest.mark.parametrize("certificates", ["none", "file", "folder"])
@pytest.mark.parametrize("make", [missing, in_a_file, empty_folder])
async def test_key_log_that_cannot_be_written(
    service: Wire, certificates: str, make: Callable[[Path], Path], tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    """A log of TLS keys that cannot be written is named without its value, and no certificates are blamed."""
    log = make(tmp_path) / ("secret-place" if make is missing else "")
    if certificates == "file":
        environment.setenv("SSL_CERT_FILE", str(bundle(tmp_path)))
    elif certificates == "folder":
        environment.setenv("SSL_CERT_DIR", str(by_hash(tmp_path / "certificates")))
    environment.setenv("SSLKEYLOGFILE", str(log))
    await check_refused(service.url, "SSLKEYLOGFILE: ", without=("SSL_CERT", str(log), str(tmp_path), "certificate"))


async def test_key_log(service: Wire, tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    """A log of TLS keys gets the keys of our connections, also if it is named after a first client was used."""
    environment.setenv("SSL_CERT_FILE", str(bundle(tmp_path)))
    async with client_of(service.url) as client:
        await client.meetings.get(81)
    environment.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    async with client_of(service.url) as client:
        await client.meetings.get(81)
    assert "CLIENT_HANDSHAKE_TRAFFIC_SECRET" in (tmp_path / "keys.log").read_text()


@pytest.mark.parametrize("name", VARIABLES)
async def test_plain_http(name: str, tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    """Plain http needs no certificates, and reads none."""
    environment.setenv(name, str(tmp_path / "missing" / "missing"))
    with wire() as server:
        async with client_of(server.url) as client:
            assert 81 == (await client.meetings.get(81)).id


@pytest.mark.parametrize("library", [httpx, httpx2])
@pytest.mark.parametrize("name", VARIABLES)
async def test_passed_client(
    service: Wire,
    library: Any,  # noqa: ANN401
    name: str,
    tmp_path: Path,
    environment: pytest.MonkeyPatch,
) -> None:
    """A passed client trusts what its owner says. The environment is not read for it."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    environment.setenv(name, str(tmp_path / "missing" / "missing"))
    async with library.AsyncClient(verify=context) as http:
        assert 81 == (await client_of(service.url, http_client=http).meetings.create(NEW)).id
