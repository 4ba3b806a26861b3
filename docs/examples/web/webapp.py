"""A web application with one client: its page lists meetings as they arrive, and creates meetings.

Run ``python docs/examples/web/webapp.py``, and open the address that it prints. Without ``PYAS_API_KEY`` in the
environment, it starts a sandbox of the service, with long listings and page tokens that expire during a listing.

It needs ``fastapi`` and ``uvicorn``. It has no users and no passwords: put your own access control in front of it.
"""

import contextlib
import os
from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import anyio
import attrs
import uvicorn
from fastapi import FastAPI, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import AwareDatetime, BaseModel

from pyas_async import (
    AttemptStarted,
    BudgetTimeoutError,
    Event,
    InvalidArgumentError,
    ListingRestarted,
    ListType,
    Meeting,
    MeetingCreate,
    MeetingDetail,
    MeetingIterator,
    NotFoundError,
    OutcomeUnknownError,
    PageTokenExpiredError,
    PyasClient,
    PyasError,
    RateBudget,
    RateLimitError,
)
from pyas_async.sandbox import Sandbox
from streaming import EventStream, Tell, unless_gone

STATIC = Path(__file__).parent / "static"


@attrs.define
class Desk:
    """What all requests share: the client, and counts of its work."""

    client: PyasClient
    calls: int = 0
    retries: int = 0
    restarts: int = 0
    listings: int = 0

    def note(self, event: Event) -> None:
        """Count the calls, retries and restarts that the page shows."""
        match event:
            case AttemptStarted():
                self.calls += 1
                self.retries += event.attempt > 1
            case ListingRestarted():
                self.restarts += 1


class NewMeeting(BaseModel):
    """The JSON body that the form sends."""

    title: str
    description: str = ""
    start: AwareDatetime
    duration: int = 30
    waiting_room: bool = False


def make_app(**settings: Any) -> FastAPI:  # noqa: ANN401 -- any setting of `PyasClient`
    """Make the application; the settings go to its `PyasClient`."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # One client for the whole application: all requests share its connections and its budget.
        async with PyasClient(**settings) as client:
            app.state.desk = Desk(client)
            client.subscribe(app.state.desk.note)
            yield

    app = FastAPI(title="Meetings", lifespan=lifespan)
    app.add_api_route("/", page, include_in_schema=False)
    app.add_api_route("/api/state", state)
    app.add_api_route("/api/meetings", listing, response_class=Response)
    app.add_api_route("/api/meetings", create, methods=["POST"], status_code=201)
    app.add_api_route("/api/meetings/{meeting_id}", detail)
    app.add_exception_handler(PyasError, explain)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


async def page() -> FileResponse:
    """Return the HTML page."""
    return FileResponse(STATIC / "index.html")


async def state(request: Request) -> dict[str, Any]:
    """Return the call budget, and the counts since the start."""
    desk: Desk = request.app.state.desk
    return {**attrs.asdict(desk.client.rate_limit), **attrs.asdict(desk, filter=lambda field, _: field.type is int)}


async def listing(
    request: Request,
    start: date | None = None,
    end: date | None = None,
    type: ListType = ListType.SCHEDULED,
    pace: Annotated[int | None, Query(ge=1, description="at most this many rows a second")] = None,
) -> EventStream:
    """List meetings, row by row, as server-sent events, until there are no more or the browser disconnects."""
    desk: Desk = request.app.state.desk
    meetings = desk.client.meetings.iter_all(start_date=start, end_date=end, type=type)

    async def work(tell: Tell) -> None:
        desk.listings += 1
        try:
            # The block fetches the next page while the rows of this one are sent; leaving it cancels that request.
            async with meetings:
                async for meeting in meetings:
                    await tell("meeting", row(meeting))
                    await tell("progress", progress(meetings))
                    if pace is not None:
                        await anyio.sleep(1 / pace)
            await tell("done", progress(meetings))
        except PyasError as error:
            # The response has begun and its status is sent, so the error can only be an event in it.
            await tell("failed", {"message": str(error), **progress(meetings)})
        finally:
            desk.listings -= 1

    return EventStream(work)


async def detail(request: Request, meeting_id: int) -> dict[str, Any] | None:
    """Return the details of one meeting."""
    client: PyasClient = request.app.state.desk.client
    meeting = await unless_gone(request, lambda: client.meetings.get(meeting_id))
    return None if meeting is None else details(meeting)


async def create(request: Request, new: NewMeeting) -> dict[str, Any]:
    """Create a meeting. It runs on if the browser disconnects: a cancelled create may or may not have been made."""
    client: PyasClient = request.app.state.desk.client
    asked = MeetingCreate(
        type=2,
        title=new.title,
        description=new.description,
        start_date=new.start,
        duration=new.duration,
        waiting_room=new.waiting_room,
    )
    return details(await client.meetings.create(asked, on_unknown="reconcile"))


async def explain(_: Request, error: Exception) -> JSONResponse:
    """Turn an error of the client into a response; no message contains a secret."""
    headers = {}
    match error:
        case InvalidArgumentError():
            status = 422
        case PageTokenExpiredError():
            status = 410
        case NotFoundError():
            status = 404
        case RateLimitError() | BudgetTimeoutError():
            status = 503
            if error.retry_after is not None:
                headers["retry-after"] = str(int(error.retry_after) + 1)
        case OutcomeUnknownError():
            status = 504
        case _:
            status = 502
    return JSONResponse({"message": str(error)}, status, headers)


def row(meeting: Meeting) -> dict[str, Any]:
    """Return what the page shows of a row of a listing."""
    return {
        "id": str(meeting.id),
        "topic": meeting.topic,
        "start": _iso(meeting.start_time),
        "duration": meeting.duration,
        "type": None if meeting.type is None else int(meeting.type),
    }


def details(meeting: MeetingDetail) -> dict[str, Any]:
    """Return what the page shows of one meeting; its passwords and the host's start address stay on the server."""
    return {**row(meeting), "agenda": meeting.agenda, "created": _iso(meeting.created_at), "join_url": meeting.join_url}


def progress(meetings: MeetingIterator) -> dict[str, Any]:
    """Return the counts of an active listing."""
    stats = meetings.stats
    return {
        "rows": stats.items,
        "pages": stats.pages,
        "calls": stats.calls,
        "restarts": stats.restarts,
        "total": stats.total_reported,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def main() -> None:
    """Serve the application on this machine, over a sandbox if there is no key."""
    with contextlib.ExitStack() as stack:
        settings: dict[str, Any] = {"budget": RateBudget.developer()}
        if "PYAS_API_KEY" not in os.environ:
            sandbox = Sandbox(accounts=1, meetings=2_000, token_ttl=4.0, plan="developer", latency=0.2)
            url = stack.enter_context(sandbox.serve())
            settings |= {"api_key": sandbox.api_key, "base_url": url, "account_id": sandbox.account_ids[0]}
            settings["page_token_ttl"] = sandbox.token_ttl
            print(f"No PYAS_API_KEY: using a sandbox at {url}, whose page tokens expire after {sandbox.token_ttl:g} s.")
        uvicorn.run(make_app(**settings), port=int(os.environ.get("PORT", "8000")), timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
