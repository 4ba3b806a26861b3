"""A page from bytes to rows, without a network: each peer decodes the same page several times."""

from __future__ import annotations

import sys
import urllib.request
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from suite import generated
from suite.peers import PAGE, Act, Where

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


def _body(where: Where) -> bytes:
    with urllib.request.urlopen(f"{where.url}/zoom/meetings?accountId=rows-2", timeout=30) as answer:
        body: bytes = answer.read()
        return body


def _repeatedly(decode: Callable[[bytes], Any], where: Where) -> Act:
    body = _body(where)

    async def act(pages: int) -> int:
        for _ in range(pages):
            decode(body)
        return pages * PAGE

    return act


@attrs.define
class Row:
    """A row as a user of attrs would declare it."""

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


@attrs.define
class Data:
    """The content of a page."""

    meetings: list[Row]
    next_page_token: str | None = None
    page_size: int | None = None
    total_records: int | None = None


@attrs.define
class Answer:
    """A response with a page."""

    data: Data
    success: bool | None = None


@asynccontextmanager
async def structs(where: Where) -> AsyncIterator[Act]:
    """Decode with msgspec, into Structs."""
    from suite.peers.structs import DECODER

    yield _repeatedly(DECODER.decode, where)


@asynccontextmanager
async def native(where: Where) -> AsyncIterator[Act]:
    """Decode our page the fast way, without the search for unknown fields."""
    from pyas_async._core.codec import pages

    yield _repeatedly(pages._decoder.decode, where)


@asynccontextmanager
async def ours(where: Where) -> AsyncIterator[Act]:
    """Decode our page, with unknown fields kept."""
    from pyas_async._core.codec import read_page

    yield _repeatedly(read_page, where)


@asynccontextmanager
async def stock_cattrs(where: Where) -> AsyncIterator[Act]:
    """Decode with cattrs' converter for orjson, with its fastest settings."""
    from cattrs.preconf.orjson import make_converter

    converter = make_converter(detailed_validation=False)
    yield _repeatedly(lambda body: converter.loads(body, Answer), where)


@asynccontextmanager
async def default_cattrs(where: Where) -> AsyncIterator[Act]:
    """Decode with json and a default cattrs converter."""
    import json

    import cattrs

    converter = cattrs.Converter()
    converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
    yield _repeatedly(lambda body: converter.structure(json.loads(body), Answer), where)


@asynccontextmanager
async def pydantic(where: Where) -> AsyncIterator[Act]:
    """Decode with pydantic."""
    from suite.peers.classes import PydanticAnswer

    yield _repeatedly(PydanticAnswer.model_validate_json, where)


@asynccontextmanager
async def openai(where: Where) -> AsyncIterator[Act]:
    """Decode with json and openai's models."""
    import json

    from openai._models import construct_type

    from suite.peers.classes import OpenAIAnswer

    yield _repeatedly(lambda body: construct_type(type_=OpenAIAnswer, value=json.loads(body)), where)


@asynccontextmanager
async def openapi(where: Where) -> AsyncIterator[Act]:
    """Decode with json and the models that openapi-python-client generated."""
    import importlib
    import json

    sys.path.insert(0, where.generated)
    models = importlib.import_module(f"{generated.NAME}.models")
    yield _repeatedly(lambda body: models.ListAnswer.from_dict(json.loads(body)), where)


@asynccontextmanager
async def dicts(where: Where) -> AsyncIterator[Act]:
    """Decode with orjson, into untyped dicts."""
    import orjson

    yield _repeatedly(orjson.loads, where)
