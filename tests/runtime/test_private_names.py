"""The private names of other libraries: one module uses them, and a canary for each fails when it moves."""

from __future__ import annotations

import ast
import ssl
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import httpx2
import httpx_aiohttp
import pytest

import inside
import pyas_async
from pyas_async._runtime.attempts import private_names
from runtime.raw_service import talking
from runtime.socket_server import found, until, wire
from runtime.tls_records import APPLICATION_DATA, Recorder
from runtime.trust import AUTHORITY

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

PACKAGE = Path(pyas_async.__file__).parent
PLACE = "_runtime/attempts/private_names.py"
DOCUMENTED = {"_name_", "_value_"}  # of enum

library = pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])


def is_private(name: object) -> bool:
    """Return whether a name is private, and no name of the language."""
    return isinstance(name, str) and name.startswith("_") and not name.startswith("__")


def defined(trees: dict[str, ast.Module]) -> set[str]:
    """Return the names of all attributes, functions and classes that the sources define."""
    names = set()
    for node in (node for tree in trees.values() for node in ast.walk(tree)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node.value):
            names.add(node.attr)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def is_own(node: ast.expr) -> bool:
    """Return whether an expression is the object or the class that the code belongs to."""
    return (isinstance(node, ast.Name) and node.id in ("self", "cls")) or ast.unparse(node) == "super()"


def foreign(tree: ast.Module, ours: set[str]) -> Iterator[str]:
    """Yield the private names that a module takes from objects of others."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and not is_own(node.value):
            if node.attr not in ours | DOCUMENTED:
                yield node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr", "setattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant) and is_private(name.value) and not is_own(node.args[0]):
                yield str(name.value)


def test_one_module_uses_private_names_of_others() -> None:
    """The sources take no private name from another library, except in one module, which our own calls do not need."""
    trees = {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in PACKAGE.rglob("*.py")
    }
    ours = defined(trees)
    names = {(path, name) for path, tree in trees.items() for name in foreign(tree, ours)}
    assert {PLACE} == {path for path, _ in names}
    # In the packages that use httpx, not even names that objects of ours have as well.
    for path, tree in trees.items():
        if path.startswith(("_runtime/attempts/", "_runtime/http/")) and path != PLACE:
            assert [] == list(foreign(tree, set())), path


def test_the_check_finds_them() -> None:
    """Each way to take a private name is found."""
    for text in ("client._pool", "getattr(client, '_pool', None)", "hasattr(client, '_pool')", "a.b()._pool.x"):
        assert ["_pool"] == list(foreign(ast.parse(text), {"_other"}))
    for text in ("self._pool", "cls._pool", "client.__dict__", "client.pool", "super()._pool"):
        assert [] == list(foreign(ast.parse(text), set()))


# A canary for each name: not that it is there, but that it does what the client needs.


@library
@pytest.mark.anyio
async def test_transport_of_a_client(library: Any) -> None:  # noqa: ANN401  (two libraries with one interface)
    """The transport that is found is the one that a request uses, and only a transport of the library's own counts."""
    other = type("Other", (library.AsyncBaseTransport,), {})
    with wire(found) as server:
        usual, mounted = library.AsyncHTTPTransport(trust_env=False), library.AsyncHTTPTransport(trust_env=False)
        mounts = {server.url: mounted, "http://cached": other()}
        async with library.AsyncClient(transport=usual, mounts=mounts) as http:
            assert mounted is private_names.transport_of(http, server.url)
            assert usual is private_names.transport_of(http, "http://other")
            assert private_names.transport_of(http, "http://cached") is None
            pool = private_names.pool_of(http, server.url)
            assert [] == pool.connections
            await http.get(server.url)
            assert [True] == [connection.is_idle() for connection in pool.connections]


@library
@pytest.mark.anyio
async def test_limit_of_a_pool(library: Any) -> None:  # noqa: ANN401
    """As many requests as the limit that is found run at once in the pool, and the next one waits."""
    limits, timeout = library.Limits(max_connections=2), library.Timeout(5, pool=0.01)
    with wire(found) as server:
        async with library.AsyncClient(limits=limits, timeout=timeout, trust_env=False) as http:
            limit = private_names.limit_of(private_names.pool_of(http, server.url))
            assert limit == 2
            async with AsyncExitStack() as stack:
                for _ in range(limit):
                    await stack.enter_async_context(http.stream("GET", server.url))
                with pytest.raises(library.PoolTimeout):
                    await http.get(server.url)
        async with library.AsyncClient(limits=library.Limits(max_connections=None), trust_env=False) as http:
            assert private_names.limit_of(private_names.pool_of(http, server.url)) is None


@library
@pytest.mark.anyio
async def test_lost_connection(library: Any) -> None:  # noqa: ANN401
    """A connection that the pool counts, and that no request uses, is removed and closed; one in use is neither."""
    limits = library.Limits(max_connections=1)
    with wire(found) as server:
        async with library.AsyncClient(limits=limits, trust_env=False) as http:
            pool = private_names.pool_of(http, server.url)
            async with http.stream("GET", server.url) as response:
                await private_names.remove_lost(pool)
                await response.aread()
            assert (1, 0) == (server.connections, server.closed)
            await http.send(http.build_request("GET", server.url), stream=True)
            inside.requests_of(pool).clear()  # as after a cancellation at an unfortunate moment
            await private_names.remove_lost(pool)
            await until(lambda: server.closed == 1)
            assert 200 == (await http.get(server.url)).status_code
            assert 2 == server.connections


@library
@pytest.mark.anyio
async def test_proxy_of_a_client(library: Any) -> None:  # noqa: ANN401
    """A proxy is found exactly where a request goes to one."""
    with wire(found) as origin, wire(found) as proxy:
        for options in ({"proxy": proxy.url}, {}, {"mounts": {"http://": library.AsyncHTTPTransport(proxy=proxy.url)}}):
            async with library.AsyncClient(trust_env=False, **options) as http:
                before = len(proxy.requests)
                await http.get(origin.url)
                assert private_names.uses_proxy(http, origin.url) is (len(proxy.requests) > before)
        assert (1, 2) == (len(origin.requests), len(proxy.requests))


@pytest.mark.asyncio
@pytest.mark.parametrize("proxied", [True, False])
async def test_proxy_of_a_session(proxied: bool) -> None:
    """The proxy of an aiohttp session below httpx's client is found exactly where a request goes to one."""
    with wire(found) as origin, wire(found) as proxy:
        async with (
            aiohttp.ClientSession(proxy=proxy.url if proxied else None) as session,
            httpx.AsyncClient(transport=httpx_aiohttp.AiohttpTransport(client=session)) as http,
        ):
            assert private_names.uses_proxy(http, origin.url) is proxied
            await http.get(origin.url)
        assert proxied == len(proxy.requests)


@library
@pytest.mark.anyio
@pytest.mark.parametrize("spoils", [True, False])
async def test_h11_below_a_response(library: Any, spoils: bool) -> None:  # noqa: ANN401
    """A connection is used again after a response, except if its h11 was told not to."""
    with wire(found) as server:
        async with library.AsyncClient(trust_env=False) as http:
            for _ in range(2):
                async with http.stream("GET", server.url) as response:
                    async for _ in response.stream:  # not `aread`, which releases the connection
                        pass
                    assert not private_names.has_surplus(response)
                    if spoils:
                        private_names.spoil(response)
        assert 1 + spoils == server.connections


@library
@pytest.mark.anyio
async def test_surplus_below_a_response(library: Any) -> None:  # noqa: ANN401
    """Bytes that came with a response, and that h11 has not read, are found."""
    with wire(lambda seen: found(seen) + b"HTTP/1.1 200 OK\r\n\r\n") as server:
        async with library.AsyncClient(trust_env=False) as http, http.stream("GET", server.url) as response:
            async for _ in response.stream:
                pass
            assert private_names.has_surplus(response)


@library
@pytest.mark.anyio
@pytest.mark.parametrize("surplus", [True, False])
async def test_surplus_below_tls(library: Any, surplus: bool, tmp_path: Path) -> None:  # noqa: ANN401
    """Bytes that came with a response, and that are not decrypted yet, are found."""
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)
    context, log = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), tmp_path / "keys"
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    context.num_tickets = 0
    context.keylog_filename = str(log)
    ok = APPLICATION_DATA, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"

    def talk(plain: socket.socket) -> None:
        service = Recorder(plain, context, log)
        service.receive()
        service.send(*[ok] * (1 + surplus))
        service.receive()

    with talking(talk) as port:
        async with (
            library.AsyncClient(verify=trusting, trust_env=False) as http,
            http.stream("GET", f"https://127.0.0.1:{port}") as response,
        ):
            async for _ in response.stream:
                pass
            assert private_names.has_surplus(response) is surplus
