"""Additions to the document for schemathesis: formats, and rules that no schema can express.

schemathesis imports this file (``SCHEMATHESIS_HOOKS``).
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
"""The query of the page in which each page token came."""
_owners: dict[str, str] = {}
"""The account of each created meeting."""


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Turn a request that matches the document into one that the service can carry out.

    A page token must come from the service, and is valid for the same query and for a limited time; any other gets a
    400.
    A created meeting belongs to its account. Only a recurring meeting accepts a recurrence, which depends on the
    meeting,
    not the request. And the sandbox allows no series that ends before it begins.
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
    """Keep the returned page tokens, and the accounts of the created meetings."""
    del context
    if case.operation.label == "GET /zoom/meetings" and response.status_code == 200:
        query = {name: value for name, value in case.query.items() if name != _TOKEN}
        _queries[response.json()["data"]["next_page_token"]] = query
    if case.operation.label == "POST /zoom/meetings" and response.status_code == 200:
        _owners[str(response.json()["data"]["id"])] = case.body["accountId"]
