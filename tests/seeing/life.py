"""Draws the picture of calls in docs/seeing-inside.md from their events: `nox -s pages` writes it.

Five calls share a budget of five requests in a second. The service loses an answer, and fails once. The client is a
real one; the clock moves on when all tasks wait.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import anyio
import attrs
import httpx
import trio.testing

import inside
from pyas_async import (
    AttemptEnded,
    AttemptStarted,
    CallEnded,
    CallStarted,
    Event,
    PyasClient,
    RateBudget,
    RetryPolicy,
    Waiting,
)
from pyas_async._runtime.clock import Clock

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "calls.svg"
COLOURS = {"answered": "#6d5efc", "failed": "#e5484d", "retry": "#f5a524", "budget": "#b9bfd0"}
LEGEND = {
    "answered": "an attempt that was answered",
    "failed": "one that failed",
    "retry": "waits before the next attempt",
    "budget": "waits for the budget",
}
_LATENCIES = {1: 0.15, 2: 0.13, 3: 0.18, 4: 0.12, 5: 0.16}
_LEFT, _WIDTH, _ROW, _TOP = 150, 720, 34, 30


@attrs.define
class Bar:
    """A part of a call's life."""

    kind: str
    begins: float
    ends: float
    text: str = ""


class Lives:
    """Records the events of calls with their times."""

    def __init__(self) -> None:
        self.bars: dict[int, list[Bar]] = {}
        self._open: dict[int, Bar] = {}

    def note(self, event: Event) -> None:
        """Record an event: it ends one part of a call's life and begins the next."""
        now = trio.current_time()
        if isinstance(event, CallStarted):
            self.bars[event.call] = []
        elif isinstance(event, Waiting):
            self._begin(event.call, Bar(event.reason, now, now), now)
        elif isinstance(event, AttemptStarted):
            self._begin(event.call, Bar("answered", now, now), now)
        elif isinstance(event, AttemptEnded):
            bar = self._open[event.call]
            bar.text = "lost" if event.status is None else str(event.status)
            bar.kind = "answered" if event.status == 200 else "failed"
            self._end(event.call, now)
        elif isinstance(event, CallEnded):
            self._end(event.call, now)

    def _begin(self, call: int, bar: Bar, now: float) -> None:
        self._end(call, now)
        self._open[call] = bar
        self.bars[call].append(bar)

    def _end(self, call: int, now: float) -> None:
        if call in self._open:
            self._open.pop(call).ends = now


async def live() -> Lives:
    """Make the calls."""
    lives = Lives()
    asked: list[int] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.path.rpartition("/")[2])
        asked.append(number)
        await anyio.sleep(_LATENCIES[number])
        if number == 2 and asked.count(2) == 1:
            return httpx.Response(503)
        if number == 3 and asked.count(3) == 1:
            message = "the other side hung up"
            raise httpx.ReadError(message)
        return httpx.Response(200, json={"success": True, "meeting": {"id": number, "uuid": "u", "type": 2}})

    budget = RateBudget(5, window=1.0, guard=0)
    retry = RetryPolicy(base=0.5, cap=0.5)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = PyasClient("k", account_id="acc", http_client=http, budget=budget, retry=retry, on_event=lives.note)
        clock = Clock(now=trio.current_time, random=lambda: 0.6)
        inside.set_clock(client, clock)
        async with client, anyio.create_task_group() as tasks:
            for number in _LATENCIES:
                tasks.start_soon(client.meetings.get, number)
                await anyio.sleep(0.004)  # trio runs what is ready in any order
    return lives


def drawn(lives: Lives) -> str:
    """Draw the calls as SVG."""
    end = max(bar.ends for bars in lives.bars.values() for bar in bars)
    height = _TOP + _ROW * len(lives.bars) + 90
    font = "font-family='system-ui, sans-serif' font-size='13'"
    size = f"width='{_LEFT + _WIDTH + 30}' height='{height}'"
    parts = [f"<svg xmlns='http://www.w3.org/2000/svg' {size} {font} fill='#3b4054' role='img'>"]
    parts.append("<title>Five calls in flight together</title>")
    parts.append("<rect width='100%' height='100%' rx='14' fill='#fff' stroke='#e4e6f0'/>")
    for at, bars in enumerate(lives.bars.values()):
        y = _TOP + at * _ROW
        parts.append(f"<text x='20' y='{y + 18}'>meetings.get({at + 1})</text>")
        parts.append(f"<line x1='{_LEFT}' x2='{_LEFT + _WIDTH}' y1='{y + 13}' y2='{y + 13}' stroke='#eef0f6'/>")
        for bar in bars:
            x, width = _LEFT + _WIDTH * bar.begins / end, max(2.0, _WIDTH * (bar.ends - bar.begins) / end)
            shape = f"x='{x:.1f}' y='{y + 2}' width='{width:.1f}' height='22' rx='5'"
            parts.append(f"<rect {shape} fill='{COLOURS[bar.kind]}' data-call='{at + 1}' data-kind='{bar.kind}'/>")
            if bar.text and width > 30:
                middle = f"x='{x + width / 2:.1f}' y='{y + 17}' text-anchor='middle'"
                parts.append(f"<text {middle} fill='#fff' font-size='12'>{escape(bar.text)}</text>")
    axis = _TOP + _ROW * len(lives.bars) + 8
    parts.append(f"<line x1='{_LEFT}' x2='{_LEFT + _WIDTH}' y1='{axis}' y2='{axis}' stroke='#9a9fb5'/>")
    for tick in range(6):
        x = _LEFT + _WIDTH * tick / 5
        parts.append(f"<text x='{x:.0f}' y='{axis + 18}' text-anchor='middle'>{end * tick / 5:.1f} s</text>")
    x = 20
    for kind, text in LEGEND.items():
        parts.append(f"<rect x='{x}' y='{axis + 36}' width='14' height='14' rx='4' fill='{COLOURS[kind]}'/>")
        parts.append(f"<text x='{x + 20}' y='{axis + 48}'>{text}</text>")
        x += 46 + 7 * len(text)
    return "\n".join([*parts, "</svg>", ""])


def picture() -> str:
    """Make the calls, and draw them."""
    clock = trio.testing.MockClock(autojump_threshold=0)
    return drawn(anyio.run(live, backend="trio", backend_options={"clock": clock}))


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
