"""``pyas meetings list`` and ``get``, for people and for programs."""

from __future__ import annotations

import io
import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console

import inside
from pyas_async import MeetingDetail, from_dict
from pyas_async.cli._display import recurrence_words, show_fields
from pyas_async.cli._output import clean

if TYPE_CHECKING:
    import pytest

    from cli.tools import Pyas
    from pyas_async.sandbox import Sandbox


def test_every_row_as_json(pyas: Pyas, sandbox: Sandbox) -> None:
    """``list --json`` writes each row as the service sent it, one object per line, and nothing else."""
    done = pyas("meetings", "list", "--json", "--page-size", 150)

    assert (0, "") == (done.code, done.err)
    assert sandbox.rows(sandbox.account_ids[0]) == done.json
    assert ["150"] * 3 == [request.query["maxResults"] for request in sandbox.requests]


def test_a_table(pyas: Pyas, sandbox: Sandbox) -> None:
    """``list`` writes one line per row, uncut without a terminal, and a summary on stderr."""
    done = pyas("meetings", "list", "--limit", 5, "--time-zone", "UTC")

    lines = done.out.splitlines()
    rows = sandbox.rows(sandbox.account_ids[0])[:5]
    assert (0, "5 meetings, 1 call\n") == (done.code, done.err)
    assert ["start", "(UTC)", "min", "title", "id", "type"] == lines[0].split()
    assert [row["topic"] in line and str(row["id"]) in line for row, line in zip(rows, lines[2:], strict=True)] == (
        [True] * 5
    )
    assert lines == [line.rstrip() for line in lines]
    timed = next(row for row in rows if "start_time" in row)
    start = datetime.fromisoformat(timed["start_time"])
    assert start.strftime("%a %Y-%m-%d %H:%M") in done.out


def test_a_narrow_terminal(pyas: Pyas, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a narrow terminal, the type column is left out, then titles are cut; each row stays one line."""
    topic = "A title of forty characters, and no more"
    account = sandbox.account_ids[1]
    start = {"start_time": "2026-12-01T09:00:00Z"}
    sandbox.add_meeting(account, {"type": 2, "topic": topic, "id": 2**62, **start}, at=0)
    heads, titles = [], []
    for width in (120, 80, 60):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = pyas("meetings", "list", "--account", account, "--limit", 1, "--time-zone", "UTC").out.splitlines()
        assert 3 == len(lines)
        assert all(cell_len(line) <= width for line in lines)
        heads.append(lines[0].split()[-1])
        titles.append(topic in lines[2])

    assert (["type", "id", "id"], [True, False, False]) == (heads, titles)


def test_filters(pyas: Pyas, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days are sent as MM-DD-YYYY, or in PYAS_DATE_FORMAT; other text is sent unchanged."""
    account = sandbox.account_ids[1]
    pyas("meetings", "list", "--account", account, "--start", "2026-03-01", "--end", "2026-03-31", "--type", "upcoming")
    monkeypatch.setenv("PYAS_DATE_FORMAT", "%d-%m-%Y")
    pyas("meetings", "list", "--start", "2026-03-01", "--end", "03-31-2026")

    keys = ("accountId", "startDate", "endDate", "type")
    assert [
        (account, "03-01-2026", "03-31-2026", "upcoming"),
        (sandbox.account_ids[0], "01-03-2026", "03-31-2026", None),
    ] == [tuple(map(request.query.get, keys)) for request in sandbox.requests]


def test_words_for_days(pyas: Pyas, sandbox: Sandbox) -> None:
    """Text that is neither a day nor digits with separators is refused before a call, and a day is shown."""
    done = [pyas("meetings", "list", "--start", "whenever"), pyas("meetings", "list", "--end", "31 Jan")]

    assert [2, 2] == [one.code for one in done]
    assert "--start: expected a datetime.date, or text such as '2026-01-31', got 'whenever'" in done[0].err
    assert "--end: " in done[1].err
    assert [] == sandbox.requests


def test_wrong_date_format(pyas: Pyas, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PYAS_DATE_FORMAT that does not show the whole day is refused."""
    monkeypatch.setenv("PYAS_DATE_FORMAT", "%d-%m")
    done = pyas("meetings", "list", "--start", "2026-01-31")

    assert (2, []) == (done.code, sandbox.requests)
    assert "date_format: expected a format of strftime that shows day, month and year" in done.err


def test_invalid_days(pyas: Pyas, sandbox: Sandbox) -> None:
    """Text that looks like a day and is none is an error, not a format of the service's own."""
    calls = [
        ("list", "--end", "2026-02-30"),
        ("week", "2026-02-30"),
        ("week", "9999-12-31"),
        ("list", "--start", "0001-01-01"),
    ]
    said = [pyas("meetings", *call) for call in calls]

    assert [2] * 4 == [done.code for done in said]
    assert [
        "pyas: error: --end: expected a day such as 2026-01-31, got '2026-02-30'\n",
        "pyas: error: expected a day such as 2026-01-31, got '2026-02-30'\n",
        "pyas: error: expected a day of the years 1900 to 2999, got '9999-12-31'\n",
        "pyas: error: --start: expected a day of the years 1900 to 2999, got '0001-01-01'\n",
    ] == [done.err for done in said]
    assert [] == sandbox.requests


def test_invalid_ids(pyas: Pyas, sandbox: Sandbox) -> None:
    """An invalid id, or a blank one, is reported as such."""
    for name, options in (("get", ()), ("delete", ("--yes",))):
        blank, odd = pyas("meetings", name, " ", *options), pyas("meetings", name, "../x", *options)
        assert (2, "pyas: error: one of the ids is blank\n") == (blank.code, blank.err)
        assert (2, True) == (odd.code, odd.err.startswith("pyas: error: ../x: id: expected a meeting's number"))
    assert [] == sandbox.requests


def test_types_in_the_words_of_the_page(pyas: Pyas, sandbox: Sandbox) -> None:
    """A listing's type can be written as on the page, and as options are written."""
    for word in ("previous_meetings", "previous-meetings"):
        assert 0 == pyas("meetings", "list", "--limit", 1, "--type", word).code

    assert ["previous_meetings"] * 2 == [request.query["type"] for request in sandbox.requests]


def test_details(pyas: Pyas, sandbox: Sandbox) -> None:
    """``get`` shows a meeting; its passcode, also in its link, and the host's link are masked unless asked for."""
    account = sandbox.account_ids[0]
    row = next(row for row in sandbox.rows(account) if row["type"] == 2)
    truth = sandbox.document(account, row["id"])

    masked = pyas("meetings", "get", row["id"])
    shown = pyas("meetings", "get", "--secrets", row["uuid"])

    assert (0, "", 0, "") == (masked.code, masked.err, shown.code, shown.err)
    for text in (row["topic"], str(row["id"]), row["uuid"], "scheduled", truth["host_email"]):
        assert text in masked.out
    link, _, passcode = truth["join_url"].partition("pwd=")
    assert passcode
    assert f"{link}pwd=***\n" in masked.out
    assert [False] * 3 == [truth[name] in masked.out for name in ("start_url", "password", "join_url")]
    assert [True] * 3 == [truth[name] in shown.out for name in ("start_url", "password", "join_url")]


INVITATION = "Join https://zoom.us/j/8?pwd=S3cr3t77 Passcode: 778899 ,,81398421915#,,,,*778899#"


def test_pasted_invitation(pyas: Pyas, sandbox: Sandbox) -> None:
    """Passcodes in a title or description, as of a pasted invitation, are masked in all output for people."""
    account = sandbox.account_ids[0]
    document = {"type": 2, "topic": INVITATION, "agenda": INVITATION, "start_time": "2026-11-24T10:00:00Z"}
    made = sandbox.add_meeting(account, document, at=0)
    outputs = [
        pyas("meetings", "get", made["id"]),
        pyas("meetings", "list"),
        pyas("meetings", "week", "2026-11-25", "--agenda"),
        pyas("meetings", "delete", made["id"], typed="no\n"),
    ]

    for done in outputs:
        assert "S3cr3t77" not in done.out + done.err
        assert "778899" not in done.out + done.err
    assert [True] * 3 == ["Join https://zoom.us/j/8?pwd=***" in done.out for done in outputs[:3]]
    shown = pyas("meetings", "get", "--secrets", made["id"])
    assert 2 == shown.out.count(INVITATION)


def test_link_as_an_id(pyas: Pyas, sandbox: Sandbox) -> None:
    """A link that is given instead of an id is not repeated with its passcode."""
    done = pyas("meetings", "get", "https://zoom.us/j/8?pwd=S3cr3t77")

    assert 0 != done.code
    assert "pwd=***" in done.err
    assert "S3cr3t77" not in done.out + done.err


def test_details_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long texts are wrapped beside their names; an address is not, so that it can be copied."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, no_color=True, color_system=None, width=30)
    monkeypatch.setattr(inside.CLI_DETAILS_CONSOLE, lambda: console)
    link = "https://us05web.zoom.us/j/85746065400?pwd=x"

    show_fields([("title", "Planning of the next year"), ("none", ""), ("to join", link)])

    assert f"  title  Planning of the next\n         year\nto join  {link}\n" == screen.getvalue()


def test_many_details_from_a_pipe(pyas: Pyas, sandbox: Sandbox) -> None:
    """``get - --json`` reads ids as jq prints them, numbers or quoted uuids, and writes whole documents."""
    account = sandbox.account_ids[0]
    rows = [row for row in sandbox.rows(account) if row["type"] == 2][:4]
    ids = "\n".join([*(str(row["id"]) for row in rows[:2]), "", *(json.dumps(row["uuid"]) for row in rows[2:])])

    done = pyas("meetings", "get", "-", "--json", stdin=ids)

    truth = [sandbox.document(account, row["id"]) for row in rows]
    assert (0, "") == (done.code, done.err)
    assert Counter(map(json.dumps, truth)) == Counter(map(json.dumps, done.json))


def test_details_in_the_order_asked_for(pyas: Pyas, sandbox: Sandbox) -> None:
    """For people, meetings come in the order of the ids on the command line, with a blank line between them."""
    rows = [row for row in sandbox.rows(sandbox.account_ids[0]) if row["type"] == 2][:3]

    done = pyas("meetings", "get", *(row["id"] for row in rows))

    blocks = done.out.split("\n\n")
    assert [True] * 3 == [f"id  {row['id']}\n" in block for row, block in zip(rows, blocks, strict=True)]


def test_one_of_several_is_missing(pyas: Pyas, sandbox: Sandbox) -> None:
    """Found meetings are shown, missing ones are reported on stderr, and the exit code means partial success."""
    there = sandbox.rows(sandbox.account_ids[0])[0]["id"]

    both = pyas("meetings", "get", 11, there)
    none = pyas("meetings", "get", 11, 12)

    assert (8, 4) == (both.code, none.code)
    assert str(there) in both.out
    assert "pyas: error: 11: 404: Meeting does not exist" in both.err


def test_a_recurring_meeting_in_words(pyas: Pyas, sandbox: Sandbox) -> None:
    """Zoom's numbers of a recurrence are shown in words."""
    said = {
        (("type", 1),): "every day",
        (("type", 1), ("repeat_interval", 2), ("end_times", 8)): "every 2 days, 8 times",
        (("type", 2), ("weekly_days", "1,3")): "every week on Sunday, Tuesday",
        (("type", 2), ("weekly_days", "9")): "every week on 9",
        (("type", 3), ("monthly_day", 15)): "every month on day 15",
        (("type", 3), ("monthly_week", -1), ("monthly_week_day", 6)): "every month on the last Friday",
        (("type", 2), ("end_date_time", "2026-03-01T09:00:00Z")): "every week, until Sun 2026-03-01 09:00",
        (("type", 7),): "every ?",
    }
    for recurrence, words in said.items():
        meeting = from_dict(MeetingDetail, {"id": 1, "recurrence": dict(recurrence)})
        assert meeting.recurrence is not None
        assert words == recurrence_words(meeting.recurrence, UTC)


def test_control_sequences_are_removed() -> None:
    """Titles come from other people: control sequences and direction marks do not reach the terminal."""
    assert "a\N{REPLACEMENT CHARACTER}[31mb c\N{REPLACEMENT CHARACTER}" == clean("a\x1b[31mb\nc\u202e")


def test_a_title_that_commands_a_terminal(pyas: Pyas, sandbox: Sandbox) -> None:
    """No escape sequence of a title is printed in a table, a detail or JSON; JSON keeps it escaped."""
    account = sandbox.account_ids[2]
    topic = "\x1b]0;owned\x07 \x9b31m [bold]plain[/bold] \u202etxt"
    row = sandbox.add_meeting(account, {"type": 2, "topic": topic, "start_time": "2026-12-01T09:00:00Z"}, at=0)

    said = [
        pyas("meetings", "list", "--account", account, "--limit", 1),
        pyas("meetings", "get", "--account", account, row["id"]),
        pyas("meetings", "list", "--account", account, "--limit", 1, "--json"),
    ]

    for done in said:
        assert 0 == done.code
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.out)
        assert "[bold]plain[/bold]" in done.out
    assert topic == said[2].json[0]["topic"]
