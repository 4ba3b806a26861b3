"""What objects and their attributes show, however they are printed, copied or pickled."""

from __future__ import annotations

import logging
from pprint import pformat
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import httpx
import pytest
from rich.pretty import pretty_repr

import inside
from core.exchanges import play
from core.strategies import encode, page_of
from core.tools import answer
from pyas_async import BulkRun, RateBudget
from pyas_async._core.calls import endpoints
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.codec import read_account, read_detail, read_page
from pyas_async._core.pagination.listing_state import PageRequest
from pyas_async._runtime.secrets.api_key import ApiKey
from pyas_async._runtime.secrets.log_filter import install_log_filter, masking_logs
from runtime.socket_server import CHANGE, client_of, document, rows_after, wire
from secrecy.echoes import detail
from secrecy.emitted import Emitted
from secrecy.planted import CODE, HEADER, KEY, PASSCODE, STATE, TOKEN

if TYPE_CHECKING:
    from runtime.socket_server import Seen

pytestmark = pytest.mark.anyio


def walk(emitted: Emitted, where: str, thing: object, depth: int = 4) -> None:
    """Record an object and the attributes of our own classes, as tools that look into objects do.

    The state of a listing may show its page token, but nothing may show a key.
    """
    emitted.shown(where, thing, allowed="t" if "._machine" in where else "")
    if depth and type(thing).__module__.startswith("pyas_async"):
        for name, value in list(getattr(thing, "__dict__", {}).items()):
            walk(emitted, f"{where}.{name}", value, depth - 1)


async def test_clients() -> None:
    """A client, its views, runs and iterators and all their parts show no key, before and after use."""
    emitted = Emitted()

    def page(seen: Seen) -> bytes:
        found = rows_after(None)
        found["data"]["next_page_token"] = TOKEN
        return document(found)

    with wire(page) as server:
        client = client_of(server.url, api_key=KEY, budget=RateBudget())
        for _ in range(2):
            view = client.for_account("acc").with_options(headers={"x-gateway": HEADER})
            listing = view.meetings.iter_all()
            await anext(listing)
            things = [client, view, view.meetings, view.accounts, listing, inside.session(client)]
            things += [view.meetings.get_many([1]), view.meetings.iter_accounts(["a"]), listing.checkpoint()]
            for number, thing in enumerate(things):
                walk(emitted, "options", inside.options(view))
                if thing is not things[-1]:  # a checkpoint, whose text is meant to be stored
                    walk(emitted, f"{number}", thing)
                if not isinstance(thing, BulkRun):
                    emitted.packed(f"{number}", thing, allowed="t" if thing is things[-1] else "")
            await listing.aclose()
        await client.aclose()
    assert len(emitted) > 100
    assert [] == emitted.found()


def test_parts() -> None:
    """A key, a call, a request for a page and a checkpoint do not show the secrets that they hold."""
    emitted = Emitted()
    key = ApiKey(KEY)
    calls = [
        endpoints.list_meetings("acc", (), next_page_token=TOKEN),
        endpoints.oauth_url(STATE),
        endpoints.connect(CODE, "n"),
    ]
    for thing in [key, key.mask((TOKEN,)), *calls, PageRequest(TOKEN, 300, None)]:
        walk(emitted, type(thing).__name__, thing)
    checkpoint = ListingCheckpoint(account_id="acc", filters=(), page_size=300, token=TOKEN)
    emitted.text(
        "checkpoint", f"{checkpoint!r} {pretty_repr(checkpoint)} {pformat(checkpoint)}"
    )  # its text is meant to be stored
    for thing in (key, key.mask((TOKEN,))):
        emitted.packed("key", thing)
    emitted.text("formats", f"{key!s:>30}{key!r:>30}")
    assert [] == emitted.found()
    with pytest.raises(TypeError, match="format"):
        format(key, ">30")


def test_earlier_keys() -> None:
    """A response is masked for the key of its request after other calls have fetched seven newer ones."""
    keys = iter([KEY, *(f"key-{number}" for number in range(7))])

    async def function() -> str:
        return next(keys)

    async def fetch() -> None:
        for _ in range(8):
            await key.fetch()

    key = ApiKey(function)
    mask = key.mask()
    anyio.run(fetch)
    assert "Unauthorized: ***, ***" == mask(f"Unauthorized: {KEY}, {key.reveal()}")


def test_models() -> None:
    """Models show no passcodes, links with passcodes or page tokens, and no values of unknown fields."""
    emitted = Emitted()
    meeting = {**detail(), "id": 81, "start_time": None, "new_secret": PASSCODE, "settings": {"new_secret": PASSCODE}}
    models: list[Any] = [
        read_page(page_of(meeting, token=TOKEN)),
        read_detail(encode({"meeting": meeting})),
        read_account(encode({"data": {"account": {"accountId": "a", "code": CODE, "token": TOKEN}}})),
    ]
    models += [models[0].meetings[0], models[1].settings, attrs.evolve(models[1], password=f"new {PASSCODE}")]
    for model in models:
        emitted.shown(type(model).__name__, model)
        emitted.packed(type(model).__name__, model, allowed="tpc")  # a pickle has the values of the model
    assert len(emitted) > 10
    assert [] == emitted.found()


@pytest.mark.parametrize("at", range(440, 520, 3))
def test_excerpts(at: int) -> None:
    """The excerpt of a DecodeError has no part of a key in it, wherever it is cut."""
    key = ApiKey(KEY)
    for text in (KEY, repr(KEY.encode()), KEY.replace("/", "%2F")):
        played = play(endpoints.get_meeting("acc", 1), [answer(200, b"x" * at + text.encode())], mask=key.mask())
        emitted = Emitted()
        assert played.error is not None
        emitted.error("DecodeError", played.error)
        assert [] == emitted.found()


LINES: list[tuple[str, Any, tuple[Any, ...]]] = [
    ("httpx", 'HTTP Request: %s %s "%s %d %s"', ("GET", httpx.URL(f"http://h/p?a={TOKEN}"), "HTTP/1.1", 401, KEY)),
    ("httpx2", "%(a)s %(b)d", ({"a": KEY, "b": 5},)),
    ("httpcore.http11", f"receive_response_headers.complete return_value=[(b'X', {KEY.encode()!r})]", ()),
    ("httpcore2.proxy", f"connect {TOKEN}", ()),
    ("hpack.hpack", "Encoded header block to %s", (KEY.encode(),)),
    ("hpack.table", "Evicting %s: %s from the header table", (b"x-api-key", KEY.encode())),
]


@pytest.mark.parametrize(("name", "message", "arguments"), LINES, ids=[line[0] for line in LINES])
def test_log_lines(name: str, message: Any, arguments: tuple[Any, ...], caplog: pytest.LogCaptureFixture) -> None:  # noqa: ANN401
    """A record about our request is logged without secrets or dropped; a record about another request is unchanged."""
    install_log_filter()
    caplog.set_level(1)
    logger = logging.getLogger(name)
    caplog.set_level(1, name)
    with masking_logs(ApiKey(KEY).mask((TOKEN,))):
        logger.debug(message, *arguments)
    ours = [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    caplog.clear()
    logger.debug(message, *arguments)
    [other] = [record.getMessage() for record in caplog.records]
    emitted = Emitted()
    for text in ours:
        emitted.text(name, text)
    assert [] == emitted.found()
    assert (0 if name.startswith("hpack") else 1) == len(ours)
    assert (
        message % (arguments[0] if isinstance(arguments[0], dict) else arguments) if arguments else message
    ) == other


async def test_hidden_only_meanwhile(caplog: pytest.LogCaptureFixture) -> None:
    """Requests of another client of httpx, before and between ours, are logged unchanged."""
    caplog.set_level(logging.INFO, logger="httpx")
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"meeting": {"id": 81}}))
    async with httpx.AsyncClient(transport=transport) as http:
        client = client_of("http://localhost", api_key=KEY, http_client=http)
        for _ in range(2):
            await http.get("https://other.example/a?token=visible")
            await client.meetings.get(81)
            await client.meetings.update(81, CHANGE)
    lines = [record.getMessage() for record in caplog.records if record.name == "httpx"]
    assert 2 == sum("other.example/a?token=visible" in line for line in lines)
    assert 2 == sum("/zoom/meetings/81?***" in line for line in lines)
    assert 6 == len(lines)
