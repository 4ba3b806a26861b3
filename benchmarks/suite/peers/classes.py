"""The same page, declared as users of pydantic and of openai's client would."""

from datetime import datetime

import openai
import pydantic


class PydanticRow(pydantic.BaseModel):
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


class PydanticData(pydantic.BaseModel):
    """The content of a page."""

    meetings: list[PydanticRow]
    next_page_token: str | None = None
    page_size: int | None = None
    total_records: int | None = None


class PydanticAnswer(pydantic.BaseModel):
    """A response with a page."""

    data: PydanticData
    success: bool | None = None


class OpenAIRow(openai.BaseModel):  # type: ignore[misc]  # installed for the run alone
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


class OpenAIData(openai.BaseModel):  # type: ignore[misc]  # installed for the run alone
    """The content of a page."""

    meetings: list[OpenAIRow]
    next_page_token: str | None = None
    page_size: int | None = None
    total_records: int | None = None


class OpenAIAnswer(openai.BaseModel):  # type: ignore[misc]  # installed for the run alone
    """A response with a page."""

    data: OpenAIData
    success: bool | None = None
