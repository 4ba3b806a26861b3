"""The private names of other libraries: one module uses them, and a canary for each fails when it moves."""

from __future__ import annotations

import ast
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest

import inside
import pyas_async
from pyas_async._runtime.attempts import private_names
from runtime.socket_server import found, wire
from runtime.trust import AUTHORITY, served

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(pyas_async.__file__).parent
PLACE = "_runtime/attempts/private_names.py"
DOCUMENTED = {"_name_", "_value_"}  # of enum
ELSEWHERE = {("cli/_output.py", "_environ")}  # of rich's console: the command line, not the client

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
    assert ELSEWHERE == {(path, name) for path, name in names if path != PLACE}
    assert {name for path, name in names if path == PLACE}
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


@library
@pytest.mark.anyio
async def test_pool_of_a_client(library: Any) -> None:  # noqa: ANN401  (two libraries with one interface)
    """The pool of a passed client, its limit, its connections and its requests are found."""
    with wire(found) as server:
        limits = library.Limits(max_connections=7)
        async with library.AsyncClient(limits=limits, trust_env=False) as http:
            pool: Any = private_names.pool_of(http, server.url)
            async with http.stream("GET", server.url) as response:
                assert 7 == private_names.limit_of(pool)
                [connection], [request] = inside.lists_of(pool)
                assert connection is request.connection
                await response.aread()
        async with library.AsyncClient(proxy="http://127.0.0.1:1") as proxied:
            assert private_names.uses_proxy(proxied, server.url)


@library
@pytest.mark.anyio
async def test_h11_below_a_response(library: Any) -> None:  # noqa: ANN401
    """What decides whether a connection is used again is found below a response."""
    with wire(found) as server:
        async with library.AsyncClient(trust_env=False) as http:
            for number in (1, 2):
                async with http.stream("GET", server.url) as response:
                    async for _ in response.stream:  # not `aread`, which releases the connection
                        pass
                    assert not private_names.has_surplus(response)
                    private_names.spoil(response)
                assert number == server.connections


@library
@pytest.mark.anyio
async def test_bytes_below_tls(library: Any) -> None:  # noqa: ANN401
    """The bytes that wait to be decrypted are found in the stream of a response."""
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)
    with wire(found, served()) as server:
        async with (
            library.AsyncClient(verify=trusting, trust_env=False) as http,
            http.stream("GET", server.url) as response,
        ):
            assert isinstance(inside.not_decrypted(response), ssl.MemoryBIO)
            await response.aread()
