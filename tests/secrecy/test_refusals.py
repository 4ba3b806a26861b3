"""A refused value is shown neither by the message nor by the variables of the library's frames."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import pytest

import inside
from pyas_async import Checkpoint, ConfigurationError, InvalidArgumentError, PyasClient, PyasError
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from runtime.socket_server import client_of, wire
from secrecy.emitted import Emitted
from secrecy.planted import CODE, HEADER, KEY, STATE, TOKEN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

BAD_KEYS: dict[str, Any] = {
    "line end": f"{KEY}\n",
    "carriage return": f"{KEY}\r\nx: y",
    "blank": f" {KEY}",
    "accent": f"{KEY}é",
    "null": f"{KEY}\0",
    "delete": f"{KEY}\x7f",
    "surrogate": f"{KEY}\udcff",
    "bytes": KEY.encode(),
    "list": [KEY],
}


def searched(error: BaseException) -> list[str]:
    """Return the secrets that an error, its causes and its contexts show."""
    emitted = Emitted()
    emitted.error("refusal", error)
    assert len(emitted) > 5
    return emitted.found()


@pytest.mark.parametrize("name", BAD_KEYS)
def test_key(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An invalid key is refused without showing it, from an argument and from the environment."""
    with pytest.raises(ConfigurationError, match="api_key") as caught:
        PyasClient(BAD_KEYS[name])
    assert [] == searched(caught.value)
    if isinstance(BAD_KEYS[name], str) and name not in ("null", "surrogate"):
        monkeypatch.setenv("PYAS_API_KEY", BAD_KEYS[name])
        with pytest.raises(ConfigurationError, match="api_key") as caught:
            PyasClient()
        assert [] == searched(caught.value)


SETTINGS: dict[str, dict[str, Any]] = {
    "timeout": {"timeout": -1},
    "base_url": {"base_url": "http://service.example"},
    "max_connections": {"max_connections": 0},
    "account_id": {"account_id": ""},
    "budget": {"budget": 3},
    "page_token_ttl": {"page_token_ttl": None},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(name: str) -> None:
    """An invalid setting is refused without showing the key that was passed with it."""
    with pytest.raises(ConfigurationError, match=name) as caught:
        PyasClient(KEY, **SETTINGS[name])
    assert [] == searched(caught.value)


@pytest.mark.anyio
@pytest.mark.parametrize("name", BAD_KEYS)
async def test_fetched_key(name: str) -> None:
    """An invalid key from a key function is refused in the same way, and nothing is sent."""

    async def bad() -> Any:  # noqa: ANN401
        return BAD_KEYS[name]

    with wire() as server:
        async with client_of(server.url, api_key=bad) as client:
            with pytest.raises(ConfigurationError, match="api_key") as caught:
                await client.meetings.get(81)
        assert [] == server.requests
    assert [] == searched(caught.value)


@pytest.mark.anyio
async def test_key_function_that_is_not_async() -> None:
    """The result of a key function that is not async may be the key, so it is not shown."""
    function: Any = lambda: KEY  # noqa: E731
    async with client_of("http://localhost", api_key=function) as client:
        with pytest.raises(ConfigurationError, match="async") as caught:
            await client.meetings.get(81)
    assert [] == searched(caught.value)


@pytest.mark.anyio
async def test_old_and_new_key() -> None:
    """An invalid key does not replace the valid one, which another call may be about to send."""
    keys: list[Any] = [KEY, f"{KEY}\n", KEY]

    async def function() -> str:
        key: str = keys.pop(0)
        return key

    with wire() as server:
        async with client_of(server.url, api_key=function) as client:
            await client.meetings.get(81)
            with pytest.raises(ConfigurationError):
                await client.meetings.get(81)
            assert KEY == inside.key(client)
            await client.meetings.get(81)
        assert [KEY, KEY] == [seen.headers["x-api-key"] for seen in server.requests]


ARGUMENTS: dict[str, Callable[[PyasClient], Awaitable[object]]] = {
    "code of bytes": lambda client: client.accounts.connect(code=CODE.encode(), name="n"),  # type: ignore[arg-type]
    "code with a lone surrogate": lambda client: client.accounts.connect(code=f"{CODE}\ud800", name="n"),
    "code beside a bad name": lambda client: client.accounts.connect(code=CODE, name=""),
    "state of bytes": lambda client: client.accounts.oauth_url(state=STATE.encode()),  # type: ignore[arg-type]
    "state with a lone surrogate": lambda client: client.accounts.oauth_url(state=f"{STATE}\ud800"),
    "token of bytes": lambda client: client.meetings.list(next_page_token=TOKEN.encode()),  # type: ignore[arg-type]
    "token with a lone surrogate": lambda client: client.meetings.list(next_page_token=f"{TOKEN}\ud800"),
    "token beside a number": lambda client: client.meetings.list(next_page_token=TOKEN, page_number=2),
    "token beside a bad size": lambda client: client.meetings.list(next_page_token=TOKEN, max_results=0),
}


@pytest.mark.anyio
@pytest.mark.parametrize("call", ARGUMENTS.values(), ids=ARGUMENTS)
async def test_arguments(call: Callable[[PyasClient], Awaitable[object]]) -> None:
    """No refusal shows a code, a state or a page token, neither its own nor that of another argument."""
    with wire() as server:
        async with client_of(server.url, api_key=KEY) as client:
            with pytest.raises(InvalidArgumentError) as caught:
                await call(client)
        assert [] == server.requests
    assert [] == searched(caught.value)


def test_headers() -> None:
    """An invalid header is refused without showing its value."""
    with pytest.raises(ConfigurationError, match="x-gateway") as caught:
        PyasClient(KEY).with_options(headers={"x-gateway": f"{HEADER}\n"})
    assert [] == searched(caught.value)


TEXT = str(ListingCheckpoint(account_id="acc", filters=(), page_size=300, token=TOKEN, arrived_wall=1.0))
TEXTS = {
    "cut": TEXT[:-2],
    "changed": TEXT.replace('"index": 0', '"index": 1'),
    "version": TEXT.replace('"version": 1', '"version": 9'),
}


@pytest.mark.parametrize("resume", [Checkpoint.parse, lambda text: PyasClient(KEY).meetings.iter_all(resume=text)])
@pytest.mark.parametrize("name", TEXTS)
def test_checkpoints(name: str, resume: Callable[[str], object]) -> None:
    """The error for a refused checkpoint does not show its page token."""
    with pytest.raises(PyasError) as caught:
        resume(TEXTS[name])
    emitted = Emitted()
    emitted.shown("message", caught.value)
    emitted.packed("message", caught.value)
    emitted.text("traceback", "".join(traceback.format_exception(caught.value)))
    assert [] == emitted.found()
