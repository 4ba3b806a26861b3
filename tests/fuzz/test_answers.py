"""Any response gives a valid value or one of the documented errors, within its time."""

from __future__ import annotations

import json
import math
import pickle
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import strategies as st

from core.exchanges import CALLS, exchange_of
from fuzz.documents import ANSWERS, ERRORS, PAGE, Draws, bodies, body_of, drawn
from fuzz.running import fuzz, within_time
from pyas_async import DecodeError, Page, PyasError, RateBudget, RateLimitError, from_dict, to_dict
from pyas_async._core.calls.headers import call_count, limit_resets_in, retry_after
from pyas_async._core.calls.messages import Fail, Response, Return, Wait
from pyas_async._core.codec import (
    NotSuccessError,
    read_account,
    read_detail,
    read_nothing,
    read_oauth_url,
    read_page,
    read_updated,
)
from pyas_async._core.codec.failures import describes_failure, says_no
from pyas_async._core.dates import parse_field, parse_header
from pyas_async._core.pagination.listing_state import ListingRules
from pyas_async._core.pagination.machine import PaginationMachine
from pyas_async._runtime.secrets.api_key import ApiKey
from pyas_async.checkpoints import Checkpoint
from pyas_async.models._base import Model

if TYPE_CHECKING:
    from pyas_async._core.calls.messages import Call

KEY = "fuzzed-key-5b1e"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
READERS = (read_page, read_detail, read_updated, read_nothing, read_account, read_oauth_url)


def check_value(value: object) -> None:
    """Check that a value is of a kind that models have: a whole number, an aware datetime, text that UTF-8 encodes."""
    if isinstance(value, Model):
        check_fields(value)
    elif isinstance(value, tuple):
        for item in value:
            check_value(item)
    elif isinstance(value, datetime):
        assert value.utcoffset() is not None
        assert value.isoformat()
    elif isinstance(value, str):
        value.encode()
    else:
        assert value is None or type(value) in (int, bool) or isinstance(value, IntEnum)


def check_fields(model: Model) -> None:
    """Check that each field has a value of its type."""
    for attribute in attrs.fields(type(model)):
        value = getattr(model, attribute.name)
        if attribute.name == "_source":
            continue
        check_value(value)
        assert not isinstance(value, bool) or "bool" in str(attribute.type)
        assert type(value) is not int or "int" in str(attribute.type)


def check_model(model: Model) -> None:
    """Check that a model is valid, and survives ``repr``, pickle and ``to_dict`` unchanged."""
    check_fields(model)
    packed = pickle.loads(pickle.dumps(model))
    assert model == packed
    assert repr(model).encode("utf-8", "surrogatepass")
    try:
        document = to_dict(model)
    except DecodeError:  # an unknown field may be nested too deep; that is an error only when it is read
        assert "nested too deep" in repr(model)
        with pytest.raises(DecodeError, match="nested too deep"):
            len(model.extra)
        return
    assert json.dumps(document, allow_nan=False).encode()
    assert set(model.extra) <= set(document)
    assert document == to_dict(packed)
    assert model == from_dict(type(model), document)


def check_error(error: PyasError) -> None:
    """Check that an error has a message, not too long a one, and survives pickle."""
    assert 0 < len(str(error)) < 30_000
    packed = pickle.loads(pickle.dumps(error))
    assert (str(error), vars(error)) == (str(packed), vars(packed))


@fuzz(bodies(*ANSWERS, *ERRORS))
def test_answers(body: bytes) -> None:
    """A response gives a valid model, a DecodeError, or the error that it describes."""
    for read in READERS:
        value: object = None
        with within_time():
            try:
                value = read(body)
            except DecodeError as error:
                assert (error.path[0], len(error.excerpt) <= 500) == ("$", True)  # noqa: PT017  (not all are read)
            except NotSuccessError as error:
                assert says_no(error.document.get("success")) or describes_failure(error.document)  # noqa: PT017
        if isinstance(value, Model):
            with within_time():
                check_model(value)
        else:
            assert value is None or isinstance(value, str)
            str(value).encode()


@fuzz(st.lists(bodies({"data": PAGE}, {"data": {**PAGE, "next_page_token": ""}}), min_size=1, max_size=4))
def test_listings(answers: list[bytes]) -> None:
    """A listing accepts any readable pages, ends or continues, and has a valid checkpoint at each point."""
    machine = PaginationMachine(ListingRules(max_restarts=2), None, now=0.0, wall=NOON.timestamp())
    filters = (("type", "scheduled"),)
    for number, body in enumerate(answers):
        ask = machine.next()
        if ask is None:
            return
        ask.call("acc", filters)
        try:
            page = read_page(body)
        except (DecodeError, NotSuccessError):
            return
        with within_time():
            try:
                rows = machine.on_page(page, float(number), NOON.timestamp())
            except PyasError as error:
                check_error(error)
                return
            place = machine.checkpoint("acc", filters, len(rows))
            assert str(place) == str(Checkpoint.parse(str(place)))


WORDS = (
    *(
        "0",
        "1",
        "60",
        "60.5",
        "-1",
        "1e3",
        "1e400",
        "nan",
        "inf",
        "Infinity",
        "",
        " ",
        "5, 10",
        "1_000",
        "٣",
        "²",
        "+5",
    ),
    *(
        "9" * 9,
        "9" * 10,
        "9" * 5_000,
        "0x10",
        "1795348860",
        "1795348860000",
        "true",
        "None",
        "a" * 10_000,
        "\x00",
        "é",
    ),
    *("2026-11-22T12:01:00Z", "2026-11-22T12:01:00", "2026-11-22", "20261122", "2026-W47-7", "12:00", "24:00:00"),
    *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "9999-12-31", "0001-01-01", "10000-01-01"),
    *("Sun, 22 Nov 2026 12:01:00 GMT", "Sun, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 0001 00:00:00 +2359"),
    *("Sun, 22 Nov 26 12:01:00 EST", "Sunday, 22-Nov-26 12:01:00 GMT", "Sun Nov 22 12:01:00 2026", "22 Nov 2026"),
    *(
        "Sun, 22 Nov 99999999999999999999 12:01:00 GMT",
        "Sun, 22 Nov 2026 99:99:99 +9999",
        "Sun, 22 Nov 2026 12:01:00 +99999999",
    ),
    *("Sun Nov 22 2026 12:01:00 GMT+0000 (Coordinated Universal Time)", "Sun Nov 99 2026 12:01:00 GMT+0000"),
    *(
        "Sun Nov 22 2026 12:01:00 GMT+9999",
        "Sun Nov 22 0001 00:00:00 GMT+2359",
        "Sun Nov 22 2026 12:01:00 GMT-0000",
    ),
)
NAMES = (
    "retry-after",
    "date",
    "x-ratelimit-reset",
    "x-ratelimit-remaining",
    "x-ratelimit-limit",
    "x-request-id",
    "cf-ray",
)
STATUSES = (200, 204, 301, 400, 401, 403, 404, 408, 410, 422, 429, 429, 500, 501, 503, 599)


def word_of(draws: Draws) -> str:
    """Draw the value of a header: a known one, or one with a few characters inserted or removed."""
    word = draws.of(WORDS)
    for _ in range(max(0, draws.number(6) - 2)):
        at = draws.number(len(word) + 1)
        word = word[:at] + chr(draws.number(256)) * draws.number(3) + word[at + draws.number(2) :]
    return word


def headers_of(draws: Draws) -> dict[str, str]:
    """Draw headers that the client reads."""
    return {draws.of(NAMES): word_of(draws) for _ in range(draws.number(5))}


def answer_of(draws: Draws) -> Response:
    """Draw a response of any status."""
    status = draws.of(STATUSES) if draws.number(4) else 100 + draws.number(900)
    return Response(status, headers_of(draws), body_of(draws, (*ERRORS, *ANSWERS[:3])))


@fuzz(st.sampled_from(list(CALLS.values())), st.booleans(), drawn(answer_of, size=40))
def test_outcomes(call: Call[Any], has_page_token: bool, answer: Response) -> None:
    """With any response, a call returns, waits for a finite time, or fails with an error of the package."""
    exchange = exchange_of(attrs.evolve(call, has_page_token=has_page_token), mask=ApiKey(KEY).mask(("a token",)))
    exchange.next(0.0)
    exchange.on_send(NOON)
    with within_time():
        action = exchange.on_response(answer, now=1.0, wall=NOON, jitter=0.5)
    if isinstance(action, Wait):
        assert 0 <= action.seconds < 90
    elif isinstance(action, Fail):
        check_error(action.error)
        if isinstance(action.error, RateLimitError) and action.error.retry_after is not None:
            assert 0 <= action.error.retry_after < math.inf
    else:
        assert isinstance(action, Return)
    assert exchange.key_pause is None or 0 <= exchange.key_pause < math.inf


@fuzz(drawn(lambda draws: ([headers_of(draws) for _ in range(1 + draws.number(3))], word_of(draws)), size=40))
def test_headers(said_and_text: tuple[list[dict[str, str]], str]) -> None:
    """Headers give a finite time or none, and a budget that learns from them stays consistent."""
    answers, text = said_and_text
    budget = RateBudget(100)
    with within_time():
        for number, said in enumerate(answers):
            for seconds in (retry_after(said, NOON), limit_resets_in(said, NOON)):
                assert seconds is None or 0 <= seconds < math.inf
            left = call_count(said, "x-ratelimit-remaining")
            assert left is None or 0 <= left < 10**9
            budget.acquire(float(number), bulk=False)
            budget.settle(float(number), reported=budget.learn(said, float(number), NOON))
            shown = budget.snapshot(float(number), NOON)
            assert shown.resets_at is None or shown.resets_at.utcoffset() is not None
            assert 0 <= (budget.wait_time(float(number)) or 0.0) < math.inf
            assert 0 <= budget.min_wait(float(number), 0) < math.inf
        for moment in (parse_header(text), parse_field(text)):
            assert moment is None or moment.isoformat()
    assert (moment := parse_header(text)) is None or moment.utcoffset() is not None


@pytest.mark.parametrize("cls", [Page, type(read_detail(b'{"id": 1}'))])
def test_fields_are_checked(cls: type[Model]) -> None:
    """The check of fields finds a value of a wrong type."""
    with pytest.raises(AssertionError):
        check_fields(cls(**{"id": True} if cls is not Page else {"page_size": True}))
