"""``pyas meetings week``: the positions of meetings in the calendar, and the drawing."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from pyas_async import Meeting, from_dict
from pyas_async.cli._week.grid import NARROWEST, grid
from pyas_async.cli._week.layout import Week, lay_out, week_of
from pyas_async.cli._week.texts import agenda, timeless
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.text import Text

    from cli.tools import Pyas

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 25, 14, 10, tzinfo=BERLIN)


def meeting(title: str, start: str | None, minutes: int | None = 60, **fields: Any) -> Meeting:  # noqa: ANN401
    """Make a meeting; its start is Berlin time."""
    document: dict[str, Any] = {"id": sum(map(ord, title)), "uuid": title, "topic": title, "type": 2, **fields}
    if start is not None:
        document["start_time"] = datetime.fromisoformat(start).replace(tzinfo=BERLIN).astimezone(UTC).isoformat()
    if minutes is not None:
        document["duration"] = minutes
    return from_dict(Meeting, document)


def plain(lines: Iterable[Text]) -> list[str]:
    """Remove the colours."""
    return [line.plain.rstrip() for line in lines]


def places(week: Week) -> list[tuple[str | None, int, int, int]]:
    """Return the title, day and minutes of each block."""
    return [(block.meeting.topic, block.day, block.begin, block.end) for block in week.blocks]


def test_the_week_of_a_day() -> None:
    """A week begins on Monday."""
    assert [MONDAY, MONDAY, MONDAY + timedelta(days=7)] == [
        week_of(MONDAY + timedelta(days=days)) for days in (0, 6, 7)
    ]


def test_days_by_the_clock_of_the_zone() -> None:
    """A meeting is on its day in the chosen time zone, and on both days if it goes on past midnight."""
    meetings = [meeting("late", "2026-11-26T23:00", 150), meeting("until midnight", "2026-11-27T23:00", 60)]

    berlin, auckland = (lay_out(meetings, MONDAY, zone) for zone in (BERLIN, ZoneInfo("Pacific/Auckland")))

    assert [("late", 3, 1380, 1440), ("late", 4, 0, 90), ("until midnight", 4, 1380, 1440)] == places(berlin)
    assert [False, True, False] == [block.began_before for block in berlin.blocks]
    assert [("late", 4, 660, 810), ("until midnight", 5, 660, 720)] == places(auckland)


def test_other_weeks_are_left_out() -> None:
    """Only the days of the week count, and meetings without a time are listed apart."""
    meetings = [
        meeting("before", "2026-11-22T22:00", 120),
        meeting("into it", "2026-11-22T23:30", 90),
        meeting("after", "2026-11-30T00:00"),
        meeting("instant", None, type=1),
    ]

    week = lay_out(meetings, MONDAY, BERLIN)

    assert [("into it", 0, 0, 60)] == places(week)
    assert ["instant"] == [one.topic for one in week.timeless]


@pytest.mark.parametrize(
    ("start", "minutes", "expected"),
    [
        # The clock goes from 2:59 back to 2:00, so 2:30 to 2:30 is an hour;
        ("2026-10-25T02:30", 60, (150, 210)),
        ("2026-10-25T02:30", 180, (150, 270)),
        # it goes from 1:59 to 3:00, so 1:30 to 3:30 is an hour as well.
        ("2026-03-29T01:30", 60, (90, 210)),
    ],
)
def test_when_clocks_change(start: str, minutes: int, expected: tuple[int, int]) -> None:
    """If the clock changes during a meeting, the meeting still ends after it begins."""
    one = meeting("x", start, minutes)

    week = lay_out([one], week_of(date.fromisoformat(start[:10])), BERLIN)

    assert [("x", 6, *expected)] == places(week)


def test_times_become_rows() -> None:
    """By default, a row is half an hour; a short meeting has one row, and one of unknown length half an hour."""
    meetings = [
        meeting("a", "2026-11-23T09:15", 50),
        meeting("b", "2026-11-24T09:00", 0),
        meeting("c", "2026-11-25T09:00", None),
    ]

    halves, quarters = (lay_out(meetings, MONDAY, BERLIN, lines=lines) for lines in (2, 4))

    assert [(18, 21), (18, 19), (18, 19)] == [(block.first, block.last) for block in halves.blocks]
    assert [(37, 41), (36, 37), (36, 38)] == [(block.first, block.last) for block in quarters.blocks]
    assert [False, True, True] == [block.on_row for block in halves.blocks]
    assert [True, True, True] == [block.on_row for block in quarters.blocks]


def test_overlapping_meetings_get_columns() -> None:
    """Overlapping meetings are in different columns; one that begins when another ends reuses its column."""
    week = lay_out(
        [
            meeting("long", "2026-11-23T09:00", 180),
            meeting("first", "2026-11-23T09:00"),
            meeting("second", "2026-11-23T10:00"),
            meeting("apart", "2026-11-23T13:00"),
        ],
        MONDAY,
        BERLIN,
    )

    lanes = [[[block.meeting.topic for block in lane] for lane in cluster.lanes] for cluster in week.clusters[0]]
    assert [[["long"], ["first", "second"]], [["apart"]]] == lanes


def test_columns_do_not_overlap() -> None:
    """Meetings of one column share no row, and neither do meetings of different clusters."""
    random = Random(7)
    for _ in range(30):
        starts = [f"2026-11-23T{random.randint(6, 20):02}:{random.choice((0, 15, 30, 50)):02}" for _ in range(12)]
        week = lay_out(
            [meeting(f"m{at}", start, random.randint(1, 150)) for at, start in enumerate(starts)], MONDAY, BERLIN
        )
        lanes = [lane for cluster in week.clusters[0] for lane in cluster.lanes]
        for lane in lanes:
            assert all(before.last <= after.first for before, after in itertools.pairwise(lane))
        clusters = week.clusters[0]
        assert all(before.last <= after.first for before, after in itertools.pairwise(clusters))
        assert 12 == sum(map(len, lanes))


def test_hours_that_are_shown() -> None:
    """Hours are shown from the first meeting to the last; three or more empty ones become one row."""
    meetings = [meeting("a", "2026-11-23T01:30"), meeting("b", "2026-11-24T05:00"), meeting("c", "2026-11-25T09:00")]

    week = lay_out(meetings, MONDAY, BERLIN)

    assert [1, 2, 3, 4, 5, None, 9] == list(week.hours())
    assert [] == list(lay_out([], MONDAY, BERLIN).hours())


WEEK = [
    meeting("Standup", "2026-11-23T09:00", 15),
    meeting("Sprint planning", "2026-11-23T10:00", 120),
    meeting("1:1 Ada", "2026-11-23T10:30", 30),
    meeting("Board meeting", "2026-11-25T13:00", 90),
    meeting("Quarterly review", "2026-11-25T13:15", 45),
    meeting("日次スタンドアップ", "2026-11-27T09:00", 60),
    meeting("Ad hoc", None, type=1),
]


def test_a_grid_of_80_columns() -> None:
    """Days are columns, the empty ones narrow; each of several overlapping meetings has a row for its title."""
    week = lay_out(WEEK, MONDAY, BERLIN)

    assert [
        "Week 48 · 23 Nov to 29 Nov 2026 · Europe/Berlin",
        "      │Mon 23            │Tue 24│Wed 25           │Thu 26│Fri 27  │Sat 28│Sun 29",
        "──────┼──────────────────┼──────┼─────────────────┼──────┼────────┼──────┼──────",
        "09:00 │▎Standup          │      │                 │      │▎日次ス │      │",
        "      │                  │      │                 │      │▎タンド…│      │",
        "10:00 │▎Sprint planning  │      │                 │      │        │      │",
        "      │▎ ▎1:1 Ada        │      │                 │      │        │      │",
        "11:00 │▎                 │      │                 │      │        │      │",
        "      │▎                 │      │                 │      │        │      │",
        "12:00 │                  │      │                 │      │        │      │",
        "      │                  │      │                 │      │        │      │",
        "13:00 │                  │      │▎ ▎:15 Quarterly…│      │        │      │",
        "      │                  │      │▎Board meeting ▎ │      │        │      │",
        "14:00▸│                  │      │▎                │      │        │      │",
        "      │                  │      │                 │      │        │      │",
        "",
        "Without a time",
        "  Ad hoc  instant",
    ] == plain([*grid(week, 80, NOON, "Europe/Berlin"), *timeless(week)])


def test_a_wide_grid() -> None:
    """With enough space, overlapping meetings are side by side."""
    week = lay_out(WEEK, MONDAY, BERLIN)

    lines = plain(grid(week, 120, NOON, "Europe/Berlin"))

    assert "      │▎                ▎1:1 Ada         │" == lines[6][:42]
    assert "13:00 │                                  │      │▎Board meeting  ▎:15 Quarterly   │" == lines[11][:83]


def test_titles_without_a_row() -> None:
    """A title without a row is listed below the grid, with its day and time."""
    meetings = [meeting(f"twin {letter}", "2026-11-23T09:00", 30) for letter in "abc"]
    meetings += [meeting(f"busy {day}", f"2026-11-{24 + day}T09:00") for day in range(6)]
    week = lay_out(meetings, MONDAY, BERLIN)

    lines = plain(grid(week, 80, NOON, "Europe/Berlin"))

    at = lines.index("No room for")
    assert ["  Mon 09:00-09:30  twin b", "  Mon 09:00-09:30  twin c"] == lines[at + 1 :]


def test_every_line_fits() -> None:
    """Every line of the grid has the width of the terminal, for any meetings and width, and no title is lost."""
    random, titles = Random(11), ("Übergabe", "日次スタンドアップ", "🚀 Launch rehearsal", "x" * 30)
    for width in (NARROWEST, 80, 97, 140, 201):
        meetings = [
            meeting(
                f"{chr(0x4E00 + at)} {random.choice(titles)}",
                f"2026-11-{random.randint(23, 29)}T{random.randint(0, 23):02}:{random.choice((0, 5, 30, 45)):02}",
                random.choice((None, 0, 15, 30, 60, 90, 400, 1600)),
            )
            for at in range(40)
        ]
        week = lay_out(meetings, MONDAY, BERLIN)
        lines = [line.plain for line in grid(week, width, NOON, "Europe/Berlin")]
        drawn = lines[1 : lines.index("")] if "" in lines else lines[1:]
        assert {width} == {cell_len(line) for line in drawn}
        # Each title begins with a different character.
        assert set() == {block.meeting.topic[0] for block in week.blocks if block.meeting.topic} - set("".join(lines))


def test_an_agenda() -> None:
    """The list has every meeting of each day with its times, and nothing is cut."""
    night, unknown = meeting("Night", "2026-11-26T23:00", 150), meeting("How long?", "2026-11-27T12:00", None)
    week = lay_out([*WEEK, night, unknown], MONDAY, BERLIN)

    assert [
        "Week 48 · 23 Nov to 29 Nov 2026 · Europe/Berlin",
        "",
        "Monday, 23 November",
        "  09:00-09:15  Standup",
        "  10:00-12:00  Sprint planning",
        "  10:30-11:00  1:1 Ada",
        "",
        "Wednesday, 25 November",
        "  13:00-14:30  Board meeting",
        "  13:15-14:00  Quarterly review",
        "",
        "Thursday, 26 November",
        "  23:00-00:00  Night",
        "",
        "Friday, 27 November",
        "  ...  -01:30  Night",
        "  09:00-10:00  日次スタンドアップ",
        "  12:00-?      How long?",
    ] == plain(agenda(week, NOON, "Europe/Berlin"))


def test_many_without_a_time() -> None:
    """Of many meetings without a time, the first ten are named, and the others counted."""
    week = lay_out([meeting(f"m{at}", None) for at in range(13)], MONDAY, BERLIN)

    lines = plain(timeless(week))

    assert (["", "Without a time", "  m0  scheduled"], "  and 3 more", 13) == (lines[:3], lines[-1], len(lines))


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, str]]:
    """Serve an account with the meetings of that week, and some around it."""
    with Sandbox(accounts=1, meetings=0) as sandbox, sandbox.serve() as url:
        around = [meeting("Sunday before", "2026-11-22T10:00"), meeting("Monday after", "2026-11-30T10:00")]
        for one in [*WEEK, *around, meeting("\x1b[2Jclear", "2026-11-28T10:00")]:
            document = {name: getattr(one, name) for name in ("topic", "duration") if getattr(one, name) is not None}
            start = None if one.start_time is None else one.start_time.strftime("%Y-%m-%dT%H:%M:%SZ")
            created = {"created_at": "2026-11-24T09:00:00Z"}
            times = created if start is None else {**created, "start_time": start}
            sandbox.add_meeting(sandbox.account_ids[0], {"type": 2 if start else 1, **document, **times})
        yield sandbox, url


def test_the_command(pyas: Pyas, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lists the week and a day around it, and draws its meetings, also for a pipe."""
    monkeypatch.setenv("COLUMNS", "80")

    drawn = pyas("meetings", "week", "2026-11-25", "--time-zone", "Europe/Berlin")
    listed = pyas("meetings", "week", "2026-11-25", "--time-zone", "Europe/Berlin", "--agenda")
    monkeypatch.setenv("COLUMNS", "60")
    narrow = pyas("meetings", "week", "2026-11-25", "--time-zone", "Europe/Berlin")
    monkeypatch.delenv("COLUMNS")
    piped = pyas("meetings", "week", "2026-11-25", "--time-zone", "UTC", "--hour-lines", 1)

    assert [0] * 4 == [drawn.code, listed.code, narrow.code, piped.code]
    assert "8 meetings, 1 call\n" == drawn.err
    assert "10:00 │▎Sprint" in drawn.out
    assert "\x1b" not in drawn.out
    assert listed.out == narrow.out
    assert "  10:00-12:00  Sprint planning\n" in listed.out
    assert "Without a time\n  Ad hoc  instant\n" in listed.out
    assert "around" not in drawn.out
    assert "Sunday before" not in listed.out
    assert 120 == max(map(cell_len, piped.out.splitlines()))
    assert {("11-22-2026", "11-30-2026")} == {
        (request.query["startDate"], request.query["endDate"]) for request in sandbox.requests
    }


def test_the_command_for_programs(pyas: Pyas, sandbox: Sandbox) -> None:
    """The JSON has the unchanged meetings of the week, and those without a time."""
    done = pyas("meetings", "week", "2026-11-25", "--time-zone", "Europe/Berlin", "--json")

    assert (0, "") == (done.code, done.err)
    assert [
        row for row in sandbox.rows(sandbox.account_ids[0]) if not row["topic"].endswith(("before", "after"))
    ] == done.json


def test_this_week(pyas: Pyas, sandbox: Sandbox) -> None:
    """Without a day, it shows the current week."""
    done = pyas("meetings", "week", "--time-zone", "UTC")

    assert 0 == done.code
    assert f"Week {datetime.now(UTC).isocalendar().week} · " in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["someday"], "expected a day such as 2026-01-31, got 'someday'"),
        (["--hour-lines", "7"], "--hour-lines: expected 1 to 6, got 7"),
        (["--time-zone", "Nowhere"], "--time-zone: expected an IANA name such as Europe/Berlin, got 'Nowhere'"),
    ],
)
def test_called_wrongly(pyas: Pyas, sandbox: Sandbox, arguments: list[str], said: str) -> None:
    """Invalid options are reported before any request."""
    done = pyas("meetings", "week", *arguments)

    assert (2, f"pyas: error: {said}", []) == (done.code, done.err.splitlines()[0], sandbox.requests)
