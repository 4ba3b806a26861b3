"""A week as a text grid of days and hours."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Final

import attrs
from rich.cells import cell_len, set_cell_size
from rich.text import Text

from pyas_async._moments import plus_days
from pyas_async.cli._week.layout import DAYS, Block, Cluster, Week, clock
from pyas_async.cli._week.texts import heading, style, times, title

NARROWEST: Final = 76
"""Minimum width of a terminal for a grid."""
_GUTTER: Final = 6
_EMPTY_DAY: Final = 6
_LANE: Final = 12
"""Minimum width of a lane next to others; below it, overlapping meetings cover each other."""
_STRIPE: Final = 2
"""Columns that remain visible of a covered meeting."""
_OVER: Final = 6
"""Minimum columns of the meeting on top."""
_MINUTE_AND_TITLE: Final = 10
"""Minimum columns for a minute and a part of the title."""
_BAR: Final = "▎"
_NO_BREAK: Final = "\N{NO-BREAK SPACE}"


@attrs.frozen
class _Piece:
    """A part of a row in a day's column: a text, its start column and its width."""

    column: int
    width: int
    text: str
    style: str


def grid(week: Week, width: int, now: datetime, zone_name: str) -> Iterator[Text]:
    """Draw a week as a grid of days and hours.

    Args:
        week: The week.
        width: The columns of the terminal.
        now: The moment to mark, in the week's time zone.
        zone_name: The name of that zone.
    """
    widths = _widths(week, width)
    today = (now.date() - week.monday).days
    yield heading(week, zone_name)
    yield _line("", [_day_name(plus_days(week.monday, day), day == today) for day in range(DAYS)], widths)
    yield Text("─" * _GUTTER + "".join("┼" + "─" * one for one in widths), style="dim")
    columns, hidden = [], list[Block]()
    for clusters, one in zip(week.clusters, widths, strict=True):
        column = dict[int, list[_Piece]]()
        for cluster in clusters:
            hidden += _put(cluster, one, column)
        columns.append(column)
    current = now.hour * week.lines + now.minute * week.lines // 60
    for hour in week.hours():
        if hour is None:
            yield _line("  ⋮", [Text() for _ in range(DAYS)], widths)
            continue
        for row in range(hour * week.lines, (hour + 1) * week.lines):
            mark = "▸" if 0 <= today < DAYS and row == current else " "
            gutter = (clock(hour * 60) if row % week.lines == 0 else " " * 5) + mark
            yield _line(gutter, [_row(column.get(row, ())) for column in columns], widths)
    if hidden:
        yield Text()
        yield Text("No room for", style="bold")
        for block in hidden:
            day = plus_days(week.monday, block.day)
            yield Text.assemble(f"  {day:%a} {times(block)}  ", (title(block.meeting), style(block.meeting)))


def _day_name(day: date, is_today: bool) -> Text:  # noqa: FBT001  (the function has only these two arguments)
    return Text(f"{day:%a} {day.day}", style="bold reverse" if is_today else "bold")


def _widths(week: Week, width: int) -> list[int]:
    """Divide the columns among the days: few for an empty day, more for a day with more lanes."""
    lanes = [max((len(cluster.lanes) for cluster in day), default=0) for day in week.clusters]
    room = width - _GUTTER - DAYS
    shares = [min(count, 3) for count in lanes]
    room -= sum(_EMPTY_DAY for share in shares if not share)
    total = sum(shares)
    widths = [max(_EMPTY_DAY, room * share // total) if share else _EMPTY_DAY for share in shares]
    # What rounding leaves over goes to the first days with a meeting.
    spare = width - _GUTTER - DAYS - sum(widths)
    for day in [day for day, share in enumerate(shares) if share][: max(spare, 0)]:
        widths[day] += 1
    return widths


def _line(gutter: str, cells: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text(gutter.ljust(_GUTTER), style="", no_wrap=True)
    for cell, width in zip(cells, widths, strict=True):
        line.append("│", style="dim")
        line.append_text(cell)
        line.append(" " * (width - cell.cell_len))
    return line


def _row(pieces: Iterable[_Piece]) -> Text:
    line, column = Text(), 0
    for piece in sorted(pieces, key=lambda one: one.column):
        line.append(" " * (piece.column - column))
        line.append(set_cell_size(piece.text, piece.width), style=piece.style)
        column = piece.column + piece.width
    return line


def _put(cluster: Cluster, width: int, column: dict[int, list[_Piece]]) -> list[Block]:
    """Draw a cluster into a day's column, and return the blocks for whose titles there was no room."""
    if width // len(cluster.lanes) >= _LANE:
        pieces, hidden = list(_side_by_side(cluster, width)), list[Block]()
    else:
        pieces, hidden = _cascaded(cluster, width)
    for row, piece in pieces:
        column.setdefault(row, []).append(piece)
    return hidden


def _side_by_side(cluster: Cluster, width: int) -> Iterator[tuple[int, _Piece]]:
    count = len(cluster.lanes)
    for number, lane in enumerate(cluster.lanes):
        begin, end = number * width // count, (number + 1) * width // count
        for block in lane:
            # One empty column between neighbours.
            room = end - begin - (1 if number < count - 1 else 0)
            lines = _text(block, room - 1, block.last - block.first)
            for row, text in zip(range(block.first, block.last), lines, strict=True):
                yield row, _Piece(begin, room, _BAR + text, style(block.meeting))


def _cascaded(cluster: Cluster, width: int) -> tuple[list[tuple[int, _Piece]], list[Block]]:
    """Draw blocks over each other: in each row, one has room for its title, and a stripe is visible of the others."""
    lanes = cluster.lanes[: 1 + (width - _OVER) // _STRIPE]
    rows = [
        [(lane, block) for lane, blocks in enumerate(lanes) for block in blocks if block.first <= row < block.last]
        for row in range(cluster.first, cluster.last)
    ]
    on_top: dict[Block, list[int]] = {block: [] for lane in lanes for block in lane}
    for number, there in enumerate(rows):
        if not there:
            continue  # only blocks without room for even a stripe are in this row
        # First the blocks that have had no row yet, and of these the one that ends first; else the one that began last.
        _, top = min(there, key=lambda one: (len(on_top[one[1]]) > 0, one[1].last if not on_top[one[1]] else -one[0]))
        on_top[top].append(number)
    texts = {
        (block, number): text
        for block, mine in on_top.items()
        if mine
        for number, text in zip(mine, _text(block, width - _STRIPE * _most(rows, mine) - 1, len(mine)), strict=True)
    }
    pieces = []
    for number, there in enumerate(rows):
        at = 0
        for _, block in there:
            text = texts.get((block, number))
            room = _STRIPE if text is None else width - _STRIPE * (len(there) - 1)
            pieces.append((cluster.first + number, _Piece(at, room, _BAR + (text or ""), style(block.meeting))))
            at += room
    return pieces, [block for block in cluster.blocks if not on_top.get(block)]


def _most(rows: Sequence[Sequence[object]], numbers: Iterable[int]) -> int:
    """Return the largest number of stripes in these rows."""
    return max((len(rows[number]) - 1 for number in numbers), default=0)


def _text(block: Block, width: int, rows: int) -> list[str]:
    """Wrap a block's title into rows, with its minute in front if the row does not show it and there is room."""
    text = title(block.meeting)
    if not block.on_row and width >= _MINUTE_AND_TITLE:
        text = f":{block.begin % 60:02}{_NO_BREAK}{text}"
    return _wrapped(text, width, rows)


def _wrapped(text: str, width: int, rows: int) -> list[str]:
    """Wrap a text into rows, and cut what does not fit."""
    words, lines = text.split(" "), [""]
    while words:
        word = words.pop(0)
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width:
            lines[-1] = joined
        elif not lines[-1]:
            # A word longer than a row is broken at the end of the row.
            head = _fitting(word, width)
            lines[-1] = head
            lines.append("")
            words.insert(0, word[len(head) :])
        else:
            lines.append("")
            words.insert(0, word)
    lines = [line for line in lines if line]
    if len(lines) > rows:
        rest = " ".join(lines[rows - 1 :])
        lines = [*lines[: rows - 1], _fitting(rest, width - 1) + "…"]
    return [line.replace(_NO_BREAK, " ") for line in lines] + [""] * (rows - len(lines))


def _fitting(text: str, width: int) -> str:
    """Return the longest beginning of a text that fits, and at least one character."""
    taken = 0
    for at, character in enumerate(text):
        taken += cell_len(character)
        if taken > width:
            return text[: max(at, 1)]
    return text
