"""``pyas doctor`` on a service that fails: what was not answered decides nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

import inside
from cli.changed_service import ChangedService, Changes
from pyas_async import PyasClient
from pyas_async.cli._doctor.calls import CLOCK
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.tools import Done, Pyas

Json = dict[str, Any]
Failing = Callable[[int], bool]
"""Whether the request of a number fails, from 1 on."""
KEY = "a-key-that-must-stay-secret"
TOO_MANY = {"message": "Too many requests! Please try again later.", "code": 429, "error": "Rate limit exceeded"}
PER_SECOND = "You have reached the maximum per-second rate limit for this API. Try again later."
DAILY = "You have exceeded the daily rate limit of (100) for this API."


def used_up(seconds: float) -> dict[str, str]:
    """Return the headers of a response to a call over the key's limit."""
    reset = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {"retry-after": f"{seconds}", "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}


# What a request gets instead of its answer: a status, a body and headers, or a fault of the network.
FAULTS: dict[str, tuple[int, Json | str, dict[str, str]] | str] = {
    "the key's limit, for long": (429, TOO_MANY, used_up(280)),
    "the key's limit, for a moment": (429, TOO_MANY, used_up(0)),
    "the limit without headers": (429, TOO_MANY, {}),
    "a limit per second": (429, {"code": 429, "message": PER_SECOND}, {}),
    "a daily limit": (429, {"code": 429, "message": DAILY}, {}),
    "a limit under 200": (200, {"success": False, **TOO_MANY}, {}),
    "500": (500, {"success": False, "error": "Internal Server Error", "code": 500}, {}),
    "502": (502, "<html>Bad Gateway</html>", {}),
    "503": (503, {"message": "Service Unavailable"}, {"retry-after": "1000"}),
    "a failure under 200": (200, {"success": False, "error": "Internal Server Error", "code": 500}, {}),
    "401": (401, {"error": "Unauthorized. Invalid API key."}, {}),
    "403": (403, {"success": False, "error": "Forbidden", "code": 403}, {}),
    "408": (408, "Request Timeout", {}),
    "the account is gone": (404, {"success": False, "error": "Invalid account id. Account Not Found", "code": 404}, {}),
    "a redirect": (302, "", {"location": "https://login.example.com/"}),
    "a page of a hotel": (200, "<html>Welcome</html>", {}),
    "no answer": "hang",
    "a connection that is closed": "close",
    "an answer that is cut off": "cut",
}


class FailingService:
    """A layer around the service in which some requests fail."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401  (an ASGI application)
        self.app = app
        self.fault: tuple[int, Json | str, dict[str, str]] | str = ""
        self.fails: Failing = lambda _: False
        self.requests = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  (ASGI)
        """Respond to a request, or let it fail."""
        self.requests += 1
        if not self.fails(self.requests):
            await self.app(scope, receive, send)
        elif self.fault == "hang":
            while (await receive())["type"] != "http.disconnect":
                pass
        elif isinstance(self.fault, str):
            # The server closes the connection since the promised rest of the body does not come.
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
            if self.fault == "cut":
                await send({"type": "http.response.body", "body": b'{"success": true', "more_body": True})
        else:
            status, document, headers = self.fault
            body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
            pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
            pairs.append((b"content-length", str(len(body)).encode()))
            await send({"type": "http.response.start", "status": status, "headers": pairs})
            await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, str]]:
    """Serve two accounts, through a layer that changes the service, and one in which requests fail."""
    with Sandbox(accounts=2, meetings=400, api_key=KEY, plan="growth") as sandbox:
        sandbox.app = FailingService(ChangedService(sandbox.app))  # type: ignore[assignment]
        with sandbox.serve() as url:
            yield sandbox, url


@pytest.fixture
def service(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> FailingService:
    """Return the layer in which requests fail; the service behaves as it is assumed to."""
    layer: Any = sandbox.app
    layer.fault, layer.fails, layer.requests = "", lambda _: False, 0
    layer.app.changes = Changes()
    for name in ("plan", "window", "clock"):
        monkeypatch.setattr(sandbox, name, getattr(sandbox, name))
    sandbox.rate_limit(0)
    inside.begin_window(sandbox, KEY, used=0)
    found: FailingService = layer
    return found


@pytest.fixture
def impatient(pyas: Pyas, monkeypatch: pytest.MonkeyPatch) -> Pyas:
    """Return the command, whose client tries each call once and waits a fifth of a second for an answer."""
    monkeypatch.setattr(inside.CLI_CLIENT, partial(PyasClient, retry=None, timeout=0.2))
    return pyas


def verdicts(done: Done) -> dict[str, tuple[str, str]]:
    """Return the state and the text of each finding."""
    return {one["check"]: (one["state"], one["seen"]) for one in done.json if one["check"] != "summary"}


def wrong(found: dict[str, tuple[str, str]], right: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """Return the findings that are neither unclear nor as they are when nothing fails.

    How far two clocks differ, and how many calls were made, may be another number each time.
    """
    different = {check: (verdict, right.get(check)) for check, verdict in found.items() if verdict != right.get(check)}
    return {
        check: (verdict, known)
        for check, (verdict, known) in different.items()
        if verdict[0] != "unclear" and not (check in ("clock", "other-users") and known and verdict[0] == known[0])
    }


# The services on which requests fail: one that behaves as assumed, and some that differ.
SERVICES: dict[str, Json] = {
    "as assumed": {},
    "days first": {"dates": "%d-%m-%Y"},
    "years first": {"dates": "%Y-%m-%d"},
    "dates ignored": {"dates": None},
    "invented tokens accepted": {"dead_tokens": False},
    "only small pages": {"query": lambda query: "maxResults" in query},
}


# Each kind of failure on a service that behaves as assumed, and some of them on each service that differs.
TOGETHER: list[Any] = [("as assumed", fault) for fault in FAULTS] + [
    pytest.param(name, fault, marks=pytest.mark.long if fault == "500" else ())
    for name in [*SERVICES][1:]
    for fault in ("the key's limit, for long", "500")
]


@pytest.mark.parametrize(("changes", "fault"), TOGETHER)
def test_each_request_fails(impatient: Pyas, service: FailingService, fault: str, changes: str) -> None:
    """Whichever request fails, alone or with all that follow it: each verdict is right or unclear."""
    for name, value in SERVICES[changes].items():
        setattr(service.app.changes, name, value)
    right = impatient("doctor", "--json")
    requests, known = service.requests, verdicts(right)
    assert requests >= 8
    assert requests == right.json[-1]["calls"]
    service.fault = FAULTS[fault]

    missed = []
    for failing in range(1, requests + 1):
        # Each request without an answer takes the time of a timeout.
        for alone in (True,) if fault == "no answer" else (True, False):
            service.requests = 0
            service.fails = partial(int.__eq__ if alone else int.__le__, failing)
            done = impatient("doctor", "--json")
            found = verdicts(done)
            assert {} == wrong(found, known), (failing, alone)
            assert "bug" not in done.err
            missed += [check for check in found if found[check][0] == "unclear"]
            if not found:  # the first request failed: the command says why, and ends
                assert done.code not in (0, 8), (failing, alone)
                assert done.err.endswith("Nothing else can be tested before this works.\n")

    # Each check that makes a request of its own had it fail somewhere.
    asking = {"page-token", "order", "page-number", "unknown-token", "date-order", "ids"}
    assert asking - {check for check, (state, _) in known.items() if state == "unclear"} <= set(missed)


@pytest.mark.parametrize("fault", ["the key's limit, for long", "500", "401", "a connection that is closed"])
def test_each_request_of_a_patient_run_fails(
    impatient: Pyas, service: FailingService, sandbox: Sandbox, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The requests that observe how a token expires may fail as well: no failure is taken for an expired token."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    began = time.monotonic()
    sandbox.clock = lambda: time.time() + sum(waited)
    monkeypatch.setattr(CLOCK, "now", lambda: began + sum(waited))
    monkeypatch.setattr(CLOCK, "wall", lambda: time.time() + sum(waited))
    monkeypatch.setattr(CLOCK, "sleep", sleep)
    known, requests = verdicts(impatient("doctor", "--patient", "--json")), service.requests
    assert ("holds", "holds") == (known["token-life"][0], known["expired-token"][0])
    service.fault = FAULTS[fault]

    for failing in range(2, requests + 1):
        service.requests = 0
        service.fails = partial(int.__eq__, failing)
        found = verdicts(impatient("doctor", "--patient", "--json"))
        assert {} == wrong(found, known), failing
        asked_last = {requests - 3: "", requests - 2: "", requests - 1: "", requests: "one of 885 s was accepted; "}
        if failing in asked_last:
            assert found["token-life"][1].startswith(f"{asked_last[failing]}not answered: "), failing


@pytest.mark.parametrize(
    "left", [1, 2, 4, 7, 13, *(pytest.param(n, marks=pytest.mark.long) for n in (3, 5, 6, 8, 9, 10, 11, 12))]
)
def test_only_some_calls_are_left(pyas: Pyas, service: FailingService, sandbox: Sandbox, left: int) -> None:
    """The doctor sends what the key has calls for, and says what it did not ask, and until when."""
    known = verdicts(pyas("doctor", "--json"))
    sandbox.plan, sandbox.window = "developer", 250.0
    inside.begin_window(sandbox, KEY, used=100 - left)
    service.requests = 0

    done = pyas("doctor", "--json")

    found = verdicts(done)
    unclear = {check for check, (state, _) in found.items() if state == "unclear"} - {"total"}
    # The plan is another.
    assert {} == {one: seen for one, seen in wrong(found, known).items() if one != "plan"}
    assert (0, min(left, 9), "") == (done.code, service.requests, done.err)
    assert bool(unclear) == (left < 9)
    for check in unclear - {"fields"}:
        assert "not asked, since the key has no calls left until " in found[check][1]


def test_no_calls_are_left(pyas: Pyas, service: FailingService, sandbox: Sandbox) -> None:
    """If the limit is used up for longer than a call may wait, the command says so and ends, and announces no wait."""
    sandbox.rate_limit(250.0)

    done = pyas("doctor", "--json")

    assert (5, {}, 1) == (done.code, verdicts(done), service.requests)
    assert "continuing" not in done.err
    assert "Nothing else can be tested before this works." in done.err


def test_it_waits_when_it_says_so(
    pyas: Pyas, service: FailingService, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wait that is announced takes place, and the call is then made."""
    known = verdicts(pyas("doctor", "--json"))
    monkeypatch.setattr(inside.CLI_LONG_WAIT, 0.05)
    sandbox.rate_limit(0.3)

    done = pyas("doctor", "--json")

    assert 0 == done.code
    assert "the call limit is used up: continuing in " in done.err
    assert {} == wrong(verdicts(done), known)
