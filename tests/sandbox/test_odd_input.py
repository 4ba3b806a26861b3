"""Whatever a request contains, the sandbox answers as the service does: with a refusal of its own, in JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyas_async.sandbox import Sandbox, _cli
from sandbox.tools import NOW, WEEKLY, client_of, meeting_data

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

pytestmark = pytest.mark.anyio
REFUSED = 400


def refuse_constant(name: str) -> object:
    """Refuse ``NaN`` and ``Infinity``, which are no JSON."""
    raise ValueError(name)


def document_of(response: httpx.Response) -> Any:  # noqa: ANN401  (a JSON value)
    """Parse a response as a strict reader does."""
    return json.loads(response.content.decode(), parse_constant=refuse_constant)


# Texts of JSON values that JSON's readers and writers disagree about.
SURROGATES = [r'"\ud800"', r'"a\udfffb"', r'"\udc00\ud800"', r'["x", "\ud83d"]', r'{"\ud800": 1}', r'{"a": "\udead"}']
NUMBERS = ["9" * 400, "-" + "9" * 400, "9" * 5000, "1e400", "-1e400", "1e-400", "9007199254740993", "NaN", "Infinity"]
DATES = [
    "0001-01-01T00:00:00+02:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-02:00",
    "9999-12-31T23:59:59.999999-23:59",
    "0000-01-01T00:00:00Z",
    "2026-12-01T24:00:01Z",
    "2026-12-01T23:59:60Z",
    "2026-12-01T10:00:00+99:99",
]
FIELDS = [*meeting_data(timeZone="UTC", type=8, recurrence=WEEKLY)]


@pytest.mark.parametrize("text", SURROGATES)
@pytest.mark.parametrize("field", [*FIELDS, "unknown", "accountId", "code", "name"])
async def test_text_that_is_no_unicode(client: httpx.AsyncClient, account: str, field: str, text: str) -> None:
    """Half a surrogate pair, anywhere in the body of any call, is refused."""
    data = {**meeting_data(), field: "HERE"}
    body = json.dumps({"accountId": account, "code": "c", "name": "n", field: "HERE", "meetingData": data})
    content = body.replace('"HERE"', text).encode()
    number = (await client.get("/zoom/meetings", params={"accountId": account})).json()["data"]["meetings"][0]["id"]
    for method, path in (
        ("POST", "/zoom/meetings"),
        ("PATCH", f"/zoom/meetings/{number}"),
        ("POST", "/zoom/connect"),
        ("DELETE", f"/zoom/meetings/{number}?accountId={account}"),
    ):
        for sent in (content, json.dumps(json.loads(content), ensure_ascii=False).encode(errors="surrogatepass")):
            response = await client.request(method, path, content=sent)
            assert REFUSED == response.status_code, (method, path)
            assert ["Malformed JSON"] == [entry["msg"] for entry in document_of(response)["errors"]]


@pytest.mark.parametrize("text", NUMBERS)
@pytest.mark.parametrize("field", FIELDS)
async def test_numbers_at_the_edge(client: httpx.AsyncClient, account: str, field: str, text: str) -> None:
    """A number that JavaScript does not read exactly is no valid value of any field, and never echoed as no JSON."""
    data = json.dumps({**meeting_data(), field: "HERE"}).replace('"HERE"', text)
    content = f'{{"accountId": {json.dumps(account)}, "meetingData": {data}}}'.encode()
    for method, path in (("POST", "/zoom/meetings"), ("PATCH", "/zoom/meetings/1")):
        response = await client.request(method, path, content=content)
        assert REFUSED == response.status_code
        (entry,) = document_of(response)["errors"]
        malformed = text in ("NaN", "Infinity")
        assert entry["msg"] == ("Malformed JSON" if malformed else "Invalid value")
        assert entry["param"].startswith("" if malformed else f"meetingData.{field}")


@pytest.mark.parametrize("field", ["interval", "dayOfMonth", "month"])
@pytest.mark.parametrize("value", ["9" * 400, "9" * 5000, 10**400, "²", "\u0661", "1e5", float("1e300")])
async def test_numbers_of_a_recurrence(client: httpx.AsyncClient, account: str, field: str, value: object) -> None:
    """So it is with the numbers of a recurrence, which may be digits as well."""
    recurrence = {"type": "monthly", "interval": 1, field: value}
    body = {"accountId": account, "meetingData": meeting_data(type=8, recurrence=recurrence)}
    response = await client.post("/zoom/meetings", json=body)
    assert REFUSED == response.status_code
    assert [f"meetingData.recurrence.{field}"] == [entry["param"] for entry in document_of(response)["errors"]]


@pytest.mark.parametrize("text", DATES)
@pytest.mark.parametrize("field", ["startDate", "recurrence.startDate", "recurrence.endDate"])
async def test_dates_at_the_edge(client: httpx.AsyncClient, account: str, field: str, text: str) -> None:
    """A time before the year 1 or after 9999 in UTC is no valid date, whatever its offset."""
    changes: dict[str, object] = {"type": 8}
    if field == "startDate":
        changes |= {field: text}
    else:
        changes |= {"recurrence": {"type": "daily", "interval": 1, field.partition(".")[2]: text}}
    response = await client.post("/zoom/meetings", json={"accountId": account, "meetingData": meeting_data(**changes)})
    assert REFUSED == response.status_code
    assert [f"meetingData.{field}"] == [entry["param"] for entry in document_of(response)["errors"]]


EDGES = ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00-12:00", "9999-12-31T23:59:59Z", "9999-12-30T12:00:00Z"]


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Tokyo"])
@pytest.mark.parametrize("kind", ["daily", "weekly", "monthly"])
@pytest.mark.parametrize("start", EDGES)
async def test_series_at_the_edge(client: httpx.AsyncClient, account: str, start: str, kind: str, zone: str) -> None:
    """A series at either end of the calendar has the dates that the calendar has, in any time zone."""
    recurrence = {"type": kind, "interval": 1}
    data = meeting_data(type=8, startDate=start, timeZone=zone, recurrence=recurrence)
    made = await client.post("/zoom/meetings", json={"accountId": account, "meetingData": data})
    assert 200 == made.status_code
    detail = document_of(made)["data"]
    assert detail["occurrences"]
    # So has one that lasts until the last day.
    data["recurrence"] = {**recurrence, "endDate": "9999-12-31"}
    assert 200 == (await client.post("/zoom/meetings", json={"accountId": account, "meetingData": data})).status_code
    # The time zone alone may change as well, and the recurrence with the old start.
    for changes in ({"timeZone": "Pacific/Kiritimati"}, {"timeZone": "Pacific/Pago_Pago", "recurrence": recurrence}):
        body = {"accountId": account, "meetingData": changes}
        changed = await client.patch(f"/zoom/meetings/{detail['id']}", json=body)
        assert {"success": True} == document_of(changed)


@pytest.mark.parametrize("reference", ["9" * 5000, "0" * 5000 + "1", "9" * 20, "²", "%FF%FE", "%ED%A0%80", "%00", "-1"])
async def test_odd_ids(client: httpx.AsyncClient, account: str, reference: str) -> None:
    """An id of any length or kind is one that the account does not have."""
    path = f"/zoom/meetings/{quote(reference, safe='%')}"
    for method in ("GET", "PATCH", "DELETE"):
        body = {"accountId": account, "meetingData": {"title": "new"}} if method == "PATCH" else None
        response = await client.request(
            method, path, params={"accountId": account} if body is None else None, json=body
        )
        assert (404, 3001) == (response.status_code, document_of(response)["code"])


async def test_deep_values(client: httpx.AsyncClient, account: str) -> None:
    """A value that is nested too deeply is refused, and one that can be echoed is echoed."""
    for depth, message in ((50, "Invalid value"), (500, "Malformed JSON"), (100_000, "Malformed JSON")):
        title = "[" * depth + "]" * depth
        data = json.dumps(meeting_data(title="HERE")).replace('"HERE"', title)
        content = f'{{"accountId": {json.dumps(account)}, "meetingData": {data}}}'.encode()
        response = await client.post("/zoom/meetings", content=content)
        assert (REFUSED, [message]) == (response.status_code, [one["msg"] for one in response.json()["errors"]])


async def test_rows_of_tests_are_json(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """Rows that a test has added may be odd, but no answer with them is without JSON."""
    odd = {"duration": float("inf"), "topic": "a\ud800b", "timezone": "Mars/Base", "start_time": DATES[0]}
    row = sandbox.add_meeting(account, {**odd, "more": float("nan")}, at=0)
    page = document_of(await client.get("/zoom/meetings", params={"accountId": account, "maxResults": 1}))
    (listed,) = page["data"]["meetings"]
    assert (None, "a\ud800b") == (listed["duration"], listed["topic"])
    assert 200 == (await client.get(f"/zoom/meetings/{row['id']}", params={"accountId": account})).status_code
    body = {"accountId": account, "meetingData": {"startDate": "2026-12-01T10:00:00Z"}}
    assert 200 == (await client.patch(f"/zoom/meetings/{row['id']}", json=body)).status_code
    sandbox.fail_next(500, body={"hint": [float("nan"), {"a": float("-inf")}]})
    assert {"hint": [None, {"a": None}]} == document_of(await client.get("/zoom/oauth"))


TEXTS = st.text(max_size=8) | st.sampled_from(
    [*DATES, *EDGES, "UTC", "Europe", "../x", "9" * 400, "a@b", "daily", "", "9999-12-31", "0001-01-01"]
)
RAW = st.sampled_from([*SURROGATES, *NUMBERS, "-0.0", "1.0", "[]", "{}", "null", "true", '"\\u0000"'])
"""JSON as text."""
VALUES = RAW | st.recursive(
    TEXTS | st.integers() | st.booleans() | st.none(), lambda inner: st.lists(inner, max_size=3)
).map(json.dumps)
NAMES = st.sampled_from([*FIELDS, "recurrence", "unknown"])
RECURRENCES = st.dictionaries(
    st.sampled_from(["type", "interval", "startDate", "endDate", "dayOfMonth", "daysOfWeek", "month"]), VALUES
)


def joined(fields: dict[str, str]) -> str:
    """Return a JSON object of JSON texts."""
    return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in fields.items()) + "}"


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, dict[str, str], bytes]:
    """Make a request of any call, with odd values anywhere."""
    segment: Callable[[str], str] = lambda text: quote(text, safe="")  # noqa: E731
    path = draw(
        st.sampled_from(["/zoom/meetings", "/zoom/connect", "/zoom/oauth", "/zoom/meetings/KNOWN"])
        | TEXTS.map(segment).map("/zoom/meetings/{}".format)
    )
    query = draw(
        st.dictionaries(
            st.sampled_from(["type", "startDate", "endDate", "maxResults", "pageNumber", "nextPageToken", "state"]),
            TEXTS | st.sampled_from(["12-31-9999", "01-01-0001", "00-00-0000", "9" * 30, "0"]),
        )
    )
    data = {name: json.dumps(value) for name, value in meeting_data().items()}
    data |= draw(st.dictionaries(NAMES, VALUES, max_size=3))
    if draw(st.booleans()):
        data |= {"type": "8", "recurrence": joined({"type": '"daily"', "interval": "1", **draw(RECURRENCES)})}
    fields = {"accountId": '"KNOWN"', "meetingData": joined(data), "code": '"c"', "name": '"n"'}
    fields |= draw(st.dictionaries(st.sampled_from([*fields]), VALUES, max_size=2))
    method = draw(st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT"]))
    return method, path, query, joined(fields).encode(errors="surrogatepass")


@given(sent=requests())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_answer_is_one_of_the_service(
    world: tuple[Sandbox, str], sent: tuple[str, str, dict[str, str], bytes]
) -> None:
    """Whatever is sent, with whatever in it, the answer is JSON, and no failure of the server."""
    sandbox, account = world
    method, path, query, content = sent
    number = sandbox.rows(account)[0]["id"]
    async with client_of(sandbox) as client:  # it raises what the application raises
        response = await client.request(
            method,
            path.replace("KNOWN", str(number)),
            params={**query, "accountId": account},
            content=content.replace(b"KNOWN", account.encode()),
        )
    assert response.status_code < 500
    assert isinstance(document_of(response), dict)


@pytest.fixture(scope="module")
def world() -> Any:  # noqa: ANN401  (an iterator of a pair)
    """Make an account that all examples change."""
    with Sandbox(accounts=1, meetings=5, clock=lambda: NOW, daily_writes=None) as sandbox:
        account = sandbox.account_ids[0]
        for _ in range(200):
            sandbox.add_meeting(account)
        yield sandbox, account


@pytest.mark.parametrize("port", ["99999", "65536", "-1", "abc", "1.5", "9" * 5000, "", "\u0663"])
def test_ports(capsys: pytest.CaptureFixture[str], port: str) -> None:
    """A port that does not exist is a mistake in the arguments."""
    with pytest.raises(SystemExit) as stopped:
        _cli.main([f"--port={port}"])
    out, err = capsys.readouterr()
    assert (2, "") == (stopped.value.code, out)
    assert "argument --port: must be a whole number from 0 to 65535" in err


@pytest.mark.parametrize("port", [99999, -1, "80", 1.0, True, None])
def test_ports_to_serve_on(port: Any) -> None:  # noqa: ANN401  (a wrong argument)
    """So it is for a program."""
    with Sandbox(accounts=0) as sandbox, pytest.raises(ValueError, match="port must be a whole number from 0 to 65535"):
        sandbox.serve(port=port)
