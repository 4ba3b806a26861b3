"""The API key is in no error, log, event or repr, however a call fails."""

from __future__ import annotations

import logging
import pickle
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from contract.tools import FOUND, HANG, KEY, Reply, Service, client_of, sample
from pyas_async import DecodeError, MeetingCreate, PyasClient, PyasError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyas_async import Event
    from pyas_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

NEW = MeetingCreate(type=2, title="t", description="", start_date=datetime(2026, 12, 1, tzinfo=UTC))
ECHO = f"x-api-key: {KEY}"

FAILURES = {
    "connect error": httpx.ConnectError(f"refused {ECHO}"),
    "read error": httpx.ReadError(f"reset {ECHO}"),
    "read timeout": httpx.ReadTimeout("too late"),
    "protocol error": httpx.RemoteProtocolError(f"not HTTP: {KEY!r}"),
    "illegal header": httpx.LocalProtocolError(f"Illegal header value {KEY.encode()!r}"),
    "a fault of no httpx kind": ConnectionResetError(f"no route {ECHO}"),
    "hang": HANG,
    "401": Reply(401, {"error": f"Unauthorized. Invalid API key {KEY}."}),
    "400": Reply(400, {"errors": [{"msg": f"bad {KEY}", "param": KEY, "location": "header", "value": KEY}]}),
    "429": Reply(429, {"error": "Rate limit exceeded", "message": KEY, "code": KEY}),
    "500 text": Reply(500, f"Traceback … {ECHO}"),
    "500 HTML": Reply(500, f"<pre>{ECHO}</pre>"),
    "request id": Reply(404, {"error": "x"}, {"x-request-id": KEY}),
    "success false": Reply(200, {"success": False, "error": ECHO}),
    "no JSON": Reply(200, f"debug {ECHO}"),
    "no meeting": Reply(200, {"debug": {"headers": {"x-api-key": KEY}}}),
    "unreadable meeting": Reply(200, {"meeting": {"id": KEY, "uuid": "u"}}),
}
# Faults whose text does not contain the key.
SILENT = [
    httpx.ConnectError("refused"),
    httpx.ReadError("reset"),
    httpx.ReadTimeout("too late"),
    HANG,
    Reply(401, {"error": "Unauthorized. Invalid API key."}),
    Reply(429, {"error": "Rate limit exceeded"}),
    Reply(500, "x"),
    Reply(200, "no JSON"),
    Reply(200, {"meeting": {"id": "x", "uuid": "u"}, "data": {"meetings": [{"id": "x"}]}}),
]


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error with all of its causes and contexts, also those that `from None` only hides."""
    seen: list[BaseException] = []
    ahead: list[BaseException | None] = [error]
    while ahead:
        one = ahead.pop()
        if one is not None and one not in seen:
            seen.append(one)
            ahead += [one.__cause__, one.__context__]
    yield from seen


def told(error: BaseException) -> str:
    """Return the texts and attributes of an error."""
    return "\n".join(f"{one} {one!r} {one.args!r} {vars(one)!r}" for one in chain(error))


def dumped(error: BaseException) -> str:
    """Return the tracebacks of an error with the locals of every frame, as some error reporters show them."""
    texts: list[str] = []
    for one in chain(error):
        report = traceback.TracebackException.from_exception(one, capture_locals=True)
        # The frames of the tests hold the key.
        report.stack[:] = [frame for frame in report.stack if Path(frame.filename).parent != Path(__file__).parent]
        texts += report.format(chain=False)
    return "\n".join(texts)


async def fail(fault: Reply | Exception, call: Callable[[PyasClient], Any], **options: Any) -> PyasError:  # noqa: ANN401
    """Make a call that fails, and return its error."""
    async with Service(fault).client(timeout=0.02, **options) as client:
        with pytest.raises(PyasError) as caught:
            await call(client)
    return caught.value


CALLS: dict[str, Callable[[PyasClient], Any]] = {
    "get": lambda client: client.with_options(retry=None).meetings.get(81),
    "create": lambda client: client.with_options(retry=None).meetings.create(NEW),
    "iter_all": lambda client: client.with_options(retry=None).meetings.iter_all().collect(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES)
async def test_no_key_in_errors(fault: Reply | Exception, call: Callable[[PyasClient], Any]) -> None:
    """Neither the text nor the attributes nor the pickle of an error contain the key, even if the service echoes it."""
    error = await fail(fault, call)
    assert KEY not in told(error)
    assert KEY.encode() not in pickle.dumps(error)


async def key_function() -> str:
    """Return the key."""
    return KEY


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("fault", SILENT, ids=[str(number) for number in range(len(SILENT))])
@pytest.mark.parametrize("key", [KEY, key_function], ids=["text", "function"])
async def test_no_key_in_tracebacks(fault: Reply | Exception, call: Callable[[PyasClient], Any], key: Any) -> None:  # noqa: ANN401
    """The locals in the tracebacks of an error do not show the key."""
    assert KEY not in dumped(await fail(fault, call, api_key=key))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES)
async def test_no_httpx_in_errors(fault: Reply | Exception, call: Callable[[PyasClient], Any]) -> None:
    """No error has an httpx exception, whose request holds the key, as its cause or context."""
    error = await fail(fault, call)
    modules = {type(one).__module__.partition(".")[0] for one in chain(error)}
    assert set() == modules & {"httpx", "httpcore", "h11", "anyio"}


async def test_no_secret_in_a_decode_error() -> None:
    """The excerpt of a response contains no passcode and no host's link, and at most 500 characters."""
    document = sample("get")["meeting"] | {"id": "not a number", "join_url": "https://x.zoom.us/j/8?pwd=J0inS3cret"}
    error = await fail(Reply(200, {"meeting": document}), CALLS["get"])
    assert isinstance(error, DecodeError)
    assert len(error.excerpt) <= 500
    names = ("start_url", "password", "h323_password", "encrypted_password")
    secrets = [document[name] for name in names] + ["J0inS3cret"]
    assert [] == [secret for secret in secrets if secret in told(error)]


@pytest.mark.parametrize(
    "body", ['{"password": "hunter2hunter2", "start_url": "https://z/s/8?zak=Zak3y', "pwd=hunter2hunter2"]
)
async def test_no_secret_in_what_is_no_json(body: str) -> None:
    """A response that is cut is masked as well."""
    error = await fail(Reply(200, body), CALLS["get"])
    assert [] == [secret for secret in ("hunter2hunter2", "Zak3y") if secret in told(error)]


async def test_no_key_in_logs_and_events(
    world: Callable[[int], tuple[Sandbox, str]], caplog: pytest.LogCaptureFixture
) -> None:
    """No log record of any level, ours or httpx's, and no event contains the key."""
    sandbox, url = world(301)
    caplog.set_level(logging.DEBUG)
    events: list[Event] = []
    async with client_of(url, account_id=sandbox.account_ids[0], on_event=events.append) as client:
        await client.meetings.iter_all().collect()
        with pytest.raises(PyasError):
            await client.meetings.get(1)
    assert events
    assert KEY not in repr(events)
    assert [] == [record for record in caplog.records if KEY in record.getMessage() or KEY in repr(record.args)]


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
async def test_httpx_lines_are_redacted(caplog: pytest.LogCaptureFixture, level: int) -> None:
    """The lines that httpx logs about our requests do not show account ids or page tokens."""
    caplog.set_level(level)
    async with Service(FOUND).client(account_id="acc-s3cret") as client:
        await client.meetings.get(81)
    assert [] == [record.getMessage() for record in caplog.records if "acc-s3cret" in record.getMessage()]


def test_no_key_in_repr() -> None:
    """The `repr` of a client, of its views and of its attributes does not contain the key."""
    client = PyasClient(KEY, account_id="acc")
    things = (client, client.for_account("a"), client.with_options(retry=None), client.meetings, client.accounts)
    assert [] == [thing for thing in things if KEY in repr(thing)]
