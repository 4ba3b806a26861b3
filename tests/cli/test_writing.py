"""``pyas meetings create``, ``update`` and ``delete``, and ``pyas accounts``."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from runtime.socket_server import wire

if TYPE_CHECKING:
    from pathlib import Path

    from cli.tools import Pyas
    from pyas_async.sandbox import Sandbox

SCHEDULED = ("meetings", "create", "--title", "Planning", "--start", "2026-12-01T09:30")


def sent(sandbox: Sandbox) -> dict[str, Any]:
    """Return the meeting data of the last request."""
    document: dict[str, Any] = sandbox.requests[-1].body["meetingData"]
    return document


def made(sandbox: Sandbox) -> int:
    """Make a meeting, and return its id."""
    number: int = sandbox.add_meeting(sandbox.account_ids[0])["id"]
    return number


def test_create(pyas: Pyas, sandbox: Sandbox) -> None:
    """Options mirror the fields; a start without an offset is in the meeting's own time zone."""
    options = ["--time-zone", "Europe/Berlin", "--duration", 45, "--description", "What next", "--waiting-room"]

    done = pyas(*SCHEDULED, *options, "--attendee", "ada@example.com", "--attendee", "bob@example.com", "--json")

    assert (0, "") == (done.code, done.err)
    assert {
        "type": 2,
        "title": "Planning",
        "description": "What next",
        "startDate": "2026-12-01T09:30:00+01:00",
        "duration": 45,
        "timeZone": "Europe/Berlin",
        "waitingRoom": True,
        "attendees": [{"email": "ada@example.com"}, {"email": "bob@example.com"}],
    } == sent(sandbox)
    assert [sandbox.document(sandbox.account_ids[0], done.json[0]["id"])] == done.json


def test_create_for_people(pyas: Pyas, sandbox: Sandbox) -> None:
    """A created meeting is shown with the link to join, without its passcode and the link that makes a host."""
    done = pyas(*SCHEDULED, "--time-zone", "UTC")

    truth = sandbox.document(sandbox.account_ids[0], int(done.out.split("id  ")[1].split()[0]))
    assert 0 == done.code
    assert "Tue 2026-12-01 09:30 (UTC)" in done.out
    link, _, passcode = truth["join_url"].partition("pwd=")
    assert f"{link}pwd=***\n" in done.out
    assert [False] * 3 == [secret in done.out for secret in (f"pwd={passcode}", truth["password"], truth["start_url"])]


def test_a_recurrence_ends_on_a_day(pyas: Pyas, sandbox: Sandbox) -> None:
    """A day without a time is sent as a day, and needs no time zone."""
    done = pyas(
        *SCHEDULED[:4], "--start", "2026-12-01T09:30Z", "--recurrence", "daily", "--recurrence-end", "2026-12-05"
    )

    assert 0 == done.code
    assert "2026-12-05" == sandbox.requests[-1].body["meetingData"]["recurrence"]["endDate"]


def test_create_recurring(pyas: Pyas, sandbox: Sandbox) -> None:
    """A recurrence makes a meeting recurring with fixed time, unless another type is given."""
    days = ["--recurrence", "weekly", "--interval", 2, "--day-of-week", "monday", "--day-of-week", "Friday"]
    until = ["--recurrence-end", "2027-03-01T00:00"]
    monthly = ["--recurrence", "monthly", "--day-of-month", 15, "--type", "recurring"]

    codes = [
        pyas(*SCHEDULED, "--time-zone", "UTC", *days, *until).code,
        pyas(*SCHEDULED[:4], "--start", "2026-12-01T09:30Z", *monthly).code,
    ]

    assert [0, 0] == codes
    first, second = (request.body["meetingData"] for request in sandbox.requests)
    end = "2027-03-01T00:00:00Z"
    assert (8, {"type": "weekly", "interval": 2, "daysOfWeek": ["monday", "friday"], "endDate": end}) == (
        first["type"],
        first["recurrence"],
    )
    assert (3, {"type": "monthly", "interval": 1, "dayOfMonth": 15}) == (second["type"], second["recurrence"])


def test_create_instant(pyas: Pyas, sandbox: Sandbox) -> None:
    """An instant meeting starts now by default."""
    assert 0 == pyas("meetings", "create", "--title", "Now", "--type", "instant").code

    start = datetime.fromisoformat(sent(sandbox)["startDate"])
    assert (1, True) == (sent(sandbox)["type"], abs(datetime.now(UTC) - start) < timedelta(minutes=1))


def test_documents(pyas: Pyas, sandbox: Sandbox, tmp_path: Path) -> None:
    """``--from-json`` accepts the API's own document, from stdin or a file, for a create and for changes."""
    whole = {"type": 2, "title": "Whole", "description": "", "startDate": "2026-12-01T08:30:00Z", "duration": 20}
    whole["attendees"] = [{"email": "ada@example.com"}]
    file = tmp_path / "changes.json"
    file.write_text('{"title": "Ünïcode", "timeZone": null}', "utf-8")

    created = pyas("meetings", "create", "--from-json", "-", "--json", stdin=json.dumps(whole))
    assert whole == sent(sandbox)
    changed = pyas("meetings", "update", created.json[0]["id"], "--from-json", file)

    assert ({"title": "Ünïcode", "timeZone": None}, 0, 2) == (sent(sandbox), created.code, len(sandbox.requests))
    # The sandbox does not allow the removal of a time zone.
    assert (1, "pyas: error: 400: Invalid value [meetingData.timeZone]\n") == (changed.code, changed.err)


@pytest.mark.parametrize("answer", ["success", "meeting"])
def test_update(pyas: Pyas, sandbox: Sandbox, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    """Only the given fields are sent; the meeting is shown if the service returns its new state."""
    monkeypatch.setattr(sandbox, "update_answer", answer)
    number = made(sandbox)

    people = pyas("meetings", "update", number, "--duration", 45, "--no-waiting-room")
    assert {"duration": 45, "waitingRoom": False} == sent(sandbox)
    program = pyas("meetings", "update", number, "--no-attendees", "--json")
    assert {"attendees": []} == sent(sandbox)

    assert (0, 0) == (people.code, program.code)
    assert (f"{number}: changed\n" if answer == "success" else "") == people.err
    assert ("45 min" in people.out) == (answer == "meeting")
    assert str(number) == str(program.json[0]["id"])


REFUSED = [
    (["create", "--start", "2026-12-01T09:30Z"], "--title is missing"),
    (["create", "--title", "x"], "--start is missing"),
    (["create", "--title", "x", "--start", "2026-12-01T09:30"], "--start: '2026-12-01T09:30' is ambiguous"),
    (["create", "--title", "x", "--start", "noon"], "--start: expected a moment such as 2026-01-31T09:00+01:00"),
    (["create", "--title", "x" * 201, "--start", "2026-12-01T09:30Z"], "--title: expected 200 characters at most"),
    (["create", "--title", "x", "--start", "2026-12-01T09:30", "--time-zone", "Nowhere"], "--time-zone: expected an"),
    (["create", "--title", "x", "--attendee", "ada"], "--attendee: expected an e-mail address, got 'ada'"),
    (["create", "--title", "x", "--day-of-month", "3"], "--recurrence is missing: daily, weekly or monthly?"),
    (
        ["create", "--title", "x", "--recurrence", "daily", "--day-of-week", "monday"],
        "--day-of-week: expected nothing, since only 'weekly' meetings have it",
    ),
    (
        ["create", "--title", "x", "--start", "2031-03-04T09:00+01:00", "--recurrence", "weekly"],
        "--time-zone: expected an IANA time zone name such as 'Europe/Berlin', since an offset does not say",
    ),
    (["create", "--title", "x", "--recurrence", "daily", "--interval", "0"], "--interval: expected a whole number"),
    (["create", "--from-json", "-"], "--from-json: expected a JSON object: Expecting value"),
    (["create", "--from-json", "-", "--title", "x"], "--from-json holds all fields"),
    (["update", "1"], "no field to change was given"),
    (["delete"], "no meeting id was given"),
    (["delete", "1"], "without a terminal, a delete cannot be confirmed"),
    (["delete", "--yess", "1"], "Unknown option: --yess"),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSED, ids=lambda value: " ".join(value[:4]) if value else "")
def test_refused_before_anything_is_sent(pyas: Pyas, sandbox: Sandbox, arguments: list[str], said: str) -> None:
    """Invalid options are refused with exit code 2 and the name of the option, and nothing is sent."""
    done = pyas("meetings", *arguments)

    assert (2, "", []) == (done.code, done.out, sandbox.requests)
    assert done.err.startswith(f"pyas: error: {said}")


def test_invalid_documents(pyas: Pyas, sandbox: Sandbox, tmp_path: Path) -> None:
    """An invalid document is refused with the field's own name."""
    words = {
        "[]": "--from-json: expected one JSON object, got a list",
        '{"tittle": "x"}': "--from-json: tittle: expected one of title, startDate,",
        '{"type": 2, "title": "x", "description": ""}': "--from-json: startDate: expected a value, got",
        '{"title": "x", "startDate": "2031-01-01T00:00Z", "attendees": [3]}': "--from-json: attendees[0]: expected an",
    }
    for text, said in words.items():
        done = pyas("meetings", "create", "--from-json", "-", stdin=text)
        assert 2 == done.code
        assert done.err.startswith(f"pyas: error: {said}")

    (tmp_path / "old.json").write_bytes('{"title": "é"}'.encode("latin-1"))
    old = pyas("meetings", "update", 1, "--from-json", tmp_path / "old.json")
    missing = pyas("meetings", "update", 1, "--from-json", tmp_path / "none.json")

    assert (2, 1, []) == (old.code, missing.code, sandbox.requests)
    assert old.err.startswith("pyas: error: --from-json: expected text in UTF-8: ")
    assert f"pyas: error: {tmp_path / 'none.json'}: No such file or directory\n" == missing.err


def test_deletion_asks(pyas: Pyas, sandbox: Sandbox) -> None:
    """In a terminal, it shows what it would delete, and accepts only yes."""
    account, number = sandbox.account_ids[0], made(sandbox)

    no = pyas("meetings", "delete", number, typed="\n")
    assert number == sandbox.document(account, number)["id"]
    yes = pyas("meetings", "delete", number, typed="y\n")

    assert (1, 0) == (no.code, yes.code)
    assert f"Delete “Added later” ({number}, " in no.err
    assert no.err.endswith("? [y/N]\nNothing was deleted.\n")
    assert yes.err.endswith(f"{number}: deleted\n")
    with pytest.raises(LookupError):
        sandbox.document(account, number)


def test_deletion_of_a_series(pyas: Pyas, sandbox: Sandbox) -> None:
    """The question says that the whole series of a recurring meeting is deleted."""
    row = next(row for row in sandbox.rows(sandbox.account_ids[0]) if row["type"] == 8)

    one = pyas("meetings", "delete", row["id"], typed="no\n")
    two = pyas("meetings", "delete", row["id"], 2, typed="")

    assert "the whole series? [y/N]" in one.err
    assert "Delete 2 meetings; of recurring ones, the whole series? [y/N]" in two.err


def test_deletion_in_a_script(pyas: Pyas, sandbox: Sandbox) -> None:
    """With --yes, there is no question; each outcome is an object, and the exit code tells of failures."""
    first, second = made(sandbox), made(sandbox)

    done = pyas("meetings", "delete", "--yes", "--json", "-", stdin=f"{first}\n{second}\n13\n")

    assert 8 == done.code
    assert {str(first), str(second)} == {document["id"] for document in done.json}
    assert "pyas: error: 13: 404" in done.err


def test_create_with_lost_response(pyas: Pyas, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 7 means that the outcome is unknown; the create was sent once."""
    with wire(lambda _: None) as server:
        monkeypatch.setenv("PYAS_BASE_URL", server.url)
        done = pyas(*SCHEDULED, "--time-zone", "UTC")

    assert (7, "", 1) == (done.code, done.out, len(server.requests))
    assert "Look before you try again: pyas meetings list" in done.err


def test_connecting_an_account(pyas: Pyas, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address has a random state or the given one; the code comes from stdin, or from hidden input."""
    random, again = (pyas("accounts", "url", "--json").json[0] for _ in range(2))
    given = pyas("accounts", "url", "--state", "mine")
    piped = pyas("accounts", "connect", "--name", "Ada", "--json", stdin="the-code\n")
    monkeypatch.setattr("getpass.getpass", lambda _: "another-code")
    typed = pyas("accounts", "connect", "--name", "Bob", typed="")
    nothing = pyas("accounts", "connect", "--name", "Bob")

    assert f"state={random['state']}" in random["url"]
    assert random["state"] != again["state"]
    assert given.out.startswith("https://zoom.us/oauth/authorize?")
    assert given.out.endswith("state=mine\n")
    assert ["the-code", "another-code"] == [request.body["code"] for request in sandbox.requests[3:]]
    assert piped.json[0]["accountId"] == sandbox.account_ids[-2]
    assert sandbox.account_ids[-1] in typed.out
    assert (2, "pyas: error: no code was given\n") == (nothing.code, nothing.err.splitlines(keepends=True)[0])
