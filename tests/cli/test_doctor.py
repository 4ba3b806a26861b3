"""``pyas doctor``: its report on a service that behaves as assumed, and on services that differ."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

import inside
from cli.changed_service import ChangedService, Changes
from pyas_async import Meeting, from_dict
from pyas_async.cli._doctor.calls import CLOCK
from pyas_async.cli._doctor.findings import Masker
from pyas_async.cli._doctor.limits import form_of
from pyas_async.sandbox import EXPIRED_ANSWERS, ExpiredAnswer, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.tools import Done, Pyas

Json = dict[str, Any]
Findings = dict[str, Json]
KEY = "a-key-that-must-stay-secret"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, str]]:
    """Serve two accounts, through a layer that can change the service's behaviour."""
    with Sandbox(accounts=2, meetings=400, api_key=KEY, plan="growth") as sandbox:
        sandbox.app = ChangedService(sandbox.app)  # type: ignore[assignment]
        with sandbox.serve() as url:
            yield sandbox, url


@pytest.fixture
def changes(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Changes:
    """Reset the service to the assumed behaviour before each test."""
    layer: Any = sandbox.app
    layer.changes, layer.pages = Changes(), 0
    for name in ("plan", "max_page_size", "oversize", "page_numbers", "expired_answer", "token_ttl", "clock"):
        monkeypatch.setattr(sandbox, name, getattr(sandbox, name))
    changes: Changes = layer.changes
    return changes


def findings(done: Done, sandbox: Sandbox) -> Findings:
    """Return the findings of a report, and check that it shows no secret."""
    tokens = [request.query.get("nextPageToken") for request in sandbox.requests]
    ids = [request.path.rpartition("/")[2] for request in sandbox.requests if not request.path.endswith("/meetings")]
    for secret in (KEY, *sandbox.account_ids, *filter(None, tokens), *ids):
        assert secret == "pyas-doctor-invented-this" or secret not in done.out + done.err
    assert not [row for row in sandbox.rows(sandbox.account_ids[0]) if row["topic"] in done.out]
    return {document["check"]: document for document in done.json}


def test_as_assumed(pyas: Pyas, sandbox: Sandbox, changes: Changes) -> None:
    """If the service behaves as assumed, the report says so and exits with 0, after a dozen calls, all reads."""
    done = pyas("doctor", "--json")

    found = findings(done, sandbox)
    summary = found.pop("summary")
    states = {check: finding["state"] for check, finding in found.items()}
    assert (0, "") == (done.code, done.err)
    assert {
        "access": "holds",
        "page-size": "holds",
        "total": "unclear",
        "page-token": "holds",
        "order": "holds",
        "page-number": "noted",
        "unknown-token": "holds",
        "date-order": "holds",
        "last-day": "noted",
        "ids": "holds",
        "fields": "noted",
        "limit-headers": "holds",
        "plan": "noted",
        "other-users": "noted",
        "clock": "holds",
    } == states
    assert (len(sandbox.requests), [], ["total"]) == (summary["calls"], summary["differs"], summary["unclear"])
    assert summary["calls"] <= 12
    assert {"GET"} == {request.method for request in sandbox.requests}
    assert "x-ratelimit-reset (a date as JavaScript writes it)" in found["limit-headers"]["seen"]
    assert ("3,000 calls a window: the growth plan", "honoured: the second page was returned, without a token") == (
        found["plan"]["seen"],
        found["page-number"]["seen"].partition(" for")[0],
    )
    assert found["last-day"]["seen"].startswith("the last day of a filter counts")


def test_for_people(pyas: Pyas, sandbox: Sandbox, changes: Changes) -> None:
    """The report for people has a few lines for each check, and for a difference the setting to change."""
    changes.dates = "%d-%m-%Y"

    done = pyas("doctor")

    assert 8 == done.code
    assert re.search(r"^access +holds +a page was returned$", done.out, re.MULTILINE)
    assert re.search(r"^date-order +differs +assumed: a filter's dates are MM-DD-YYYY$", done.out, re.MULTILINE)
    assert re.search(r"^ +do: Use PyasClient\(date_format='%d-%m-%Y'\), or set ", done.out, re.MULTILINE)
    assert re.match(r"holds: 8, differs: 1, noted: 5, unclear: 1; 10 calls; pyas_async ", done.err)


def drop_limits(headers: dict[str, str]) -> dict[str, str]:
    """Remove the headers about the limit."""
    return {name: value for name, value in headers.items() if "ratelimit" not in name}


def resets(value: str | timedelta) -> Any:  # noqa: ANN401
    """Return a change of the window's end: to a text, or to a time relative to the response."""

    def change(headers: dict[str, str]) -> dict[str, str]:
        text = value if isinstance(value, str) else later(seconds=value.total_seconds())
        return {**headers, "x-ratelimit-reset": text}

    return change


def later(**span: float) -> str:
    """Return a future time as an HTTP date."""
    return (datetime.now(UTC) + timedelta(**span)).strftime("%a, %d %b %Y %H:%M:%S GMT")


def swapped(page: Json, number: int) -> Json:
    """Swap the rows of every other page."""
    return {**page, "meetings": page["meetings"][:: -1 if number % 2 else 1]}


def repeating(page: Json, number: int) -> Json:
    """Begin the second of two pages with rows of the first."""
    if number == 1:
        repeating.rows = page["meetings"][-2:]  # type: ignore[attr-defined]
    return {**page, "meetings": [*repeating.rows, *page["meetings"]]} if number == 2 else page  # type: ignore[attr-defined]


# What is changed, by a setting of the sandbox or a change in the layer; the check that notices it, and its text.
BENT: dict[str, tuple[Json, str, str, str]] = {
    "days first": ({"dates": "%d-%m-%Y"}, "date-order", "differs", "set PYAS_DATE_FORMAT=%d-%m-%Y"),
    "years first": ({"dates": "%Y-%m-%d"}, "date-order", "differs", "set PYAS_DATE_FORMAT=%Y-%m-%d"),
    "dates ignored": ({"dates": None}, "date-order", "differs", "Filter by day yourself"),
    "no dates accepted": ({"dates": ""}, "date-order", "differs", "MM-DD-YYYY: refused (BadRequestError); DD-MM"),
    "last day left out": ({"last_day": False}, "last-day", "noted", "the last day of a filter does not count"),
    "capped pages": ({"max_page_size": 100}, "page-size", "differs", "They take 3 times the calls"),
    "large pages refused": (
        {"max_page_size": 100, "oversize": "refuse"},
        "page-size",
        "differs",
        "page_size=100, in pyas meetings --page-size, saves",
    ),
    "only small pages": (
        {"query": lambda query: "maxResults" in query},
        "page-size",
        "differs",
        "page_size=30, in pyas meetings",
    ),
    "numbers ignored": (
        {"page_numbers": "ignore"},
        "page-number",
        "noted",
        "ignored: the first page was returned, with a token",
    ),
    "numbers refused": ({"query": lambda query: "pageNumber" in query}, "page-number", "noted", "refused: BadRequest"),
    "no limit headers": (
        {"headers": drop_limits},
        "limit-headers",
        "differs",
        "no response has a header about a limit",
    ),
    "limits under other names": (
        {"headers": lambda headers: {**drop_limits(headers), "ratelimit": '"default";r=50;t=30'}},
        "limit-headers",
        "differs",
        "ratelimit (text of another form)",
    ),
    "a window's end as a number": (
        {"headers": resets("1795335096")},
        "limit-headers",
        "differs",
        "as a number of seconds",
    ),
    "a window's end as an HTTP date": (
        {"headers": resets(timedelta(minutes=2))},
        "limit-headers",
        "holds",
        "an HTTP date",
    ),
    "long windows": ({"headers": resets(timedelta(minutes=20))}, "limit-headers", "differs", "RateBudget(…, window=1"),
    "a limit of no known plan": (
        {"headers": lambda headers: {**headers, "x-ratelimit-limit": "250"}},
        "plan",
        "differs",
        "this key has 250",
    ),
    "no date": ({"headers": lambda headers: {**headers, "date": "?"}}, "clock", "unclear", "responses have no Date"),
    "another clock": (
        {"headers": lambda headers: {**headers, "date": later(hours=1)}},
        "clock",
        "differs",
        "s behind",
    ),
    "expired tokens accepted": ({"dead_tokens": False}, "unknown-token", "differs", "as if nothing were wrong"),
    "another order": ({"page": swapped}, "order", "differs", "Let listings end with verify_total='repair'"),
    "repeated rows": (
        {"page": repeating},
        "page-token",
        "differs",
        "2 of 12 rows of the second page were on the first",
    ),
    "no tokens": (
        {"page": lambda page, _: {**page, "next_page_token": ""}},
        "page-token",
        "differs",
        "a page of 10 of 300 rows was returned without a token",
    ),
    "tokens refused": ({"query": lambda query: "nextPageToken" in query}, "page-token", "differs", "refused at once"),
    "a wrong total": (
        {"page": lambda page, _: {**page, "next_page_token": "", "total_records": 7}},
        "total",
        "differs",
        "300 rows were returned, and 7 are reported",
    ),
    "no total": (
        {"page": lambda page, _: {**page, "total_records": None}},
        "total",
        "unclear",
        "no total is reported",
    ),
    "a count that is no number": (
        {"headers": lambda headers: {**headers, "x-ratelimit-remaining": "²", "x-ratelimit-limit": "9" * 5000}},
        "limit-headers",
        "differs",
        "The library does not read these.",
    ),
    "a date that does not exist": (
        {"headers": resets("Sun Feb 31 2026 08:11:36 GMT+0000 (Coordinated Universal Time)")},
        "limit-headers",
        "differs",
        "x-ratelimit-reset (a date as JavaScript writes it)",
    ),
    "no uuids": ({"uuids": False}, "ids", "differs", "Use the numbers."),
    "new fields": (
        {"page": lambda page, _: {**page, "meetings": [{**row, "mood": "good"} for row in page["meetings"]]}},
        "fields",
        "noted",
        "rows: mood",
    ),
}


@pytest.mark.parametrize(("settings", "check", "state", "said"), BENT.values(), ids=BENT)
def test_difference_is_found(
    pyas: Pyas, sandbox: Sandbox, changes: Changes, settings: Json, check: str, state: str, said: str
) -> None:
    """A service that differs is detected, and the report names the setting to change. Everything else still holds."""
    for name, value in settings.items():
        setattr(changes if hasattr(changes, name) else sandbox, name, value)

    done = pyas("doctor", "--json")

    found = findings(done, sandbox)
    assert state == found[check]["state"]
    assert said in f"{found[check]['seen']}; {found[check]['change']}"
    # A changed page affects more than one check.
    if "page" not in settings and "query" not in settings:
        assert [check] * (state == "differs") == found["summary"]["differs"]
    assert done.code == (8 if found["summary"]["differs"] else 0)
    assert (state != "differs") or found[check]["change"]


# The library's tests cover the shapes of such responses: here are a clear one, an unclear one, and a failure.
EXPIRED = {
    "ok_false": ("holds", ""),
    "unclear_422": ("differs", "decides such a case with one more call"),
    "": ("unclear", "page_token_ttl=600"),
}


@pytest.mark.parametrize("answer", EXPIRED)
def test_responses_to_expired_tokens(
    pyas: Pyas, sandbox: Sandbox, changes: Changes, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The response to an expired token is recognised, or settled by one more call. A plain failure decides nothing."""
    state, said = EXPIRED[answer]
    monkeypatch.setitem(EXPIRED_ANSWERS, "", ExpiredAnswer(503, "try again"))
    sandbox.__dict__["expired_answer"] = answer

    found = findings(pyas("doctor", "--json"), sandbox)["unknown-token"]

    assert (state, True) == (found["state"], said in found["change"])
    assert str(EXPIRED_ANSWERS[answer].status) in found["seen"]


def test_others_use_the_key(pyas: Pyas, sandbox: Sandbox, changes: Changes) -> None:
    """Calls of other programs with the key show in the number of calls left; so does a new window."""
    left = iter(range(2_999, 0, -3))
    changes.headers = lambda headers: {**headers, "x-ratelimit-remaining": str(next(left))}
    others = findings(pyas("doctor", "--json"), sandbox)["other-users"]
    more = iter(range(50, 100))
    changes.headers = lambda headers: {**headers, "x-ratelimit-remaining": str(next(more))}
    window = findings(pyas("doctor", "--json"), sandbox)["other-users"]

    ours = int(others["seen"].split()[-1])
    assert ("noted", f"other programs made {ours * 2} calls with this key, while we made {ours}") == (
        others["state"],
        others["seen"],
    )
    assert ("unclear", "a new window began meanwhile") == (window["state"], window["seen"])


def test_too_few_meetings(pyas: Pyas, sandbox: Sandbox, changes: Changes) -> None:
    """With an almost empty account, the report says which checks were not possible, and why."""
    changes.page = lambda page, _: {**page, "next_page_token": "", "total_records": 0, "meetings": []}

    done = pyas("doctor", "--json", "--patient")

    found = findings(done, sandbox)
    unclear = {"page-token", "order", "page-number", "date-order", "ids", "token-life"}
    assert (0, unclear) == (done.code, set(found["summary"]["unclear"]))
    assert "too few" in found["page-token"]["seen"]


@pytest.fixture
def time_passes(sandbox: Sandbox, changes: Changes, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Make time pass at once for the doctor and the service; return the list of its sleeps."""
    naps: list[float] = []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)

    began = time.monotonic()
    sandbox.clock = lambda: time.time() + sum(naps)
    monkeypatch.setattr(CLOCK, "now", lambda: began + sum(naps))
    monkeypatch.setattr(CLOCK, "wall", lambda: time.time() + sum(naps))
    monkeypatch.setattr(CLOCK, "sleep", sleep)
    return naps


LIVES = {
    900.0: ("holds", "holds", "one of 885 s was accepted, one of 910 s was not"),
    600.0: ("differs", "holds", "one of 885 s was refused: PageTokenExpiredError"),
    3600.0: ("holds", None, "one of 885 s was accepted, and another of 910 s still was"),
}


@pytest.mark.parametrize("life", LIVES)
def test_with_patience(pyas: Pyas, sandbox: Sandbox, changes: Changes, time_passes: list[float], life: float) -> None:
    """With --patience, it tries one token shortly before its expiry and one after it, and reports the responses."""
    sandbox.token_ttl = life
    token_life, expired, seen = LIVES[life]

    done = pyas("doctor", "--patient", "--json")

    found = findings(done, sandbox)
    assert (token_life, seen) == (found["token-life"]["state"], found["token-life"]["seen"])
    assert expired == found.get("expired-token", {}).get("state")
    assert ("PyasClient(page_token_ttl=600)" in found["token-life"]["change"]) == (life < 885)
    assert 880 < sum(time_passes) <= 911


def test_repeated_token(pyas: Pyas, sandbox: Sandbox, changes: Changes, time_passes: list[float]) -> None:
    """If the service returns the same token twice, its lifetime cannot be measured after its first use."""
    sandbox.token_ttl = 3600.0
    first: list[str] = []

    def same(page: Json, _: int) -> Json:
        if page["page_size"] == 10 and len(page["meetings"]) == 10 and page["next_page_token"]:
            first.append(page["next_page_token"])
            return {**page, "next_page_token": first[0]}
        return page

    changes.page = same

    found = findings(pyas("doctor", "--patient", "--json"), sandbox)

    assert ("unclear", True) == (found["token-life"]["state"], "had been used before" in found["token-life"]["seen"])


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"PYAS_API_KEY": "another"}, 3),
        ({"PYAS_ACCOUNT_ID": "unknown"}, 4),
        ({"PYAS_BASE_URL": "http://127.0.0.1:9"}, 6),
    ],
)
def test_no_access(
    pyas: Pyas, sandbox: Sandbox, changes: Changes, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], code: int
) -> None:
    """Without access, the error is reported like that of any command, and few calls are made."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    done = pyas("doctor", "--json")

    assert (code, ["summary"]) == (done.code, [document["check"] for document in done.json])
    assert done.err.startswith("pyas: error: ")
    assert done.err.endswith("Nothing else can be tested before this works.\n")
    assert len(sandbox.requests) <= 1


def test_proxies_and_certificates(
    pyas: Pyas, sandbox: Sandbox, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service on this machine is asked directly, as by every other command: without proxies and certificates."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/at/all.pem")
    monkeypatch.setenv("NO_PROXY", "[::1]")

    done = pyas("doctor", "--json")

    assert (0, "") == (done.code, done.err)
    assert "holds" == findings(done, sandbox)["limit-headers"]["state"]


BAD_ENVIRONMENTS = {
    "no certificates": {"SSL_CERT_FILE": "/nowhere/at/all.pem"},
    "a folder without certificates": {"SSL_CERT_DIR": "/nowhere/at/all", "SSL_CERT_FILE": ""},
    "an unknown kind of proxy": {"HTTPS_PROXY": "nonsense://user:a-proxy-password@127.0.0.1:1"},
    "no address": {"HTTPS_PROXY": "http://user:a-proxy-password@127.0.0.1:port"},
    "an unreadable exception": {"HTTPS_PROXY": "http://user:a-proxy-password@127.0.0.1:1", "NO_PROXY": "[::1]"},
}


@pytest.mark.parametrize("command", [("doctor",), ("meetings", "list")], ids=" ".join)
@pytest.mark.parametrize("settings", BAD_ENVIRONMENTS.values(), ids=BAD_ENVIRONMENTS)
def test_unusable_environment(
    pyas: Pyas, sandbox: Sandbox, command: tuple[str, ...], settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy or certificates that cannot be used are named, as by every other command, and no password is shown."""
    monkeypatch.setenv("PYAS_BASE_URL", "https://127.0.0.1:1")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    done = pyas(*command)

    assert (2, "") == (done.code, done.out)
    assert next(iter(settings)) in done.err
    assert "a-proxy-password" not in done.err


def test_every_page_refused(pyas: Pyas, sandbox: Sandbox, changes: Changes) -> None:
    """A service that refuses every page, whatever its size, is reported."""
    changes.query = lambda _: True

    done = pyas("doctor")

    assert (1, "") == (done.code, done.out)
    assert "pyas: error: 400: Bad Request" in done.err


def test_forms_of_headers() -> None:
    """The report has the form of a header, and nothing of its value."""
    forms = {
        "": "empty",
        "57": "a whole number",
        "1795335096": "a moment, as a number of seconds",
        "12.5": "a number with a fraction",
        "Sun Nov 22 2026 08:11:36 GMT+0000 (Coordinated Universal Time)": "a date as JavaScript writes it",
        "Sun, 22 Nov 2026 08:11:36 GMT": "an HTTP date",
        "2026-11-22T08:11:36Z": "an ISO date",
        "soon": "text of another form",
    }
    assert list(forms.values()) == list(map(form_of, forms))


def test_choice_of_the_day() -> None:
    """The chosen day has scheduled meetings, is far from other days, and if possible can be read as another day."""

    def on(*days: str, kind: int = 2) -> list[Meeting]:
        rows = [
            {"id": at + 1, "uuid": "u", "type": kind, "start_time": f"{day}T09:00:00Z"} for at, day in enumerate(days)
        ]
        return [from_dict(Meeting, row) for row in rows]

    target = inside.doctor_target
    assert target(on("2026-03-05", "2026-03-06")) is None
    assert target(on("2026-03-05", "2026-06-06", kind=8)) is None
    plain, clear = target(on("2026-03-25", "2026-03-01")), target(on("2026-03-25", "2026-03-07", "2026-03-03"))
    assert plain is not None
    assert clear is not None
    assert ("2026-03-25", False) == (plain.day.isoformat(), plain.clear)
    assert ("2026-03-07", True, {2}) == (clear.day.isoformat(), clear.clear, set(clear.rows))


def test_service_that_repeats_requests(pyas: Pyas, sandbox: Sandbox, changes: Changes) -> None:
    """The report repeats no secret, even if errors of the service repeat the request."""
    changes.uuids = False
    changes.query = lambda query: not {"pageNumber", "startDate", "nextPageToken"}.isdisjoint(query)
    changes.echo = lambda request: f"of {request} for ada@example.com, see meeting 85746065400"

    done = pyas("doctor", "--json")

    found = findings(done, sandbox)
    assert (8, True) == (done.code, "?accountId=***&" in found["page-number"]["seen"])
    said = "".join(found[check]["seen"] for check in ("page-token", "page-number", "date-order", "ids"))
    assert [] == [word for word in ("ada@", "85746065400", "%2F", sandbox.account_ids[0][:12]) if word in said]
    row = sandbox.rows(sandbox.account_ids[0])[0]
    assert (False, False) == (row["uuid"] in said, str(row["id"]) in said)


def test_masking() -> None:
    """Secrets are masked wherever they occur, the longer ones first; a very short text is not masked."""
    masker = Masker()
    masker.learn("secret", "secret-and-more", 12, 7344, "")

    assert "***, ***; 12 and ***" == masker.mask("secret-and-more, secret; 12 and 7344")


def test_masking_of_encoded_secrets() -> None:
    """Secrets are masked in every encoding; so are e-mail addresses and meeting numbers."""
    masker = Masker()
    masker.learn("/a//b==", "Ödön")

    assert "*** *** *** *** ***" == masker.mask(
        "/a//b== %2Fa%2F%2Fb%3D%3D %252Fa%252F%252Fb%253D%253D Ödön \\u00d6d\\u00f6n"
    )
    assert "no *** of *** (code 3001)" == masker.mask("no 85746065400 of ada.l+z@mail.example.com (code 3001)")
