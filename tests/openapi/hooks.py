"""What schemathesis must be told beside the document: formats, and what no schema can say.

It imports this file by itself (``SCHEMATHESIS_HOOKS``).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

import schemathesis
from hypothesis import strategies

if TYPE_CHECKING:
    from schemathesis import Case, HookContext, Response

schemathesis.openapi.format("month-day-year", strategies.dates().map(lambda day: f"{day:%m-%d}-{day.year:04}"))
schemathesis.openapi.format("iana-time-zone", strategies.sampled_from(sorted(available_timezones())))

_TOKEN = "nextPageToken"
_queries: dict[str, dict[str, Any]] = {}
"""The query of the page that each page token came with."""
_owners: dict[str, str] = {}
"""The account that each meeting was created for."""


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Make of a request that fits the document one that the service can carry out.

    A page token is what the service gave out, for the same query and for a while; any other is answered with 400.
    A meeting that was created is its account's. Only one that recurs can be given a recurrence, which the meeting
    knows, and not the request. And the sandbox lets no series end before it begins.
    """
    del context, kwargs
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.operation.label == "GET /zoom/meetings" and _TOKEN in (case.query or {}):
        token = case.query[_TOKEN]
        query = _queries.get(token)
        case.query = {**query, _TOKEN: token} if query else {k: v for k, v in case.query.items() if k != _TOKEN}
    owner = _owners.get(str(case.path_parameters.get("id")))
    if owner is not None and isinstance(case.body, dict):
        case.body["accountId"] = owner
    elif owner is not None:
        case.query["accountId"] = owner
    data = case.body.get("meetingData") if isinstance(case.body, dict) else None
    if isinstance(data, dict) and isinstance(data.get("recurrence"), dict):
        _make_whole(data, data["recurrence"])


def _make_whole(data: dict[str, Any], recurrence: dict[str, Any]) -> None:
    data.setdefault("type", 8)
    start, end = data.get("startDate"), recurrence.get("endDate")
    if start is not None and end is not None and _instant(end) < _instant(start):
        recurrence["endDate"] = start


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.upper())


@schemathesis.hook
def after_call(context: HookContext, case: Case, response: Response) -> None:
    """Keep the page tokens that are given out, and whose meetings are."""
    del context
    if case.operation.label == "GET /zoom/meetings" and response.status_code == 200:
        query = {name: value for name, value in case.query.items() if name != _TOKEN}
        _queries[response.json()["data"]["next_page_token"]] = query
    if case.operation.label == "POST /zoom/meetings" and response.status_code == 200:
        _owners[str(response.json()["data"]["id"])] = case.body["accountId"]
