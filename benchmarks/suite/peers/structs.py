"""A page as a user would declare it for a loop by hand: msgspec's Structs."""

from datetime import datetime
from typing import Final

import msgspec


class Row(msgspec.Struct):
    """A row of a page."""

    id: int
    uuid: str = ""
    host_id: str | None = None
    topic: str | None = None
    type: int | None = None
    start_time: datetime | None = None
    duration: int | None = None
    timezone: str | None = None
    agenda: str | None = None
    created_at: datetime | None = None
    join_url: str | None = None


class Data(msgspec.Struct):
    """The content of a page."""

    meetings: list[Row]
    next_page_token: str | None = None
    page_size: int | None = None
    total_records: int | None = None


class Answer(msgspec.Struct):
    """A response with a page."""

    data: Data
    success: bool | None = None


DECODER: Final = msgspec.json.Decoder(Answer)


class Detail(Row):
    """The needed part of a detail: the settings stay JSON."""

    host_email: str | None = None
    status: str | None = None
    start_url: str | None = None
    password: str | None = None
    settings: dict[str, object] | None = None
    occurrences: list[dict[str, object]] = []
    recurrence: dict[str, object] | None = None


class DetailAnswer(msgspec.Struct):
    """A response to a get."""

    meeting: Detail


DETAIL_DECODER: Final = msgspec.json.Decoder(DetailAnswer)
