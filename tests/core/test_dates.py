"""Dates of headers and of filters."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import inside
from core.strategies import brisk
from core.tools import NOON, answer
from pyas_async import RateLimitError
from pyas_async._core.calls.headers import retry_after
from pyas_async._core.calls.response_errors import error_from_response
from pyas_async._core.dates import filter_date, is_written_day, parse_field, parse_header, read_day

MINUTE_LATER = [
    "60",
    "60.0",
    "2026-11-22T12:01:00Z",
    "2026-11-22T12:01:00+00:00",
    "2026-11-22T13:01:00+01:00",
    "2026-11-22T12:01:00",
    "Sun, 22 Nov 2026 12:01:00 GMT",
    "Sun Nov 22 2026 12:01:00 GMT+0000 (Coordinated Universal Time)",
    "Sun Nov 22 2026 13:01:00 GMT+0100 (Central European Standard Time)",
]
YEAR = 366 * 86_400


@pytest.mark.parametrize("text", MINUTE_LATER)
def test_retry_after(text: str) -> None:
    """``Retry-After`` is read in seconds and in every form of date."""
    assert 60.0 == retry_after({"retry-after": text}, NOON)


@pytest.mark.parametrize("text", MINUTE_LATER[2:])
def test_reset(text: str) -> None:
    """If a 429 has no valid ``Retry-After``, the time when the limit is reset counts."""
    reset = {"x-ratelimit-reset": text}
    waits = []
    for headers in (reset, reset | {"retry-after": "soon"}, reset | {"retry-after": "5"}):
        error = error_from_response(answer(429, {}, headers), None, now=NOON, has_page_token=False, mask=str)
        assert isinstance(error, RateLimitError)
        waits.append(error.retry_after)

    assert [60.0, 60.0, 5.0] == waits


@pytest.mark.parametrize("text", ["nan", "-1", "inf", "-inf", "1e400", "1e9", "", "5, soon", "soon", "500000000"])
def test_invalid_number(text: str) -> None:
    """A value that is not a number, is below zero or is far too large is ignored."""
    assert retry_after({"retry-after": text}, NOON) is None


@pytest.mark.parametrize("text", ["5, 20", "20,5", "20, 5.5, 0"])
def test_several_numbers(text: str) -> None:
    """If a proxy has added a number of its own, the longer wait satisfies both."""
    assert 20.0 == retry_after({"retry-after": text}, NOON)


def test_past_date() -> None:
    """A date in the past means no wait."""
    assert 0.0 == retry_after({"retry-after": "2026-11-22T11:59:00Z"}, NOON)


@pytest.mark.parametrize("text", ["Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59Z"])
def test_date_too_far_ahead(text: str) -> None:
    """A date that is far too late is ignored, as a number that is far too large is."""
    assert retry_after({"retry-after": text}, NOON) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T12:00:00Z", NOON),
        (" 2026-11-22T12:00:00.5+00:00\n", NOON.replace(microsecond=500_000)),
        ("20261122T120000Z", NOON),
        ("2026-11-22T12:00", NOON.replace(tzinfo=None)),
        ("2026-11-22", datetime(2026, 11, 22)),  # noqa: DTZ001  (the text has no offset)
        ("soon", None),
        ("", None),
    ],
)
def test_fields(text: str, moment: datetime | None) -> None:
    """The date of a field is read in any form of ISO 8601; it is naive if it has no offset."""
    assert moment == parse_field(text)


@brisk
@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001  (the offset is written behind it)
    st.from_regex(r"(\.[0-9]{1,9})?([Zz]|[+-](0[0-9]|1[0-4]):?[0-5][0-9])", fullmatch=True),
    st.sampled_from("Tt "),
)
def test_fields_are_read_alike_on_both_paths(moment: datetime, rest: str, between: str) -> None:
    """A date with an offset is the same moment on the fast and on the tolerant path."""
    text = f"{moment:%Y-%m-%d}{between}{moment:%H:%M:%S}{rest}"
    try:
        fast = msgspec.json.decode(f'"{text}"', type=datetime)
    except msgspec.ValidationError:
        return  # the fast path refuses such a row

    assert fast == parse_field(text)


def test_fields_are_rounded_alike_on_both_paths() -> None:
    """Fractions of a microsecond are rounded, and lower-case letters read, as on the fast path."""
    assert NOON.replace(microsecond=123_457) == parse_field("2026-11-22T12:00:00.1234567Z")
    assert NOON == parse_field("2026-11-22t12:00:00z")


@brisk
@given(
    st.text(max_size=40) | st.from_regex(r"[A-Z][a-z]{2},? \w{1,3} \w{1,3} \d{4} \d\d:\d\d:\d\d [A-Z+-]{1,4}\d{0,9}")
)
def test_any_header(text: str) -> None:
    """Any header gives no wait, or a finite number of seconds from zero."""
    seconds = retry_after({"retry-after": text, "x-ratelimit-reset": text}, NOON)

    assert seconds is None or (math.isfinite(seconds) and 0 <= seconds)


@brisk
@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(lambda moment: moment.replace(microsecond=0)))  # noqa: DTZ001  (made aware below)
def test_forms_agree(moment: datetime) -> None:
    """An HTTP date, ISO 8601 and JavaScript's form of the same moment are read as that moment."""
    moment = moment.replace(tzinfo=UTC)
    javascript = f"{moment:%a %b %d %Y %H:%M:%S} GMT+0000 (Coordinated Universal Time)"

    written = [format_datetime(moment, usegmt=True), moment.isoformat(), javascript]

    assert [moment] * 3 == [parse_header(text) for text in written]


@brisk
@given(st.dates())
def test_filter_date(day: date) -> None:
    """A date goes out as MM-DD-YYYY."""
    written = filter_date(day)

    assert re.fullmatch(r"\d\d-\d\d-\d{4}", written)
    assert (day.month, day.day, day.year) == tuple(map(int, written.split("-")))


@brisk
@given(st.text())
def test_filter_text(text: str) -> None:
    """A string goes out untouched, since the page does not say how it writes dates."""
    assert text == filter_date(text)


def test_header_is_aware() -> None:
    """The date of a header is always aware; without an offset it is in UTC."""
    moment = parse_header("2026-11-22T12:00:00")

    assert moment is not None
    assert timedelta(0) == moment.utcoffset()


def test_dates_of_responses_are_read_once() -> None:
    """The same date in several responses is read once; a text too long for a date is not remembered."""
    inside.header_dates().cache_clear()
    assert parse_header(MINUTE_LATER[-1]) is parse_header(MINUTE_LATER[-1])
    long = MINUTE_LATER[-1] + " " * 100_000
    assert parse_header(MINUTE_LATER[-1]) == parse_header(long)
    info = inside.header_dates().cache_info()
    assert (2, 1, 1) == (info.hits, info.misses, info.currsize)


@pytest.mark.parametrize(("length", "remembered"), [(100, 1), (101, 0)])
def test_how_long_a_remembered_header_is(length: int, remembered: int) -> None:
    """Headers of up to 100 characters are remembered, and longer ones are read each time."""
    inside.header_dates().cache_clear()

    assert parse_header(MINUTE_LATER[-1].ljust(length)) is not None
    assert remembered == inside.header_dates().cache_info().currsize


FORMATS = ["%m-%d-%Y", "%d-%m-%Y", "%Y-%m-%d", "%d/%m/%y", "%d %b %Y", "%Y%%%m%%%d", "%Y%m%d"]


@brisk
@given(st.dates(), st.sampled_from(FORMATS))
def test_date_format(day: date, form: str) -> None:
    """A day goes out in the client's format, with four digits of its year, whether it is given as a date or as ISO."""
    expected = form.replace("%%", "\0").replace("%Y", f"{day.year:04}").replace("\0", "%%")

    assert day.strftime(expected) == filter_date(day, form)
    assert day == read_day(day.isoformat()) == read_day(f"{day.year:04}{day.month:02}{day.day:02}")


@brisk
@given(
    st.text(max_size=20) | st.from_regex(r"[0-9A-Za-z]{1,4}[-./ :][0-9A-Za-z]{1,4}([-./ :][0-9]{2,4})?", fullmatch=True)
)
def test_written_days(text: str) -> None:
    """Digits with separators are a day in the service's format, unless they are a wrong ISO day; nothing else is."""
    digits = bool(re.fullmatch(r"[0-9]+([-./ ][0-9]+)+", text)) and not re.fullmatch(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text
    )

    assert digits == is_written_day(text, "%m-%d-%Y")


def test_written_as_the_format_says() -> None:
    """Text in the client's own format is a day as well."""
    assert is_written_day("31 Jan 2026", "%d %b %Y")
    assert not is_written_day("31 Nod 2026", "%d %b %Y")
    assert not is_written_day("31 Jan 2026", "%m-%d-%Y")
