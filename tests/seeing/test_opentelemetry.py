"""Spans nest like the calls in every kind of use, and metrics count them; neither contains a secret."""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from clients import own_pool_only
from pyas_async import NotFoundError, PaginationError, PyasClient, PyasError, RateBudget, RetryPolicy
from pyas_async.integrations.opentelemetry import instrument
from pyas_async.integrations.opentelemetry._spans import REQUESTS
from runtime.socket_server import (
    CHANGE,
    KEY,
    KEY_LIMIT,
    MEETING,
    NEW,
    client_of,
    document,
    found,
    heard,
    rows_after,
    through,
    wire,
)
from seeing.recorded import Recorded, events_of, httpx_instrumented

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.socket_server import Seen, Wire

pytestmark = pytest.mark.anyio
_FAULT = "http://localhost: ConnectError: no server"
SECRET = attrs.evolve(NEW, title="sesame-title", description="sesame-text")


@pytest.fixture
def recorded() -> Recorded:
    """Record in memory."""
    return Recorded()


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve on a socket."""
    with wire(found) as server:
        yield server


def answers(*given: httpx.Response | Exception) -> Any:  # noqa: ANN401 -- a function that answers
    """Return a handler that answers with these in turn, and then as a service that has one meeting."""
    left = list(given)

    def answer(request: httpx.Request) -> httpx.Response:
        if not left:
            return httpx.Response(200, json=MEETING)
        first = left.pop(0)
        if isinstance(first, Exception):
            raise first
        return first

    return answer


def page(number: int, following: str = "") -> httpx.Response:
    """Answer a page of one row."""
    row = {"id": number, "uuid": f"u{number}", "type": 2, "start_time": "2026-12-01T10:00:00Z"}
    data = {"page_size": 1, "total_records": 2, "next_page_token": following, "meetings": [row]}
    return httpx.Response(200, json={"success": True, "data": data})


@own_pool_only
async def test_every_way_of_working_nests(service: Wire, recorded: Recorded) -> None:
    """Spans of requests are in those of their calls, these in the iteration or run, and all in the caller's span."""
    with httpx_instrumented(recorded):
        async with recorded.of(client_of(service.url)) as client:
            meetings = client.meetings
            with recorded.tracer.start_as_current_span("one"):
                await meetings.get(81)
            with recorded.tracer.start_as_current_span("bare"):
                assert 2 == len([row async for row in meetings.iter_all()])
            with recorded.tracer.start_as_current_span("block"):
                async with meetings.iter_all() as rows:
                    assert 2 == len([row async for row in rows])
            with recorded.tracer.start_as_current_span("await"):
                await meetings.get_many([1, 2])
            with recorded.tracer.start_as_current_span("stream"):
                async with meetings.get_many([1]) as outcomes:
                    assert 1 == len([outcome async for outcome in outcomes])
            with recorded.tracer.start_as_current_span("accounts"):
                async with meetings.iter_accounts(["a"]) as pairs:
                    assert 2 == len([pair async for pair in pairs])
            with recorded.tracer.start_as_current_span("shared"):
                await client.with_options(single_flight=True).meetings.get(81)
            await client.with_options(single_flight=True).meetings.create(NEW)
    listing = "pyas.meetings.iter_all > pyas.meetings.list"
    calls = [
        "one > pyas.meetings.get",
        *[f"bare > {listing}"] * 2,
        *[f"block > {listing}"] * 2,
        *["await > pyas.meetings.get_many > pyas.meetings.get"] * 2,
        "stream > pyas.meetings.get_many > pyas.meetings.get",
        *[f"accounts > pyas.meetings.iter_accounts > {listing}"] * 2,
        "shared > pyas.meetings.get",
    ]
    callers = ["accounts", "await", "bare", "block", "one", "shared", "stream"]
    jobs = sorted({call.rpartition(" > ")[0] for call in calls if call.count(">") > 1})
    outer = "accounts > pyas.meetings.iter_accounts"
    create = "pyas.meetings.create"
    expected = [*callers, *jobs, outer, *calls, *(f"{call} > GET" for call in calls), create, f"{create} > POST"]
    assert sorted(expected) == recorded.paths()


async def test_what_the_reader_does_is_not_within(recorded: Recorded) -> None:
    """Between two rows, and after a call, the current span is the one from before."""
    service = answers(page(1, "t"), page(2), page(1, "t"), page(2), page(1, "t"), page(2))
    seen = []
    async with through(service) as plain, recorded.of(plain) as client:
        with recorded.tracer.start_as_current_span("mine") as mine:
            await client.meetings.list()
            seen.append(trace.get_current_span())
            async with client.meetings.iter_all() as rows:
                seen += [trace.get_current_span() async for _ in rows]
            async with client.meetings.iter_accounts(["a"]) as pairs:
                seen += [trace.get_current_span() async for _ in pairs]
            async with client.meetings.get_many([81]) as outcomes:
                seen += [trace.get_current_span() async for _ in outcomes]
            with pytest.raises(NotFoundError):
                raise NotFoundError("x", status=404)
            seen.append(trace.get_current_span())
    assert len(seen) > 5
    assert {mine} == set(seen)


async def test_calls_at_once(service: Wire, recorded: Recorded) -> None:
    """Concurrent calls are each within the span of their own caller."""

    async def caller(client: PyasClient, number: int) -> None:
        with recorded.tracer.start_as_current_span(f"caller {number}"):
            await client.meetings.get(number)
            await client.meetings.get(number)

    async with recorded.of(heard(client_of(service.url))) as client, anyio.create_task_group() as tasks:
        for number in range(1, 6):
            tasks.start_soon(caller, client, number)
    callers = [f"caller {number}" for number in range(1, 6)]
    assert sorted([*callers, *(f"{name} > pyas.meetings.get" for name in callers * 2)]) == recorded.paths()


async def test_retries_are_seen(recorded: Recorded) -> None:
    """A span says how each attempt ended, why the call waited, and how it ended."""
    refused = httpx.Response(429, json=KEY_LIMIT, headers={"retry-after": "0"})
    service = answers(httpx.ConnectError("no server"), httpx.Response(503), refused)
    async with through(service, retry=RetryPolicy(base=0.001, cap=0.001)) as plain, recorded.of(plain) as client:
        await client.meetings.get(81)
    span = recorded.named("pyas.meetings.get")
    attempt, waits = "pyas.attempt", ("pyas.wait", {"pyas.reason": "retry"})
    expected = [
        (attempt, {attempt: 1, "error.type": "transport", "pyas.fault": _FAULT}),
        waits,
        (attempt, {attempt: 2, "http.response.status_code": 503}),
        waits,
        (attempt, {attempt: 3, "http.response.status_code": 429}),
        waits,
        (attempt, {attempt: 4, "http.response.status_code": 200}),
    ]
    assert expected == [event for event in events_of(span) if event[1].get("pyas.reason") != "budget"]
    assert {
        "pyas.operation": "meetings.get",
        "pyas.account_id": "acc",
        "http.request.method": "GET",
        "url.template": "/zoom/meetings/{id}",
        "http.response.status_code": 200,
        "http.request.resend_count": 3,
        "pyas.outcome": "ok",
    } == dict(span.attributes or {})
    assert span.status.is_unset


async def test_failures_and_cancellations(recorded: Recorded) -> None:
    """The span of a failed call names the error; that of a cancelled call says so, and is no error."""
    stuck = anyio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("404"):
            return httpx.Response(404, json={"message": "Not found", "code": 404})
        stuck.set()
        await anyio.sleep_forever()
        raise AssertionError

    async with through(answer) as plain, recorded.of(heard(plain)) as client:
        with pytest.raises(NotFoundError):
            await client.meetings.get(404)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.meetings.get, 81)
            await stuck.wait()
            tasks.cancel_scope.cancel()
    failed, cancelled = recorded.finished()
    assert failed.attributes is not None
    assert ("failed", "NotFoundError", 404) == tuple(
        failed.attributes[name] for name in ("pyas.outcome", "error.type", "http.response.status_code")
    )
    assert not failed.status.is_ok
    assert "NotFoundError" == failed.status.description
    assert cancelled.attributes is not None
    assert "cancelled" == cancelled.attributes["pyas.outcome"]
    assert "error.type" not in cancelled.attributes
    assert cancelled.status.is_unset


async def test_a_listing_tells_its_story(recorded: Recorded) -> None:
    """The span of an iteration counts pages, rows and restarts; so do metrics."""
    expired = httpx.Response(400, json={"message": "The next page token is invalid or expired.", "code": 300})
    service = answers(page(1, "t"), expired, page(1, "u"), page(2))
    async with through(service) as plain, recorded.of(plain, attributes={"team": "a"}) as client:
        assert [1, 2] == [row.id async for row in client.meetings.iter_all()]
    span = recorded.named("pyas.meetings.iter_all")
    assert span.attributes is not None
    expected = {"pyas.pages": 3, "pyas.rows": 2, "pyas.restarts": 1, "pyas.outcome": "ok", "team": "a"}
    assert expected == {name: span.attributes[name] for name in expected}
    assert ("pyas.restart", {"pyas.reason": "answer", "pyas.yielded": 1}) in events_of(span)
    counted = {name: recorded.points(f"pyas.client.listing.{name}") for name in ("pages", "rows", "restarts")}
    assert {"pages": 3, "rows": 2, "restarts": 1} == {name: sum(p.value for _, p in ps) for name, ps in counted.items()}
    assert [{"team": "a", "pyas.reason": "answer"}] == [about for about, _ in counted["restarts"]]


async def test_a_loop_that_was_left(recorded: Recorded) -> None:
    """The span of a loop or a block that was left early ends without a clean-up."""
    async with through(answers(page(1, "t"), page(1, "t"), page(2))) as plain, recorded.of(plain) as client:
        async for _ in client.meetings.iter_all():
            break
        gc.collect()
        async with client.meetings.iter_all() as rows:
            await anext(rows)
    ended = [span for span in recorded.finished() if span.name == "pyas.meetings.iter_all"]
    assert ["left", "left"] == [(span.attributes or {})["pyas.outcome"] for span in ended]


async def test_metrics(recorded: Recorded) -> None:
    """Calls, attempts and waits are measured in seconds; the budget is read when the metrics are collected."""
    service = answers(httpx.Response(503), httpx.Response(200, json=MEETING), httpx.Response(404, json={}))
    swift = RetryPolicy(base=0.001, cap=0.001)
    async with through(service, retry=swift, budget=RateBudget.developer()) as plain, recorded.of(plain) as client:
        assert [] == recorded.points("pyas.client.budget.remaining")
        await client.meetings.get(81)
        with pytest.raises(NotFoundError):
            await client.meetings.get(81)
        (_, left), (_, limit) = (recorded.points(f"pyas.client.budget.{name}")[0] for name in ("remaining", "limit"))
    assert (97, 100) == (left.value, limit.value)
    get = {"pyas.operation": "meetings.get"}
    calls = recorded.points("pyas.client.call.duration")
    failed = {**get, "pyas.outcome": "failed", "error.type": "NotFoundError"}
    assert [{**get, "pyas.outcome": "ok"}, failed] == [about for about, _ in calls]
    assert [1, 1] == [point.count for _, point in calls]
    attempts = recorded.points("pyas.client.attempt.duration")
    assert {503: 1, 200: 1, 404: 1} == {about["http.response.status_code"]: point.count for about, point in attempts}
    waits = [point for about, point in recorded.points("pyas.client.wait.duration") if about["pyas.reason"] == "retry"]
    assert [1] == [point.count for point in waits]
    assert 0 < waits[0].sum < 1
    assert [0] == [point.value for _, point in recorded.points("pyas.client.active_calls")]


@own_pool_only
async def test_no_secrets(recorded: Recorded) -> None:
    """Neither the key, nor a page token, nor the contents of a meeting are in a span or a metric."""

    def echo(seen: Seen) -> bytes:
        if seen.method == "GET" and "nextPageToken" not in seen.target:
            return document(rows_after(None))
        text = f"{KEY} {seen.target} {seen.body.decode()}"
        return document({"message": text, "error": text}, status=422)

    with wire(echo) as server:
        async with recorded.of(client_of(server.url, retry=None)) as client:
            await client.meetings.create_many([SECRET])
            with pytest.raises(PaginationError):
                await client.meetings.iter_all(max_restarts=0).collect()
    said = "".join(span.to_json() for span in recorded.finished())
    metrics = recorded.reader.get_metrics_data()
    said += "" if metrics is None else metrics.to_json()
    assert "meetings.create" in said
    assert [] == [secret for secret in (KEY, "token-2", "sesame") if secret in said]


@own_pool_only
async def test_without_an_sdk(service: Wire) -> None:
    """Without an SDK, requests keep their context; if a span is not sampled, requests know that."""
    seen = []
    watch: Any = lambda event: seen.append(trace.get_current_span().get_span_context())  # noqa: E731 -- a handler
    async with instrument(client_of(service.url)) as client:
        client.subscribe(watch)
        await client.meetings.get(81)
        assert not any(one.is_valid for one in seen)
    seen.clear()
    async with instrument(client_of(service.url), tracer_provider=TracerProvider(sampler=ALWAYS_OFF)) as client:
        client.subscribe(watch)
        await client.meetings.get(81)
    assert [True, True, True, False] == [one.is_valid for one in seen]
    assert not any(one.trace_flags.sampled for one in seen)


async def test_the_requests_are_named_rightly() -> None:
    """Method and path of each operation are those of the request that it sends."""
    sent: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append((request.method, request.url.path.replace("/81", "/{id}")))
        url = {"success": True, "url": "https://zoom.us/x", "oauthUrl": "https://zoom.us/x"}
        return httpx.Response(200, json={**MEETING, **url}) if request.method != "DELETE" else httpx.Response(204)

    operations: list[str] = []
    async with through(answer, retry=None) as client:
        client.subscribe(lambda event: operations.append(getattr(event, "operation", "")))
        for call in (
            client.meetings.list,
            lambda: client.meetings.get(81),
            lambda: client.meetings.create(NEW),
            lambda: client.meetings.update(81, CHANGE),
            lambda: client.meetings.delete(81),
            client.accounts.oauth_url,
            lambda: client.accounts.connect(code="c", name="n"),
        ):
            operations.clear()
            with contextlib.suppress(PyasError):  # the response does not matter here
                await call()
            assert REQUESTS[operations[0]] == sent[-1]
    assert len(REQUESTS) == len(sent)
